//! HTTP Archives (HAR 1.2), as browsers and proxies save them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::instant;
use super::url::Url;
use crate::model::{Body, Event, Header, Request, Response, Text};

/// Why an archive or one of its entries cannot be read. Values are not quoted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HarError {
    /// Not a JSON text with `log.entries`.
    #[error("not an HTTP Archive: line {line} column {column}")]
    Document {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// An entry lacks something, or it is not what it should be.
    #[error("not an entry of an HTTP Archive: `{0}` is not there or cannot be read")]
    Entry(&'static str),
}

/// Hands over every entry as an event, in the order of the archive: time, method, scheme, host, raw path and query of the URL,
/// version, headers, body (text or base64), and of the response status, headers, body, sizes and `timings.wait`, else `time`.
/// Entries without a response have none. `serverIPAddress` is the other side, so no event has a `peer`.
///
/// One entry is in memory at a time beside the document; an entry that cannot be read is an error in its place.
///
/// # Errors
/// [`HarError::Document`] where the document itself cannot be read; the entries before that were handed over.
pub fn har(document: &[u8], mut take: impl FnMut(Result<Event, HarError>)) -> Result<(), HarError> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    let read = Member { name: "log", inner: Member { name: "entries", inner: Entries(&mut take) } }
        .deserialize(&mut deserializer);
    read.and_then(|()| deserializer.end())
        .map_err(|error| HarError::Document { line: error.line(), column: error.column() })
}

/// The member of this name of an object, which has to be there.
struct Member<I> {
    name: &'static str,
    inner: I,
}

impl<'de, I: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for Member<I> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, I: DeserializeSeed<'de, Value = ()>> Visitor<'de> for Member<I> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut inner = Some(self.inner);
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match inner.take_if(|_| key == self.name) {
                Some(inner) => map.next_value_seed(inner)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if inner.is_some() { Err(A::Error::missing_field(self.name)) } else { Ok(()) }
    }
}

/// Hands over one entry after the other.
struct Entries<'t, T>(&'t mut T);

impl<'de, T: FnMut(Result<Event, HarError>)> DeserializeSeed<'de> for Entries<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: FnMut(Result<Event, HarError>)> Visitor<'de> for Entries<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Value>()? {
            (self.0)(event(&entry));
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct NameAndValue {
    name: String,
    #[serde(default)]
    value: String,
}

fn event(entry: &Value) -> Result<Event, HarError> {
    let text = |at: &str, what| entry.pointer(at).and_then(Value::as_str).ok_or(HarError::Entry(what));
    let time = text("/startedDateTime", "startedDateTime")?;
    let time_ms = instant::of_har(time.as_bytes()).ok_or(HarError::Entry("startedDateTime"))?;
    let url = Text::from_json_str(text("/request/url", "request.url")?);
    let url = Url::split(url.bytes()).ok_or(HarError::Entry("request.url"))?;
    let (path, query) = Request::split_target(url.target);
    let path = if path.is_empty() { "/".into() } else { path.into_owned() };
    let owned = |bytes: &[u8]| Text::from(bytes.to_vec());
    let body = body(entry.pointer("/request/postData")).map_err(|()| HarError::Entry("request.postData"))?;
    let request = Request {
        method: Text::from_json_str(text("/request/method", "request.method")?),
        scheme: Some(owned(url.scheme)),
        host: Some(owned(url.host)),
        path,
        query: query.map(Text::into_owned),
        http_version: entry.pointer("/request/httpVersion").and_then(Value::as_str).and_then(version),
        headers: headers(entry.pointer("/request/headers")).ok_or(HarError::Entry("request.headers"))?,
        body_len: size(entry, "/request/bodySize").filter(|_| body.is_some()),
        body,
        ..Request::default()
    };
    let response = response(entry)?;
    Ok(Event { id: None, time_ms, request, response, subject: None, login: None, label: None })
}

/// None where there was none, which an archive says by the status 0.
fn response(entry: &Value) -> Result<Option<Response<'static>>, HarError> {
    let status = entry.pointer("/response/status").and_then(Value::as_i64).ok_or(HarError::Entry("response.status"))?;
    if status <= 0 {
        return Ok(None);
    }
    let body = body(entry.pointer("/response/content")).map_err(|()| HarError::Entry("response.content"))?;
    let millis = |at: &str| entry.pointer(at).and_then(Value::as_f64).filter(|millis| *millis >= 0.0);
    Ok(Some(Response {
        status: u16::try_from(status).map_err(|_| HarError::Entry("response.status"))?,
        headers: headers(entry.pointer("/response/headers")).ok_or(HarError::Entry("response.headers"))?,
        body,
        body_len: size(entry, "/response/content/size").or_else(|| size(entry, "/response/bodySize")),
        latency_ms: millis("/timings/wait").or_else(|| millis("/time")),
        ..Response::default()
    }))
}

/// `text` of a `postData` or a `content`; none where there is none.
fn body(content: Option<&Value>) -> Result<Option<Body<'static>>, ()> {
    let Some(text) = content.and_then(|content| content.get("text")) else { return Ok(None) };
    let text = text.as_str().ok_or(())?;
    match content.and_then(|content| content.get("encoding")).and_then(Value::as_str) {
        Some("base64") => STANDARD.decode(text).map(|bytes| Some(Body::from(bytes))).map_err(|_| ()),
        _ => Ok(Some(Body::from(text.as_bytes().to_vec()))),
    }
}

