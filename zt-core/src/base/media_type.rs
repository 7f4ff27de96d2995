//! The `Content-Type` (RFC 9110, section 8.3), read strictly: what two servers read in different ways is malformed.

/// A media type with the two parameters that matter.
#[derive(Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// How its body is looked at.
    pub kind: Kind,
    /// The parameter `charset`.
    pub charset: Option<&'a [u8]>,
    /// The parameter `boundary`.
    pub boundary: Option<&'a [u8]>,
}

/// How a body of a media type is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One JSON text (RFC 8259, and the `+json` suffix of RFC 6839).
    Json,
    /// One JSON text a line.
    JsonLines,
    /// JSON text sequences (RFC 7464).
    JsonSequence,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/*`.
    Multipart,
    /// `text/plain`.
    PlainText,
    /// Anything else.
    Other,
}

impl<'a> MediaType<'a> {
    /// Nothing when it is malformed.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (essence, mut rest) = until(value, b';');
        let (main, sub) = until(essence.trim_ascii_end(), b'/');
        let sub = sub.filter(|sub| is_token(main) && is_token(sub))?;
        let mut media_type = Self { kind: Kind::of(main, sub), charset: None, boundary: None };
        while let Some(text) = rest {
            let text = text.trim_ascii_start();
            if text.is_empty() || text.starts_with(b";") {
                rest = text.get(1..);
                continue;
            }
            let (name, after) = until_any(text, b"=;");
            let (value, after) = parameter_value(after?.strip_prefix(b"=")?)?;
            media_type.set(name, value)?;
            rest = match after.trim_ascii_start() {
                [] => None,
                [b';', tail @ ..] => Some(tail),
                _ => return None,
            };
        }
        Some(media_type)
    }

    fn set(&mut self, name: &[u8], value: &'a [u8]) -> Option<()> {
        let slot = match name {
            name if name.eq_ignore_ascii_case(b"charset") => &mut self.charset,
            name if name.eq_ignore_ascii_case(b"boundary") => &mut self.boundary,
            // The continuations of RFC 2231 (`boundary*0=`) have no place in HTTP, and some servers join them.
            name => return (is_token(name) && !name.contains(&b'*')).then_some(()),
        };
        slot.replace(value).is_none().then_some(())
    }

    /// Whether the charset is absent, or UTF-8 or a part of it.
    pub fn is_utf8(&self) -> bool {
        let names: [&[u8]; 4] = [b"utf-8", b"utf8", b"us-ascii", b"ascii"];
        self.charset.is_none_or(|charset| names.iter().any(|name| charset.eq_ignore_ascii_case(name)))
    }
}

impl Kind {
    fn of(main: &[u8], sub: &[u8]) -> Self {
        let is = |main_is: &str, sub_is: &str| {
            main.eq_ignore_ascii_case(main_is.as_bytes()) && sub.eq_ignore_ascii_case(sub_is.as_bytes())
        };
        let ends = |suffix: &[u8]| {
            let tail = sub.len().checked_sub(suffix.len()).and_then(|from| sub.get(from..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
        };
        let lines = ["x-ndjson", "ndjson", "jsonl", "x-jsonlines", "jsonlines", "x-json-stream"];
        if is("application", "json") || is("text", "json") || is("application", "csp-report") || ends(b"+json") {
            Self::Json
        } else if lines.iter().any(|line| is("application", line)) {
            Self::JsonLines
        } else if is("application", "json-seq") || ends(b"+json-seq") {
            Self::JsonSequence
        } else if is("application", "x-www-form-urlencoded") {
            Self::Form
        } else if main.eq_ignore_ascii_case(b"multipart") {
            Self::Multipart
        } else if is("text", "plain") {
            Self::PlainText
        } else {
            Self::Other
        }
    }
}

/// Whether this is a token (RFC 9110, section 5.6.2).
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(is_token_byte)
}

const fn is_token_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// Splits before the first of this byte; what follows it, if it is there.
fn until(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(byte, text) {
        Some(at) => (text.get(..at).unwrap_or(text), text.get(at.saturating_add(1)..)),
        None => (text, None),
    }
}

/// Splits before the first of these bytes, which stays.
fn until_any<'t>(text: &'t [u8], any: &[u8]) -> (&'t [u8], Option<&'t [u8]>) {
    let at = text.iter().position(|byte| any.contains(byte));
    at.and_then(|at| text.split_at_checked(at)).map_or((text, None), |(before, from)| (before, Some(from)))
}

/// A token or a quoted string without escapes, and what follows it. Unquoted, also what boundaries are written with.
fn parameter_value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some(quoted) = text.strip_prefix(b"\"") {
        let (value, after) = until(quoted, b'"');
        let plain = value.iter().all(|byte| *byte != b'\\' && !byte.is_ascii_control());
        return Some((value, after?)).filter(|_| plain);
    }
    let (value, after) = until_any(text, b"; \t");
    let fits = |byte: &u8| is_token_byte(byte) || b"/=:?()@".contains(byte);
    (!value.is_empty() && value.iter().all(fits)).then_some((value, after.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_and_parameters() {
        let parse = |text: &'static str| MediaType::parse(text.as_bytes());
        let kind = |text| parse(text).map(|media_type| media_type.kind);
        assert_eq!(kind("application/json"), Some(Kind::Json));
        assert_eq!(kind("Application/Problem+JSON ; Charset=\"UTF-8\""), Some(Kind::Json));
        assert_eq!(kind("application/x-ndjson"), Some(Kind::JsonLines));
        assert_eq!(kind("application/json-seq"), Some(Kind::JsonSequence));
        assert_eq!(kind("application/x-www-form-urlencoded;charset=UTF-8;"), Some(Kind::Form));
        assert_eq!(kind("text/plain"), Some(Kind::PlainText));
        assert_eq!(kind("image/png"), Some(Kind::Other));
        let multipart = parse("multipart/form-data; boundary=----=_Part/1.2").unwrap();
        assert_eq!((multipart.kind, multipart.boundary), (Kind::Multipart, Some(&b"----=_Part/1.2"[..])));
        assert!(parse("a/b; charset=us-ascii").unwrap().is_utf8());
        assert!(!parse("a/b; charset=utf-16").unwrap().is_utf8());
        for malformed in [
            "json",
            "/",
            "application/",
            "application/json, application/json",
            "application/json; charset",
            "application/json; charset=",
            "application/json; charset=utf-8; charset=utf-16",
            "application/json; charset=\"utf-8",
            "application/json; charset=\"utf\\-8\"",
            "application/json charset=utf-8",
            "application/json; charset = utf-8",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; boundary*0=a; boundary*1=b",
            "multipart/form-data; boundary=a b",
            "%{(#a='multipart/form-data')}",
        ] {
            assert_eq!(parse(malformed), None, "{malformed}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>, tail in r#"application/json[;= "\\a-c*]{0,16}"#) {
            let _ = MediaType::parse(&bytes);
            let _ = MediaType::parse(tail.as_bytes());
        }
    }
}
