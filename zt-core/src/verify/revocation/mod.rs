//! What was revoked before its time: tokens, sessions, subjects and keys.

mod filter;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::filter::Filter;
pub(super) use self::snapshot::Snapshot;
use super::Refusal;
use crate::base::bounded::{Key, KeyHasher, Usage};
use crate::model::{Code, Identity, Millis};

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Revoked {
    /// One token, by its `jti`: `credential_id` of its decisions.
    Token,
    /// All tokens of a session, by `sid`: `session` of their decisions.
    Session,
    /// Everything of a principal that was issued before a moment.
    Subject,
    /// Everything under a key: the `kid` of an issuer's key, or the id of an API key or another credential of its own.
    Key,
}

/// A revocation: what is refused from now until it expires. A suspension is one that expires soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// What it is about.
    pub revoke: Revoked,
    /// Issuer of the tokens; absent for credentials without one, such as API keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `jti`, `sid`, principal or key id, as decisions show it.
    pub id: String,
    /// For a subject: tokens that were issued at this time or later are good. Without it, and of what has no issuer,
    /// nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before_ms: Option<Millis>,
    /// When it is over: not before the last of the tokens has expired.
    pub expires_ms: Millis,
}

/// When a revocation ends, and the issue time from which it does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) expires: Millis,
    pub(super) issued_before: Millis,
}

/// The revocations, at most so many bytes of them.
///
/// **At the bound** nothing revoked is let in again: what has no place of its own goes to a Bloom filter (1970) that holds
/// until the last of what it holds is over. The price is that some that nobody revoked are refused too: about 1 % when
/// seven times as many are in the filter as in the table.
#[derive(Debug)]
pub(super) struct Revocations {
    table: RwLock<Table>,
    /// Moves with each revocation, so that who was looked up before it knows to look again.
    generation: AtomicU64,
    capacity: usize,
}

/// Those with a place of their own are the ones with the highest keys, whatever the order they came in: that makes merging
/// commutative.
#[derive(Clone, Debug, Default)]
struct Table {
    marks: BTreeMap<u128, Held>,
    rest: Filter,
    /// The epoch of the filter's last change.
    rest_changed: u32,
    /// What changes are stamped with.
    epoch: u32,
    /// Marks that had to go to the filter.
    moved: u64,
    /// When expired marks were last looked for.
    swept: Millis,
}

/// A mark, and the epoch of its last change.
#[derive(Clone, Copy, Debug)]
struct Held {
    mark: Mark,
    changed: u32,
}

/// Expired marks make room this often at most, in milliseconds.
const SWEEP_MILLIS: Millis = 1_000;

/// About what an entry of the tree takes: 40 of its own, in nodes that are two thirds full.
const ENTRY_BYTES: usize = 72;

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
    pub(super) fn session(&self) -> Option<&Key> {
        self.keys[1].as_ref()
    }

    /// That of its principal.
    pub(super) fn subject(&self) -> Option<&Key> {
        self.keys[2].as_ref()
    }
}

impl Clone for Revocations {
    fn clone(&self) -> Self {
        let generation = AtomicU64::new(self.generation());
        Self { table: RwLock::new(self.read().clone()), generation, capacity: self.capacity }
    }
}

impl Revocations {
    /// None yet, and never more than about this many bytes.
    pub(super) fn with_memory(bytes: usize) -> Self {
        let filter = bytes / 8;
        let capacity = bytes.saturating_sub(filter) / ENTRY_BYTES;
        let table = Table { rest: Filter::with_memory(filter), ..Table::default() };
        Self { table: RwLock::new(table), generation: AtomicU64::new(0), capacity }
    }

    /// Adds one.
    pub(super) fn revoke(&self, hasher: &KeyHasher, revocation: &Revocation, now: Millis) {
        let issued_before = match (revocation.revoke, revocation.issued_before_ms) {
            (Revoked::Subject, Some(before)) => before,
            _ => Millis::MAX,
        };
        let key = key(hasher, revocation.revoke, revocation.issuer.as_deref(), &revocation.id);
        self.put(&key, Mark { expires: revocation.expires_ms, issued_before }, now);
    }

