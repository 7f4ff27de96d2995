//! Proofs that may be used once: DPoP `jti`, signature nonces, webhook ids.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Refusal;
use crate::base::bounded::{Bounded, Inserted, Key, KeyHasher, Usage, entries};
use crate::base::bytes::Reader;
use crate::base::units::Size;
use crate::model::{Code, Millis, Problem};

/// Which proofs were used, each remembered until it would be refused for its age.
///
/// **At the bound** it fails closed: what has not expired is never displaced, and a new proof that finds no place is
/// refused. An entry takes 25.6 bytes; with random keys all find a place until two thirds are taken.
///
/// Entries are keyed hashes of 128 bits. Two proofs that share one would refuse each other, which nobody who does not
/// know the seed can bring about.
#[derive(Debug)]
pub(super) struct Replays {
    hasher: KeyHasher,
    used: Bounded<u64>,
    /// What expires up to here may have been used and forgotten: a merge found no place for it, or the clock went back
    /// over what had expired. Refused, all of it.
    lost_until: AtomicU64,
    /// Restores begun and done: while one is on its way, what was used cannot be told.
    begun: AtomicU64,
    done: AtomicU64,
}

/// It was used; every other refusal says that this cannot be told.
pub(super) const USED: Refusal = (Code::VerifyProofReplayed, "used before");

/// A smaller table is of no use to anybody.
pub(super) const LEAST_BYTES: u64 = 16 << 10;
const MOST_BYTES: u64 = 1 << 32;

/// Finds what is wrong with the configured memory.
pub(super) fn check(size: Option<Size>, problems: &mut Vec<Problem>) {
    if size.is_some_and(|size| !(LEAST_BYTES..=MOST_BYTES).contains(&size.bytes())) {
        let problem = Problem::new("verify.replay_memory", "not from 16 KiB to 4 GiB");
        problems
            .push(problem.mend("leave it out, or write \"4MiB\": 38 bytes for each proof used within its lifetime"));
    }
}

impl Replays {
    /// Nothing used yet.
    pub(super) fn new(hasher: KeyHasher, bytes: usize) -> Self {
        Self {
            hasher,
            used: Bounded::with_memory(bytes),
            lost_until: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }
    }

    /// Uses a proof up: passes once for the same parts, and not again up to and including `expires`, from when on the
    /// caller must refuse it for its age. The first part says what kind of proof it is.
    ///
    /// Call it last, when everything else about the proof holds: else a stranger could use up others' proofs.
    ///
    /// # Errors
    /// `verify.proof_replayed` when it was used before, or when that cannot be told: the store is full.
    pub(super) fn first_time(&self, parts: &[&[u8]], expires: Millis, now: Millis) -> Result<(), Refusal> {
        let (expires, now) = (u64::try_from(expires).unwrap_or(0), u64::try_from(now).unwrap_or(0));
        if expires < now {
            return Err((Code::VerifyProofReplayed, "the proof is older than the memory of used ones"));
        }
        let mut hasher = self.hasher.clone();
        for part in parts {
            hasher.part(part);
        }
        // Before the insert, and after it too: between the two, another thread may have found out about a loss.
        let lost = || expires <= self.lost_until.load(Ordering::SeqCst);
        let (done, begun) = (self.done.load(Ordering::SeqCst), self.begun.load(Ordering::SeqCst));
        let restored = || done != begun || begun != self.begun.load(Ordering::SeqCst);
        if lost() {
            return Err((Code::VerifyProofReplayed, "used proofs of this age were forgotten"));
        }
        match self.used.insert(hasher.key(), expires, now) {
            Inserted::New(lapsed) => {
                self.lost_until.fetch_max(lapsed.unwrap_or(0), Ordering::SeqCst);
                match (lost(), restored()) {
                    (true, _) => Err((Code::VerifyProofReplayed, "used proofs of this age were forgotten")),
                    (_, true) => Err((Code::VerifyProofReplayed, "used proofs are being restored")),
                    _ => Ok(()),
                }
            }
            Inserted::Present => Err(USED),
            Inserted::Full => Err((Code::VerifyProofReplayed, "the store of used proofs is full (`replay_memory`)")),
        }
    }

    /// How full it is; a proof that was refused for want of a place counts as evicted.
    pub(super) fn usage(&self) -> Usage {
        self.used.usage()
    }

    /// Begins this epoch: what changes from now on is stamped with it.
    pub(super) fn advance(&self, epoch: u32) {
        self.used.advance(epoch);
    }

