//! The host's objects as a request, without copying what is bytes already.

use std::borrow::Cow;
use std::net::IpAddr;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use zt_core::model::{Body, Peer, Request, Text};

/// Bytes or characters of a Python object. The reference is kept, so that another thread may change the list that
/// the object came from.
pub(crate) enum Octets<'py> {
    Bytes(Bound<'py, PyBytes>),
    Made(Vec<u8>),
}

/// A request in Python's hands.
pub(crate) struct Incoming<'py> {
    pub(crate) id: Option<String>,
    pub(crate) method: Octets<'py>,
    pub(crate) path: Octets<'py>,
    pub(crate) query: Option<Octets<'py>>,
    pub(crate) scheme: Option<Octets<'py>>,
    pub(crate) host: Option<Octets<'py>>,
    pub(crate) http_version: Option<Octets<'py>>,
    pub(crate) headers: Vec<(Octets<'py>, Octets<'py>)>,
    pub(crate) body: Option<Bound<'py, PyBytes>>,
    pub(crate) body_len: Option<u64>,
    pub(crate) ip: Option<IpAddr>,
}

impl Octets<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes(),
            Self::Made(bytes) => bytes,
        }
    }

    pub(crate) fn text(&self) -> Text<'_> {
        Text::new(self.bytes())
    }

    fn again(&self) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::Made(bytes) => Self::Made(bytes.clone()),
        }
    }
}

impl Incoming<'_> {
    /// The same request for the core, borrowed.
    pub(crate) fn request(&self) -> Request<'_> {
        let (body, body_len) = request_body(self.body.as_ref(), self.body_len);
        Request {
            id: self.id.as_deref().map(Cow::Borrowed),
            subject: None,
            method: self.method.text(),
            scheme: self.scheme.as_ref().map(Octets::text),
            host: self.host.as_ref().map(Octets::text),
            path: self.path.text(),
            query: self.query.as_ref().map(Octets::text),
            http_version: self.http_version.as_ref().map(Octets::text),
            headers: self.headers.iter().map(|(name, value)| (name.text(), value.text())).collect(),
            body,
            body_len,
            peer: Peer { ip: self.ip, ..Peer::default() },
        }
    }
}

/// A body and its true length.
pub(crate) fn request_body<'a>(
    body: Option<&'a Bound<'_, PyBytes>>,
    body_len: Option<u64>,
) -> (Option<Body<'a>>, Option<u64>) {
    let bytes = body.map(|bytes| bytes.as_bytes());
    (bytes.map(Body::new), body_len.or(bytes.map(|bytes| bytes.len() as u64)))
}

/// `bytes`, or a string in the contract's form.
pub(crate) fn octets<'py>(object: &Bound<'py, PyAny>) -> PyResult<Octets<'py>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Octets::Bytes(bytes.clone()));
    }
    let text = object.cast::<PyString>().map_err(|_| PyTypeError::new_err("expected `bytes` or `str`"))?;
    let text = text.to_str()?;
    Ok(Octets::Made(if text.is_ascii() { text.into() } else { Text::from_json_str(text).bytes().to_vec() }))
}

/// Path and query of a raw request target.
pub(crate) fn target<'py>(target: &Bound<'py, PyAny>) -> PyResult<(Octets<'py>, Option<Octets<'py>>)> {
    let target = octets(target)?;
    let (path, query) = Request::split_target(target.bytes());
    let query = query.map(|query| Octets::Made(query.bytes().to_vec()));
    let path = if query.is_some() { Octets::Made(path.bytes().to_vec()) } else { target };
    Ok((path, query))
}

/// Header lines: a list of pairs, or any iterable of them.
pub(crate) fn headers<'py>(lines: &Bound<'py, PyAny>) -> PyResult<Vec<(Octets<'py>, Octets<'py>)>> {
    match lines.cast::<PyList>() {
        Ok(list) => list.iter().map(|line| pair(&line)).collect(),
        Err(_) => lines.try_iter()?.map(|line| pair(&line?)).collect(),
    }
}

fn pair<'py>(line: &Bound<'py, PyAny>) -> PyResult<(Octets<'py>, Octets<'py>)> {
    if let Ok(tuple) = line.cast::<PyTuple>()
        && tuple.len() == 2
    {
        return Ok((octets(&tuple.get_item(0)?)?, octets(&tuple.get_item(1)?)?));
    }
    let (name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>) = match line.cast::<PyList>() {
        Ok(list) => list.to_tuple().extract()?,
        Err(_) => line.extract()?,
    };
    Ok((octets(&name)?, octets(&value)?))
}

/// An address that the caller names.
pub(crate) fn ip(text: &str) -> PyResult<IpAddr> {
    text.parse().map_err(|_| PyValueError::new_err(format!("`{text}` is not an IP address")))
}

/// The request of an ASGI scope, `http` or `websocket`.
pub(crate) fn scope_request<'py>(
    scope: &Bound<'py, PyDict>,
    body: Option<Bound<'py, PyBytes>>,
    body_len: Option<u64>,
) -> PyResult<Incoming<'py>> {
    let py = scope.py();
    // A WebSocket handshake is a GET and its scope does not say so.
    let method = match scope.get_item(intern!(py, "method"))? {
        Some(method) => octets(&method)?,
        None => Octets::Made(b"GET".to_vec()),
    };
    let some = |key| -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(scope.get_item(key)?.filter(|value: &Bound<'py, PyAny>| !value.is_none()))
    };
    let path = match some(intern!(py, "raw_path"))? {
        Some(raw) => target(&raw)?.0,
        None => {
            let path = some(intern!(py, "path"))?.ok_or_else(|| PyValueError::new_err("the scope has no path"))?;
            Octets::Made(encoded(path.cast::<PyString>()?.to_str()?))
        }
    };
    let query = some(intern!(py, "query_string"))?.map(|query| octets(&query)).transpose()?;
    let headers = some(intern!(py, "headers"))?.map(|lines| headers(&lines)).transpose()?.unwrap_or_default();
    Ok(Incoming {
        id: None,
        method,
        path,
        query: query.filter(|query| !query.bytes().is_empty()),
        scheme: some(intern!(py, "scheme"))?.map(|scheme| octets(&scheme)).transpose()?,
        // Without it, policies could not see the authority.
        host: headers.iter().find(|(name, _)| name.bytes().eq_ignore_ascii_case(b"host")).map(|(_, host)| host.again()),
        http_version: some(intern!(py, "http_version"))?.map(|version| octets(&version)).transpose()?,
        headers,
        body,
        body_len,
        ip: some(intern!(py, "client"))?.and_then(|client| client_ip(&client)),
    })
}

/// The address of `(host, port)`; none for a socket of another kind.
fn client_ip(client: &Bound<'_, PyAny>) -> Option<IpAddr> {
    let host = client.get_item(0).ok()?;
    host.cast::<PyString>().ok()?.to_str().ok()?.parse().ok()
}

/// A path that the host decoded, encoded again: what it decoded to is what the application sees, so a `%` or a
/// control character in it must not look like one that the client sent as such.
fn encoded(path: &str) -> Vec<u8> {
    let mut raw = Vec::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            raw.push(byte);
        } else {
            raw.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    raw
}
