//! Multipart bodies (RFC 7578): fields, file names and files.

use memchr::memmem;

use super::{Leaf, Place};

/// Of each part its content, under the name that its header gives; a file's name too, under that name and `;filename`.
pub fn multipart(boundary: &[u8], bytes: &[u8], visit: &mut impl FnMut(Leaf<'_>)) {
    if boundary.is_empty() {
        return;
    }
    let delimiter = [b"--", boundary].concat();
    let mut starts = memmem::find_iter(bytes, &delimiter).peekable();
    while let Some(at) = starts.next() {
        let from = at.saturating_add(delimiter.len());
        let part = bytes.get(from..starts.peek().copied().unwrap_or(bytes.len())).unwrap_or_default();
        if part.starts_with(b"--") {
            continue;
        }
        let (head, content) = split(part);
        let name = parameter(head, b"name").unwrap_or_default();
        if let Some(file) = parameter(head, b"filename") {
            visit(Leaf { place: Place::Part, name: &[name, b";filename"].concat(), value: file });
        }
        visit(Leaf { place: Place::Part, name, value: content });
    }
}

/// The headers of a part and its content without the line end that belongs to the delimiter.
fn split(part: &[u8]) -> (&[u8], &[u8]) {
    let ends = [b"\r\n\r\n".as_slice(), b"\n\n"];
    let found = ends.iter().find_map(|end| memmem::find(part, end).map(|at| (at, end.len())));
    let Some((at, length)) = found else { return (part, &[]) };
    let content = part.get(at.saturating_add(length)..).unwrap_or_default();
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    (part.get(..at).unwrap_or_default(), content.strip_suffix(b"\r").unwrap_or(content))
}

/// A parameter of `Content-Disposition`, quoted or not; escapes are left as they are.
fn parameter<'p>(head: &'p [u8], wanted: &[u8]) -> Option<&'p [u8]> {
    let line = head.split(|byte| *byte == b'\n').find(|line| {
        let name = line.trim_ascii_start().get(..20);
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"content-disposition:"))
    })?;
    let mut left = line;
    while let Some(at) = memchr::memchr(b';', left) {
        left = left.get(at.saturating_add(1)..)?.trim_ascii_start();
        let Some(equals) = memchr::memchr(b'=', left) else { break };
        let (name, value) = left.split_at_checked(equals)?;
        let value = value.get(1..)?.trim_ascii_start();
        let (value, rest) = match value.strip_prefix(b"\"") {
            Some(quoted) => quoted.split_at_checked(memchr::memchr(b'"', quoted).unwrap_or(quoted.len()))?,
            None => value.split_at_checked(memchr::memchr(b';', value).unwrap_or(value.len()))?,
        };
        if name.trim_ascii().eq_ignore_ascii_case(wanted) {
            return Some(value.trim_ascii_end());
        }
        left = rest;
    }
    None
}
