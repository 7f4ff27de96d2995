//! Whether a response can be redacted, by its head alone.

use super::Redactor;
use crate::base::media_type::{Kind, MediaType};
use crate::base::member_path::MemberPath;
use crate::model::{Obligation, Response};

/// Headers that say something of the body that no longer holds once it is redacted. The host removes them.
pub const STALE_HEADERS: &[&str] =
    &["content-length", "etag", "content-md5", "content-digest", "repr-digest", "digest", "accept-ranges"];

/// The status of an upgrade: it is refused with an empty body too.
pub(crate) const SWITCHING_PROTOCOLS: u16 = 101;

/// What has to be done to the body of a response.
#[derive(Clone, Debug)]
pub enum Redaction {
    /// Nothing: it is sent as it is.
    None,
    /// It is sent through this, without the [stale headers](STALE_HEADERS).
    Stream(Box<Redactor>),
    /// It cannot be done: unless the body is empty, and the status is not 101, it must not be sent. Why.
    Refuse(&'static str),
}

/// What these obligations ask for a response with this head. A `body_len` of 0 means that there is no body, as in the
/// answer to a HEAD request; `body` is not looked at.
///
/// A response without a body has headers that tell of one all the same: an `ETag` or a digest of what is hidden is
/// enough to guess it. They are removed there too, and a body that must not be there is dropped.
pub fn redaction(obligations: &[Obligation], response: &Response<'_>) -> Redaction {
    let mut paths = Vec::new();
    for obligation in obligations {
        let Obligation::Redact { fields } = obligation else { continue };
        for field in fields {
            match MemberPath::parse(field) {
                Ok(path) => paths.push(path),
                Err(_) => return Redaction::Refuse("a field to redact is not a path"),
            }
        }
    }
    if paths.is_empty() {
        return Redaction::None;
    }
    // What follows is another protocol, in which nothing would be hidden, whatever there is of a body.
    if response.status == SWITCHING_PROTOCOLS {
        return Redaction::Refuse("the connection goes over to another protocol");
    }
    // Of these 205 may come with a body all the same: servers and clients pass it on.
    if matches!(response.status, 100..=199 | 204 | 205 | 304) || response.body_len == Some(0) {
        return Redaction::Stream(Box::new(Redactor::dropping()));
    }
    if one(response, "content-length") == Ok(Some(b"0")) {
        return Redaction::Stream(Box::new(Redactor::of_nothing()));
    }
    match kind(response) {
        Ok(Kind::Json) => Redaction::Stream(Box::new(Redactor::new(&paths))),
        Ok(Kind::JsonLines | Kind::JsonSequence) => Redaction::Stream(Box::new(Redactor::of_sequence(&paths))),
        Ok(_) => Redaction::Refuse("the body is not declared as JSON"),
        Err(why) => Redaction::Refuse(why),
    }
}

/// What the body is, where it is the whole of it and not coded.
fn kind(response: &Response<'_>) -> Result<Kind, &'static str> {
    if response.status == 206 || lines(response, "content-range").next().is_some() {
        return Err("the body is a part of one");
    }
    let coded = |name: &'static str, plain: &'static str| {
        let codings = lines(response, name).flat_map(|value| value.split(|byte| *byte == b','));
        let mut codings = codings.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty());
        codings.any(|coding| !coding.eq_ignore_ascii_case(plain.as_bytes()))
    };
    if coded("content-encoding", "identity") || coded("transfer-encoding", "chunked") {
        return Err("the body is compressed");
    }
    let Ok(declared) = one(response, "content-type") else { return Err("the body is declared twice") };
    let Some(declared) = declared else { return Err("the body is not declared as JSON") };
    let media_type = MediaType::parse(declared).ok_or("the content type is malformed")?;
    if media_type.is_utf8() { Ok(media_type.kind) } else { Err("the body is not declared as UTF-8") }
}

fn lines<'r>(response: &'r Response<'_>, name: &'static str) -> impl Iterator<Item = &'r [u8]> {
    let named = response.headers.iter().filter(move |(known, _)| known.bytes().eq_ignore_ascii_case(name.as_bytes()));
    named.map(|(_, value)| value.bytes().trim_ascii())
}

/// The value of a header that stands at most once.
fn one<'r>(response: &'r Response<'_>, name: &'static str) -> Result<Option<&'r [u8]>, ()> {
    let mut lines = lines(response, name);
    let first = lines.next();
    if lines.next().is_none() { Ok(first) } else { Err(()) }
}
