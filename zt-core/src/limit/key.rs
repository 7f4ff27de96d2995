//! From the facts of a request to the key of a limit.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::masks::Masks;
use super::{KeyPart, Phase, Subject};
use crate::base::bounded::{Key, KeyHasher, ShortHasher};
use crate::model::Identity;

/// What begins the words of an address: no text is so long.
const ADDRESS: u64 = 6 << 56;

/// What a key is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) parts: Box<[KeyPart]>,
    pub(super) ipv4_prefix: u8,
    pub(super) ipv6_prefix: u8,
    short: Option<Short>,
}

/// What a short key is made of, as most are: one fact, of few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    /// The bits of an address that count.
    Address(Masks),
    Identity,
}

/// Bits of an IPv6 address that are one peer's.
pub(super) const PEER_V6_PREFIX: u8 = 64;

/// What makes keys, by what they are made of.
#[derive(Debug)]
pub(super) struct Hashers {
    pub(super) texts: KeyHasher,
    short: ShortHasher,
}

impl Hashers {
    pub(super) fn new(seed: u64) -> Self {
        let texts = KeyHasher::new(seed);
        Self { short: ShortHasher::new(&texts), texts }
    }
}

impl Parts {
    pub(super) fn new(parts: &[KeyPart], ipv4_prefix: u8, ipv6_prefix: u8) -> Self {
        let mut of = Self { parts: parts.into(), ipv4_prefix, ipv6_prefix, short: None };
        of.short = match parts {
            [part @ (KeyPart::Peer | KeyPart::PeerPrefix)] => Some(Short::Address(of.masks(part))),
            [KeyPart::Identity] => Some(Short::Identity),
            _ => None,
        };
        of
    }

    /// The key that a request has under a limit, or `None` when the limit is not for it: it needs an identity and there
    /// is none. Any other absent fact is a value of its own, which all requests without it share.
    #[inline(always)]
    pub(super) fn key(&self, phase: Phase, hashers: &Hashers, subject: &Subject<'_>) -> Option<Key> {
        let address = |bits: u128| Some(hashers.short.begin().number(bits as u64)?.number((bits >> 64) as u64)?.key());
        let short = match &self.short {
            // Apart, for half of what is summed is known to be zero of IPv4.
            Some(Short::Address(masks)) => match subject.peer {
                Some(IpAddr::V4(peer)) => address(masks.of_v4(peer)),
                Some(IpAddr::V6(peer)) => address(masks.of_v6(peer)),
                None => None,
            },
            Some(Short::Identity) => subject.identity.and_then(|identity| short_key_of(&hashers.short, identity)),
            None => None,
        };
        short.or_else(|| self.key_of_all(phase, &hashers.texts, subject))
    }

    #[inline(never)]
    fn key_of_all(&self, phase: Phase, hasher: &KeyHasher, subject: &Subject<'_>) -> Option<Key> {
        if phase == Phase::Identity && subject.identity.is_none() {
            return None;
        }
        let mut hasher = hasher.clone();
        for part in &self.parts {
            match (part, subject.peer) {
                (KeyPart::Peer | KeyPart::PeerPrefix, Some(peer)) => {
                    let masks = self.masks(part);
                    let bits = match peer {
                        IpAddr::V4(peer) => masks.of_v4(peer),
                        IpAddr::V6(peer) => masks.of_v6(peer),
                    };
                    hasher.number(ADDRESS).number((bits >> 64) as u64).number(bits as u64);
                }
                _ => add(&mut hasher, part, subject),
            }
        }
        Some(hasher.key())
    }

    /// When a limit with this key can be checked.
    pub(super) fn phase(&self) -> Phase {
        let known =
            |part: &KeyPart| matches!(part, KeyPart::Identity | KeyPart::Tenant | KeyPart::Role | KeyPart::Claim(_));
        if self.parts.iter().any(known) { Phase::Identity } else { Phase::Peer }
    }

    /// The bits of the peer's address that count, for `peer` and for `peer_prefix`.
    fn masks(&self, part: &KeyPart) -> Masks {
        match part {
            KeyPart::PeerPrefix => Masks::new(self.ipv4_prefix, self.ipv6_prefix),
            _ => Masks::new(32, PEER_V6_PREFIX),
        }
    }
}

/// Of its kind, issuer and principal, or `None` of long ones. The first word tells where each ends, and none from an empty
/// issuer.
#[inline(always)]
fn short_key_of(hasher: &ShortHasher, identity: &Identity) -> Option<Key> {
    let (principal, issuer) = (identity.principal.as_bytes(), identity.issuer.as_deref().map(str::as_bytes));
    let length = |bytes: &[u8]| bytes.len() as u64;
    // Lengths that run into each other are of more words than a short key has.
    let ends = (identity.kind as u64) << 56 | issuer.map_or(0, |issuer| length(issuer) + 1) << 28 | length(principal);
    let whose = hasher.begin().number(ends)?.part(issuer.unwrap_or_default())?;
    Some(whose.part(principal)?.key())
}

/// Not inlined: what each kind of part needs would be made ready for all of them.
#[inline(never)]
fn add(hasher: &mut KeyHasher, part: &KeyPart, subject: &Subject<'_>) {
    let text = |text: Option<&str>, hasher: &mut KeyHasher| {
        hasher.optional(text.map(str::as_bytes));
    };
    match part {
        // An address that is known is added elsewhere.
        KeyPart::Peer | KeyPart::PeerPrefix => text(None, hasher),
        KeyPart::Identity => {
            let identity = subject.identity;
            text(identity.map(|identity| identity.kind.as_str()), hasher);
            text(identity.and_then(|identity| identity.issuer.as_deref()), hasher);
            text(identity.map(|identity| &*identity.principal), hasher);
        }
        KeyPart::Tenant => text(subject.tenant.and_then(|tenant| tenant()).as_deref(), hasher),
        KeyPart::Role => {
            let roles = subject.identity.map(|identity| &*identity.roles).unwrap_or_default();
            let mut roles: SmallVec<[&str; 8]> = roles.iter().map(|role| &**role).collect();
            roles.sort_unstable();
            roles.dedup();
            hasher.number(roles.len() as u64);
            roles.iter().for_each(|role| text(Some(role), hasher));
        }
        KeyPart::Claim(name) => text(subject.claim.and_then(|claim| claim(name)).as_deref(), hasher),
        KeyPart::Header(name) => {
            let lines = || subject.headers.iter().filter(|(n, _)| n.bytes().eq_ignore_ascii_case(name.as_bytes()));
            hasher.number(lines().count() as u64);
            lines().for_each(|(_, value)| {
                hasher.part(value.bytes());
            });
        }
        KeyPart::Endpoint => text(subject.endpoint, hasher),
        KeyPart::Segment => text(subject.segment, hasher),
    }
}

#[cfg(test)]
mod tests;
