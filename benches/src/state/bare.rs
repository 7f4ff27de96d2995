//! The least that a keyed limit can be whose keys nobody can aim at: what is between it and zt is what zt does besides.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use super::keyed::{Callers, RATE};
use zt_benches::fixture::NOW;

const SHARDS: u64 = 64;
const NANOS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * NANOS;

/// GCRA over a map that grows, in 64 parts with a lock each, whose keys are SipHashes (std's) of 64 bits: no bound, no
/// windows, no word on what remains, nothing for a snapshot.
pub(super) struct Bare {
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<u64, u64, BuildHasherDefault<AsItIs>>>>,
}

/// Of keys that are hashes.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Bare {
    pub(super) fn new<C: Callers>(live: usize) -> Self {
        let bare = Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() };
        (0..live).for_each(|number| assert!(bare.check::<C>(&C::key(number))));
        bare
    }

    pub(super) fn check<C: Callers>(&self, key: &C::Key) -> bool {
        let (hash, now) = (self.hasher.hash_one(black_box(key)), NOW.unsigned_abs() * NANOS);
        let (period, burst) = (SECOND / u64::from(RATE), u64::from(RATE));
        let Some(shard) = self.shards.get((hash >> 32 & (SHARDS - 1)) as usize) else { return false };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let tat = shard.entry(hash).or_insert(now);
        let next = now.max(*tat) + period;
        let passes = next <= now + period * burst;
        if passes {
            *tat = next;
        }
        passes
    }
}
