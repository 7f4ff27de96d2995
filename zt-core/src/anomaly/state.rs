//! What is learned while serving.
//!
//! Requests are scored by a frozen [`Baseline`]; what they teach is gathered beside it and folded in from time to time, more
//! rarely as more is known. So an item that comes again has the same surprise as long as the baseline is the same: it is
//! looked up, and its count is one more.
//!
//! Everything is bounded by the memory of the state. When what was gathered has no more room it is added to the counts, which
//! say what they said until the next fold. Where the counts are too many, those of what was seen least go, of each endpoint
//! and then of all: names and paths that never come again cannot drive out what does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use smallvec::SmallVec;

use super::baseline::{Baseline, Scored};
use super::delta::Delta;
use super::evidence::Evidence;
use super::explain::Explanation;
use super::kind::Channel;
use super::model::{Bounds, MEMORY};
use super::request::Target;
use super::score::Strangest;
use super::shown::Shown;
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
    bounds: Bounds,
    /// In the place of the baseline while that is changed.
    nothing: Arc<Baseline>,
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

/// What of a request was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// What it is made of, or that this was proposed.
    items: bool,
    /// How strange it is.
    calibrated: bool,
}

/// What a request would teach.
#[derive(Clone, Debug)]
pub struct Trace {
    shard: usize,
    /// How often the shard's items had begun anew.
    round: u64,
    pub(super) items: SmallVec<[u32; 24]>,
    pub(super) strangest: Strangest,
    /// Of the channel with the most.
    pub(super) evidence: u32,
}

impl Trace {
    /// Without what the request is made of, which may be long.
    pub(super) fn without_items(self) -> Self {
        Self { items: SmallVec::new(), ..self }
    }
}

impl Shard {
    /// The evidence of each channel, and what the request would teach the shard of this number.
    fn look(
        &mut self,
        bounds: &Bounds,
        number: usize,
        agent: Option<u64>,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> ([u32; Channel::ALL.len()], Trace) {
        let Self { baseline, delta } = self;
        let own = agent.map(|agent| baseline.reader().agent(agent));
        let (strangest, items) = delta.score(bounds, baseline, request, target, own);
        let evidence = baseline.evidence(&strangest);
        let most = evidence.into_iter().max().unwrap_or_default();
        (evidence, Trace { shard: number, round: delta.rounds, items, strangest, evidence: most })
    }
}

impl State {
    /// Goes on from a baseline, in 8 MiB.
    pub fn new(baseline: Baseline) -> Self {
        Self::with_memory(baseline, MEMORY)
    }

    /// Goes on from a baseline, in so many bytes: one MiB at least. Where the baseline needs more, what it has seen least is
    /// left out.
    pub fn with_memory(mut baseline: Baseline, bytes: usize) -> Self {
        let bounds = Bounds::of(bytes);
        baseline.settle(&bounds);
        let baseline = Arc::new(baseline);
        let shard = || Shard { baseline: Arc::clone(&baseline), delta: Delta::default() };
        Self {
            bounds,
            nothing: Arc::new(Baseline::new(0)),
            shards: std::array::from_fn(|_| Apart(Mutex::new(shard()))),
        }
    }

    /// How unusual a request is, and what it would [teach](Self::learn).
    pub fn score(&self, request: &Request<'_>, target: &Target<'_>) -> (Scored, Trace) {
        let (number, mut shard) = self.free();
        let (evidence, trace) = shard.look(&self.bounds, number, None, request, target);
        (shard.baseline.scored_by(trace.strangest, evidence), trace)
    }

