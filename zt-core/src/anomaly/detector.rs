//! A request by itself and among others: one share of normal requests that would be as strange.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::answers::{Answer, Answered, Teaches};
use super::baseline::Baseline;
use super::behaviour::{Facts, Looked, Room};
use super::evidence::Evidence;
use super::kind::Channel;
use super::model::MEMORY;
use super::request::Target;
use super::state::{State, Trace};
use super::watch::{Lesson, STRANGE, Watch};
use crate::base::fixed;
use crate::base::keyed::Keyed;
use crate::model::{Identity, Millis, Outcome, Request, Response};

/// Baselines that are known to have been merged.
const MOST_MERGED: usize = 64;

/// Bytes for what responses are like.
const ANSWERS: usize = 1 << 20;

/// Everything that is learned of requests and of who makes them; shared between threads by reference.
#[derive(Debug)]
pub struct Detector {
    keyed: Keyed,
    seed: u64,
    budget: f64,
    room: Room,
    profile: State,
    watch: Mutex<Watch>,
    /// What was merged.
    merged: Mutex<Vec<u64>>,
    frozen: AtomicBool,
}

/// What is said of a request, and what it would teach.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Share of normal requests with at least as much evidence, an upper bound with 95 % confidence; 1 where too few were seen.
    pub share: f64,
    /// Nats of evidence of the kind with the most; larger is stranger.
    pub score: f64,
    /// Nats by kind of evidence, of those that were looked at.
    pub scores: SmallVec<[(Evidence, f64); 12]>,
    /// The kinds that are unusual each alone, the strangest first.
    pub unusual: SmallVec<[Evidence; 2]>,
    evidence: u32,
    facts: Facts,
    looked: Looked,
    trace: Trace,
}

impl Judged {
    /// `risk` of a decision.
    pub fn risk(&self) -> f64 {
        1.0 - self.share
    }

    /// `risk`, `score` and `scores` of a decision.
    pub fn told(&self) -> (f64, f64, BTreeMap<Cow<'static, str>, f64>) {
        let scores = self.scores.iter().map(|(of, nats)| (of.as_str().into(), *nats));
        (self.risk(), self.score, scores.collect())
    }
}

impl Detector {
    /// The least memory that is enough for anything.
    pub const LEAST_MEMORY: usize = 4 << 20;

    /// Goes on from a baseline, with a share of normal requests that may be called unusual, in 8 MiB.
    pub fn new(baseline: Baseline, budget: f64) -> Self {
        Self::with_memory(baseline, budget, MEMORY)
    }

    /// The same in so many bytes: half for what requests are like, and half for what clients do, of which responses have a MiB.
    /// Less than [`LEAST_MEMORY`](Self::LEAST_MEMORY) is taken for that; what does not fit is left out.
    pub fn with_memory(mut baseline: Baseline, budget: f64, bytes: usize) -> Self {
        let of_each = bytes.max(Self::LEAST_MEMORY) / 2;
        let room = Room::of_memory(of_each.saturating_sub(ANSWERS));
        let watch = watch_of(&mut baseline, room);
        Self {
            room,
            keyed: baseline.keyed.clone(),
            seed: baseline.seed,
            budget,
            watch: Mutex::new(watch),
            profile: State::with_memory(baseline, of_each),
            merged: Mutex::default(),
            frozen: AtomicBool::new(false),
        }
    }

    /// How unusual a request is, for an endpoint, of whoever it is. What goes on is counted.
    pub fn judge(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        identity: Option<&Identity>,
        now: Millis,
    ) -> Judged {
        let facts = Facts::of(&self.keyed, request, target, identity, now);
        let looked = self.watch().behaviour.look(&facts);
        // Whose user agent is always unusual is not unusual for that.
        let agent = Some(facts.agent).filter(|_| looked.knows_agent);
        let (channels, trace) = self.profile.evidence(agent, request, target);
        let mut watch = self.watch();
        let of_channels = Channel::ALL.into_iter().zip(channels).map(|(channel, evidence)| {
            // Nor is who always sends unusual headers.
            let own = looked.knows_headers && channel == Channel::Headers;
            (Evidence::from(channel), if own { 0 } else { evidence })
        });
        let of_signals = watch.signals(&looked).map(|(of, evidence)| (of.into(), evidence));
        let kinds: SmallVec<[(Evidence, u32); 12]> = of_channels.chain(of_signals).collect();
        let evidence = kinds.iter().map(|(_, evidence)| *evidence).max().unwrap_or_default();
        let share = watch.share(evidence);
        let mut unusual: SmallVec<[(Evidence, u32); 2]> = SmallVec::new();
        // Else no other is: the share of less evidence is no less.
        if share <= self.budget {
            unusual.extend(kinds.iter().copied().filter(|(_, evidence)| watch.share(*evidence) <= self.budget));
            watch.tell(&facts, &looked, self.budget);
        }
        unusual.sort_by(|(_, a), (_, b)| b.cmp(a));
        let nats = |evidence: u32| f64::from(evidence) / f64::from(fixed::ONE);
        Judged {
            share,
            score: nats(evidence),
            scores: kinds.into_iter().map(|(of, evidence)| (of, nats(evidence))).collect(),
            unusual: unusual.into_iter().map(|(of, _)| of).collect(),
            evidence,
            facts,
            looked,
            trace,
        }
    }

