//! A request by itself and among others: one share of normal requests that would be as strange.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::answers::{Answer, Answered, Teaches};
use super::baseline::Baseline;
use super::behaviour::{Facts, Looked, Room, Signal};
use super::drift::{Drift, needed};
use super::evidence::Evidence;
use super::kind::Channel;
use super::rates::Asking;
use super::request::Target;
use super::shown::Shown;
use super::state::{Counted, State, Trace};
use super::verdicts::{Feedback, Flagged};
use super::watch::{Lesson, STRANGE, Watch};
use crate::base::fixed;
use crate::base::keyed::Keyed;
use crate::model::{Identity, Millis, Outcome, Request, Response, Verdict};

/// Baselines that are known to have been merged.
const MOST_MERGED: usize = 64;

/// Bytes for what responses are like, and for what verdicts and recommendations take.
const APART: usize = 3 << 20;

/// Everything that is learned of requests and of who makes them; shared between threads by reference.
#[derive(Debug)]
pub struct Detector {
    keyed: Keyed,
    seed: u64,
    budget: f64,
    room: Room,
    /// Requests that it takes to keep that.
    needed: u64,
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
    asking: Asking,
    pub(super) trace: Trace,
    shown: Shown,
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

impl Flagged {
    pub(super) fn new(judged: &Judged, calibrated: bool, counted: Counted) -> Self {
        let Judged { unusual, evidence, facts, looked, trace, shown, .. } = judged.clone();
        Self {
            facts,
            looked,
            unusual: unusual.into_vec(),
            shown,
            trace: trace.without_items(),
            evidence,
            calibrated,
            counted,
            answered: false,
        }
    }
}

impl Detector {
    /// Memory unless something else is said, bytes.
    pub const MEMORY: usize = 16 << 20;
    /// The least memory that is enough for anything, bytes.
    pub const LEAST_MEMORY: usize = 6 << 20;

    /// Goes on from a baseline, with a share of normal requests that may be called unusual, in 16 MiB.
    pub fn new(baseline: Baseline, budget: f64) -> Self {
        Self::with_memory(baseline, budget, Self::MEMORY)
    }

