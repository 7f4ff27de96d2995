//! Access logs as Apache and nginx write them: the common and the combined format.
//!
//! ```text
//! 203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "GET /v1/orders/42?expand=items HTTP/1.1" 200 412 "https://a.example/" "App/1.2"
//! ```

use super::instant;
use super::url::Url;
use crate::model::{Event, Header, Peer, Request, Response, Text};

/// Longest line that is read, bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Why a line is not one of an access log: the first part that cannot be read, and at which byte it would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessLogError {
    /// Longer than 1 MiB.
    #[error("longer than {LONGEST_LINE} bytes")]
    TooLong,
    /// A part is not there or is not what it should be.
    #[error("not a line of an access log: no {part} at byte {at}")]
    Missing {
        /// What is not there.
        part: &'static str,
        /// Where it would begin, from 0.
        at: usize,
    },
    /// What the client sent was no request: nothing, or another protocol.
    #[error("not a request: the request line at byte {at} has no method and target")]
    NotARequest {
        /// Where the request line begins, from 0.
        at: usize,
    },
}

/// One line as an event: time, method, raw path and query, version, status, size, `Referer` and `User-Agent`, the remote user
/// as `subject`, the address as `peer`. A name in the place of the address is not kept. What stands behind the combined format
/// is not read.
///
/// `\"`, `\\`, `\n`, `\t` and `\xHH` are read as the bytes that they stand for.
///
/// ```
/// let line = br#"203.0.113.7 - - [10/Oct/2000:13:55:36 -0700] "GET /v1/orders?limit=10 HTTP/1.1" 200 2326"#;
/// let event = zt_core::learn::access_log(line)?;
/// assert_eq!(event.time_ms, 971_211_336_000);
/// assert_eq!(event.request.query.unwrap().bytes(), b"limit=10");
/// # Ok::<(), zt_core::learn::AccessLogError>(())
/// ```
///
/// # Errors
/// [`AccessLogError`]. Time and memory are linear in the line.
pub fn access_log(line: &[u8]) -> Result<Event, AccessLogError> {
    if line.len() > LONGEST_LINE {
        return Err(AccessLogError::TooLong);
    }
    let line = line.trim_ascii_end();
    let mut cursor = Cursor { line, at: 0 };
    let client = cursor.word().ok_or(cursor.missing("address"))?;
    cursor.word().ok_or(cursor.missing("identity"))?;
    let (user, time_ms) = cursor.user_and_time().ok_or(cursor.missing("user and time in brackets"))?;
    let line_at = cursor.at;
    let asked = cursor.quoted().ok_or(cursor.missing("request line in quotes"))?;
    let status = cursor.word().and_then(status).ok_or(cursor.missing("status"))?;
    let size = cursor.word().ok_or(cursor.missing("size"))?;
    let body_len = match size {
        b"-" => None,
        digits => Some(number(digits).ok_or(cursor.missing("size"))?),
    };
    let mut headers: Vec<Header<'static>> = Vec::new();
    for name in ["Referer", "User-Agent"] {
        if let Some(value) = cursor.quoted().filter(|value| value != b"-") {
            headers.push((name.into(), value.into()));
        }
    }
    let mut request = request(&asked).ok_or(AccessLogError::NotARequest { at: line_at })?;
    request.headers = headers;
    let address = client.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(client);
    let ip = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
    request.peer = Peer { ip, ..Peer::default() };
    let user = unescaped(user);
    let known = !matches!(&user[..], b"-" | b"" | b"\"\"");
    Ok(Event {
        id: None,
        time_ms,
        request,
        response: Some(Response { status, body_len, ..Response::default() }),
        subject: known.then(|| String::from_utf8_lossy(&user).into_owned()),
        login: None,
        label: None,
    })
}

