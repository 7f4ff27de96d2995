//! What verification remembers.

use std::sync::Arc;

use super::cache::Cache;
use super::refresh::Refresh;
use super::replay::{Replays, Written};
use super::revocation::{Ids, Revocation, Revocations};
use super::signal::Signalled;
use super::{Memory, Refusal, Verifier, revocation, signal};
use crate::base::bounded::{KeyHasher, OTHER_SEED, Usage};
use crate::base::bytes::Reader;
use crate::model::{Identity, Millis};

/// What verification remembers: bounded, shared between threads by reference.
pub struct State {
    pub(super) hasher: KeyHasher,
    pub(super) cache: Cache,
    pub(super) revocations: Revocations,
    pub(super) signalled: Signalled,
    pub(super) replays: Replays,
    /// Security Event Tokens that were acted on: apart, because they are remembered for long and forgetting one is harmless.
    pub(super) sets: Replays,
    refresh: Refresh,
}

/// What a snapshot holds, read and sound.
#[derive(Debug)]
pub struct Snapshot<'b> {
    replays: Written<'b>,
    sets: Written<'b>,
    revocations: revocation::Snapshot,
    signalled: signal::Snapshot,
}

impl std::fmt::Debug for State {
    /// Without the seed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl State {
    /// Nothing seen yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry; the
    /// same where snapshots are exchanged.
    pub fn new(verifier: &Verifier, seed: u64) -> Self {
        let hasher = KeyHasher::new(seed);
        let of_signals = verifier.memory.revocations / 4;
        let (proofs, sets) = of_proofs(verifier);
        Self {
            cache: Cache::new(&verifier.cache, verifier.memory.cache, hasher.clone()),
            revocations: Revocations::with_memory(verifier.memory.revocations.saturating_sub(of_signals)),
            signalled: Signalled::with_memory(of_signals),
            replays: Replays::new(hasher.clone(), proofs),
            sets: Replays::new(hasher.clone(), sets),
            refresh: Refresh::new(verifier.key_sets()),
            hasher,
        }
    }

    /// Nothing seen yet, and the same revoked.
    pub fn of_revocations(&self, verifier: &Verifier) -> Self {
        let (proofs, sets) = of_proofs(verifier);
        Self {
            cache: Cache::new(&verifier.cache, verifier.memory.cache, self.hasher.clone()),
            revocations: self.revocations.clone(),
            signalled: self.signalled.clone(),
            replays: Replays::new(self.hasher.clone(), proofs),
            sets: Replays::new(self.hasher.clone(), sets),
            refresh: Refresh::new(verifier.key_sets()),
            hasher: self.hasher.clone(),
        }
    }

    /// Refuses from now on what this is about.
    pub fn revoke(&self, revocation: &Revocation, now: Millis) {
        self.revocations.revoke(&self.hasher, revocation, now);
    }

    /// Bytes held.
    pub fn memory(&self) -> Memory {
        let [cache, revocations, signals, proofs] = self.usage().map(|(_, usage)| usage.memory);
        let revocations = revocations.saturating_add(signals);
        Memory { cache, revocations, proofs: proofs.saturating_add(self.refresh.memory()) }
    }

    /// How full each store is, by name.
    pub fn usage(&self) -> [(&'static str, Usage); 4] {
        [
            ("verify.cache", self.cache.usage()),
            ("verify.revocations", self.revocations.usage()),
            ("verify.signals", self.signalled.usage()),
            ("verify.proofs", self.replays.usage().and(self.sets.usage())),
        ]
    }

    /// Forgets what rests on keys or issuers that this verifier does not have.
    pub fn forget_removed(&self, verifier: &Verifier) {
        self.cache.retain(|terms| verifier.issuer_of(terms).is_ok());
    }

    /// Refuses a credential that was revoked; `kid` is that of the issuer's key that a token is signed with. Each is looked
    /// up where it is proven: what comes later may take its place.
    pub(super) fn unrevoked(&self, identity: &Identity, kid: Option<&str>, now: Millis) -> Result<(), Refusal> {
        match self.generation() {
            0 => Ok(()),
            _ => self.unrevoked_ids(&Ids::of(&self.hasher, identity, kid), now),
        }
    }

    /// The same, for what it can be known by.
    pub(super) fn unrevoked_ids(&self, ids: &Ids, now: Millis) -> Result<(), Refusal> {
        self.revocations.check(ids, now).and_then(|()| self.signalled.check(ids, now))
    }

    /// A number that moves with whatever may change the answer.
    pub(super) fn generation(&self) -> u64 {
        self.revocations.generation().wrapping_add(self.signalled.generation())
    }

    /// The issuer, where it is time to ask the host for a newer set of its keys.
    pub(super) fn refresh(&self, cell: usize, issuer: &Arc<str>, interval: Millis, now: Millis) -> Option<Arc<str>> {
        self.refresh.ask(cell, interval, now).then(|| Arc::clone(issuer))
    }

    /// Tokens remembered as verified.
    pub fn cached_tokens(&self) -> usize {
        self.cache.len()
    }

    /// Appends what is worth keeping: revocations and used proofs, not tokens. The same state gives the same bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_since(0, out);
    }

