//! A request as one string: how JavaScript hosts hand one over in a single crossing.

use std::borrow::Cow;

use super::{Instance, decide_or_refuse, panic_decision};
use crate::model::{Body, Decision, Header, Millis, Peer, Request, Response, ResponseDecision, Text};

/// Fields before the header lines.
const HEAD: usize = 7;

/// What of a body was read: the first bytes, and the true length where it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Read<'a> {
    /// The first bytes; none when there is no body.
    pub bytes: Option<&'a [u8]>,
    /// True length.
    pub length: Option<u64>,
}

impl Instance {
    /// Decides about a request given as NUL-separated fields, `count` of them: id, method, scheme, host, target,
    /// HTTP version, peer (an address, or the contract's JSON), then name and value of each header line. An empty
    /// one of the first seven is absent. Every other character means what it means in a document: a byte, or UTF-8
    /// where one of the field's characters is above U+00FF.
    ///
    /// Fields that are not `count`, as when one holds a NUL, or a peer that is not one, are a failure of zt or its
    /// host, and refuse like a panic does.
    pub fn decide_fields(&self, fields: &str, count: usize, body: Read<'_>, now: Millis) -> Decision {
        match request(fields, count, body) {
            Ok(request) => decide_or_refuse(self.engine(), self.state(), &request, now),
            Err(_) => panic_decision("", now),
        }
    }

    /// Observes the response to a request that was decided: its status and latency as fields, then name and value of
    /// each header line. An empty status or latency is absent.
    ///
    /// # Errors
    /// When the count is wrong, or a number is not one.
    pub fn observe_fields(
        &self,
        decision: &Decision,
        fields: &str,
        count: usize,
        now: Millis,
    ) -> Result<ResponseDecision, String> {
        let response = response(fields, count)?;
        Ok(self.engine().observe(self.state(), decision, &response, now))
    }
}

fn request<'a>(fields: &'a str, count: usize, body: Read<'a>) -> Result<Request<'a>, String> {
    let mut cut = Cut::new(fields, count, HEAD)?;
    let text = reader(fields);
    let id = cut.next().filter(|id| !id.is_empty()).map(Cow::Borrowed);
    let mut head = || cut.next().filter(|field| !field.is_empty());
    let method = head().map(text).unwrap_or_default();
    let (scheme, host) = (head().map(text), head().map(text));
    let (path, query) = target(head().unwrap_or_default(), text);
    let http_version = head().map(text);
    let peer = head().map_or_else(|| Ok(Peer::default()), peer)?;
    let headers = headers(cut, text);
    Ok(Request {
        id,
        subject: None,
        method,
        scheme,
        host,
        path,
        query,
        http_version,
        headers,
        body: body.bytes.map(Body::new),
        body_len: body.length,
        peer,
    })
}

fn response(fields: &str, count: usize) -> Result<Response<'_>, String> {
    let mut cut = Cut::new(fields, count, 2)?;
    let status = cut.next().and_then(|field| field.parse().ok()).ok_or("the status is not a number")?;
    let latency = cut.next().filter(|field| !field.is_empty());
    let latency_ms = latency.map(|field| field.parse().map_err(|_| "the latency is not a number")).transpose()?;
    Ok(Response { status, latency_ms, headers: headers(cut, reader(fields)), ..Response::default() })
}

/// How a field is read. Most requests are ASCII throughout and are borrowed.
fn reader<'a>(fields: &str) -> impl Fn(&'a str) -> Text<'a> + Copy {
    let ascii = fields.is_ascii();
    move |field| if ascii { Text::from(field) } else { Text::from_json_str(field) }
}

fn headers<'a>(mut cut: Cut<'a>, text: impl Fn(&'a str) -> Text<'a>) -> Vec<Header<'a>> {
    let mut lines = Vec::with_capacity(16);
    while let (Some(name), Some(value)) = (cut.next(), cut.next()) {
        lines.push((text(name), text(value)));
    }
    lines
}

/// The fields one by one. By memchr, because `str::split` looks at every character.
struct Cut<'a> {
    rest: Option<&'a str>,
}

