//! Behaviour, and what its scores mean beside those of single requests.

use smallvec::SmallVec;

use super::answers::Answers;
use super::behaviour::{Behaviour, Facts, Looked, Room, Signal};
use super::calibration::{Histogram, Scale, Shares};
use super::drift::{Drift, Tracker};
use super::heard::Heard;
use super::rates::Rates;
use super::verdicts::Verdicts;
use crate::base::bytes::Reader;

/// Requests before what scores mean is worked out for the first time, and the part of all that is news enough to do it again.
const FIRST: u64 = 8;
const PART: u64 = 8;
/// A share of requests that are too strange to teach what is usual.
pub(super) const STRANGE: f64 = 0.001;
/// Clients whose unusual requests are told apart, between two such times.
const MOST_HEARD: usize = 4_096;

/// Behaviour, and what its scores mean.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) behaviour: Behaviour,
    pub(super) answers: Answers,
    pub(super) verdicts: Verdicts,
    drift: Tracker,
    pub(super) rates: Rates,
    signals: [Histogram; Signal::ALL.len()],
    scales: [Scale; Signal::ALL.len()],
    /// Evidence of whole requests.
    evidence: Histogram,
    shares: Shares,
    news: u64,
    /// Since what scores mean was worked out.
    heard: Heard<MOST_HEARD>,
}

/// What a request teaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lesson {
    /// What is usual.
    Usual,
    /// That there is such: once of each client, or of each endpoint that many of them are at, and then as often as the budget
    /// has it, so that no campaign moves it.
    Unusual,
    /// That there is such.
    Refused,
}

impl Watch {
    /// Nothing of behaviour is known; so much evidence was in requests alone.
    pub(super) fn new(evidence: Histogram) -> Self {
        let signals = Default::default();
        let scales = Signal::ALL.map(|_| Scale::of(&Histogram::default()));
        let shares = Shares::of(&evidence);
        let (behaviour, answers, verdicts) = (Behaviour::new(), Answers::new(), Verdicts::new());
        let (rates, drift, heard) = (Rates::new(), Tracker::default(), Heard::default());
        Self { behaviour, answers, verdicts, rates, drift, signals, scales, evidence, shares, news: 0, heard }
    }

    /// What clients do, without what evidence means.
    pub(super) fn uncalibrated(&self) -> Self {
        let (behaviour, answers, rates) = (self.behaviour.clone(), self.answers.clone(), self.rates.clone());
        Self { behaviour, answers, rates, ..Self::new(Histogram::default()) }
    }

