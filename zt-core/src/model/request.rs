//! One request as the host received it.

use std::borrow::Cow;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Text};

/// A header line: name and value as received, order, case and repeats kept.
pub type Header<'a> = (Text<'a>, Text<'a>);

/// One request. Absent means "the host did not know", never a default guess.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Request<'a> {
    /// The host's id of this request; zt makes one when it is absent. In a recorded event it stands one level up.
    #[serde(skip)]
    pub id: Option<Cow<'a, str>>,
    /// Who the host says this is, where no credential can be verified (old logs). Never set it from request data.
    #[serde(skip)]
    pub subject: Option<Cow<'a, str>>,
    /// Method, as received.
    pub method: Text<'a>,
    /// `http` or `https`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Text<'a>>,
    /// Authority as received (the `Host` header or `:authority`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Text<'a>>,
    /// Path as received: percent-encoding untouched.
    pub path: Text<'a>,
    /// Query as received, without `?`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<Text<'a>>,
    /// `1.0`, `1.1`, `2` or `3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_version: Option<Text<'a>>,
    /// Header lines.
    #[serde(default)]
    pub headers: Vec<Header<'a>>,
    /// Body, possibly cut: `body_len` is the true length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body<'a>>,
    /// True length of the body in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_len: Option<u64>,
    /// The other end of the connection.
    #[serde(default)]
    pub peer: Peer<'a>,
}

impl<'a> Request<'a> {
    /// Splits a raw request target at its first `?` into path and query.
    pub fn split_target(target: &'a [u8]) -> (Text<'a>, Option<Text<'a>>) {
        match memchr::memchr(b'?', target) {
            Some(at) => {
                let (path, query) = target.split_at(at);
                (Text::new(path), query.get(1..).map(Text::new))
            }
            None => (Text::new(target), None),
        }
    }

    /// The same request, borrowed.
    pub fn borrowed(&self) -> Request<'_> {
        fn lend<'s>(text: &'s Option<Text<'_>>) -> Option<Text<'s>> {
            text.as_ref().map(|text| Text::new(text.bytes()))
        }
        fn of<'s>(text: &'s Option<Cow<'_, str>>) -> Option<Cow<'s, str>> {
            text.as_deref().map(Cow::Borrowed)
        }
        Request {
            id: of(&self.id),
            subject: of(&self.subject),
            method: Text::new(self.method.bytes()),
            scheme: lend(&self.scheme),
            host: lend(&self.host),
            path: Text::new(self.path.bytes()),
            query: lend(&self.query),
            http_version: lend(&self.http_version),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (Text::new(name.bytes()), Text::new(value.bytes())))
                .collect(),
            body: self.body.as_ref().map(|body| Body::new(body.bytes())),
            body_len: self.body_len,
            peer: Peer {
                country: of(&self.peer.country),
                ip_class: of(&self.peer.ip_class),
                tls_fingerprint: of(&self.peer.tls_fingerprint),
                client_cert_sha256: of(&self.peer.client_cert_sha256),
                client_cert_uris: self.peer.client_cert_uris.iter().map(|uri| Cow::Borrowed(&**uri)).collect(),
                ..self.peer
            },
        }
    }

    /// The authority that the request is for: what the host says, else the `Host` header.
    pub fn authority(&self) -> Option<&str> {
        let host = self.host.as_ref().map(Text::bytes).or_else(|| self.header("host").next());
        host.and_then(|host| std::str::from_utf8(host).ok())
    }

    /// Values of the headers with this name, ASCII case ignored, in order.
    pub fn header<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s [u8]> {
        self.headers
            .iter()
            .filter(move |(n, _)| n.bytes().eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, v)| v.bytes())
    }
}

/// What the host knows of the other end of the connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Peer<'a> {
    /// Address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Autonomous system number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// ISO 3166-1 alpha-2 country code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Cow<'a, str>>,
    /// Latitude, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Longitude, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    /// Radius of the position, kilometres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_km: Option<f64>,
    /// Kind of network: `mobile`, `residential`, `hosting`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_class: Option<Cow<'a, str>>,
    /// JA4 or a like fingerprint of the TLS hello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_fingerprint: Option<Cow<'a, str>>,
    /// base64url SHA-256 of the client certificate's DER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_cert_sha256: Option<Cow<'a, str>>,
    /// URIs among the client certificate's subject alternative names, such as a SPIFFE ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_cert_uris: Vec<Cow<'a, str>>,
}