    /// Proofs that are remembered, expired ones that nobody's place was needed for included.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.used.len()
    }

    /// Appends what has changed in this epoch or later, from 0 on all: forgotten until u64 | entries u64 | for each by
    /// key: key u128, expiry u64; all little-endian. The same store gives the same bytes.
    pub(super) fn write_since(&self, epoch: u32, out: &mut Vec<u8>) {
        let entries = self.used.since(epoch);
        out.extend(self.lost_until.load(Ordering::SeqCst).to_le_bytes());
        out.extend((entries.len() as u64).to_le_bytes());
        for (key, expires) in entries {
            out.extend(key.to_u128().to_le_bytes());
            out.extend(expires.to_le_bytes());
        }
    }

    /// Checks what [`write_since`](Self::write_since) gave, to its end.
    ///
    /// # Errors
    /// Why it is not that.
    pub(super) fn read<'b>(&self, reader: &mut Reader<'b>) -> Result<Written<'b>, &'static str> {
        const CUT: &str = "used proofs are cut short";
        const IMPOSSIBLE: &str = "used proofs hold an impossible entry";
        let lost_until = reader.u64().ok_or(CUT)?;
        let count = usize::try_from(reader.u64().ok_or(CUT)?).map_err(|_| CUT)?;
        let entries = count.checked_mul(ENTRY).and_then(|length| reader.bytes(length)).ok_or(CUT)?;
        let written = Written { lost_until, entries };
        let mut before = 0;
        for (key, expires) in written.entries() {
            if key == 0 || i64::try_from(expires).is_err() {
                return Err(IMPOSSIBLE);
            }
            if key <= before {
                return Err("used proofs are out of order");
            }
            before = key;
        }
        if i64::try_from(lost_until).is_err() { Err(IMPOSSIBLE) } else { Ok(written) }
    }

    /// Replaces everything by what was read; meanwhile every proof is refused.
    pub(super) fn restore(&self, written: &Written<'_>) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.used.clear();
        self.lost_until.store(0, Ordering::SeqCst);
        self.merge(written);
        self.done.fetch_add(1, Ordering::SeqCst);
    }

    /// Joins what another store has used: of two expiries the later stays. Commutative, associative and idempotent
    /// while there is place; proofs as old as one that found none are refused from then on.
    pub(super) fn merge(&self, written: &Written<'_>) {
        self.lost_until.fetch_max(written.lost_until, Ordering::SeqCst);
        for (key, expires) in written.entries() {
            let Some(key) = Key::from_u128(key) else { continue };
            // No clock here: nothing has lapsed.
            if self.used.insert(key, expires, 0) == Inserted::Full {
                self.lost_until.fetch_max(expires, Ordering::SeqCst);
            }
        }
    }
}

/// A store as bytes, checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'b> {
    lost_until: u64,
    entries: &'b [u8],
}

impl Written<'_> {
    fn entries(&self) -> impl Iterator<Item = (u128, u64)> {
        entries(self.entries)
    }
}