    /// For so much behaviour from now on; what is too much goes.
    pub(super) fn resize(&mut self, room: Room) {
        self.behaviour.resize(room);
        self.answers.bound();
        self.verdicts.bound();
    }

    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        let scales = self.scales.iter().map(Scale::memory).fold(self.shares.memory(), usize::saturating_add);
        let histograms = Histogram::MEMORY.saturating_mul(self.signals.len().saturating_add(1));
        let parts = [self.behaviour.memory(), self.answers.memory(), self.heard.memory(), scales, histograms];
        let more = [self.verdicts.memory(), self.drift.memory(), self.rates.memory()];
        parts.into_iter().chain(more).fold(size_of::<Self>(), usize::saturating_add)
    }

    /// Share of normal requests with at least so much evidence.
    pub(super) fn share(&self, evidence: u32) -> f64 {
        self.shares.of_evidence(evidence)
    }

    pub(super) fn calibrated_on(&self) -> u64 {
        self.shares.total
    }

    /// Nats of evidence of each signal that there is.
    pub(super) fn signals(&self, looked: &Looked) -> impl Iterator<Item = (Signal, u32)> {
        let scales = Signal::ALL.into_iter().zip(&self.scales).zip(looked.raw);
        scales.filter(|(_, raw)| *raw > 0).map(|((signal, scale), raw)| (signal, scale.evidence(raw)))
    }

    /// What is unusual enough to be told is told again only when it is far more.
    pub(super) fn tell(&mut self, facts: &Facts, looked: &Looked, budget: f64) {
        let signals: SmallVec<[Signal; 2]> = self
            .signals(looked)
            .filter(|(_, evidence)| self.share(*evidence) <= budget)
            .map(|(signal, _)| signal)
            .collect();
        self.behaviour.told(facts, looked, &signals);
    }

    /// A request was judged by scores that can keep a budget, and whether it is unusual.
    pub(super) fn judged(&mut self, facts: &Facts, looked: &Looked, unusual: bool, budget: f64) {
        self.drift.count(unusual.then(|| facts.whose(looked)), budget);
    }

    /// Whether a budget is kept.
    pub(super) fn drift(&self, budget: f64) -> Drift {
        self.drift.drift(budget, self.calibrated_on())
    }

    /// A request that was counted as an unusual one was an attack: it says nothing of what scores mean.
    pub(super) fn take_back(&mut self, looked: &Looked, evidence: u32) {
        for (histogram, raw) in self.signals.iter_mut().zip(looked.raw) {
            histogram.take(raw);
        }
        self.evidence.take(evidence);
        self.settle();
    }

    /// Learns from a request, where such a share of them is unusual; and whether it tells what scores mean.
    pub(super) fn learn(&mut self, facts: &Facts, looked: &Looked, evidence: u32, lesson: Lesson, share: f64) -> bool {
        match lesson {
            Lesson::Usual => self.behaviour.learn(facts, looked),
            Lesson::Unusual => self.behaviour.doubt(facts, looked),
            Lesson::Refused => {}
        }
        let tells = match lesson {
            Lesson::Unusual => self.heard.unusual(facts.whose(looked), (1.0 / share) as u64),
            Lesson::Usual | Lesson::Refused => {
                facts.all_whose().into_iter().for_each(|of| self.heard.usual(of));
                true
            }
        };
        if tells {
            for (histogram, raw) in self.signals.iter_mut().zip(looked.raw) {
                histogram.add(raw, 1);
            }
            self.evidence.add(evidence, 1);
            self.news = self.news.saturating_add(1);
        }
        if self.news >= (self.shares.total / PART).max(FIRST) {
            self.settle();
        }
        tells
    }

    /// Works out what follows from what was learned.
    pub(super) fn settle(&mut self) {
        self.answers.settle();
        self.news = 0;
        self.heard.clear();
        let mut signals = self.signals.iter();
        self.scales = Signal::ALL.map(|_| Scale::of(signals.next().unwrap_or(&self.evidence)));
        self.shares = Shares::of(&self.evidence);
    }

    /// As bytes, without what is under way.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.behaviour.write(out);
        self.answers.write(out);
        self.verdicts.write(out);
        self.drift.write(out);
        self.rates.write(out);
        self.signals.iter().chain([&self.evidence]).for_each(|histogram| histogram.write(out));
    }

    /// From bytes; `None` where they are none of these.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (behaviour, answers) = (Behaviour::read(reader)?, Answers::read(reader)?);
        let (verdicts, drift, rates) = (Verdicts::read(reader)?, Tracker::read(reader)?, Rates::read(reader)?);
        let mut watch = Self { behaviour, answers, verdicts, drift, rates, ..Self::new(Histogram::default()) };
        for histogram in watch.signals.iter_mut().chain([&mut watch.evidence]) {
            *histogram = Histogram::read(reader)?;
        }
        watch.settle();
        Some(watch)
    }

    /// Adds what was learned elsewhere. The order matters only to sums that fade, by a 256th for each half-life.
    pub(super) fn join(&mut self, other: &Self) {
        self.behaviour.join(&other.behaviour);
        self.answers.join(&other.answers);
        self.verdicts.join(&other.verdicts);
        self.drift.join(&other.drift);
        self.rates.join(&other.rates);
        for (own, other) in self.signals.iter_mut().zip(&other.signals) {
            own.join(other);
        }
        self.evidence.join(&other.evidence);
        self.settle();
    }
}
