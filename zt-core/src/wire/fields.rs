//! A request as one string: how JavaScript hosts hand one over in a single crossing.

use std::borrow::Cow;

use super::{Instance, decide_or_refuse, panic_decision};
use crate::model::{Body, Decision, Header, Millis, Obligation, Peer, Request, Response, Text, Verdict};
use crate::respond::{Redaction, Redactor};

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
    /// Decides about a request given as NUL-separated fields. `head` is id, method, scheme, host, target, HTTP version
    /// and peer (an address, or the contract's JSON); an empty one is absent. `lines` is name and value of each header
    /// line, `count` of them together. Every other character means what it means in a document: a byte, or UTF-8
    /// where one of the field's characters is above U+00FF.
    ///
    /// The answer is the verdict in decimal, then the decision's document. The verdict is eight times the status, plus
    /// four when the response is to be redacted, plus two when there are headers to add to it, plus one when the request
    /// passes: all that most hosts ask, without reading the document.
    ///
    /// Another number of fields, as when one holds a NUL, or a peer that is not one, is a failure of zt or its host,
    /// and refuses like a panic does.
    pub fn decide_fields(&self, head: &str, lines: &str, count: usize, body: Read<'_>, now: Millis) -> String {
        answer(&match request(head, lines, count, body) {
            Ok(request) => decide_or_refuse(&self.engine(), self.state(), &request, now),
            Err(_) => panic_decision("", now),
        })
    }

    /// Observes the response to a request that was decided; header lines as for `decide_fields`. Beside the time that the
    /// handler took, in milliseconds, stands what the request turned out to cost; a verdict is `false_positive` or `confirmed`.
    ///
    /// # Errors
    /// When the count is wrong, or `decision` or the verdict is not one.
    pub fn observe_fields(
        &self,
        decision: &str,
        status: u16,
        lines: &str,
        count: usize,
        (latency_ms, cost, verdict): (Option<f64>, Option<u32>, Option<&str>),
        now: Millis,
    ) -> Result<String, String> {
        let decision: Decision = serde_json::from_str(decision).map_err(|error| format!("not a decision: {error}"))?;
        let headers = headers(lines, count)?;
        let verdict = verdict.map(Verdict::of_name).transpose()?;
        let response = Response { status, headers, latency_ms, cost, verdict, ..Response::default() };
        super::text(&self.engine().observe(self.state(), &decision, &response, now))
    }

    /// What redacts the body of the response with this head; nothing where there is nothing to redact. Header lines as
    /// for `decide_fields`.
    ///
    /// # Errors
    /// When it cannot be redacted, and so must not be sent; the count is wrong; or `decision` is not one.
    pub fn redactor_fields(
        &self,
        decision: &str,
        status: u16,
        lines: &str,
        count: usize,
    ) -> Result<Option<Redactor>, String> {
        let decision: Decision = serde_json::from_str(decision).map_err(|error| format!("not a decision: {error}"))?;
        let head = Response { status, headers: headers(lines, count)?, ..Response::default() };
        match self.engine().redactor(&decision, &head) {
            Redaction::None => Ok(None),
            Redaction::Stream(redactor) => Ok(Some(*redactor)),
            Redaction::Refuse(why) => Err(why.to_owned()),
        }
    }
}

fn answer(decision: &Decision) -> String {
    let headers = u32::from(!decision.response_headers.is_empty());
    let redact = decision.obligations.iter().any(|obligation| matches!(obligation, Obligation::Redact { .. }));
    let redact = u32::from(redact && decision.enforced);
    let verdict = (u32::from(decision.status) << 3) | (redact << 2) | (headers << 1) | u32::from(decision.passes());
    let mut text = Vec::with_capacity(768);
    text.extend_from_slice(verdict.to_string().as_bytes());
    // A document that cannot be written would be an answer that says nothing: then even a verdict would be a guess.
    match serde_json::to_writer(&mut text, decision) {
        Ok(()) => String::from_utf8(text).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

fn request<'a>(head: &'a str, lines: &'a str, count: usize, body: Read<'a>) -> Result<Request<'a>, String> {
    let mut cut = Cut::new(head, HEAD)?;
    let text = reader(head);
    let id = cut.next().filter(|id| !id.is_empty()).map(Cow::Borrowed);
    let mut head = || cut.next().filter(|field| !field.is_empty());
    let method = head().map(text).unwrap_or_default();
    let (scheme, host) = (head().map(text), head().map(text));
    let (path, query) = target(head().unwrap_or_default(), text);
    let http_version = head().map(text);
    let peer = head().map_or_else(|| Ok(Peer::default()), peer)?;
    let headers = headers(lines, count)?;
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

/// How a field is read. Most requests are ASCII throughout and are borrowed.
fn reader<'a>(fields: &str) -> impl Fn(&'a str) -> Text<'a> + Copy {
    let ascii = fields.is_ascii();
    move |field| if ascii { Text::from(field) } else { Text::from_json_str(field) }
}

