//! One reading of a raw path, or a refusal: what two servers could read in two ways does not pass.

use std::borrow::Cow;

use super::{Config, EmptySegments};
use crate::base::percent;
use crate::model::{Code, Finding};

/// A path after normalisation: each segment decoded exactly once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path<'a> {
    /// A slash before each segment, none after the last; no segment is empty or holds a slash of its own.
    pub(super) text: Cow<'a, str>,
    /// Whether the path ends in a slash (never for `/` itself).
    pub(super) trailing_slash: bool,
    /// The same text with those characters still encoded that could have stood as they are; where there are any.
    pub(super) encoded: Option<String>,
}

impl Path<'_> {
    /// The decoded path, without a slash at its end unless it is `/`; every slash in it separates.
    pub fn as_str(&self) -> &str {
        if self.text.is_empty() { "/" } else { &self.text }
    }

    /// Decoded segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').skip(1)
    }

    /// Whether the path ends in a slash (never for `/` itself).
    pub fn trailing_slash(&self) -> bool {
        self.trailing_slash
    }
}

/// Reads a raw path by the rules in the [module's table](super#rules). Borrows unless something in it calls for a
/// closer look: percent-encoding, characters beyond ASCII, a segment that starts with a dot.
///
/// # Errors
/// `route.bad_target`, `route.too_long`, `route.bad_encoding`, `route.control_character`, `route.encoded_slash`,
/// `route.dot_segment`, `route.empty_segment`, `route.double_encoding`. One refusal is reported: a bad target first,
/// then the first in path order, and within a segment the first in the order of the table.
pub fn normalise<'a>(raw: &'a [u8], config: &Config) -> Result<Path<'a>, Finding> {
    if raw.len() > config.max_path.bytes_usize() {
        return Err(Finding::new(Code::RouteTooLong, "longer than `route.max_path`"));
    }
    let text =
        std::str::from_utf8(raw).map_err(|_| Finding::new(Code::RouteBadEncoding, "bytes that are not UTF-8"))?;
    let text = origin_form(text)?;
    let (text, trailing_slash) = match text.strip_suffix('/') {
        Some("") => return Ok(Path::default()),
        Some(text) => (text, true),
        None => (text, false),
    };
    // Two quick passes decide whether any segment needs a closer look; it almost never does.
    let (mut unusual, mut segments) = (text.bytes().fold(false, |found, byte| found | is_unusual(byte)), 0_usize);
    for slash in memchr::memchr_iter(b'/', text.as_bytes()) {
        segments = segments.saturating_add(1);
        unusual |= matches!(text.as_bytes().get(slash.saturating_add(1)), None | Some(b'/' | b'.'));
    }
    if unusual {
        return closer(text, trailing_slash, config);
    }
    match segments > usize::from(config.max_segments) {
        true => Err(Finding::new(Code::RouteTooLong, "more segments than `route.max_segments`")),
        false => Ok(Path { text: Cow::Borrowed(text), trailing_slash, encoded: None }),
    }
}

fn closer<'a>(text: &'a str, trailing_slash: bool, config: &Config) -> Result<Path<'a>, Finding> {
    if text.bytes().any(|byte| matches!(byte, b'?' | b'#' | b' ')) {
        return Err(Finding::new(Code::RouteBadTarget, "a raw `?`, `#` or space"));
    }
    let (mut read, mut segments) = (String::with_capacity(text.len()), 0_u16);
    let mut encoded = String::new();
    for piece in text.split('/').skip(1) {
        if piece.is_empty() {
            match config.empty_segments {
                EmptySegments::Merge => continue,
                EmptySegments::Refuse => return Err(Finding::new(Code::RouteEmptySegment, "two slashes in a row")),
            }
        }
        segments = segments.saturating_add(1);
        if segments > config.max_segments {
            return Err(Finding::new(Code::RouteTooLong, "more segments than `route.max_segments`"));
        }
        let segment = decode(piece)?;
        if is_dot_segment(&segment) {
            return Err(Finding::new(Code::RouteDotSegment, "a `.` or `..` segment"));
        }
        read.push('/');
        read.push_str(&segment);
        encoded.push('/');
        encoded.push_str(&decode_needed(piece));
    }
    let trailing_slash = trailing_slash && !read.is_empty();
    let encoded = Some(encoded).filter(|encoded| *encoded != read);
    Ok(Path { text: if read == text { Cow::Borrowed(text) } else { Cow::Owned(read) }, trailing_slash, encoded })
}

