//! The values of derived components (RFC 9421, section 2.2).

use std::borrow::Cow;

use super::component::Component;
use super::{Refusal, malformed};
use crate::base::percent;
use crate::model::{Request, Text};
use crate::verify::authority;

/// Appends the value of a derived component; a field has none.
///
/// Path and query are those received, untouched: who signs and who sends must agree on the bytes. A request target that is
/// not in origin form names its authority twice or not at all, and is refused where a path is asked for.
pub(super) fn write(out: &mut String, component: &Component, request: &Request<'_>) -> Result<(), Refusal> {
    match component {
        Component::Method => out.push_str(visible(request.method.bytes())?),
        Component::Scheme => out.push_str(&scheme(request)?),
        Component::Authority => out.push_str(&normal_authority(request)?),
        Component::TargetUri => {
            out.push_str(&scheme(request)?);
            out.push_str("://");
            out.push_str(received_authority(request)?);
            out.push_str(path(request)?);
            write_query(out, request)?;
        }
        Component::RequestTarget => {
            out.push_str(visible(request.path.bytes())?);
            write_query(out, request)?;
        }
        Component::Path => out.push_str(path(request)?),
        Component::Query if request.query.is_none() => out.push('?'),
        Component::Query => write_query(out, request)?,
        Component::QueryParam(name) => out.push_str(&query_param(name, request)?),
        Component::Field(..) => {}
    }
    Ok(())
}

fn visible(bytes: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    text.ok_or(malformed("a covered part of the request has characters that cannot be signed"))
}

fn scheme(request: &Request<'_>) -> Result<String, Refusal> {
    let scheme = request.scheme.as_ref().ok_or(malformed("covers a scheme that is not known here"))?;
    Ok(visible(scheme.bytes())?.to_ascii_lowercase())
}

/// The authority as received.
fn received_authority<'r>(request: &'r Request<'_>) -> Result<&'r str, Refusal> {
    visible(authority::only(request).ok_or(malformed("covers an authority that is not known here, or said twice"))?)
}

/// In lower case and without the scheme's own port (section 2.2.3).
fn normal_authority(request: &Request<'_>) -> Result<String, Refusal> {
    let mut authority = received_authority(request)?.to_ascii_lowercase();
    let default = match &request.scheme {
        Some(scheme) if scheme.bytes().eq_ignore_ascii_case(b"https") => ":443",
        Some(scheme) if scheme.bytes().eq_ignore_ascii_case(b"http") => ":80",
        _ => return Ok(authority),
    };
    if let Some(host) = authority.strip_suffix(default) {
        authority.truncate(host.len());
    }
    Ok(authority)
}

fn path<'r>(request: &'r Request<'_>) -> Result<&'r str, Refusal> {
    match visible(request.path.bytes())? {
        "" => Ok("/"),
        path if path.starts_with('/') => Ok(path),
        _ => Err(malformed("covers the path of a request target that is not in origin form")),
    }
}

fn write_query(out: &mut String, request: &Request<'_>) -> Result<(), Refusal> {
    if let Some(query) = &request.query {
        out.push('?');
        out.push_str(visible(query.bytes())?);
    }
    Ok(())
}

/// The value of the only parameter of this name, decoded as a form and encoded again (section 2.2.8).
fn query_param(name: &str, request: &Request<'_>) -> Result<String, Refusal> {
    let query = request.query.as_ref().map(Text::bytes).unwrap_or_default();
    let mut found = None;
    for pair in query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        let (key, value) = pair.split_at_checked(equals).unwrap_or((pair, &[]));
        if reencoded(key)? == name && found.replace(value.get(1..).unwrap_or_default()).is_some() {
            return Err(malformed("covers a query parameter that the request has twice"));
        }
    }
    reencoded(found.ok_or(malformed("covers a query parameter that the request does not have"))?)
}

/// Decodes `application/x-www-form-urlencoded`, then percent-encodes all but its unreserved characters.
///
/// What browsers mend is refused: a stray `%` and bytes that are not UTF-8 would be signed as something else.
fn reencoded(text: &[u8]) -> Result<String, Refusal> {
    let bad = malformed("a covered query parameter is not sound percent-encoding of UTF-8");
    let spaced: Cow<'_, [u8]> = match memchr::memchr(b'+', text) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()),
    };
    let decoded = percent::decode(&spaced).map_err(|_| bad)?;
    if std::str::from_utf8(&decoded).is_err() {
        return Err(bad);
    }
    let mut out = String::with_capacity(text.len());
    for byte in &*decoded {
        if byte.is_ascii_alphanumeric() || b"*-._".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 0xf] {
                out.push(char::from_digit(half.into(), 16).unwrap_or_default().to_ascii_uppercase());
            }
        }
    }
    Ok(out)
}
