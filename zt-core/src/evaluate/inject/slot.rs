//! Where in a request something can be planted.

use serde_json::{Map, Value};

use crate::base::media_type::{Kind, MediaType};
use crate::model::{Body, Request, Text};

/// Values of one request that are looked at.
const MOST: usize = 64;
/// Headers that are not like a parameter: another value of them is another request, or none.
const NOT_VALUES: [&str; 10] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "cookie",
    "authorization",
    "upgrade",
    "accept-encoding",
    "expect",
];

/// A value of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The parameter at this position of the query.
    Query(usize),
    /// Of a form in the body.
    Form(usize),
    /// The leaf at this JSON pointer of the body.
    Json(String),
    /// The segment of the path that looks like an id, by its number.
    Segment(usize),
    /// The header line of this number.
    Header(usize),
}

/// Those of the path, the query and the body; header lines apart.
pub(super) fn slots(request: &Request<'_>) -> (Vec<Slot>, Vec<Slot>) {
    let mut values = Vec::new();
    let numbered = |text: &[u8]| 0..parameters(text).count().min(MOST);
    values.extend(request.query.iter().flat_map(|query| numbered(query.bytes())).map(Slot::Query));
    match (kind(request), &request.body) {
        (Kind::Form, Some(body)) => values.extend(numbered(body.bytes()).map(Slot::Form)),
        (Kind::Json, Some(body)) => {
            if let Ok(json) = serde_json::from_slice::<Value>(body.bytes()) {
                leaves(&json, "", &mut values);
            }
        }
        _ => {}
    }
    let segments = request.path.bytes().split(|byte| *byte == b'/').enumerate().take(MOST);
    values.extend(segments.filter(|(_, segment)| is_id(segment)).map(|(at, _)| Slot::Segment(at)));
    let names = request.headers.iter().enumerate().take(MOST);
    let like_a_value =
        |name: &Text<'_>| !NOT_VALUES.iter().any(|other| name.bytes().eq_ignore_ascii_case(other.as_bytes()));
    (values, names.filter(|(_, (name, _))| like_a_value(name)).map(|(at, _)| Slot::Header(at)).collect())
}

impl Slot {
    /// Its value, where it is text.
    pub(super) fn value(&self, request: &Request<'_>) -> Option<String> {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Self::Query(at) => parameters(request.query.as_ref()?.bytes()).nth(*at).map(|(_, value)| lossy(value)),
            Self::Form(at) => parameters(request.body.as_ref()?.bytes()).nth(*at).map(|(_, value)| lossy(value)),
            Self::Json(pointer) => {
                let json: Value = serde_json::from_slice(request.body.as_ref()?.bytes()).ok()?;
                json.pointer(pointer).map(|leaf| leaf.as_str().map_or_else(|| leaf.to_string(), ToOwned::to_owned))
            }
            Self::Segment(at) => request.path.bytes().split(|byte| *byte == b'/').nth(*at).map(lossy),
            Self::Header(at) => request.headers.get(*at).map(|(_, value)| lossy(value.bytes())),
        }
    }

    /// Puts a value there: escaped as its place asks for.
    pub(super) fn set(&self, request: &mut Request<'static>, value: &str) {
        self.change(request, |parameter| {
            let name = parameter.split(|byte| *byte == b'=').next().unwrap_or_default();
            Some([name, b"=", encoded(value).as_bytes()].concat())
        });
        match self {
            Self::Json(pointer) => with_json(request, |json| {
                if let Some(leaf) = json.pointer_mut(pointer) {
                    *leaf = Value::String(value.to_owned());
                }
            }),
            Self::Segment(at) => {
                let mut segments: Vec<Vec<u8>> =
                    request.path.bytes().split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
                if let Some(segment) = segments.get_mut(*at) {
                    *segment = encoded(value).into_bytes();
                }
                request.path = segments.join(&b'/').into();
            }
            Self::Header(at) => {
                if let Some((_, line)) = request.headers.get_mut(*at) {
                    *line = value.to_owned().into();
                }
            }
            Self::Query(_) | Self::Form(_) => {}
        }
    }

    /// Gives the parameter another name; false where it has none.
    pub(super) fn rename(&self, request: &mut Request<'static>, rename: impl Fn(&str) -> String) -> bool {
        self.change(request, |parameter| {
            let (name, value) = split(parameter);
            Some([rename(&String::from_utf8_lossy(name)).as_bytes(), b"=", value].concat())
        });
        self.of_member(request, |object, name| {
            let value = object.remove(name)?;
            object.insert(rename(name), value);
            Some(())
        })
    }

    /// Leaves the parameter out; false where it cannot be.
    pub(super) fn remove(&self, request: &mut Request<'static>) -> bool {
        self.change(request, |_| None);
        self.of_member(request, |object, name| object.remove(name).map(drop))
    }

    /// Changes the object of a JSON leaf that is a member of one; true for parameters of a query or a form, too.
    fn of_member(
        &self,
        request: &mut Request<'static>,
        change: impl FnOnce(&mut Map<String, Value>, &str) -> Option<()>,
    ) -> bool {
        let Self::Json(pointer) = self else { return matches!(self, Self::Query(_) | Self::Form(_)) };
        let mut changed = false;
        with_json(request, |json| {
            let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
            let object = json.pointer_mut(parent).and_then(Value::as_object_mut);
            changed = object.and_then(|object| change(object, name)).is_some();
        });
        changed
    }

    /// A parameter of a query or a form: as something else, or not at all.
    fn change(&self, request: &mut Request<'static>, change: impl Fn(&[u8]) -> Option<Vec<u8>>) {
        let changed = |text: &[u8], at: usize| {
            let each = text.split(|byte| *byte == b'&').filter(|parameter| !parameter.is_empty()).enumerate();
            let new = each.filter_map(
                |(number, parameter)| if number == at { change(parameter) } else { Some(parameter.to_vec()) },
            );
            new.collect::<Vec<_>>().join(&b'&')
        };
        match self {
            Self::Query(at) => request.query = request.query.as_ref().map(|query| changed(query.bytes(), *at).into()),
            Self::Form(at) => {
                let body = request.body.as_ref().map(|body| changed(body.bytes(), *at));
                replace_body(request, body.unwrap_or_default());
            }
            _ => {}
        }
    }
}

