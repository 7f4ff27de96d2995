//! Multipart bodies (RFC 2046, section 5.1; RFC 7578): the frame, not the parts' contents.

use memchr::memmem;

use super::Inspector;
use super::parameters::Cut;
use super::report::Report;
use crate::model::Code;

pub(super) fn inspect(inspector: &Inspector, bytes: &[u8], boundary: Option<&[u8]>, cut: Cut, report: &mut Report) {
    let Some(boundary) = boundary.filter(|boundary| is_boundary(boundary)) else {
        return report.refuse(Code::InspectContentType, "multipart boundary");
    };
    let delimiter = [b"--", boundary].concat();
    let mut found = memmem::find_iter(bytes, &delimiter).filter(|at| starts_line(bytes, *at)).peekable();
    match found.peek() {
        None if cut == Cut::Yes => return,
        None => return report.refuse(Code::InspectContentType, "body without its multipart boundary"),
        Some(0) => {}
        Some(_) => report.unclean(Code::InspectContentType, "text before the first multipart part"),
    }
    let mut seen = Seen::default();
    while let Some(at) = found.next() {
        let end = found.peek().copied().unwrap_or(bytes.len());
        let part = bytes.get(at.saturating_add(delimiter.len())..end).unwrap_or_default();
        if let Some(behind) = part.strip_prefix(b"--") {
            // With text behind it in its line, it is the end for some parsers and none for others.
            if behind.split(|byte| *byte == b'\n').next().is_none_or(|line| line.trim_ascii().is_empty()) {
                seen.closed = true;
                break;
            }
            seen.half_closed = true;
        }
        seen.parts = seen.parts.saturating_add(1);
        if seen.parts > inspector.max_parameters {
            return report.refuse(Code::InspectBadQuery, "parts of the multipart body");
        }
        seen.headers(part);
    }
    seen.report(cut, report);
}

#[derive(Default)]
struct Seen {
    parts: usize,
    closed: bool,
    half_closed: bool,
    nul: bool,
    control: bool,
}

impl Seen {
    /// Up to the empty line that ends them.
    fn headers(&mut self, part: &[u8]) {
        for line in part.split(|byte| *byte == b'\n').skip(1) {
            if matches!(line, b"" | b"\r") {
                break;
            }
            self.line(line);
        }
    }

    fn line(&mut self, line: &[u8]) {
        for &byte in line {
            self.nul |= byte == 0;
            self.control |= byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
        }
    }

    fn report(&self, cut: Cut, report: &mut Report) {
        if self.nul {
            report.refuse(Code::InspectControlCharacter, "nul in a part's header");
        } else if self.control {
            report.unclean(Code::InspectControlCharacter, "a part's header");
        }
        if self.half_closed {
            report.unclean(Code::InspectContentType, "text behind the end of a multipart body");
        }
        if !self.closed && cut == Cut::No {
            report.unclean(Code::InspectContentType, "multipart body without its end");
        }
    }
}

/// RFC 2046: 1 to 70 of these, no space at the end.
fn is_boundary(boundary: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    (1..=70).contains(&boundary.len()) && boundary.iter().all(fits) && !boundary.ends_with(b" ")
}

fn starts_line(bytes: &[u8], at: usize) -> bool {
    at == 0 || bytes.get(..at).is_some_and(|before| before.ends_with(b"\n"))
}
