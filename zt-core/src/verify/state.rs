//! What verification remembers.

use super::cache::Cache;
use super::revocation::{Revocation, Revocations};
use super::{Verifier, revocation};
use crate::base::bounded::KeyHasher;
use crate::base::bytes::Reader;
use crate::model::Millis;

/// What verification remembers: bounded, shared between threads by reference.
#[derive(Debug)]
pub struct State {
    pub(super) hasher: KeyHasher,
    pub(super) cache: Cache,
    pub(super) revocations: Revocations,
}

/// What a snapshot holds, read and sound.
#[derive(Debug)]
pub struct Snapshot {
    revocations: revocation::Snapshot,
}

impl State {
    /// Nothing seen yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry; the
    /// same where snapshots are exchanged.
    pub fn new(verifier: &Verifier, seed: u64) -> Self {
        let hasher = KeyHasher::new(seed);
        Self {
            cache: Cache::new(&verifier.cache, hasher.clone()),
            revocations: Revocations::with_memory(verifier.revocation_memory),
            hasher,
        }
    }

    /// Refuses from now on what this is about.
    pub fn revoke(&self, revocation: &Revocation, now: Millis) {
        self.revocations.revoke(&self.hasher, revocation, now);
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        let parts = [self.cache.memory(), self.revocations.memory(), size_of::<Self>()];
        parts.into_iter().fold(0, usize::saturating_add)
    }

    /// Forgets what rests on keys or issuers that this verifier does not have.
    pub fn forget_removed(&self, verifier: &Verifier) {
        self.cache.retain(|proven| verifier.issuer_of(proven).is_ok());
    }

    /// Tokens remembered as verified.
    pub fn cached_tokens(&self) -> usize {
        self.cache.len()
    }

    /// Appends what is worth keeping: revocations, not tokens. The same state gives the same bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.mark().to_le_bytes());
        self.revocations.write_to(out);
    }

    /// Reads what [`write`](Self::write) gave, and changes nothing.
    ///
    /// # Errors
    /// Why the bytes are not that.
    pub fn read(&self, bytes: &[u8]) -> Result<Snapshot, &'static str> {
        let mut reader = Reader::new(bytes);
        if reader.u64().ok_or("cut short")? != self.mark() {
            return Err("written under another seed");
        }
        let revocations = self.revocations.read_from(&mut reader).ok_or("revocations that cannot be read")?;
        if reader.left() == 0 { Ok(Snapshot { revocations }) } else { Err("too long") }
    }

    /// Replaces everything with what a snapshot holds.
    pub fn restore(&self, snapshot: Snapshot) {
        self.revocations.replace(snapshot.revocations);
    }

    /// Joins what a snapshot holds; the order of merges never matters.
    pub fn merge(&self, snapshot: Snapshot) {
        self.revocations.merge(snapshot.revocations);
    }

    /// Tells seeds apart without giving one away.
    fn mark(&self) -> u64 {
        self.hasher.clone().part(b"zt verify snapshot").key().to_u128() as u64
    }
}
