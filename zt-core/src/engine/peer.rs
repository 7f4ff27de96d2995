//! Who the client is where proxies stand between: `[peer]`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Engine;
use crate::base::forwarded::{self, Form};
use crate::base::network::Network;
use crate::model::{Client, Code, Finding, Peer, Problem, Request};

/// Most proxies between a client and here.
const MOST_HOPS: u32 = 32;

/// `[peer]`: the header in which proxies tell the client's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// `x-forwarded-for`, `forwarded` (RFC 7239), or another header that lists addresses with commas between.
    pub forwarded: String,
    /// The client is the entry so many from the right, the last one being 1: as many as there are proxies of yours, each of
    /// which adds an entry.
    #[serde(default = "one")]
    pub hops: u32,
    /// Networks of the proxies: a connection from elsewhere is its own client, whatever it says. Without it every connection
    /// is taken for a proxy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxies: Option<Vec<String>>,
}

const fn one() -> u32 {
    1
}

/// `[peer]`, compiled.
#[derive(Debug)]
pub(super) struct Forwarding {
    header: Box<str>,
    form: Form,
    hops: usize,
    proxies: Option<Box<[Network]>>,
}

/// What a request looks like from here.
pub(super) enum Seen<'r> {
    /// The connection's own address is the client's.
    AsItIs,
    /// The same request with the client's address in place of the proxy's, or with none where none is told.
    Forwarded(Box<Request<'r>>),
}

impl PeerConfig {
    pub(super) fn compile(&self) -> Result<Forwarding, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut problem = |key: &str, message: String, mend: &str| {
            problems.push(Problem::new(format!("peer.{key}"), message).mend(mend));
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if self.forwarded.is_empty() || !self.forwarded.bytes().all(token) {
            problem(
                "forwarded",
                format!("`{}` is no header", self.forwarded),
                "write `x-forwarded-for` or `forwarded`",
            );
        }
        if !(1..=MOST_HOPS).contains(&self.hops) {
            let message = format!("{} is not from 1 to {MOST_HOPS}", self.hops);
            problem("hops", message, "write how many proxies of yours add an entry: 1 for one");
        }
        if self.proxies.as_ref().is_some_and(Vec::is_empty) {
            let message = "no connection is a proxy's: the header would never be read".to_owned();
            problem("proxies", message, "name the networks of the proxies, or leave the key out");
        }
        let mut networks = Vec::new();
        for (at, text) in self.proxies.iter().flatten().enumerate() {
            match Network::parse(text) {
                Some(network) => networks.push(network),
                None => {
                    let message = format!("`{text}` is not a network");
                    problem(&format!("proxies[{at}]"), message, "write it as `10.0.0.0/8` or `2001:db8::/32`");
                }
            }
        }
        let rfc_7239 = self.forwarded.eq_ignore_ascii_case("forwarded");
        let forwarding = Forwarding {
            header: self.forwarded.as_str().into(),
            form: if rfc_7239 { Form::Forwarded } else { Form::List },
            hops: usize::try_from(self.hops).unwrap_or(usize::MAX),
            proxies: self.proxies.as_ref().map(|_| networks.into()),
        };
        if problems.is_empty() { Ok(forwarding) } else { Err(problems) }
    }
}

impl Engine {
    /// The request as its client sent it. What the host knows of the address (network, country, position) goes with a
    /// proxy's address; what it knows of the connection (fingerprint, certificate) stays.
    pub(super) fn seen<'r>(&self, request: &'r Request<'_>) -> Seen<'r> {
        let Some(forwarding) = self.forwarding.as_deref().filter(|forwarding| forwarding.is_proxy(request)) else {
            return Seen::AsItIs;
        };
        let name = forwarding.header.as_bytes();
        let named = |(known, _): &&(_, _)| -> bool {
            let known: &crate::model::Text<'_> = known;
            known.bytes().eq_ignore_ascii_case(name)
        };
        let mut lines = request.headers.iter().rev().filter(named).map(|(_, value)| value.bytes()).peekable();
        // A proxy that asks for itself, to see whether we live, forwards for nobody.
        if lines.peek().is_none() {
            return Seen::AsItIs;
        }
        let ip = forwarded::address(forwarding.form, lines, forwarding.hops);
        let mut request = request.borrowed();
        let Peer { tls_fingerprint, client_cert_sha256, client_cert_uris, .. } = request.peer;
        request.peer = Peer { ip, tls_fingerprint, client_cert_sha256, client_cert_uris, ..Peer::default() };
        Seen::Forwarded(Box::new(request))
    }
}

impl Seen<'_> {
    /// The request to decide on.
    pub(super) fn or<'s>(&'s self, request: &'s Request<'s>) -> &'s Request<'s> {
        match self {
            Self::AsItIs => request,
            Self::Forwarded(request) => request,
        }
    }

    /// The client, where a header told.
    pub(super) fn client(&self) -> Option<Client> {
        match self {
            Self::AsItIs => None,
            Self::Forwarded(request) => Some(Client { ip: request.peer.ip }),
        }
    }

    /// That the header tells no address where it should.
    pub(super) fn finding(&self) -> Option<Finding> {
        let detail = Cow::Borrowed("the header of `[peer]` has no address in the place where a proxy writes it");
        let unknown = matches!(self, Self::Forwarded(request) if request.peer.ip.is_none());
        unknown.then(|| Finding::new(Code::RouteBadForwarded, detail))
    }
}

impl Forwarding {
    fn is_proxy(&self, request: &Request<'_>) -> bool {
        let Some(proxies) = &self.proxies else { return true };
        request.peer.ip.is_some_and(|ip| proxies.iter().any(|network| network.contains(ip)))
    }
}