/// Decodes only what could not stand in a path as it is (RFC 3986, section 3.3): how a router reads a segment that
/// compares texts before it decodes.
fn decode_needed(piece: &str) -> Cow<'_, str> {
    let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    let (mut bytes, mut rest) = (Vec::with_capacity(piece.len()), piece.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match after.split_first_chunk::<2>() {
            Some(([high, low], after)) if *byte == b'%' => {
                percent::hex(*high).zip(percent::hex(*low)).map(|(high, low)| (high << 4 | low, after))
            }
            _ => None,
        };
        match escaped.filter(|(byte, _)| !stands(*byte)) {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(piece), Cow::Owned)
}

/// Decodes a piece between two slashes once, and refuses what must not stand in it.
///
/// # Errors
/// `route.bad_encoding`, `route.encoded_slash`, `route.control_character`, `route.double_encoding`.
pub(super) fn decode(piece: &str) -> Result<Cow<'_, str>, Finding> {
    let bytes = percent::decode(piece.as_bytes())
        .map_err(|_| Finding::new(Code::RouteBadEncoding, "`%` without two hexadecimal digits"))?;
    if bytes.iter().any(|byte| matches!(byte, b'/' | b'\\')) {
        return Err(Finding::new(Code::RouteEncodedSlash, "an encoded slash, or a backslash"));
    }
    if bytes.iter().any(u8::is_ascii_control) {
        return Err(Finding::new(Code::RouteControlCharacter, "a control character"));
    }
    let text = match bytes {
        Cow::Borrowed(_) => Cow::Borrowed(piece),
        Cow::Owned(bytes) => Cow::Owned(
            String::from_utf8(bytes)
                .map_err(|_| Finding::new(Code::RouteBadEncoding, "encoded bytes that are not UTF-8"))?,
        ),
    };
    if !text.is_ascii() && text.chars().any(char::is_control) {
        return Err(Finding::new(Code::RouteControlCharacter, "a control character"));
    }
    if would_decode_again(text.as_bytes()) {
        return Err(Finding::new(Code::RouteDoubleEncoding, "a percent-encoding after decoding once"));
    }
    Ok(text)
}

/// Whether the segment is `.` or `..`, alone or before `;`, which servlet containers cut off.
pub(super) fn is_dot_segment(segment: &str) -> bool {
    segment.starts_with('.') && matches!(segment.split(';').next(), Some("." | ".."))
}

/// The path of an origin-form or absolute-form request target (RFC 9112, sections 3.2.1 and 3.2.2).
fn origin_form(target: &str) -> Result<&str, Finding> {
    if target.starts_with('/') {
        return Ok(target);
    }
    let absolute = || {
        let (scheme, rest) = target.split_once("://")?;
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let named = !authority.is_empty() && authority.bytes().all(is_host_byte);
        (http && named).then_some(if path.is_empty() { "/" } else { path })
    };
    absolute().ok_or_else(|| Finding::new(Code::RouteBadTarget, "neither `/...` nor `http://host/...`"))
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
}

const fn is_unusual(byte: u8) -> bool {
    byte <= b' ' || byte >= 0x7f || matches!(byte, b'%' | b'\\' | b'?' | b'#')
}

