//! From the facts of a request to the key of a limit.

use std::net::IpAddr;

use smallvec::SmallVec;

use super::masks::Masks;
use super::{KeyPart, Phase, Subject};
use crate::base::bounded::{AddressHasher, Key, KeyHasher};

/// What begins the words of an address: no text is so long.
const ADDRESS: u64 = 6 << 56;

/// What a key is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) parts: Box<[KeyPart]>,
    pub(super) ipv4_prefix: u8,
    pub(super) ipv6_prefix: u8,
    /// Of keys that are nothing but an address: its bits that count.
    address: Option<Masks>,
}

/// Bits of an IPv6 address that are one peer's.
pub(super) const PEER_V6_PREFIX: u8 = 64;

/// What makes keys, by what they are made of.
#[derive(Debug)]
pub(super) struct Hashers {
    pub(super) texts: KeyHasher,
    /// Of keys that are nothing but an address, as most are.
    addresses: AddressHasher,
}

impl Hashers {
    pub(super) fn new(seed: u64) -> Self {
        let texts = KeyHasher::new(seed);
        Self { addresses: AddressHasher::new(&texts), texts }
    }
}

impl Parts {
    pub(super) fn new(parts: &[KeyPart], ipv4_prefix: u8, ipv6_prefix: u8) -> Self {
        let mut of = Self { parts: parts.into(), ipv4_prefix, ipv6_prefix, address: None };
        if let [part @ (KeyPart::Peer | KeyPart::PeerPrefix)] = parts {
            of.address = Some(of.masks(part));
        }
        of
    }