const ENTRY: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn store(bytes: usize) -> Replays {
        Replays::new(KeyHasher::new(3), bytes)
    }

    fn bytes(store: &Replays) -> Vec<u8> {
        let mut out = Vec::new();
        store.write_since(0, &mut out);
        out
    }

    fn join(into: &Replays, from: &Replays) {
        let bytes = bytes(from);
        into.merge(&into.read(&mut Reader::new(&bytes)).unwrap());
    }

    #[test]
    fn once_until_it_expires() {
        let used = store(1 << 14);
        assert_eq!(used.first_time(&[b"dpop", b"jkt", b"a"], 100, 40), Ok(()));
        for now in [40, 41, 100] {
            assert_eq!(used.first_time(&[b"dpop", b"jkt", b"a"], 100, now).unwrap_err().1, "used before");
        }
        assert_eq!(used.first_time(&[b"dpop", b"jk", b"ta"], 100, 40), Ok(()), "parts do not shift");
        assert_eq!(used.first_time(&[b"hook", b"jkt", b"a"], 100, 40), Ok(()));
        assert_eq!(used.first_time(&[b"dpop", b"jkt", b"a"], 201, 101), Ok(()), "when it has expired, age refuses it");
        assert!(used.first_time(&[b"x"], 100, 101).is_err(), "what could not be remembered is refused");
        assert_eq!(used.len(), 3);
    }

    #[test]
    fn a_full_store_refuses_and_forgets_nothing() {
        let used = store(1 << 14);
        let mut passed = Vec::new();
        for number in 0..5_000_u32 {
            match used.first_time(&[&number.to_le_bytes()], 1_000, 500) {
                Ok(()) => passed.push(number),
                Err((code, detail)) => {
                    assert_eq!(code, Code::VerifyProofReplayed);
                    assert!(detail.contains("full"), "{detail}");
                }
            }
        }
        assert!(passed.len() < 5_000 && passed.len() >= used.used.capacity() / 2);
        for number in passed {
            assert_eq!(used.first_time(&[&number.to_le_bytes()], 1_000, 900).unwrap_err().1, "used before");
        }
        assert_eq!(used.first_time(&[b"later"], 2_000, 1_001), Ok(()), "expired ones make room");
        assert!(used.usage().memory <= 1 << 14);
    }

    #[test]
    fn a_clock_that_goes_back_replays_nothing() {
        let used = store(1 << 14);
        for number in 0..200_u32 {
            let _ = used.first_time(&[&number.to_le_bytes()], 1_000, 500);
        }
        for number in 200..3_000_u32 {
            let _ = used.first_time(&[&number.to_le_bytes()], 9_000, 5_000);
        }
        for number in 0..200_u32 {
            assert!(used.first_time(&[&number.to_le_bytes()], 1_000, 500).is_err());
        }
    }

    #[test]
    fn a_merge_without_place_refuses_what_it_forgot() {
        let (small, large) = (store(1 << 14), store(1 << 20));
        for number in 0..2_000_u32 {
            large.first_time(&[&number.to_le_bytes()], 1_000 + i64::from(number), 500).unwrap();
        }
        join(&small, &large);
        for number in 0..2_000_u32 {
            assert!(small.first_time(&[&number.to_le_bytes()], 1_000 + i64::from(number), 500).is_err());
        }
        assert_eq!(small.first_time(&[b"new"], 9_000, 4_000), Ok(()));
    }

    #[test]
    fn a_restore_lets_nothing_through_meanwhile() {
        let used = store(1 << 20);
        for number in 0..5_000_u32 {
            used.first_time(&[&number.to_le_bytes()], 1_000, 500).unwrap();
        }
        let bytes = bytes(&used);
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in (0..5_000_u32).rev().cycle() {
                    assert!(used.first_time(&[&number.to_le_bytes()], 1_000, 500).is_err(), "{number}");
                    if done.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
            for _ in 0..50 {
                used.restore(&used.read(&mut Reader::new(&bytes)).unwrap());
            }
            done.store(true, Ordering::SeqCst);
        });
        assert_eq!(used.first_time(&[b"new"], 1_000, 500), Ok(()));
    }

    #[test]
    fn bad_bytes_change_nothing() {
        let used = store(1 << 14);
        for number in 0..3_u32 {
            used.first_time(&[&number.to_le_bytes()], 1_000, 500).unwrap();
        }
        let good = bytes(&used);
        for length in 0..good.len() {
            assert!(used.read(&mut Reader::new(&good[..length])).unwrap_err().contains("cut"));
        }
        let mut reader = Reader::new(&good);
        let written = used.read(&mut reader).unwrap();
        assert_eq!(reader.left(), 0);
        used.restore(&written);
        assert_eq!(bytes(&used), good);
        let with = |at: usize, with: &[u8]| {
            let mut bytes = good.clone();
            bytes[at..at + with.len()].copy_from_slice(with);
            used.read(&mut Reader::new(&bytes)).unwrap_err()
        };
        assert!(with(0, &[0xff; 8]).contains("impossible"));
        assert!(with(8, &[0xff; 8]).contains("cut"));
        assert!(with(16, &[0; 16]).contains("impossible"));
        assert!(with(16, &[0xff; 16]).contains("order"));
        assert!(with(32, &[0xff; 8]).contains("impossible"));
    }

    proptest! {
        #[test]
        fn merges_commute_and_repeat(a in prop::collection::vec((0_u8..40, 50_i64..90), 0..60), b in prop::collection::vec((0_u8..40, 50_i64..90), 0..60)) {
            let fill = |proofs: &[(u8, i64)]| {
                let used = store(1 << 14);
                for (proof, expires) in proofs {
                    let _ = used.first_time(&[&[*proof]], *expires, 10);
                }
                used
            };
            let (ab, ba) = (fill(&a), fill(&b));
            join(&ab, &fill(&b));
            join(&ba, &fill(&a));
            prop_assert_eq!(bytes(&ab), bytes(&ba));
            join(&ab, &fill(&a));
            prop_assert_eq!(bytes(&ab), bytes(&ba));
            for (proof, expires) in a.iter().chain(&b) {
                prop_assert!(ab.first_time(&[&[*proof]], *expires, 10).is_err());
            }
        }

        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let used = store(1 << 14);
            let _ = used.read(&mut Reader::new(&bytes)).map(|written| used.merge(&written));
        }
    }
}
