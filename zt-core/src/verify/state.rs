//! What verification remembers.

use super::Verifier;
use crate::base::bounded::KeyHasher;

/// What verification remembers: bounded, shared between threads by reference.
#[derive(Debug)]
pub struct State {
    #[expect(dead_code, reason = "for the stores to come")]
    hasher: KeyHasher,
}

impl State {
    /// Nothing seen yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry; the
    /// same where snapshots are exchanged.
    pub fn new(_verifier: &Verifier, seed: u64) -> Self {
        Self { hasher: KeyHasher::new(seed) }
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        size_of::<Self>()
    }

    /// Forgets what rests on keys or issuers that this verifier does not have.
    pub fn forget_removed(&self, _verifier: &Verifier) {}
}