    /// The key that a request has under a limit, or `None` when the limit is not for it: it needs an identity and there
    /// is none. Any other absent fact is a value of its own, which all requests without it share.
    #[inline(always)]
    pub(super) fn key(&self, phase: Phase, hashers: &Hashers, subject: &Subject<'_>) -> Option<Key> {
        match (&self.address, subject.peer) {
            (Some(masks), Some(IpAddr::V4(peer))) => return Some(hashers.addresses.key(masks.of_v4(peer))),
            (Some(masks), Some(IpAddr::V6(peer))) => return Some(hashers.addresses.key(masks.of_v6(peer))),
            _ => {}
        }
        self.key_of_all(phase, &hashers.texts, subject)
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
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::limit::rule;
    use crate::model::{Header, Identity, IdentityKind, Text};

    fn key(parts: &str, subject: &Subject<'_>) -> Option<Key> {
        let config = serde_json::from_str(&format!(r#"{{"name":"x","key":{parts},"rate":"1/1s"}}"#)).unwrap();
        let rule = &rule::compile(&[config]).unwrap()[0];
        rule.key.key(rule.phase, &Hashers::new(3), subject)
    }

    fn identity(kind: IdentityKind, issuer: Option<&str>, principal: &str, roles: &[&str]) -> Identity {
        Identity {
            issuer: issuer.map(Arc::from),
            roles: roles.iter().map(|role| Box::from(*role)).collect(),
            ..Identity::new(kind, principal)
        }
    }

    fn peer(address: &str) -> Subject<'static> {
        Subject { peer: Some(address.parse().unwrap()), ..Subject::default() }
    }

    #[test]
    fn one_host_is_one_peer() {
        let same = |parts, a, b| key(parts, &peer(a)) == key(parts, &peer(b));
        assert!(same(r#"["peer"]"#, "203.0.113.7", "::ffff:203.0.113.7"));
        assert!(!same(r#"["peer"]"#, "203.0.113.7", "203.0.113.8"));
        assert!(same(r#"["peer"]"#, "2001:db8:0:1::1", "2001:db8:0:1:ffff::9"));
        assert!(!same(r#"["peer"]"#, "2001:db8:0:1::1", "2001:db8:0:2::1"));
        assert!(same(r#"["peer_prefix"]"#, "203.0.113.7", "203.0.113.200"));
        assert!(!same(r#"["peer_prefix"]"#, "203.0.113.7", "203.0.114.7"));
        assert!(same(r#"["peer_prefix"]"#, "2001:db8:0:1::1", "2001:db8:0:2::1"));
        assert!(!same(r#"["peer_prefix"]"#, "2001:db8:0:100::1", "2001:db8:0:200::1"));
        assert_ne!(key(r#"["peer"]"#, &peer("0.0.0.0")), key(r#"["peer"]"#, &Subject::default()));
    }

    #[test]
    fn absent_facts_share_one_bucket_but_anonymous_has_none() {
        for part in ["peer", "peer_prefix", "endpoint", "segment", "header:x"] {
            assert!(key(&format!(r#"["{part}"]"#), &Subject::default()).is_some(), "{part}");
        }
        let someone = identity(IdentityKind::Jwt, None, "a", &[]);
        let known = Subject { identity: Some(&someone), ..Subject::default() };
        for part in ["identity", "tenant", "role", "claim:org"] {
            assert_eq!(key(&format!(r#"["{part}"]"#), &Subject::default()), None, "{part}");
            assert!(key(&format!(r#"["{part}"]"#), &known).is_some(), "{part}");
        }
    }

    #[test]
    fn identities_are_told_apart() {
        let people = [
            identity(IdentityKind::Jwt, Some("https://a"), "7", &[]),
            identity(IdentityKind::Jwt, Some("https://b"), "7", &[]),
            identity(IdentityKind::Jwt, None, "7", &[]),
            identity(IdentityKind::ApiKey, None, "7", &[]),
        ];
        let of = |who| key(r#"["identity"]"#, &Subject { identity: Some(who), ..Subject::default() }).unwrap();
        let keys: std::collections::BTreeSet<_> = people.iter().map(of).collect();
        assert_eq!(keys.len(), people.len());
    }

    #[test]
    fn roles_are_a_set_and_claims_are_text() {
        let of = |roles: &[&str]| {
            let who = identity(IdentityKind::Jwt, None, "7", roles);
            key(r#"["role"]"#, &Subject { identity: Some(&who), ..Subject::default() })
        };
        assert_eq!(of(&["b", "a"]), of(&["a", "b", "a"]));
        assert_ne!(of(&["ab"]), of(&["a", "b"]));

        let who = identity(IdentityKind::Jwt, None, "7", &[]);
        let claim = |value: Option<&'static str>| {
            let lookup = move |name: &str| value.filter(|_| name == "org").map(str::to_owned);
            key(r#"["claim:org"]"#, &Subject { identity: Some(&who), claim: Some(&lookup), ..Subject::default() })
        };
        assert_eq!(claim(Some("x")), claim(Some("x")));
        assert_ne!(claim(Some("x")), claim(Some("y")));
        assert_ne!(claim(Some("")), claim(None));

        let tenant = |name: Option<&str>| {
            let find = || name.map(str::to_owned);
            key(r#"["tenant"]"#, &Subject { identity: Some(&who), tenant: Some(&find), ..Subject::default() })
        };
        assert_ne!(tenant(Some("a")), tenant(Some("b")));
        assert_ne!(tenant(Some("")), tenant(None));
    }

    #[test]
    fn headers_count_with_all_their_lines() {
        let of = |lines: &[(&'static str, &'static str)]| {
            let headers: Vec<Header<'_>> = lines.iter().map(|(n, v)| (Text::from(*n), Text::from(*v))).collect();
            key(r#"["header:X-App"]"#, &Subject { headers: &headers, ..Subject::default() })
        };
        assert_eq!(of(&[("x-app", "1"), ("other", "2")]), of(&[("X-APP", "1")]));
        assert_ne!(of(&[("x-app", "1")]), of(&[("x-app", "1"), ("x-app", "2")]));
        assert_ne!(of(&[("x-app", "")]), of(&[]));
    }
}
