//! What verification remembers.

use super::Verifier;
use super::replay::Replays;
use crate::base::bounded::KeyHasher;

/// What verification remembers: bounded, shared between threads by reference.
pub struct State {
    pub(super) seed: u64,
    /// Proofs that were used.
    pub(super) replays: Replays,
}

impl std::fmt::Debug for State {
    /// Without the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("replays", &self.replays).finish_non_exhaustive()
    }
}

impl State {
    /// Nothing seen yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry; the
    /// same where snapshots are exchanged.
    pub fn new(verifier: &Verifier, seed: u64) -> Self {
        Self { seed, replays: Replays::new(KeyHasher::new(seed), verifier.replay_bytes) }
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        size_of::<Self>().saturating_add(self.replays.memory())
    }

    /// Proofs that were used, to be written and merged.
    pub const fn replays(&self) -> &Replays {
        &self.replays
    }

    /// Forgets what rests on keys or issuers that this verifier does not have.
    pub fn forget_removed(&self, _verifier: &Verifier) {}
}