/// `GET /v1/orders?limit=10 HTTP/1.1`: the target goes to the last space, whatever the client wrote in it.
fn request(line: &[u8]) -> Option<Request<'static>> {
    let at = memchr::memchr(b' ', line)?;
    let (method, rest) = (line.get(..at)?, line.get(at.saturating_add(1)..)?);
    let (target, version) = match memchr::memrchr(b' ', rest) {
        Some(at) if rest.get(at..).is_some_and(|end| end.starts_with(b" HTTP/")) => {
            (rest.get(..at)?, rest.get(at.saturating_add(6)..))
        }
        _ => (rest, None),
    };
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if method.is_empty() || !method.iter().all(token) || target.is_empty() {
        return None;
    }
    let absolute = if target.starts_with(b"/") { None } else { Url::split(target) };
    let (path, query) = Request::split_target(absolute.as_ref().map_or(target, |url| url.target));
    let owned = |bytes: &[u8]| Text::from(bytes.to_vec());
    Some(Request {
        method: owned(method),
        scheme: absolute.as_ref().map(|url| owned(url.scheme)),
        host: absolute.as_ref().map(|url| owned(url.host)),
        path: path.into_owned(),
        query: query.map(Text::into_owned),
        http_version: version
            .map(|version| owned(version.strip_suffix(b".0").filter(|v| *v != b"1").unwrap_or(version))),
        ..Request::default()
    })
}

struct Cursor<'l> {
    line: &'l [u8],
    at: usize,
}

impl<'l> Cursor<'l> {
    fn missing(&self, part: &'static str) -> AccessLogError {
        AccessLogError::Missing { part, at: self.at }
    }

    fn left(&self) -> &'l [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// Up to the next space, and past it.
    fn word(&mut self) -> Option<&'l [u8]> {
        let left = self.left();
        let end = memchr::memchr(b' ', left).unwrap_or(left.len());
        let word = left.get(..end).filter(|word| !word.is_empty())?;
        self.at = self.at.saturating_add(end).saturating_add(1);
        Some(word)
    }

    /// A user may have any name: it ends before the first brackets that hold a time.
    fn user_and_time(&mut self) -> Option<(&'l [u8], i64)> {
        const TIME: usize = 26;
        let left = self.left();
        memchr::memmem::find_iter(left, b" [").find_map(|at| {
            let from = at.saturating_add(2);
            let to = from.saturating_add(TIME);
            let time = instant::of_access_log(left.get(from..to)?)?;
            left.get(to..).filter(|rest| rest.starts_with(b"] "))?;
            self.at = self.at.saturating_add(to).saturating_add(2);
            Some((left.get(..at)?, time))
        })
    }

    /// What is between two quotes, unescaped; past the closing one and a space.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        let inner = self.left().strip_prefix(b"\"")?;
        let mut from = 0;
        let end = loop {
            let at = memchr::memchr2(b'"', b'\\', inner.get(from..)?)?.saturating_add(from);
            match inner.get(at) {
                Some(b'"') => break at,
                // Whatever it escapes.
                _ => from = at.saturating_add(2),
            }
        };
        self.at = self.at.saturating_add(end).saturating_add(2);
        if self.left().first() == Some(&b' ') {
            self.at = self.at.saturating_add(1);
        }
        inner.get(..end).map(unescaped)
    }
}

fn status(word: &[u8]) -> Option<u16> {
    let status = u16::try_from(number(word)?).ok()?;
    (word.len() == 3 && status >= 100).then_some(status)
}

fn number(word: &[u8]) -> Option<u64> {
    let digits = word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok().filter(|_| digits)?.parse().ok()
}

