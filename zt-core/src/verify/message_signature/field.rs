//! The values of header fields (RFC 9421, section 2.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::component::Form;
use super::{Refusal, canonical, malformed};
use crate::model::Request;

/// Most members of a list or dictionary that is written in canonical form.
const MAX_MEMBERS: usize = 128;

/// Fields that are structured, by their definition.
const DICTIONARIES: &[&str] = &[
    "accept-signature",
    "cdn-cache-control",
    "content-digest",
    "priority",
    "repr-digest",
    "signature",
    "signature-input",
    "want-content-digest",
    "want-repr-digest",
];
const LISTS: &[&str] = &["accept-ch", "cache-status", "client-cert-chain", "proxy-status"];
const ITEMS: &[&str] = &["client-cert", "deprecation"];

/// The lines of a field, combined: white space around each cut off, a comma between them (section 2.1). Nothing where there
/// is no such field.
pub(super) fn combined(request: &Request<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let mut out = None;
    for line in request.header(name) {
        let line = std::str::from_utf8(line).ok().filter(|line| line.bytes().all(is_plain));
        let line = line.ok_or(malformed("a covered field has characters that cannot be signed"))?;
        let line = line.trim_matches([' ', '\t']);
        match &mut out {
            None => out = Some(line.to_owned()),
            Some(lines) => {
                lines.push_str(", ");
                lines.push_str(line);
            }
        }
    }
    Ok(out)
}

/// Appends the value of a field in this form.
pub(super) fn write(out: &mut String, name: &str, form: &Form, request: &Request<'_>) -> Result<(), Refusal> {
    let absent = malformed("covers a field that the request does not have");
    if *form == Form::Wrapped {
        return wrapped(out, name, request).ok_or(absent);
    }
    let text = combined(request, name)?.ok_or(absent)?;
    match form {
        Form::Combined | Form::Wrapped => out.push_str(&text),
        Form::Canonical => {
            let value = structured(name, text.as_bytes());
            out.push_str(
                &value.ok_or(malformed("`sf` on a field that is not known to be structured, or is malformed"))?,
            );
        }
        Form::Member(key) => {
            let members = canonical::dictionary(text.as_bytes(), MAX_MEMBERS);
            let members = members.ok_or(malformed("`key` on a field that is not a dictionary"))?;
            let member = members.iter().find(|(name, _)| **name == **key);
            out.push_str(&member.ok_or(malformed("covers a member that the dictionary does not have"))?.1);
        }
    }
    Ok(())
}

/// Neither a line break nor obsolete text: both are refused rather than mended (section 2.1, step 3; RFC 9110, section
/// 5.5).
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}

/// Each line as a byte sequence (section 2.1.3).
fn wrapped(out: &mut String, name: &str, request: &Request<'_>) -> Option<()> {
    let mut lines = request.header(name).map(|line| {
        let line = trimmed(line);
        format!(":{}:", STANDARD.encode(line))
    });
    out.push_str(&lines.next()?);
    for line in lines {
        out.push_str(", ");
        out.push_str(&line);
    }
    Some(())
}

fn trimmed(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

fn structured(name: &str, text: &[u8]) -> Option<String> {
    if DICTIONARIES.contains(&name) {
        let members = canonical::dictionary(text, MAX_MEMBERS)?;
        return Some(members.iter().map(|(key, value)| keyed(key, value)).collect::<Vec<_>>().join(", "));
    }
    let members = canonical::list(text, MAX_MEMBERS)?;
    match members.as_slice() {
        _ if LISTS.contains(&name) => Some(members.join(", ")),
        [item] if ITEMS.contains(&name) && !item.starts_with('(') => Some(item.clone()),
        _ => None,
    }
}

/// A member of a dictionary; a true one is its key and parameters (RFC 9651, section 4.1.2).
pub(super) fn keyed(key: &str, value: &str) -> String {
    match value.strip_prefix("?1") {
        Some(parameters) => format!("{key}{parameters}"),
        None => format!("{key}={value}"),
    }
}
