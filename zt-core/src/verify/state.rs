//! What verification remembers.

use std::sync::Arc;

use smallvec::smallvec;

use super::refresh::Refresh;
use super::{Refusal, Verified, Verifier};
use crate::base::bounded::KeyHasher;
use crate::model::{Finding, Millis};

/// What verification remembers: bounded, shared between threads by reference.
#[derive(Debug)]
pub struct State {
    #[expect(dead_code, reason = "for the stores to come")]
    hasher: KeyHasher,
    refresh: Refresh,
}

impl State {
    /// Nothing seen yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry; the
    /// same where snapshots are exchanged.
    pub fn new(verifier: &Verifier, seed: u64) -> Self {
        Self { hasher: KeyHasher::new(seed), refresh: Refresh::new(verifier.key_sets()) }
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        size_of::<Self>().saturating_add(self.refresh.memory())
    }

    /// The refusal of a token whose key is not in the issuer's set, with the wish for a newer set where it is time for one.
    pub(super) fn unknown_key(
        &self,
        (code, detail): Refusal,
        cell: usize,
        issuer: &Arc<str>,
        interval: Millis,
        now: Millis,
    ) -> Verified {
        let refresh_wanted = self.refresh.ask(cell, interval, now).then(|| Arc::clone(issuer));
        Verified { findings: smallvec![Finding::new(code, detail)], refresh_wanted, ..Verified::default() }
    }

    /// Forgets what rests on keys or issuers that this verifier does not have.
    pub fn forget_removed(&self, _verifier: &Verifier) {}
}
