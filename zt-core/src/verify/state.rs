//! What verification remembers.

use super::Verifier;
use super::cache::Cache;
use super::revocation::{Revocation, Revocations};
use crate::base::bounded::KeyHasher;
use crate::model::Millis;

/// What verification remembers: bounded, shared between threads by reference.
#[derive(Debug)]
pub struct State {
    pub(super) hasher: KeyHasher,
    pub(super) cache: Cache,
    pub(super) revocations: Revocations,
}

impl State {
    /// Nothing seen yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry; the
    /// same where snapshots are exchanged.
    pub fn new(verifier: &Verifier, seed: u64) -> Self {
        let hasher = KeyHasher::new(seed);
        let cache = Cache::new(&verifier.cache, hasher.clone());
        Self { hasher, cache, revocations: Revocations::default() }
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        size_of::<Self>().saturating_add(self.cache.memory())
    }

    /// Tokens remembered as verified.
    pub fn cached_tokens(&self) -> usize {
        self.cache.len()
    }

    /// Refuses from now on what this revocation is about.
    pub fn revoke(&self, revocation: &Revocation, now: Millis) {
        self.revocations.revoke(&self.hasher, revocation, now);
    }

    /// Forgets what rests on keys or issuers that this verifier does not have.
    pub fn forget_removed(&self, verifier: &Verifier) {
        self.cache.retain(|proven| verifier.issuer_of(proven).is_ok());
    }
}