    /// Begins this epoch: what changes from now on is stamped with it.
    pub fn advance(&self, epoch: u32) {
        self.revocations.advance(epoch);
        self.signalled.advance(epoch);
        self.replays.advance(epoch);
        self.sets.advance(epoch);
    }

    /// Appends of what is worth keeping that which has changed in this epoch or later.
    pub fn write_since(&self, epoch: u32, out: &mut Vec<u8>) {
        out.extend(self.mark().to_le_bytes());
        self.revocations.write_since(epoch, out);
        self.signalled.write_since(epoch, out);
        self.replays.write_since(epoch, out);
        self.sets.write_since(epoch, out);
    }

    /// Reads what [`write`](Self::write) gave, and changes nothing.
    ///
    /// # Errors
    /// Why the bytes are not that.
    pub fn read<'b>(&self, bytes: &'b [u8]) -> Result<Snapshot<'b>, &'static str> {
        let mut reader = Reader::new(bytes);
        if reader.u64().ok_or("cut short")? != self.mark() {
            return Err(OTHER_SEED);
        }
        let revocations = self.revocations.read_from(&mut reader).ok_or("revocations that cannot be read")?;
        let signalled = self.signalled.read_from(&mut reader).ok_or("signals that cannot be read")?;
        let (replays, sets) = (self.replays.read(&mut reader)?, self.sets.read(&mut reader)?);
        if reader.left() == 0 { Ok(Snapshot { revocations, signalled, replays, sets }) } else { Err("too long") }
    }

    /// Replaces everything with what a snapshot holds.
    pub fn restore(&self, snapshot: Snapshot<'_>) {
        self.replays.restore(&snapshot.replays);
        self.sets.restore(&snapshot.sets);
        self.revocations.replace(snapshot.revocations);
        self.signalled.replace(snapshot.signalled);
    }

    /// Joins what a snapshot holds; the order of merges never matters.
    pub fn merge(&self, snapshot: Snapshot<'_>) {
        self.replays.merge(&snapshot.replays);
        self.sets.merge(&snapshot.sets);
        self.revocations.merge(snapshot.revocations);
        self.signalled.merge(snapshot.signalled);
    }

    /// Tells seeds apart without giving one away.
    fn mark(&self) -> u64 {
        self.hasher.clone().part(b"zt verify snapshot").key().to_u128() as u64
    }
}

/// Bytes for used proofs, and of them, where there are transmitters, for Security Event Tokens.
fn of_proofs(verifier: &Verifier) -> (usize, usize) {
    let sets = if verifier.transmitters.is_empty() { 0 } else { verifier.memory.proofs / 8 };
    (verifier.memory.proofs.saturating_sub(sets), sets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Config;

    #[test]
    fn a_snapshot_of_another_seed_or_of_other_bytes_is_refused() {
        // Small, so that every length of the bytes can be tried.
        let config: Config =
            serde_json::from_str(r#"{"revocation_memory": "16KiB", "replay_memory": "16KiB"}"#).unwrap();
        let verifier = Verifier::compile(&config).unwrap();
        let (state, other) = (State::new(&verifier, 1), State::new(&verifier, 2));
        state.replays.first_time(&[b"proof"], 1_000, 0).unwrap();
        let mut bytes = Vec::new();
        state.write(&mut bytes);
        assert_eq!(other.read(&bytes).unwrap_err(), OTHER_SEED);
        for length in 0..bytes.len() {
            assert!(state.read(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert_eq!(state.read(&bytes).unwrap_err(), "too long");
    }
}