impl<'a> Cut<'a> {
    /// Counted first: a NUL inside a field would shift all that follow.
    fn new(fields: &'a str, count: usize, head: usize) -> Result<Self, String> {
        let found = memchr::memchr_iter(0, fields.as_bytes()).count().saturating_add(1);
        let even = found.checked_sub(head).is_some_and(|lines| lines % 2 == 0);
        if found == count && even {
            return Ok(Self { rest: Some(fields) });
        }
        Err(format!("{count} fields were promised, {found} were found"))
    }
}

impl<'a> Iterator for Cut<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.take()?;
        match memchr::memchr(0, rest.as_bytes()) {
            Some(at) => {
                self.rest = rest.get(at.saturating_add(1)..);
                rest.get(..at)
            }
            None => Some(rest),
        }
    }
}

fn target<'a>(target: &'a str, text: impl Fn(&'a str) -> Text<'a>) -> (Text<'a>, Option<Text<'a>>) {
    match target.split_once('?') {
        Some((path, query)) => (text(path), Some(text(query))),
        None => (text(target), None),
    }
}

fn peer<'a>(field: &'a str) -> Result<Peer<'a>, String> {
    if field.starts_with('{') {
        return serde_json::from_str(field).map_err(|error| format!("not a peer: {error}"));
    }
    // The zone of a link-local address says which interface of ours, not who.
    let address = field.split_once('%').map_or(field, |(address, _)| address);
    let ip = address.parse().map_err(|_| "the peer is not an address".to_owned())?;
    Ok(Peer { ip: Some(ip), ..Peer::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn joined(fields: &[&str]) -> (String, usize) {
        (fields.join("\0"), fields.len())
    }

    #[test]
    fn reads_what_was_joined() {
        let (fields, count) =
            joined(&["r-1", "POST", "https", "h", "/a?b=1?2", "1.1", "::1", "X-A", "", "x-a", "\u{e9}"]);
        let request = request(&fields, count, Read { bytes: Some(b"{}"), length: Some(2) }).unwrap();
        assert_eq!(request.id.as_deref(), Some("r-1"));
        assert_eq!(request.path.bytes(), b"/a");
        assert_eq!(request.query.as_ref().map(Text::bytes), Some(&b"b=1?2"[..]));
        assert_eq!(request.peer.ip, Some("::1".parse().unwrap()));
        assert_eq!(request.header("x-a").collect::<Vec<_>>(), [&b""[..], &[0xe9]]);
        assert_eq!(request.body_len, Some(2));
    }

    #[test]
    fn an_empty_field_of_the_head_is_absent() {
        let (fields, count) = joined(&["", "GET", "", "", "/", "", ""]);
        let request = request(&fields, count, Read::default()).unwrap();
        assert!(request.id.is_none() && request.scheme.is_none() && request.host.is_none());
        assert!(request.peer.ip.is_none() && request.query.is_none() && request.body.is_none());
    }

    #[test]
    fn a_nul_in_a_field_is_found() {
        let fields = ["", "GET", "", "", "/", "", "", "a", "b\0authorization\0Bearer x"];
        assert!(request(&fields.join("\0"), fields.len(), Read::default()).is_err());
    }

    #[test]
    fn reads_peers() {
        assert_eq!(peer("fe80::1%eth0").unwrap().ip, Some("fe80::1".parse().unwrap()));
        assert_eq!(peer(r#"{"ip":"203.0.113.7","asn":64500}"#).unwrap().asn, Some(64500));
        assert!(peer("unix").is_err());
    }

    #[test]
    fn reads_a_response() {
        let (fields, count) = joined(&["201", "1.5", "Location", "/x"]);
        let response = response(&fields, count).unwrap();
        assert_eq!((response.status, response.latency_ms, response.headers.len()), (201, Some(1.5), 1));
        assert!(super::response("ok\0", 2).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(fields: String, count in 0_usize..40) {
            let _ = (request(&fields, count, Read::default()), response(&fields, count));
        }

        #[test]
        fn what_is_joined_comes_back(lines in prop::collection::vec(("[^\0]{0,9}", "[^\0]{0,9}"), 0..9)) {
            let mut fields = vec!["", "GET", "", "", "/", "", ""];
            fields.extend(lines.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
            let text = fields.join("\0");
            let request = request(&text, fields.len(), Read::default()).unwrap();
            let expected: Vec<Header<'_>> =
                lines.iter().map(|(name, value)| (Text::from_json_str(name), Text::from_json_str(value))).collect();
            prop_assert_eq!(request.headers, expected);
        }
    }
}