    /// The same in so many bytes: a quarter for what requests are like, 3 MiB for responses, verdicts and recommendations, and the
    /// rest for what clients do.
    /// Less than [`LEAST_MEMORY`](Self::LEAST_MEMORY) is taken for that; what does not fit is left out.
    pub fn with_memory(mut baseline: Baseline, budget: f64, bytes: usize) -> Self {
        let bytes = bytes.max(Self::LEAST_MEMORY);
        let profile = bytes / 4;
        let room = Room::of_memory(bytes.saturating_sub(profile).saturating_sub(APART));
        let watch = watch_of(&mut baseline, room);
        Self {
            room,
            keyed: baseline.keyed.clone(),
            seed: baseline.seed,
            budget,
            needed: needed(budget),
            watch: Mutex::new(watch),
            profile: State::with_memory(baseline, profile),
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
        let unusual: SmallVec<[Evidence; 2]> = unusual.into_iter().map(|(of, _)| of).collect();
        if watch.calibrated_on() >= self.needed {
            watch.judged(&facts, &looked, !unusual.is_empty(), self.budget);
        }
        let asking = Asking::of((&self.keyed, &watch.rates), &facts, request, target, identity, now);
        drop(watch);
        let shown = if unusual.is_empty() { Shown::default() } else { self.profile.shown(request, target, &unusual) };
        let nats = |evidence: u32| f64::from(evidence) / f64::from(fixed::ONE);
        Judged {
            share,
            score: nats(evidence),
            scores: kinds.into_iter().map(|(of, evidence)| (of, nats(evidence))).collect(),
            unusual,
            evidence,
            facts,
            looked,
            asking,
            trace,
            shown,
        }
    }

    /// A request was decided about, under an id, and goes on to the handler or not: what was allowed, or flagged for being unusual,
    /// teaches what requests are like; what is among the strangest of a thousand only how strange requests are. Who was
    /// [confirmed](Self::feedback) to attack teaches nothing for a day.
    pub fn concluded(&self, id: &str, judged: &Judged, outcome: Outcome, goes_on: bool) {
        let (id, frozen) = (self.keyed.bytes(id.as_bytes()), self.is_frozen());
        let Judged { facts, looked, trace, evidence, unusual, .. } = judged;
        let mut watch = self.watch();
        let trusted = !watch.verdicts.distrusts(facts.client, facts.now);
        if goes_on {
            let usual = outcome == Outcome::Allow && trusted;
            watch.behaviour.asks(id, facts.asked(if usual { Teaches::Usual } else { Teaches::Nothing }));
        }
        let teaches = outcome == Outcome::Allow || outcome == Outcome::Flag && !unusual.is_empty();
        let (mut calibrated, mut counted) = (false, Counted::default());
        if teaches && trusted && !frozen {
            let strange = STRANGE.min(self.budget);
            let lesson = if judged.share <= strange { Lesson::Unusual } else { Lesson::Usual };
            if lesson == Lesson::Usual {
                watch.rates.learn(&judged.asking);
            }
            calibrated = watch.learn(facts, looked, *evidence, lesson, strange);
            drop(watch);
            counted = self.profile.count(trace, facts.client);
        } else {
            drop(watch);
        }
        if !unusual.is_empty() {
            self.watch().verdicts.remember(id, Flagged::new(judged, calibrated, counted));
        }
    }

    /// The response to the request of an id, and how unusual it is; `None` where no request of this id awaits one, or nothing
    /// is known of it. It teaches what is usual if its request was allowed and it is not unusual itself.
    pub fn answered(&self, id: &str, response: &Response<'_>, now: Millis) -> Option<Answered> {
        let answer = Answer::of(response);
        let mut watch = self.watch();
        let id = self.keyed.bytes(id.as_bytes());
        watch.verdicts.answered(id);
        let asked = watch.behaviour.answered(id, response.status, answer.bytes(), now)?;
        let teaches = if self.is_frozen() { Teaches::Nothing } else { asked.teaches };
        watch.answers.look(asked.endpoint, &answer, teaches, self.budget)
    }

    /// What became known of a request that was called unusual, at any time after the decision; whether that changes anything.
    ///
    /// A false positive is learned from, and what was unusual in it is so no more: at once, and whoever sends it. What was
    /// confirmed is taken out of what says what scores mean, and its client teaches nothing for 24 hours. It changes nothing
    /// where the decision was not flagged for being unusual, where it is not one of the last flagged ones (256 at least), where
    /// a verdict was given before, where 64 false positives were taken on this day, and where nothing is learned.
    pub fn feedback(&self, id: &str, verdict: Verdict, now: Millis) -> bool {
        if self.is_frozen() {
            return false;
        }
        let mut watch = self.watch();
        let Some(flagged) = watch.verdicts.judge(self.keyed.bytes(id.as_bytes()), verdict, now) else { return false };
        let Flagged { facts, looked, shown, trace, evidence, calibrated, counted, .. } = &*flagged;
        match verdict {
            Verdict::FalsePositive => {
                watch.behaviour.accept(facts, looked, &flagged.signals());
                drop(watch);
                self.profile.accept(shown);
            }
            Verdict::Confirmed => {
                if *calibrated {
                    watch.take_back(looked, *evidence);
                }
                drop(watch);
                self.profile.take_back(shown, trace, *counted);
            }
        }
        true
    }

    /// Whether the response to a decision that was flagged for being unusual has been observed already.
    pub fn has_answered(&self, id: &str) -> bool {
        self.watch().verdicts.has_answered(self.keyed.bytes(id.as_bytes()))
    }

    /// Whether the budget is kept, and how sure that is.
    pub fn drift(&self) -> Drift {
        self.watch().drift(self.budget)
    }

    /// Which verdicts were given.
    pub fn verdicts(&self) -> Feedback {
        self.watch().verdicts.feedback()
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

    /// Why a request that was judged is unusual by a signal, for people.
    pub fn why(&self, judged: &Judged, signal: Signal) -> String {
        self.watch().behaviour.why(&judged.facts, signal)
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

    fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }

    pub(super) fn watch(&self) -> MutexGuard<'_, Watch> {
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