    /// The evidence of each channel alone, but for the user agent of this hash, which is its client's own: what it means, others
    /// say.
    pub(super) fn evidence(
        &self,
        agent: Option<u64>,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> ([u32; Channel::ALL.len()], Trace) {
        let (number, mut shard) = self.free();
        shard.look(&self.bounds, number, agent, request, target)
    }

    /// Learns from a request that was scored, of a client who is given by any hash of who it is; without one all are the same.
    /// A request that was scored before the last fold teaches nothing.
    pub fn learn(&self, trace: &Trace, client: Option<u64>) {
        self.count(trace, client);
    }

    /// The same, and what of it was counted.
    pub(super) fn count(&self, trace: &Trace, client: Option<u64>) -> Counted {
        let Some(Apart(shard)) = self.shards.get(trace.shard) else { return Counted::default() };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let Shard { baseline, delta } = &mut *shard;
        if delta.rounds != trace.round {
            return Counted::default();
        }
        let calibrated = delta.learn(baseline, trace, client);
        let due = (baseline.calibrated_on() / PART).max(FIRST);
        let (is_due, is_full) = (delta.requests >= due, delta.is_full(&self.bounds));
        drop(shard);
        if is_due {
            self.fold();
        } else if is_full {
            self.spill(trace.shard);
        }
        Counted { items: true, calibrated }
    }

    /// What makes a request unusual, as of now.
    pub(super) fn shown(&self, request: &Request<'_>, target: &Target<'_>, unusual: &[Evidence]) -> Shown {
        let baseline = Arc::clone(&self.free().1.baseline);
        baseline.shown(request, target, unusual)
    }

    /// What was shown is normal: it counts as if enough clients had shown it, and surprises no more.
    pub(super) fn accept(&self, shown: &Shown) {
        self.fold_and(|baseline| baseline.model.accept(shown));
    }

    /// What was shown in a request is not normal: what of it was counted is taken back.
    pub(super) fn take_back(&self, shown: &Shown, trace: &Trace, counted: Counted) {
        self.fold_and(|baseline| {
            for event in shown.events().iter().filter(|_| counted.items) {
                baseline.model.counts.take_back(event.context, event.key, event.times);
            }
            if counted.calibrated {
                baseline.histograms.take(&trace.strangest);
                baseline.evidence.take(trace.evidence);
            }
        });
    }

    /// The baseline with all that was learned.
    pub fn baseline(&self) -> Baseline {
        self.fold();
        let (_, shard) = self.free();
        (*shard.baseline).clone()
    }

    /// Why a request that was scored is strange: as of now.
    pub fn explain(&self, request: &Request<'_>, target: &Target<'_>, scored: &Scored) -> Vec<Explanation> {
        self.explained(request, target, &scored.strangest)
    }

    /// The same of a request whose strangest elements these are.
    pub(super) fn explained(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        strangest: &Strangest,
    ) -> Vec<Explanation> {
        let baseline = Arc::clone(&self.free().1.baseline);
        baseline.explained(request, target, strangest)
    }

    /// Goes on from another baseline; what was gathered is forgotten.
    pub fn restore(&self, baseline: Baseline) {
        self.change(|own, shards| {
            *own = baseline;
            own.settle(&self.bounds);
            shards.iter_mut().for_each(|shard| shard.delta.forget());
        });
    }

    /// Adds what was learned elsewhere while serving.
    pub fn merge(&self, other: &Baseline) {
        self.fold();
        self.change(|own, _| {
            own.join_serving(other);
            own.settle(&self.bounds);
        });
    }

    /// Bytes that it takes: never more than it may.
    pub fn memory(&self) -> usize {
        let mut bytes = size_of::<Self>().saturating_add(self.nothing.memory());
        for (number, Apart(shard)) in self.shards.iter().enumerate() {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let baseline = if number == 0 { shard.baseline.memory() } else { 0 };
            bytes = bytes.saturating_add(baseline).saturating_add(shard.delta.memory());
        }
        bytes
    }

    /// Folds what was gathered into the baseline.
    fn fold(&self) {
        self.fold_and(|_| {});
    }

    /// Folds what was gathered into the baseline, and changes that.
    fn fold_and(&self, change: impl FnOnce(&mut Baseline)) {
        self.change(|baseline, shards| {
            for shard in shards {
                shard.delta.fold_into(baseline);
                if baseline.model.is_over(&self.bounds) {
                    baseline.settle(&self.bounds);
                }
            }
            change(baseline);
            baseline.settle(&self.bounds);
        });
    }

    /// Makes room in a shard.
    fn spill(&self, number: usize) {
        let mut is_over = false;
        self.change(|baseline, shards| {
            if let Some(shard) = shards.get_mut(number) {
                shard.delta.spill_into(baseline);
            }
            is_over = baseline.model.is_over(&self.bounds);
        });
        if is_over {
            self.fold();
        }
    }

    /// Changes the baseline, while nobody is served.
    fn change(&self, change: impl FnOnce(&mut Baseline, &mut [MutexGuard<'_, Shard>])) {
        let mut shards: SmallVec<[MutexGuard<'_, Shard>; SHARDS]> = SmallVec::new();
        for Apart(shard) in &self.shards {
            shards.push(shard.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let Some(first) = shards.first() else { return };
        let mut baseline = Arc::clone(&first.baseline);
        for shard in &mut shards {
            shard.baseline = Arc::clone(&self.nothing);
        }
        // Nobody else has it now: no copy is made.
        change(Arc::make_mut(&mut baseline), &mut shards);
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
