//! Whom a request comes from, as ladders and suspensions know them.

use std::net::IpAddr;

use super::ladder::Guard;
use crate::base::bounded::{Key, KeyHasher};
use crate::model::{Identity, IdentityKind, SubjectKind};

/// Whom a request comes from: its address, and who was proven to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Suspect<'a> {
    /// Address of the peer. Requests without one stand on the ladders of addresses together, and are throttled at most.
    pub peer: Option<IpAddr>,
    /// The verified identity.
    pub identity: Option<&'a Identity>,
}

/// One subject of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) key: Key,
    /// Of whom it shares the fate when its table is full of suspended ones.
    pub(super) neighbours: Key,
    pub(super) guard: Guard,
}

/// Bits of an address that are one peer, IPv4 and IPv6: a host of IPv6 has a network to itself.
const PEER: (u8, u8) = (32, 64);
/// Bits of an address that are one `peer_prefix`.
pub(super) const PREFIX: (u8, u8) = (24, 56);

impl Suspect<'_> {
    /// What strikes of this kind count against; nothing where the request has no such subject, or it was not proven.
    pub(super) fn subject(&self, kind: SubjectKind, hasher: &KeyHasher) -> Option<Subject> {
        if kind.is_peer() {
            let key = address(hasher, kind, self.peer);
            let neighbours = address(hasher, SubjectKind::PeerPrefix, self.peer);
            let guard = if self.peer.is_some() { Guard::None } else { Guard::Never };
            return Some(Subject { key, neighbours, guard });
        }
        // The host's word is no proof.
        let proven = self.identity.filter(|identity| identity.kind != IdentityKind::Asserted);
        let key = named(hasher, kind, proven?)?;
        Some(Subject { key, neighbours: key, guard: Guard::Proof })
    }

    /// What a person may have suspended; the host's word for who it is suffices.
    pub(super) fn suspendable(&self, kind: SubjectKind, hasher: &KeyHasher) -> Option<Subject> {
        match (kind.is_peer(), self.peer, self.identity) {
            (true, Some(_), _) => self.subject(kind, hasher),
            (false, _, Some(identity)) => {
                let key = named(hasher, kind, identity)?;
                Some(Subject { key, neighbours: key, guard: Guard::Proof })
            }
            _ => None,
        }
    }
}

/// An identity's own key as a subject of this kind.
fn named(hasher: &KeyHasher, kind: SubjectKind, identity: &Identity) -> Option<Key> {
    let issuer = identity.issuer.as_deref();
    let id = match kind {
        SubjectKind::Credential => identity.credential_id.as_deref()?,
        SubjectKind::Session => identity.session.as_deref()?,
        SubjectKind::Identity => &identity.principal,
        SubjectKind::Peer | SubjectKind::PeerPrefix => return None,
    };
    Some(of_id(hasher, kind, identity.kind, issuer, id))
}

/// The key of what has a name. A session is its issuer's, whatever shows it.
pub(super) fn of_id(
    hasher: &KeyHasher,
    subject: SubjectKind,
    kind: IdentityKind,
    issuer: Option<&str>,
    id: &str,
) -> Key {
    let mut hasher = hasher.clone();
    hasher.number(subject as u64);
    if subject != SubjectKind::Session {
        hasher.part(kind.as_str().as_bytes());
    }
    hasher.optional(issuer.map(str::as_bytes)).part(id.as_bytes()).key()
}

/// The key of an address, or of the network around it.
pub(super) fn address(hasher: &KeyHasher, subject: SubjectKind, peer: Option<IpAddr>) -> Key {
    let mut hasher = hasher.clone();
    hasher.number(subject as u64);
    let (v4, v6) = if subject == SubjectKind::PeerPrefix { PREFIX } else { PEER };
    // An IPv4 address inside IPv6 (RFC 4291, section 2.5.5.2) is the IPv4 address.
    match peer.map(|peer| peer.to_canonical()) {
        None => hasher.optional(None),
        Some(IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(v4.into())).unwrap_or(0);
            hasher.part(&(u32::from(address) & mask).to_be_bytes())
        }
        Some(IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(v6.into())).unwrap_or(0);
            hasher.part(&(u128::from(address) & mask).to_be_bytes())
        }
    };
    hasher.key()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        let mut identity = Identity::new(IdentityKind::Jwt, "anna");
        identity.issuer = Some("i".into());
        identity.credential_id = Some("t-1".into());
        identity.session = Some("s-1".into());
        identity
    }

    const NAMED: [SubjectKind; 3] = [SubjectKind::Credential, SubjectKind::Session, SubjectKind::Identity];

    fn key(kind: SubjectKind, identity: &Identity) -> Option<Key> {
        let suspect = Suspect { peer: None, identity: Some(identity) };
        suspect.subject(kind, &KeyHasher::new(3)).map(|subject| subject.key)
    }

    #[test]
    fn only_what_was_proven_is_struck() {
        for kind in NAMED {
            assert!(key(kind, &identity()).is_some());
            assert_eq!(Suspect::default().subject(kind, &KeyHasher::new(3)), None);
            assert_eq!(key(kind, &Identity { kind: IdentityKind::Asserted, ..identity() }), None);
        }
        let bare = Identity::new(IdentityKind::Jwt, "anna");
        assert_eq!((key(SubjectKind::Credential, &bare), key(SubjectKind::Session, &bare)), (None, None));
    }

    #[test]
    fn subjects_are_told_apart() {
        let others = [
            Identity { issuer: Some("j".into()), ..identity() },
            Identity { issuer: None, ..identity() },
            Identity {
                principal: "bert".into(),
                credential_id: Some("t-2".into()),
                session: Some("s-2".into()),
                ..identity()
            },
        ];
        for kind in NAMED {
            for other in &others {
                assert_ne!(key(kind, &identity()), key(kind, other), "{kind:?}");
            }
        }
        let keys: std::collections::BTreeSet<_> = NAMED.iter().map(|kind| key(*kind, &identity())).collect();
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn addresses_are_hosts_and_networks() {
        let of = |kind, text: &str| address(&KeyHasher::new(3), kind, Some(text.parse().unwrap()));
        let (peer, prefix) = (SubjectKind::Peer, SubjectKind::PeerPrefix);
        assert_eq!(of(peer, "203.0.113.7"), of(peer, "::ffff:203.0.113.7"));
        assert_ne!(of(peer, "203.0.113.7"), of(peer, "203.0.113.8"));
        assert_eq!(of(peer, "2001:db8:0:1::1"), of(peer, "2001:db8:0:1::2"));
        assert_eq!(of(prefix, "203.0.113.7"), of(prefix, "203.0.113.200"));
        assert_eq!(of(prefix, "2001:db8:0:1::1"), of(prefix, "2001:db8:0:2::1"));
        assert_ne!(of(prefix, "2001:db8:0:100::1"), of(prefix, "2001:db8:0:200::1"));
        assert_ne!(of(peer, "203.0.113.0"), of(prefix, "203.0.113.0"));
    }

    #[test]
    fn requests_without_an_address_are_never_suspended() {
        let subject = Suspect::default().subject(SubjectKind::Peer, &KeyHasher::new(3)).unwrap();
        assert_eq!(subject.guard, Guard::Never);
        assert_eq!(Suspect::default().suspendable(SubjectKind::Peer, &KeyHasher::new(3)), None);
    }
}
