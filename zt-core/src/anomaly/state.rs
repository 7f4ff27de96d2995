//! What is learned while serving.
//!
//! Requests are scored by a frozen [`Baseline`]; what they teach is gathered beside it and folded in from time to time, more
//! rarely as more is known. So an item that comes again has the same surprise as long as the baseline is the same: it is
//! looked up, and its count is one more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use smallvec::SmallVec;

use super::baseline::{Baseline, Scored};
use super::delta::Delta;
use super::request::Target;
use super::score::Strangest;
use crate::model::Request;

/// Threads that are served at once without waiting.
const SHARDS: usize = 8;
/// Requests before the first fold.
const FIRST: u64 = 32;
/// A fold adds at least one part in so many to what is known.
const PART: u64 = 8;

/// A baseline that goes on learning; shared between threads by reference.
#[derive(Debug)]
pub struct State {
    shards: [Apart; SHARDS],
}

/// A cache line pair of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Apart(Mutex<Shard>);

#[derive(Debug)]
struct Shard {
    baseline: Arc<Baseline>,
    delta: Delta,
}

/// What a request would teach.
#[derive(Clone, Debug)]
pub struct Trace {
    shard: usize,
    /// Folds of the shard before it.
    folds: u64,
    items: SmallVec<[u32; 24]>,
    strangest: Strangest,
}

impl State {
    /// Goes on from a baseline.
    pub fn new(baseline: Baseline) -> Self {
        let baseline = Arc::new(baseline);
        let shard = || Shard { baseline: Arc::clone(&baseline), delta: Delta::default() };
        Self { shards: std::array::from_fn(|_| Apart(Mutex::new(shard()))) }
    }

    /// How unusual a request is, and what it would [teach](Self::learn).
    pub fn score(&self, request: &Request<'_>, target: &Target<'_>) -> (Scored, Trace) {
        let (number, mut shard) = self.free();
        let Shard { baseline, delta } = &mut *shard;
        let (strangest, items) = delta.score(baseline, request, target);
        let scored = baseline.scored(strangest);
        (scored, Trace { shard: number, folds: delta.folds, items, strangest })
    }

    /// Learns from a request that was scored, of a client who is given by any hash of who it is; without one all are the same.
    /// A request that was scored before the last fold teaches nothing.
    pub fn learn(&self, trace: &Trace, client: Option<u64>) {
        let Some(Apart(shard)) = self.shards.get(trace.shard) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let Shard { baseline, delta } = &mut *shard;
        if delta.folds != trace.folds {
            return;
        }
        delta.learn(baseline, &trace.items, &trace.strangest, client);
        let due = (baseline.calibrated_on() / PART).max(FIRST);
        if delta.requests >= due || delta.is_full() {
            drop(shard);
            self.fold();
        }
    }

    /// The baseline with all that was learned.
    pub fn baseline(&self) -> Baseline {
        self.fold();
        let (_, shard) = self.free();
        (*shard.baseline).clone()
    }

    /// Folds what was gathered into the baseline.
    fn fold(&self) {
        let mut shards: SmallVec<[MutexGuard<'_, Shard>; SHARDS]> = SmallVec::new();
        for Apart(shard) in &self.shards {
            shards.push(shard.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let Some(first) = shards.first() else { return };
        let mut baseline = Arc::clone(&first.baseline);
        let nothing = Arc::new(Baseline::new(0));
        for shard in &mut shards {
            shard.baseline = Arc::clone(&nothing);
        }
        // Nobody else has it now: no copy is made.
        let known = Arc::make_mut(&mut baseline);
        for shard in &mut shards {
            shard.delta.fold_into(known);
        }
        known.derive();
        for shard in &mut shards {
            shard.baseline = Arc::clone(&baseline);
        }
    }

    /// The first shard that nobody holds: for one thread always the same.
    fn free(&self) -> (usize, MutexGuard<'_, Shard>) {
        for (number, Apart(shard)) in self.shards.iter().enumerate() {
            match shard.try_lock() {
                Ok(shard) => return (number, shard),
                Err(TryLockError::Poisoned(poisoned)) => return (number, poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let [Apart(first), ..] = &self.shards;
        (0, first.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