/// The bytes that a log's escapes stand for; what is no escape stays.
fn unescaped(text: &[u8]) -> Vec<u8> {
    use crate::base::percent::hex;
    let (mut out, mut left) = (Vec::with_capacity(text.len()), text);
    while let Some((byte, rest)) = left.split_first() {
        left = rest;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let hexadecimal = |high: &u8, low: &u8| Some(hex(*high)? << 4 | hex(*low)?);
        let (decoded, after) = match rest {
            [b'x', high, low, after @ ..] => match hexadecimal(high, low) {
                Some(byte) => (byte, after),
                None => (b'\\', rest),
            },
            [b'n', after @ ..] => (b'\n', after),
            [b'r', after @ ..] => (b'\r', after),
            [b't', after @ ..] => (b'\t', after),
            [b'v', after @ ..] => (0x0b, after),
            [b'b', after @ ..] => (0x08, after),
            [quoted @ (b'"' | b'\\'), after @ ..] => (*quoted, after),
            _ => (b'\\', rest),
        };
        out.push(decoded);
        left = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Event {
        access_log(line.as_bytes()).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    #[test]
    fn the_combined_format() {
        let event = read(
            r#"203.0.113.7 - anna [10/Oct/2000:13:55:36 -0700] "POST /v1/orders/a%2Fb?x=1&y=%27 HTTP/2.0" 201 412 "https://a.example/?q=\"a\"" "App/1.2 (\xc3\xa9\\)" 0.004"#,
        );
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "time_ms": 971_211_336_000_i64, "subject": "anna",
                "request": {"method": "POST", "path": "/v1/orders/a%2Fb", "query": "x=1&y=%27", "http_version": "2",
                            "headers": [["Referer", "https://a.example/?q=\"a\""], ["User-Agent", "App/1.2 (\u{c3}\u{a9}\\)"]],
                            "peer": {"ip": "203.0.113.7"}},
                "response": {"status": 201, "headers": [], "body_len": 412},
            })
        );
    }

    #[test]
    fn the_common_format_and_what_is_not_there() {
        let event = read(r#"2001:db8::7 - - [01/Jan/2024:00:00:00 +0000] "GET / HTTP/1.0" 304 -"#);
        assert_eq!(event.request.peer.ip, Some("2001:db8::7".parse().unwrap()));
        assert_eq!((event.subject, event.request.http_version), (None, Some("1.0".into())));
        assert_eq!(event.response.unwrap().body_len, None);
        let event = read("host.example - - [01/Jan/2024:00:00:00 +0000] \"GET /a b HTTP/1.1\" 200 1 \"-\" \"-\"\r");
        assert_eq!((event.request.peer.ip, event.request.headers.len()), (None, 0));
        assert_eq!(event.request.path.bytes(), b"/a b");
        let event = read(r#"::1 - a [b] "c [01/Jan/2024:00:00:00 +0000] "GET http://x.example/p?q HTTP/1.1" 200 1"#);
        assert_eq!(event.subject.as_deref(), Some("a [b] \"c"));
        assert_eq!((event.request.host, event.request.path), (Some("x.example".into()), "/p".into()));
    }

    #[test]
    fn what_is_no_line_says_which_part_is_missing() {
        let told = |line: &str| access_log(line.as_bytes()).unwrap_err().to_string();
        let line = r#"::1 - - [01/Jan/2024:00:00:00 +0000] "GET / HTTP/1.1" 200 1"#;
        for (wrong, part) in [
            (String::new(), "no address at byte 0"),
            (line.replace("Jan", "Jax"), "time in brackets"),
            (line.replace("\"GET", "GET"), "no request line in quotes at byte 37"),
            (line.replace("1.1\"", "1.1"), "request line in quotes"),
            (line.replace("200", "20"), "no status"),
            (line.replace("200 1", "200 1x"), "no size"),
            (line.replace("GET / HTTP/1.1", "-"), "not a request"),
            (line.replace("GET /", r"\x16\x03 /"), "not a request"),
            (line.replace("GET / HTTP/1.1", " / HTTP/1.1"), "not a request"),
            (format!("{line}{}", " ".repeat(LONGEST_LINE)), "longer than"),
        ] {
            assert!(told(&wrong).contains(part), "{}", told(&wrong));
        }
    }

    fn escaped(bytes: &[u8]) -> String {
        let one = |byte: &u8| match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f.. => format!("\\x{byte:02X}"),
            plain => char::from(*plain).to_string(),
        };
        bytes.iter().map(one).collect()
    }

    proptest! {
        #[test]
        fn any_target_and_header_are_read_as_they_were_sent(
            target in proptest::collection::vec(any::<u8>(), 0..40),
            agent in proptest::collection::vec(any::<u8>(), 2..40),
        ) {
            let target = [b"/", &target[..]].concat();
            let line = format!(
                "192.0.2.1 - - [01/Jan/2024:00:00:00 +0000] \"GET {} HTTP/1.1\" 200 1 \"-\" \"{}\"", escaped(&target), escaped(&agent)
            );
            let event = access_log(line.as_bytes()).unwrap();
            let (path, query) = Request::split_target(&target);
            prop_assert_eq!(event.request.path, path);
            prop_assert_eq!(event.request.query, query);
            prop_assert_eq!(event.request.headers[0].1.bytes(), &agent[..]);
        }

        #[test]
        fn any_bytes_are_an_event_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
            cut in 0_usize..120,
        ) {
            let _ = access_log(&bytes);
            let line = br#"192.0.2.1 - - [01/Jan/2024:00:00:00 +0000] "GET /\x4 HTTP/1.1" 200 1 "-" "-""#;
            let _ = access_log(&[&line[..cut.min(line.len())], &bytes[..]].concat());
        }
    }
}