/// Lines of headers, without the pseudo headers of HTTP/2; none where the list is not there.
fn headers(list: Option<&Value>) -> Option<Vec<Header<'static>>> {
    let Some(list) = list else { return Some(Vec::new()) };
    let lines = list.as_array()?.iter().map(NameAndValue::deserialize);
    let lines: Vec<NameAndValue> = lines.collect::<Result<_, _>>().ok()?;
    let lines = lines.into_iter().filter(|line| !line.name.starts_with(':'));
    Some(lines.map(|line| (Text::from_json_str(&line.name), Text::from_json_str(&line.value))).collect())
}

/// Bytes; -1 is "not known".
fn size(entry: &Value, at: &str) -> Option<u64> {
    entry.pointer(at).and_then(Value::as_u64)
}

/// As archives write it: `HTTP/1.1`, `http/2.0`, `h2`, `h3`.
fn version(text: &str) -> Option<Text<'static>> {
    let lower = text.to_ascii_lowercase();
    let number = lower.strip_prefix("http/").or_else(|| lower.strip_prefix('h'))?;
    match number {
        "1.0" | "1.1" | "2" | "3" => Some(number.to_owned().into()),
        "2.0" => Some("2".into()),
        "3.0" => Some("3".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn all(document: &Value) -> Vec<Result<Event, HarError>> {
        let mut all = Vec::new();
        har(document.to_string().as_bytes(), |entry| all.push(entry)).unwrap();
        all
    }

    fn entry() -> Value {
        json!({
            "startedDateTime": "2009-07-24T19:20:30.45+01:00", "time": 50.5, "serverIPAddress": "192.0.2.9",
            "request": {
                "method": "POST", "url": "https://api.example:8443/v1/a%20b?x=%27&y#top", "httpVersion": "h2",
                "headers": [{"name": ":authority", "value": "api.example"}, {"name": "Content-Type", "value": "application/json"}],
                "queryString": [{"name": "x", "value": "'"}], "cookies": [],
                "postData": {"mimeType": "application/json", "text": "{\"qty\":2}"}, "headersSize": -1, "bodySize": 9,
            },
            "response": {
                "status": 200, "headers": [{"name": "Server", "value": "x"}],
                "content": {"size": 3, "mimeType": "image/png", "text": "AP8B", "encoding": "base64"}, "bodySize": -1,
            },
            "cache": {}, "timings": {"send": 0, "wait": 12, "receive": 1},
        })
    }

    fn of(entries: &[Value]) -> Value {
        json!({"log": {"version": "1.2", "pages": [{"log": {"entries": 7}}], "entries": entries, "comment": ""}, "x": [1]})
    }

    #[test]
    fn an_entry_is_an_event() {
        let event = all(&of(&[entry()])).remove(0).unwrap();
        assert_eq!(
            serde_json::to_value(&event).unwrap(),
            json!({
                "time_ms": 1_248_459_630_450_i64,
                "request": {"method": "POST", "scheme": "https", "host": "api.example:8443", "path": "/v1/a%20b", "query": "x=%27&y",
                            "http_version": "2", "headers": [["Content-Type", "application/json"]], "body": "{\"qty\":2}",
                            "body_len": 9, "peer": {}},
                "response": {"status": 200, "headers": [["Server", "x"]], "body": {"base64": "AP8B"}, "body_len": 3,
                             "latency_ms": 12.0},
            })
        );
    }

    #[test]
    fn a_broken_entry_leaves_the_others() {
        let with = |at: &str, value: Value| {
            let mut entry = entry();
            *entry.pointer_mut(at).unwrap() = value;
            entry
        };
        let entries = [
            with("/startedDateTime", json!("yesterday")),
            with("/request/url", json!("/v1")),
            with("/request/method", json!(7)),
            with("/request/headers", json!({})),
            with("/request/postData/text", json!(7)),
            with("/response/status", json!("200")),
            with("/response/content/text", json!("%")),
            json!("an entry"),
            with("/response/status", json!(0)),
        ];
        let found = all(&of(&entries));
        let errors: Vec<String> = found.iter().filter_map(|entry| Some(entry.as_ref().err()?.to_string())).collect();
        assert_eq!(errors.len(), 8);
        for (error, what) in errors.iter().zip([
            "startedDateTime",
            "url",
            "method",
            "headers",
            "postData",
            "status",
            "content",
            "started",
        ]) {
            assert!(error.contains(what), "{error} {what}");
        }
        assert!(found[8].as_ref().unwrap().response.is_none());
    }

    #[test]
    fn what_is_no_archive_says_where() {
        for (wrong, at) in [
            ("", "line 1"),
            ("{}", "column 2"),
            ("{\"log\": {\"entries\": 7}}", "line 1"),
            ("{\"log\": {\"entries\": []}} x", "line 1"),
        ] {
            let error = har(wrong.as_bytes(), drop).unwrap_err();
            assert!(error.to_string().contains(at), "{error}");
        }
        let deep = format!("{{\"log\": {{\"entries\": [{}", "[".repeat(100_000));
        assert!(har(deep.as_bytes(), drop).is_err());
    }

    proptest! {
        #[test]
        fn any_change_of_a_byte_is_an_event_or_an_error(at in 0_usize..1_000, byte: u8) {
            let mut text = of(&[entry(), entry()]).to_string().into_bytes();
            let at = at % text.len();
            text[at] = byte;
            let mut seen = 0;
            let _ = har(&text, |_| seen += 1);
            prop_assert!(seen <= 2);
        }
    }
}
