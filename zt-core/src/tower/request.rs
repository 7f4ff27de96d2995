//! `http` types -> a request.

use std::net::IpAddr;

use http::{Version, request::Parts};

use super::body::Read;
use crate::model::{Body, Peer, Request, Text};

/// Borrows everything; the path and the query stay as they were received.
pub(super) fn of<'a>(parts: &'a Parts, peer: Option<IpAddr>, body: &'a Read) -> Request<'a> {
    let uri = &parts.uri;
    let host_line = || parts.headers.get(http::header::HOST).map(|value| Text::new(value.as_bytes()));
    Request {
        method: parts.method.as_str().into(),
        scheme: uri.scheme_str().map(Text::from),
        host: uri.authority().map(|authority| authority.as_str().into()).or_else(host_line),
        path: uri.path().into(),
        query: uri.query().map(Text::from),
        http_version: version(parts.version).map(Text::from),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect(),
        body: Some(Body::new(&body.bytes)).filter(|body| !body.bytes().is_empty()),
        body_len: Some(body.length),
        peer: Peer { ip: peer, ..Peer::default() },
        ..Request::default()
    }
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}
