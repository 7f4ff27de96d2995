//! The canonical request, and the text that is signed.

use super::query::Query;
use crate::base::percent::hex;
use crate::model::{Code, Request};
use crate::verify::Refusal;
use crate::verify::mac;

/// What of a request is signed, and how it is written.
pub(super) struct Canonical<'r> {
    pub(super) request: &'r Request<'r>,
    pub(super) query: &'r Query<'r>,
    /// Parameters of the query that are not signed.
    pub(super) without: &'r [&'r str],
    pub(super) normalize_path: bool,
    /// Names in lower case, in order.
    pub(super) signed_headers: &'r str,
    /// The payload's digest as text, or the word that stands for one.
    pub(super) payload: &'r str,
}

impl Canonical<'_> {
    /// The canonical request.
    pub(super) fn text(&self) -> Result<Vec<u8>, Refusal> {
        let mut text = self.request.method.bytes().to_vec();
        text.push(b'\n');
        text.extend(path(self.request.path.bytes(), self.normalize_path)?);
        text.push(b'\n');
        text.extend(self.query.canonical(self.without));
        text.push(b'\n');
        for name in self.signed_headers.split(';') {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            values(self.request, name, &mut text)?;
            text.push(b'\n');
        }
        text.push(b'\n');
        text.extend_from_slice(self.signed_headers.as_bytes());
        text.push(b'\n');
        text.extend_from_slice(self.payload.as_bytes());
        Ok(text)
    }

    /// The string to sign: algorithm, time, scope, and the canonical request's digest.
    pub(super) fn to_sign(&self, time: &str, scope: &str) -> Result<String, Refusal> {
        let digest = mac::to_hex(&mac::sha256(&self.text()?));
        Ok(format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}"))
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986, section 2.3) and those of `but`.
pub(super) fn encode(bytes: &[u8], but: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || but.contains(byte) {
            out.push(*byte);
        } else {
            out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

/// The path as it is signed. Normalised: without `.`, `..` and empty segments, then encoded as it stands, which encodes
/// a second time what was encoded to be sent. Otherwise as it is sent.
fn path(sent: &[u8], normalize: bool) -> Result<Vec<u8>, Refusal> {
    if !sent.starts_with(b"/") {
        return Err((Code::VerifySignatureMalformed, "the target is not a path"));
    }
    if !normalize {
        let broken = |(at, byte): (usize, &u8)| {
            let digit = |after: usize| sent.get(at.saturating_add(after)).is_some_and(|byte| hex(*byte).is_some());
            *byte == b'%' && !(digit(1) && digit(2))
        };
        return match sent.iter().enumerate().any(broken) {
            true => Err((Code::VerifySignatureMalformed, "a broken percent-encoding in the path")),
            false => Ok(encode(sent, b"/%")),
        };
    }
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in sent.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut out = Vec::with_capacity(sent.len());
    for segment in &segments {
        out.push(b'/');
        out.extend(encode(segment, b""));
    }
    // The end of the path says whether it names a directory (RFC 3986, section 5.2.4).
    if segments.is_empty() || [&b"/"[..], b"/.", b"/.."].iter().any(|end| sent.ends_with(end)) {
        out.push(b'/');
    }
    Ok(out)
}

/// The values of a header, each without space around it and with one space for any run inside, joined by commas.
fn values(request: &Request<'_>, name: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut values = request.header(name).peekable();
    if values.peek().is_none() {
        let host = request.host.as_ref().filter(|_| name == "host");
        let host = host.ok_or((Code::VerifySignatureMalformed, "a signed header is missing"))?;
        out.extend_from_slice(host.bytes());
    }
    for (nth, value) in values.enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        let words = value.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).filter(|word| !word.is_empty());
        for (nth, word) in words.enumerate() {
            if nth > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let text =
            |sent: &str, normalize| path(sent.as_bytes(), normalize).map(|path| String::from_utf8(path).unwrap());
        for (sent, normalized) in [
            ("/", "/"),
            ("//", "/"),
            ("/a//b/./c/../d", "/a/b/d"),
            ("/a/..", "/"),
            ("/../../a/", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/a%20b", "/a%2520b"),
            ("/a b", "/a%20b"),
            ("/a:b@c", "/a%3Ab%40c"),
        ] {
            assert_eq!(text(sent, true).unwrap(), normalized, "{sent}");
        }
        for (sent, plain) in [("//a/./..", "//a/./.."), ("/a%2fb", "/a%2fb"), ("/a:b c", "/a%3Ab%20c")] {
            assert_eq!(text(sent, false).unwrap(), plain, "{sent}");
        }
        for bad in ["", "a", "*", "/%", "/%2", "/%2g"] {
            assert!(text(bad, false).is_err(), "{bad}");
        }
    }
}
