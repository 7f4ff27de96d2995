//! What was revoked before its time: a stand-in, as simple as can be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Refusal;
use crate::base::bounded::{Key, KeyHasher};
use crate::model::{Code, Identity, Millis};

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// One token, by its `jti`.
    Token,
    /// All tokens of a session, by `sid`.
    Session,
    /// Everything of a principal that was issued before a moment.
    Subject,
    /// Everything under a key.
    Key,
}

/// A revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What it is about.
    pub revoke: Revoked,
    /// Issuer of the tokens.
    pub issuer: Option<String>,
    /// `jti`, `sid`, principal or key id.
    pub id: String,
    /// For a subject: what was issued at this time or later is good.
    pub issued_before_ms: Option<Millis>,
    /// When it is over.
    pub expires_ms: Millis,
}

/// The revocations.
#[derive(Debug, Default)]
pub(super) struct Revocations {
    table: Mutex<BTreeMap<Key, (Millis, Millis)>>,
    generation: AtomicU64,
}

/// The keys that an identity can be revoked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ids {
    keys: [Option<Key>; 4],
    issued_at: Option<Millis>,
}

impl Ids {
    /// Those of an identity; `kid` is that of the issuer's key that its token is signed with.
    pub(super) fn of(hasher: &KeyHasher, identity: &Identity, kid: Option<&str>) -> Self {
        let issuer = identity.issuer.as_deref();
        let key = |kind: Revoked, id: Option<&str>| id.map(|id| key(hasher, kind, issuer, id));
        let keys = [
            key(Revoked::Token, identity.credential_id.as_deref()),
            key(Revoked::Session, identity.session.as_deref()),
            key(Revoked::Subject, Some(&identity.principal)),
            key(Revoked::Key, kid),
        ];
        Self { keys, issued_at: identity.assurance.issued_at_ms }
    }
}

impl Revocations {
    /// Adds one.
    pub(super) fn revoke(&self, hasher: &KeyHasher, revocation: &Revocation, _now: Millis) {
        let before = match revocation.revoke {
            Revoked::Subject => revocation.issued_before_ms.unwrap_or(Millis::MAX),
            _ => Millis::MAX,
        };
        let key = key(hasher, revocation.revoke, revocation.issuer.as_deref(), &revocation.id);
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = table.entry(key).or_default();
        *mark = (mark.0.max(revocation.expires_ms), mark.1.max(before));
        drop(table);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// A number that moves with each revocation: who passed at one generation passes until it moves.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Refuses what was revoked.
    pub(super) fn check(&self, ids: &Ids, now: Millis) -> Result<(), Refusal> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let holds =
            |(expires, before): &(Millis, Millis)| now < *expires && ids.issued_at.is_none_or(|at| at < *before);
        match ids.keys.iter().flatten().any(|key| table.get(key).is_some_and(holds)) {
            true => Err((Code::VerifyRevoked, "it was revoked")),
            false => Ok(()),
        }
    }
}

fn key(hasher: &KeyHasher, kind: Revoked, issuer: Option<&str>, id: &str) -> Key {
    hasher.clone().number(kind as u64).optional(issuer.map(str::as_bytes)).part(id.as_bytes()).key()
}