    /// A request was decided about, under an id, and goes on to the handler or not: what was allowed, or flagged for being unusual,
    /// teaches what requests are like; what is among the strangest of a thousand only how strange requests are.
    pub fn concluded(&self, id: &str, judged: &Judged, outcome: Outcome, goes_on: bool) {
        let mut watch = self.watch();
        if goes_on {
            let teaches = if outcome == Outcome::Allow { Teaches::Usual } else { Teaches::Nothing };
            watch.behaviour.asks(self.keyed.bytes(id.as_bytes()), judged.facts.asked(teaches));
        }
        let teaches = outcome == Outcome::Allow || outcome == Outcome::Flag && !judged.unusual.is_empty();
        if teaches && !self.frozen.load(Ordering::Relaxed) {
            let strange = judged.share <= STRANGE.min(self.budget);
            let lesson = if strange { Lesson::Unusual } else { Lesson::Usual };
            watch.learn(&judged.facts, &judged.looked, judged.evidence, lesson);
            drop(watch);
            self.profile.learn(&judged.trace, judged.facts.client);
        }
    }

    /// The response to the request of an id, and how unusual it is; `None` where no request of this id awaits one, or nothing
    /// is known of it. It teaches what is usual if its request was allowed and it is not unusual itself.
    pub fn answered(&self, id: &str, response: &Response<'_>, now: Millis) -> Option<Answered> {
        let answer = Answer::of(response);
        let mut watch = self.watch();
        let id = self.keyed.bytes(id.as_bytes());
        let asked = watch.behaviour.answered(id, response.status, answer.bytes(), now)?;
        let frozen = self.frozen.load(Ordering::Relaxed);
        watch.answers.look(asked.endpoint, &answer, if frozen { Teaches::Nothing } else { asked.teaches }, self.budget)
    }

    /// Learns nothing from now on; what goes on is still counted.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    /// Requests that say what scores mean.
    pub fn calibrated_on(&self) -> u64 {
        self.watch().calibrated_on()
    }

    /// All that was learned.
    pub fn baseline(&self) -> Baseline {
        let mut watch = self.watch();
        watch.settle();
        self.profile.baseline().with_watch(watch.clone())
    }

    /// Whether a baseline's hashes are keyed as here: what was learned under other keys means nothing here.
    pub fn fits(&self, baseline: &Baseline) -> bool {
        self.seed == baseline.seed
    }

    /// Goes on from another baseline that [fits](Self::fits). What is under way is forgotten.
    pub fn restore(&self, mut baseline: Baseline) {
        *self.watch() = watch_of(&mut baseline, self.room);
        self.profile.restore(baseline);
    }

    /// Adds what was learned elsewhere, in a baseline that [fits](Self::fits). The order matters only to sums that fade, by a
    /// 256th for each half-life, and the same baseline a second time changes nothing.
    pub fn merge(&self, baseline: &Baseline) {
        let mark = self.keyed.bytes(&baseline.write());
        let mut merged = self.merged.lock().unwrap_or_else(PoisonError::into_inner);
        if merged.contains(&mark) {
            return;
        }
        if merged.len() >= MOST_MERGED {
            merged.remove(0);
        }
        merged.push(mark);
        drop(merged);
        if let Some(watch) = &baseline.watch {
            let mut own = self.watch();
            own.join(watch);
            own.resize(self.room);
        }
        self.profile.merge(baseline);
    }

    /// Why a request that was judged is unusual in itself, for people.
    pub fn explain(&self, request: &Request<'_>, target: &Target<'_>, judged: &Judged) -> Vec<super::Explanation> {
        self.profile.explained(request, target, &judged.trace.strangest)
    }

    /// Bytes that it takes.
    pub fn memory(&self) -> usize {
        self.profile.memory().saturating_add(self.watch().memory())
    }

    /// Bytes of what clients do, and identities that they are of.
    pub fn memory_of_behaviour(&self) -> (usize, usize) {
        let watch = self.watch();
        (watch.behaviour.memory(), watch.behaviour.identities())
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What clients do, where a baseline knows of it, as far as there is room.
fn watch_of(baseline: &mut Baseline, room: Room) -> Watch {
    let watch = baseline.watch.take();
    let mut watch = watch.map_or_else(|| Watch::new(baseline.evidence.clone()), |watch| *watch);
    watch.resize(room);
    watch
}