fn would_decode_again(decoded: &[u8]) -> bool {
    memchr::memchr_iter(b'%', decoded).any(|at| {
        let after = decoded.get(at.saturating_add(1)..).unwrap_or_default();
        matches!(after, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(raw: &str) -> Result<String, Code> {
        let path = normalise(raw.as_bytes(), &Config::default()).map_err(|finding| finding.code)?;
        Ok(format!("{}{}", path.segments().collect::<Vec<_>>().join("|"), if path.trailing_slash { "|" } else { "" }))
    }

    #[test]
    fn one_reading_or_a_refusal() {
        use Code::*;
        let cases: &[(&str, Result<&str, Code>)] = &[
            ("/", Ok("")),
            ("/a/b", Ok("a|b")),
            ("/a/", Ok("a|")),
            ("/%61dmin", Ok("admin")),
            ("/a%20b/%C3%A9/é", Ok("a b|é|é")),
            ("/100%25", Ok("100%")),
            ("/.well-known/a..b/...", Ok(".well-known|a..b|...")),
            ("/a;v=1/b", Ok("a;v=1|b")),
            ("/a%3Fb%23c", Ok("a?b#c")),
            ("http://api.example.com/a", Ok("a")),
            ("HTTPS://[::1]:8443", Ok("")),
            ("", Err(RouteBadTarget)),
            ("*", Err(RouteBadTarget)),
            ("a/b", Err(RouteBadTarget)),
            ("api.example.com:443", Err(RouteBadTarget)),
            ("ftp://a/b", Err(RouteBadTarget)),
            ("http:///a", Err(RouteBadTarget)),
            ("http://a\\b/c", Err(RouteBadTarget)),
            ("http://u@a/c", Err(RouteBadTarget)),
            ("/a#b", Err(RouteBadTarget)),
            ("/a?b", Err(RouteBadTarget)),
            ("/a b", Err(RouteBadTarget)),
            ("/a%2fb", Err(RouteEncodedSlash)),
            ("/a%2Fb", Err(RouteEncodedSlash)),
            ("/a%5cb", Err(RouteEncodedSlash)),
            ("/a\\b", Err(RouteEncodedSlash)),
            ("/a/..", Err(RouteDotSegment)),
            ("/./a", Err(RouteDotSegment)),
            ("/a/%2e%2E/b", Err(RouteDotSegment)),
            ("/a/.%2e/b", Err(RouteDotSegment)),
            ("/a/..;/b", Err(RouteDotSegment)),
            ("/a/..%3bx=1/b", Err(RouteDotSegment)),
            ("/a/.;x/b", Err(RouteDotSegment)),
            ("//a", Err(RouteEmptySegment)),
            ("/a//b", Err(RouteEmptySegment)),
            ("/a//", Err(RouteEmptySegment)),
            ("//", Err(RouteEmptySegment)),
            ("/a%", Err(RouteBadEncoding)),
            ("/a%4", Err(RouteBadEncoding)),
            ("/a%u002f", Err(RouteBadEncoding)),
            ("/%ff", Err(RouteBadEncoding)),
            ("/%c0%af", Err(RouteBadEncoding)),
            ("/%c0%ae%c0%ae", Err(RouteBadEncoding)),
            ("/%ed%a0%80", Err(RouteBadEncoding)),
            ("/a%00", Err(RouteControlCharacter)),
            ("/a%0d%0ab", Err(RouteControlCharacter)),
            ("/a\tb", Err(RouteControlCharacter)),
            ("/a%7f", Err(RouteControlCharacter)),
            ("/a%c2%85", Err(RouteControlCharacter)),
            ("/a\u{9b}", Err(RouteControlCharacter)),
            ("/%252e%252e/a", Err(RouteDoubleEncoding)),
            ("/a%252fb", Err(RouteDoubleEncoding)),
            ("/a%25%32f", Err(RouteDoubleEncoding)),
            ("/%2561dmin", Err(RouteDoubleEncoding)),
        ];
        for (raw, expected) in cases {
            assert_eq!(read(raw), expected.map(str::to_owned), "{raw}");
        }
        assert_eq!(normalise(b"/\xff", &Config::default()).unwrap_err().code, RouteBadEncoding);
    }

    #[test]
    fn slashes_merge_when_asked() {
        let config = Config { empty_segments: EmptySegments::Merge, ..Config::default() };
        let read = |raw: &'static str| normalise(raw.as_bytes(), &config).unwrap();
        assert_eq!(read("//a///b//"), read("/a/b/"));
        assert_eq!(read("//"), read("/"));
    }

    #[test]
    fn bounds_hold() {
        let config = Config { max_path: "8B".parse().unwrap(), max_segments: 3, ..Config::default() };
        assert!(normalise(b"/a/b/c", &config).is_ok());
        assert_eq!(normalise(b"/a/b/c/d", &config).unwrap_err().code, Code::RouteTooLong);
        assert_eq!(normalise(b"/aaaaaaaa", &config).unwrap_err().code, Code::RouteTooLong);
    }

    proptest! {
        #[test]
        fn any_bytes_read_or_are_refused(raw: Vec<u8>) {
            let _ = normalise(&raw, &Config::default());
        }

        #[test]
        fn what_is_read_would_not_be_read_again_differently(raw in "/([a-c.;%25ef/\\\\]|%2[0-9a-f]|%[0-9a-f]{2}){0,12}") {
            if let Ok(path) = normalise(raw.as_bytes(), &Config::default()) {
                for segment in path.segments() {
                    prop_assert!(!segment.is_empty() && !segment.contains(['/', '\\']) && !is_dot_segment(segment));
                    prop_assert!(!segment.chars().any(char::is_control));
                    let again = percent::decode(segment.as_bytes());
                    prop_assert!(again.is_err() || again.unwrap() == segment.as_bytes());
                }
            }
        }
    }
}
