//! The revocations of a state, in bounded memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::filter::Filter;
use super::table::{Mark, Table};
use super::{Ids, Revocation, Revoked, key};
use crate::base::bounded::{Key, KeyHasher, Usage};
use crate::model::{Code, Millis};
use crate::verify::Refusal;

/// Expired marks make room this often at most, in milliseconds.
const SWEEP_MILLIS: Millis = 1_000;

/// About what an entry of the tree takes: 40 of its own, in nodes that are two thirds full.
const ENTRY_BYTES: usize = 72;

/// The revocations, at most so many bytes of them.
///
/// **At the bound** nothing revoked is let in again: what has no place of its own goes to a Bloom filter (1970) that holds
/// until the last of what it holds is over. The price is that some that nobody revoked are refused too: about 1 % when
/// seven times as many are in the filter as in the table.
#[derive(Debug)]
pub(in crate::verify) struct Revocations {
    table: RwLock<Table>,
    /// Moves with each revocation, so that who was looked up before it knows to look again.
    pub(super) generation: AtomicU64,
    pub(super) capacity: usize,
}

impl Clone for Revocations {
    fn clone(&self) -> Self {
        let generation = AtomicU64::new(self.generation());
        Self { table: RwLock::new(self.read().clone()), generation, capacity: self.capacity }
    }
}

impl Revocations {
    /// None yet, and never more than about this many bytes.
    pub(in crate::verify) fn with_memory(bytes: usize) -> Self {
        let filter = bytes / 8;
        let capacity = bytes.saturating_sub(filter) / ENTRY_BYTES;
        let table = Table { rest: Filter::with_memory(filter), ..Table::default() };
        Self { table: RwLock::new(table), generation: AtomicU64::new(0), capacity }
    }

    /// Adds one.
    pub(in crate::verify) fn revoke(&self, hasher: &KeyHasher, revocation: &Revocation, now: Millis) {
        let issued_before = match (revocation.revoke, revocation.issued_before_ms) {
            (Revoked::Subject, Some(before)) => before,
            _ => Millis::MAX,
        };
        let key = key(hasher, revocation.revoke, revocation.issuer.as_deref(), &revocation.id);
        self.put(&key, Mark { expires: revocation.expires_ms, issued_before }, now);
    }

    /// Adds a mark for a key. What has expired makes room first.
    pub(in crate::verify) fn put(&self, key: &Key, mark: Mark, now: Millis) {
        let mut table = self.write();
        // All of them are looked at: a full table is not swept for each mark of a flood.
        if table.marks.len() >= self.capacity && !(0..SWEEP_MILLIS).contains(&now.saturating_sub(table.swept)) {
            table.marks.retain(|_, held| held.mark.expires > now);
            table.swept = now;
        }
        table.rest.forget_expired(now);
        table.join(key.to_u128(), mark, self.capacity);
        drop(table);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// A number that moves with each revocation: who passed at one generation passes until it moves.
    pub(in crate::verify) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Refuses what was revoked.
    pub(in crate::verify) fn check(&self, ids: &Ids, now: Millis) -> Result<(), Refusal> {
        const WHAT: [&str; 4] =
            ["the token was revoked", "its session was revoked", "its subject was revoked", "its key was revoked"];
        if self.generation() == 0 {
            return Ok(());
        }
        let table = self.read();
        let holds = |mark: Mark| now < mark.expires && ids.issued_at.is_none_or(|at| at < mark.issued_before);
        for (key, what) in ids.keys.iter().zip(WHAT) {
            let Some(key) = key else { continue };
            let mark = table.marks.get(&key.to_u128()).map(|held| held.mark);
            if mark.is_some_and(holds) || table.rest.mark(key.to_u128()).is_some_and(holds) {
                return Err((Code::VerifyRevoked, what));
            }
        }
        Ok(())
    }

    /// How full it is; what went to the filter counts as evicted.
    pub(in crate::verify) fn usage(&self) -> Usage {
        let table = self.read();
        let entries = table.marks.len();
        let memory = entries.saturating_mul(ENTRY_BYTES).saturating_add(table.rest.memory());
        Usage {
            memory: memory.saturating_add(size_of::<Self>()),
            entries,
            capacity: self.capacity,
            evicted: table.moved,
        }
    }

    /// Begins this epoch: what changes from now on is stamped with it.
    pub(in crate::verify) fn advance(&self, epoch: u32) {
        let mut table = self.write();
        table.epoch = table.epoch.max(epoch);
    }

    /// The mark of a key that has a place of its own.
    pub(in crate::verify) fn own(&self, key: &Key) -> Option<Mark> {
        self.read().marks.get(&key.to_u128()).map(|held| held.mark)
    }

    /// The marks that may be a key's: its own, and that of the filter.
    pub(in crate::verify) fn marks(&self, key: &Key) -> [Option<Mark>; 2] {
        let table = self.read();
        [table.marks.get(&key.to_u128()).map(|held| held.mark), table.rest.mark(key.to_u128())]
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::revocation;
    use super::*;
    use crate::model::{Identity, IdentityKind};

    #[test]
    fn nothing_revoked_is_let_in_at_the_bound() {
        let (hasher, revocations) = (KeyHasher::new(7), Revocations::with_memory(8 << 10));
        let ids = |n: usize| {
            let mut identity = Identity::new(IdentityKind::Jwt, "someone");
            (identity.issuer, identity.credential_id) = (Some("i".into()), Some(format!("j{n}").into()));
            Ids::of(&hasher, &identity, None)
        };
        let capacity = revocations.capacity;
        for n in 0..8 * capacity {
            revocations.revoke(&hasher, &revocation(Revoked::Token, Some("i"), &format!("j{n}")), 0);
        }
        assert!((0..8 * capacity).all(|n| revocations.check(&ids(n), 999).is_err()));
        let innocent = (0..10_000).filter(|n| revocations.check(&ids(1_000_000 + n), 999).is_err()).count();
        assert!(innocent < 200, "{innocent} of 10000");
        assert!((0..8 * capacity).all(|n| revocations.check(&ids(n), 1_000).is_ok()));
        // What has expired makes room.
        revocations.revoke(
            &hasher,
            &Revocation { expires_ms: 9_000, ..revocation(Revoked::Token, Some("i"), "new") },
            1_000,
        );
        assert_eq!(revocations.read().marks.len(), 1);
    }

    #[test]
    fn a_full_table_is_not_swept_for_each_mark_of_a_flood() {
        let (hasher, revocations) = (KeyHasher::new(7), Revocations::with_memory(8 << 10));
        let put = |n: u64, expires: Millis, now: Millis| {
            revocations.put(&hasher.clone().number(n).key(), Mark { expires, issued_before: now }, now);
            (revocations.read().marks.len(), revocations.usage().evicted)
        };
        let capacity = revocations.capacity as u64;
        let full = (0..capacity).fold((0, 0), |_, n| put(n, 10_600, 10_000));
        assert_eq!(full, (revocations.capacity, 0));
        assert_eq!(put(capacity, 20_000, 10_500), (revocations.capacity, 1), "looked at, and nothing had expired");
        assert_eq!(put(capacity + 1, 20_000, 10_700), (revocations.capacity, 2));
        assert!(put(capacity + 2, 20_000, 11_500).0 <= 3, "a second later");
        let again = (100..100 + capacity).fold((0, 0), |_, n| put(n, 11_600, 11_500));
        assert_eq!(again.0, revocations.capacity);
        assert_eq!(put(capacity + 3, 20_000, 11_400).0, revocations.capacity, "a clock that went back: from then on");
        assert!(put(capacity + 4, 20_000, 12_400).0 <= 5);
    }
}