/// Adds a parameter where the request has its others: in the query, or in the body.
pub(super) fn add(request: &mut Request<'static>, name: &str, value: &str) {
    let more = |text: &[u8]| {
        let parameter = format!("{}={}", encoded(name), encoded(value));
        let between: &[u8] = if text.is_empty() { b"" } else { b"&" };
        [text, between, parameter.as_bytes()].concat()
    };
    let body = request.body.as_ref().filter(|body| !body.bytes().is_empty());
    match (kind(request), body) {
        (Kind::Form, Some(body)) => {
            let body = more(body.bytes());
            replace_body(request, body);
        }
        (Kind::Json, Some(body)) if body.bytes().trim_ascii_start().starts_with(b"{") => with_json(request, |json| {
            if let Some(object) = json.as_object_mut() {
                object.insert(name.to_owned(), Value::String(value.to_owned()));
            }
        }),
        _ => request.query = Some(more(request.query.as_ref().map_or(b"", |query| query.bytes())).into()),
    }
}

fn with_json(request: &mut Request<'static>, change: impl FnOnce(&mut Value)) {
    let Some(Ok(mut json)) = request.body.as_ref().map(|body| serde_json::from_slice(body.bytes())) else { return };
    change(&mut json);
    replace_body(request, json.to_string().into_bytes());
}

fn replace_body(request: &mut Request<'static>, body: Vec<u8>) {
    request.body_len = Some(body.len() as u64);
    request.body = Some(Body::from(body));
}

fn kind(request: &Request<'_>) -> Kind {
    request.header("content-type").next().and_then(MediaType::parse).map_or(Kind::Other, |found| found.kind)
}

/// Of a query or a form, not decoded.
fn parameters(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'&').filter(|parameter| !parameter.is_empty()).map(split)
}

fn split(parameter: &[u8]) -> (&[u8], &[u8]) {
    let at = parameter.iter().position(|byte| *byte == b'=').unwrap_or(parameter.len());
    let (name, value) = parameter.split_at_checked(at).unwrap_or((parameter, &[]));
    (name, value.get(1..).unwrap_or_default())
}

/// What the path alone says to be an id: half of it digits.
fn is_id(segment: &[u8]) -> bool {
    let digits = segment.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits > 0 && digits.saturating_mul(2) >= segment.len()
}

fn leaves(json: &Value, pointer: &str, found: &mut Vec<Slot>) {
    if found.len() >= MOST {
        return;
    }
    match json {
        Value::Object(members) => {
            // A pointer to a name with `/` or `~` would need escapes.
            let plain = members.iter().filter(|(name, _)| !name.contains(['/', '~']));
            plain.for_each(|(name, value)| leaves(value, &format!("{pointer}/{name}"), found));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(at, value)| leaves(value, &format!("{pointer}/{at}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.push(Slot::Json(pointer.to_owned()))
        }
    }
}

/// Percent-encoded, but for letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        plain if plain.is_ascii_alphanumeric() || b"-._~".contains(&plain) => char::from(plain).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