    /// Adds a mark for a key. What has expired makes room first.
    pub(super) fn put(&self, key: &Key, mark: Mark, now: Millis) {
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
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Refuses what was revoked.
    pub(super) fn check(&self, ids: &Ids, now: Millis) -> Result<(), Refusal> {
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
    pub(super) fn usage(&self) -> Usage {
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
    pub(super) fn advance(&self, epoch: u32) {
        let mut table = self.write();
        table.epoch = table.epoch.max(epoch);
    }

    /// The mark of a key that has a place of its own.
    pub(super) fn own(&self, key: &Key) -> Option<Mark> {
        self.read().marks.get(&key.to_u128()).map(|held| held.mark)
    }

    /// The marks that may be a key's: its own, and that of the filter.
    pub(super) fn marks(&self, key: &Key) -> [Option<Mark>; 2] {
        let table = self.read();
        [table.marks.get(&key.to_u128()).map(|held| held.mark), table.rest.mark(key.to_u128())]
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Adds a mark; of two for one key the stricter holds. Past the capacity the lowest key moves to the filter.
    fn join(&mut self, key: u128, mark: Mark, capacity: usize) {
        let changed = self.epoch;
        let here = self.marks.entry(key).or_insert(Held { mark, changed });
        let stricter = here.mark.stricter(mark);
        if stricter != here.mark {
            *here = Held { mark: stricter, changed };
        }
        while self.marks.len() > capacity {
            if let Some((key, held)) = self.marks.pop_first() {
                self.rest.add(key, held.mark);
                self.rest_changed = changed;
                self.moved = self.moved.saturating_add(1);
            }
        }
    }
}

impl Mark {
    fn stricter(self, other: Self) -> Self {
        Self { expires: self.expires.max(other.expires), issued_before: self.issued_before.max(other.issued_before) }
    }
}

/// The key of what tokens name.
pub(super) fn key(hasher: &KeyHasher, kind: Revoked, issuer: Option<&str>, id: &str) -> Key {
    hasher.clone().number(kind as u64).optional(issuer.map(str::as_bytes)).part(id.as_bytes()).key()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IdentityKind;
    use proptest::prelude::*;

    fn token(issued_at: Option<Millis>) -> Identity {
        let mut identity = Identity::new(IdentityKind::Jwt, "anna");
        identity.issuer = Some("i".into());
        identity.credential_id = Some("j".into());
        identity.session = Some("s".into());
        identity.assurance.issued_at_ms = issued_at;
        identity
    }

    fn revocation(revoke: Revoked, issuer: Option<&str>, id: &str) -> Revocation {
        Revocation {
            revoke,
            issuer: issuer.map(str::to_owned),
            id: id.to_owned(),
            issued_before_ms: None,
            expires_ms: 1_000,
        }
    }

    fn revoked(revocation: &Revocation, identity: &Identity, now: Millis) -> bool {
        let (hasher, revocations) = (KeyHasher::new(7), Revocations::with_memory(1 << 12));
        revocations.revoke(&hasher, revocation, 0);
        revocations.check(&Ids::of(&hasher, identity, Some("k")), now).is_err()
    }

    #[test]
    fn each_kind_stops_what_it_is_about_until_it_expires() {
        for (kind, id) in
            [(Revoked::Token, "j"), (Revoked::Session, "s"), (Revoked::Subject, "anna"), (Revoked::Key, "k")]
        {
            assert!(revoked(&revocation(kind, Some("i"), id), &token(None), 999), "{id}");
            assert!(!revoked(&revocation(kind, Some("i"), id), &token(None), 1_000), "{id}");
            assert!(!revoked(&revocation(kind, Some("other"), id), &token(None), 0), "{id}");
            assert!(!revoked(&revocation(kind, Some("i"), "other"), &token(None), 0), "{id}");
            assert!(!revoked(&revocation(kind, None, id), &token(None), 0), "{id}");
        }
    }

    #[test]
    fn a_subject_may_sign_in_again() {
        let revocation = Revocation { issued_before_ms: Some(500), ..revocation(Revoked::Subject, Some("i"), "anna") };
        assert!(revoked(&revocation, &token(Some(499)), 600));
        assert!(!revoked(&revocation, &token(Some(500)), 600));
        assert!(revoked(&revocation, &token(None), 600), "nobody knows when it was issued");
    }

    #[test]
    fn an_api_key_is_revoked_by_its_id() {
        let mut identity = Identity::new(IdentityKind::ApiKey, "partner-7");
        identity.credential_id = Some("partner-7".into());
        assert!(revoked(&revocation(Revoked::Key, None, "partner-7"), &identity, 0));
        assert!(!revoked(&revocation(Revoked::Token, None, "partner-7"), &identity, 0));
    }

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

    proptest! {
        #[test]
        fn more_revocations_never_let_more_in(about in prop::collection::vec((0..4_u8, 0..20_u8, 0..2_000_i64), 0..60)) {
            let (hasher, revocations) = (KeyHasher::new(7), Revocations::with_memory(1 << 10));
            let kinds = [Revoked::Token, Revoked::Session, Revoked::Subject, Revoked::Key];
            let mut before = false;
            let ids = Ids::of(&hasher, &token(Some(5)), Some("k"));
            for (kind, id, expires) in about {
                let id = ["j", "s", "anna", "k"].get(usize::from(id)).map_or_else(|| id.to_string(), |id| (*id).to_owned());
                let revocation = Revocation { expires_ms: expires, ..revocation(kinds[usize::from(kind)], Some("i"), &id) };
                revocations.revoke(&hasher, &revocation, 0);
                let after = revocations.check(&ids, 1).is_err();
                prop_assert!(after || !before);
                before = after;
            }
        }
    }
}
