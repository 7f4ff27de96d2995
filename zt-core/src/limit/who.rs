//! Whom a limit spares, and for whom it keeps a reserve.

use super::Subject;
use super::config::{Except, Reserved};
use crate::base::network::Network;
use crate::model::{Identity, Problem};

/// `except`, compiled.
#[derive(Debug, Default)]
pub(super) struct Spared {
    networks: Box<[Network]>,
    identities: Box<[String]>,
    roles: Box<[String]>,
    scopes: Box<[String]>,
}

/// `reserve` and `reserved_for`, compiled.
#[derive(Debug)]
pub(super) struct Reserve {
    /// Per cent, 1 to 99.
    pub(super) per_cent: u8,
    roles: Box<[String]>,
    scopes: Box<[String]>,
    endpoints: Box<[String]>,
}

impl Spared {
    pub(super) fn compile(except: &Except, problems: &mut Vec<Problem>) -> Self {
        let mut networks = Vec::with_capacity(except.peers.len());
        for (at, text) in except.peers.iter().enumerate() {
            match Network::parse(text) {
                Some(network) => networks.push(network),
                None => problems
                    .push(Problem::new(format!("except.peers[{at}]"), format!("`{text}` is not a network")).mend(
                    "write an address, or one such as `10.0.0.0/8` or `2001:db8::/32` with nothing after its prefix",
                )),
            }
        }
        Self {
            networks: networks.into(),
            identities: except.identities.clone().into(),
            roles: except.roles.clone().into(),
            scopes: except.scopes.clone().into(),
        }
    }

    /// Whether it spares nobody.
    pub(super) fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.identities.is_empty() && self.roles.is_empty() && self.scopes.is_empty()
    }

    pub(super) fn spares(&self, subject: &Subject<'_>) -> bool {
        subject.peer.is_some_and(|peer| self.networks.iter().any(|network| network.contains(peer)))
            || subject.identity.is_some_and(|identity| {
                self.identities.iter().any(|name| **name == *identity.principal)
                    || is_one_of(identity, &self.roles, &self.scopes)
            })
    }
}

impl Reserve {
    pub(super) fn new(per_cent: u8, reserved: &Reserved) -> Self {
        Self {
            per_cent,
            roles: reserved.roles.clone().into(),
            scopes: reserved.scopes.clone().into(),
            endpoints: reserved.endpoints.clone().into(),
        }
    }

    /// Per cent that must remain after this request: none after those for whom they are kept.
    pub(super) fn kept_from(&self, subject: &Subject<'_>) -> u8 {
        let here = subject.endpoint.is_some_and(|id| self.endpoints.iter().any(|endpoint| endpoint == id));
        let whom = subject.identity.is_some_and(|identity| is_one_of(identity, &self.roles, &self.scopes));
        if here || whom { 0 } else { self.per_cent }
    }
}

fn is_one_of(identity: &Identity, roles: &[String], scopes: &[String]) -> bool {
    let any = |own: &[Box<str>], named: &[String]| own.iter().any(|own| named.iter().any(|name| **name == **own));
    any(&identity.roles, roles) || any(&identity.scopes, scopes)
}
