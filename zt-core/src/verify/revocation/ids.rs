//! What an identity can be revoked by.

use super::Revoked;
use crate::base::bounded::{Key, KeyHasher};
use crate::model::{Identity, Millis};

/// The keys that an identity can be revoked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Ids {
    pub(super) keys: [Option<Key>; 4],
    pub(super) issued_at: Option<Millis>,
}

impl Ids {
    /// Those of an identity; `kid` is that of the issuer's key that its token is signed with.
    pub(in crate::verify) fn of(hasher: &KeyHasher, identity: &Identity, kid: Option<&str>) -> Self {
        let issuer = identity.issuer.as_deref();
        let key = |kind: Revoked, id: Option<&str>| id.map(|id| key(hasher, kind, issuer, id));
        let (token, own) = match issuer {
            Some(_) => (identity.credential_id.as_deref(), kid),
            None => (None, identity.credential_id.as_deref()),
        };
        let keys = [
            key(Revoked::Token, token),
            key(Revoked::Session, identity.session.as_deref()),
            key(Revoked::Subject, Some(&identity.principal)),
            key(Revoked::Key, own),
        ];
        // Who holds a key of its own chooses when a signature was made; the key is as old as ever.
        Self { keys, issued_at: issuer.and(identity.assurance.issued_at_ms) }
    }

    /// That of its session.
    pub(in crate::verify) fn session(&self) -> Option<&Key> {
        self.keys[1].as_ref()
    }

    /// That of its principal.
    pub(in crate::verify) fn subject(&self) -> Option<&Key> {
        self.keys[2].as_ref()
    }
}

/// The key of what tokens name.
pub(in crate::verify) fn key(hasher: &KeyHasher, kind: Revoked, issuer: Option<&str>, id: &str) -> Key {
    hasher.clone().number(kind as u64).optional(issuer.map(str::as_bytes)).part(id.as_bytes()).key()
}
