//! Learning from recorded requests in four passes, each of which can be cut into parts: counts, then how surprising
//! requests are, then how high each channel scores, then how much evidence that makes. From the second pass on each item is
//! looked at as if it had not been counted, so all requests serve all passes.
//!
//! What each pass makes are integers that are added: parts learned anywhere and joined in any order are, byte for byte,
//! what one would have learned from all.

use super::baseline::Baseline;
use super::calibration::{Histogram, Histograms};
use super::item::norm;
use super::model::{Bounds, Counts, Norms, Seen, Support};
use super::request::Target;
use crate::model::Request;

/// One pass, or a part of it.
#[derive(Clone, Debug)]
pub struct Trainer<'b> {
    before: &'b Baseline,
    first: Option<&'b Baseline>,
    learned: Learned,
}

#[derive(Clone, Debug)]
enum Learned {
    Counts(Counts),
    Norms(Norms),
    Scores(Histograms),
    Evidence(Histogram),
}

/// A pass over the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// What there is.
    Counts,
    /// How surprising it usually is.
    Norms,
    /// How high requests score in each channel.
    Scores,
    /// How much evidence that makes.
    Evidence,
}

impl Pass {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Counts, Self::Norms, Self::Scores, Self::Evidence];
}

impl<'b> Trainer<'b> {
    /// Begins a pass on what was learned before it.
    pub fn new(before: &'b Baseline, pass: Pass) -> Self {
        let learned = match pass {
            Pass::Counts => Learned::Counts(Counts::default()),
            Pass::Norms => Learned::Norms(Norms::default()),
            Pass::Scores => Learned::Scores(Histograms::default()),
            Pass::Evidence => Learned::Evidence(Histogram::default()),
        };
        Self { before, first: None, learned }
    }

    /// Does not count requests that are outliers to a baseline that was learned from the same requests.
    pub fn without_outliers_to(self, first: &'b Baseline) -> Self {
        Self { first: Some(first), ..self }
    }

    /// Learns from one request of a client, who is given by a hash of who it [is](Baseline::client); without one all are the same.
    pub fn add(&mut self, request: &Request<'_>, target: &Target<'_>, client: Option<u64>) {
        let doubtful = |first: &&Baseline| first.is_outlier(&first.strangest(request, target, true));
        let counts = !self.first.as_ref().is_some_and(doubtful);
        let before = self.before;
        let reader = before.reader();
        let mut events = Vec::new();
        match &mut self.learned {
            Learned::Counts(_) | Learned::Norms(_) if !counts => {}
            Learned::Counts(learned) => {
                let support = Support::of(client.unwrap_or_default());
                reader.read(request, target, &mut |found| {
                    reader.events(found, &mut |sight| {
                        let event = sight.event(before.service);
                        let seen = Seen { owner: found.owner(event.kind), times: 1, support };
                        learned.add(event.context, event.key, seen);
                    });
                });
            }
            Learned::Norms(norms) => reader.read(request, target, &mut |found| {
                events.clear();
                reader.events(found, &mut |sight| events.push(sight.event(before.service)));
                for element in before.model.elements_without(&events).each() {
                    let norm = norm(before.service, found.context, element.kind);
                    norms.add(norm, found.owner(element.kind), element.surprise, 1);
                }
            }),
            Learned::Scores(histograms) => histograms.add(&before.strangest(request, target, counts)),
            Learned::Evidence(histogram) => {
                let evidence = before.evidence(&before.strangest(request, target, counts));
                histogram.add(evidence.into_iter().max().unwrap_or_default(), 1);
            }
        }
    }

    /// Adds another part of the same pass; a part of another pass adds nothing.
    pub fn join(&mut self, other: &Self) {
        match (&mut self.learned, &other.learned) {
            (Learned::Counts(own), Learned::Counts(other)) => own.join(other),
            (Learned::Norms(own), Learned::Norms(other)) => own.join(other),
            (Learned::Scores(own), Learned::Scores(other)) => own.join(other),
            (Learned::Evidence(own), Learned::Evidence(other)) => own.join(other),
            _ => {}
        }
    }

    /// Bytes that the part takes: they grow with what is learned, up to the [end](Self::end).
    pub fn memory(&self) -> usize {
        match &self.learned {
            Learned::Counts(counts) => counts.memory(),
            Learned::Norms(norms) => norms.memory(),
            Learned::Scores(_) => Histograms::MEMORY,
            Learned::Evidence(_) => Histogram::MEMORY,
        }
    }

    /// What was known before, and what this pass has learned.
    pub fn end(self) -> Baseline {
        let mut baseline = self.before.clone();
        match self.learned {
            Learned::Counts(counts) => baseline.model.counts.join(&counts),
            Learned::Norms(norms) => baseline.model.norms.join(&norms),
            Learned::Scores(histograms) => baseline.histograms.join(&histograms),
            Learned::Evidence(histogram) => baseline.evidence.join(&histogram),
        }
        baseline.settle(&Bounds::default());
        baseline
    }
}