fn headers(lines: &str, count: usize) -> Result<Vec<Header<'_>>, String> {
    let mut cut = Cut::new(lines, count)?;
    let text = reader(lines);
    let mut headers = Vec::with_capacity(count / 2);
    while let Some(name) = cut.next() {
        let value = cut.next().ok_or("a header line has no value")?;
        headers.push((text(name), text(value)));
    }
    Ok(headers)
}

/// The fields one by one. By memchr, because `str::split` looks at every character.
struct Cut<'a> {
    rest: Option<&'a str>,
}

impl<'a> Cut<'a> {
    /// Counted first: a NUL inside a field would shift all that follow, and no promise may size an allocation.
    fn new(fields: &'a str, count: usize) -> Result<Self, String> {
        let none = count == 0 && fields.is_empty();
        let found = if none { 0 } else { memchr::memchr_iter(0, fields.as_bytes()).count().saturating_add(1) };
        if found != count {
            return Err(format!("{count} fields were promised, {found} were found"));
        }
        Ok(Self { rest: Some(fields).filter(|_| !none) })
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

    fn read<'a>(head: &'a str, lines: &'a str, count: usize) -> Result<Request<'a>, String> {
        request(head, lines, count, Read::default())
    }

    #[test]
    fn reads_what_was_joined() {
        let head = "r-1\0POST\0https\0h\0/a?b=1?2\x001.1\0::1";
        let body = Read { bytes: Some(b"{}"), length: Some(2) };
        let request = request(head, "X-A\0\0x-a\0\u{e9}", 4, body).unwrap();
        assert_eq!(request.id.as_deref(), Some("r-1"));
        assert_eq!(request.path.bytes(), b"/a");
        assert_eq!(request.query.as_ref().map(Text::bytes), Some(&b"b=1?2"[..]));
        assert_eq!(request.peer.ip, Some("::1".parse().unwrap()));
        assert_eq!(request.header("x-a").collect::<Vec<_>>(), [&b""[..], &[0xe9]]);
        assert_eq!(request.body_len, Some(2));
    }

    #[test]
    fn an_empty_field_of_the_head_is_absent() {
        let request = read("\0GET\0\0\0/\0\0", "", 0).unwrap();
        assert!(request.id.is_none() && request.scheme.is_none() && request.host.is_none());
        assert!(request.peer.ip.is_none() && request.query.is_none() && request.body.is_none());
        assert!(request.headers.is_empty());
    }

    #[test]
    fn a_nul_in_a_field_is_found() {
        let head = "\0GET\0\0\0/\0\0";
        assert!(read(head, "a\0b\0authorization\0Bearer x", 2).is_err());
        assert!(read("\0GET\0\0\0/\0a\0\0", "", 0).is_err());
        assert!(read(head, "a\0b\0c", 3).is_err());
        assert!(read(head, "a", 0).is_err());
        assert!(read(head, "", 1).is_err());
    }

    #[test]
    fn the_answer_starts_with_the_verdict() {
        let mut decision = panic_decision("r-1", 7);
        let text = answer(&decision);
        assert!(text.starts_with("3224{\"id\":\"r-1\""), "{text}");
        (decision.status, decision.outcome) = (200, crate::model::Outcome::Allow);
        decision.response_headers.push(("X-A".into(), "b".to_owned()));
        assert!(answer(&decision).starts_with("1603{"));
        decision.obligations.push(Obligation::Redact { fields: vec!["a".to_owned()] });
        assert!(answer(&decision).starts_with("1607{"));
        decision.enforced = false;
        assert!(answer(&decision).starts_with("1603{"));
    }

    #[test]
    fn reads_peers() {
        assert_eq!(peer("fe80::1%eth0").unwrap().ip, Some("fe80::1".parse().unwrap()));
        assert_eq!(peer(r#"{"ip":"203.0.113.7","asn":64500}"#).unwrap().asn, Some(64500));
        assert!(peer("unix").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(head: String, lines: String, count in 0_usize..40) {
            let _ = read(&head, &lines, count);
            let _ = read("\0GET\0\0\0/\0\0", &lines, count);
        }

        #[test]
        fn what_is_joined_comes_back(lines in prop::collection::vec(("[^\0]{0,9}", "[^\0]{0,9}"), 0..9)) {
            let fields: Vec<&str> = lines.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
            let text = fields.join("\0");
            let request = read("\0GET\0\0\0/\0\0", &text, fields.len()).unwrap();
            let expected: Vec<Header<'_>> =
                lines.iter().map(|(name, value)| (Text::from_json_str(name), Text::from_json_str(value))).collect();
            prop_assert_eq!(request.headers, expected);
        }
    }
}
