//! What the host says later of requests that were called unusual: a person has looked, or a chargeback came.
//!
//! A verdict changes what is normal, so it is bounded: it is about one of the last flagged decisions, each is judged once, and
//! of one day no more than [`MOST_ACCEPTED`] false positives are taken. Only the host can give one: nothing of it stands in a
//! request.

use schemars::JsonSchema;
use serde::Serialize;

use super::behaviour::{Facts, Looked, Signal};
use super::evidence::Evidence;
use super::shown::Shown;
use super::state::{Counted, Trace};
use crate::base::bytes::Reader;
use crate::base::generations::{Generations, Kept};
use crate::model::{Millis, Verdict};

/// Flagged decisions that are remembered: at least the last half of them.
const FLAGGED: usize = 512;
/// False positives that are taken of one day.
pub(super) const MOST_ACCEPTED: u32 = 64;
/// Clients that are known to have attacked.
const DISTRUSTED: usize = 7 << 8;
/// For so long such a client teaches nothing.
const DISTRUST: Millis = DAY;
const DAY: Millis = 24 * 3_600_000;

/// A decision that was flagged for being unusual: what it would teach, and what it has taught.
#[derive(Clone, Debug)]
pub(super) struct Flagged {
    pub(super) facts: Facts,
    pub(super) looked: Looked,
    pub(super) unusual: Vec<Evidence>,
    pub(super) shown: Shown,
    pub(super) trace: Trace,
    /// Of the whole request.
    pub(super) evidence: u32,
    /// Whether that, and the signals, are among those that say what scores mean.
    pub(super) calibrated: bool,
    /// What is counted of the request itself.
    pub(super) counted: Counted,
    pub(super) answered: bool,
}

/// Until when a client teaches nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Until(Millis);

/// Verdicts that were given, as a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Feedback {
    /// Flagged decisions that a verdict can still be about.
    pub awaited: usize,
    /// False positives that were taken on the last day that had one.
    pub false_positives: u32,
    /// The most that are taken on one day.
    pub most_false_positives: u32,
    /// Clients that teach nothing after a confirmed attack, or lately did.
    pub distrusted: usize,
}

/// What was flagged, and what was said of it.
#[derive(Clone, Debug)]
pub(super) struct Verdicts {
    /// Nothing in the place of what was judged.
    flagged: Generations<Option<Box<Flagged>>>,
    distrusted: Generations<Until>,
    /// The last day with a false positive, and how many it has.
    day: i64,
    accepted: u32,
}

impl Flagged {
    /// The signals among what was unusual.
    pub(super) fn signals(&self) -> Vec<Signal> {
        let signal = |evidence: &Evidence| match evidence {
            Evidence::Behaviour(signal) => Some(*signal),
            Evidence::Request(_) => None,
        };
        self.unusual.iter().filter_map(signal).collect()
    }

    fn memory(&self) -> usize {
        let heap = [self.shown.memory(), self.unusual.capacity().saturating_mul(size_of::<Evidence>())];
        heap.into_iter().fold(size_of::<Self>(), usize::saturating_add)
    }
}

impl Kept for Until {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.i64().map(Self)
    }

    fn join(&mut self, other: &Self) {
        self.0 = self.0.max(other.0);
    }
}

impl Verdicts {
    pub(super) fn new() -> Self {
        let (flagged, distrusted) = (Generations::new(FLAGGED), Generations::new(DISTRUSTED));
        Self { flagged, distrusted, day: i64::MIN, accepted: 0 }
    }

    /// A decision was flagged under an id.
    pub(super) fn remember(&mut self, id: u64, flagged: Flagged) {
        *self.flagged.entry(id) = Some(Box::new(flagged));
    }

    /// The response to the request of an id was observed.
    pub(super) fn answered(&mut self, id: u64) {
        if self.flagged.get(id).is_some_and(Option::is_some) {
            self.flagged.entry(id).as_mut().into_iter().for_each(|flagged| flagged.answered = true);
        }
    }

    /// Whether the response to a flagged decision was observed, or a verdict given.
    pub(super) fn has_answered(&self, id: u64) -> bool {
        let flagged = self.flagged.get(id);
        flagged.is_some_and(|flagged| flagged.as_ref().is_none_or(|flagged| flagged.answered))
    }

    /// What a verdict is about, where it counts: it is the first about one of these decisions, and no false positive too many.
    pub(super) fn judge(&mut self, id: u64, verdict: Verdict, now: Millis) -> Option<Box<Flagged>> {
        if self.flagged.get(id)?.is_none() || verdict == Verdict::FalsePositive && !self.accepts(now) {
            return None;
        }
        let flagged = self.flagged.entry(id).take()?;
        if let Some(client) = flagged.facts.client.filter(|_| verdict == Verdict::Confirmed) {
            let Until(until) = self.distrusted.entry(client);
            *until = now.saturating_add(DISTRUST).max(*until);
        }
        Some(flagged)
    }

    /// Whether one more false positive of this day is taken; a day that is past counts as the last.
    fn accepts(&mut self, now: Millis) -> bool {
        let day = now.div_euclid(DAY);
        if day > self.day {
            (self.day, self.accepted) = (day, 0);
        }
        let accepts = self.accepted < MOST_ACCEPTED;
        self.accepted = self.accepted.saturating_add(accepts.into());
        accepts
    }

    /// Whether a client has attacked lately.
    pub(super) fn distrusts(&self, client: Option<u64>, now: Millis) -> bool {
        client.and_then(|client| self.distrusted.get(client)).is_some_and(|Until(until)| now < *until)
    }

    pub(super) fn feedback(&self) -> Feedback {
        Feedback {
            awaited: self.flagged.values().flatten().count(),
            false_positives: self.accepted,
            most_false_positives: MOST_ACCEPTED,
            distrusted: self.distrusted.len(),
        }
    }

    /// As bytes, without what was flagged: that is under way.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.distrusted.write(out);
        out.extend_from_slice(&self.day.to_le_bytes());
        out.extend_from_slice(&self.accepted.to_le_bytes());
    }

    /// From bytes; `None` where they are none of these.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let distrusted = Generations::read(DISTRUSTED, reader)?;
        Some(Self { distrusted, day: reader.i64()?, accepted: reader.u32()?, ..Self::new() })
    }

    /// Adds what was said elsewhere. The order never matters.
    pub(super) fn join(&mut self, other: &Self) {
        self.distrusted.join(&other.distrusted);
        (self.day, self.accepted) = (self.day, self.accepted).max((other.day, other.accepted));
    }

    /// What is too much goes.
    pub(super) fn bound(&mut self) {
        self.distrusted.resize(DISTRUSTED);
    }

    pub(super) fn memory(&self) -> usize {
        let flagged = self.flagged.values().flatten().map(|flagged| flagged.memory());
        let tables = self.flagged.memory().saturating_add(self.distrusted.memory());
        flagged.fold(tables, usize::saturating_add)
    }
}
