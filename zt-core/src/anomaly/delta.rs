//! What was seen since the last fold: items, how strange each is, and how often it is to be learned.

use std::ops::Range;

use smallvec::SmallVec;

use super::baseline::Baseline;
use super::calibration::{Histogram, Histograms};
use super::item::{Elements, Event, norm};
use super::kind::Kind;
use super::model::Support;
use super::request::{Found, Reader, Target};
use super::score::Strangest;
use crate::base::keyed::Map;
use crate::model::Request;

/// Items and events that are kept; more are scored and not learned.
const MOST_ITEMS: usize = 4_096;
const MOST_EVENTS: usize = 65_536;
/// Clients whose outliers are told apart.
const MOST_HEARD: usize = 256;

/// Since the last fold.
#[derive(Debug, Default)]
pub(super) struct Delta {
    by_id: Map<u32>,
    items: Vec<Item>,
    events: Vec<Event>,
    /// Of the item at hand.
    scratch: Vec<Event>,
    scores: Histograms,
    evidence: Histogram,
    /// Clients with outliers.
    heard: Vec<u64>,
    /// Requests to be learned.
    pub(super) requests: u64,
    /// Folds before.
    pub(super) folds: u64,
}

#[derive(Debug)]
struct Item {
    context: u64,
    elements: Elements,
    /// What counts of them: deviations above 0.
    strange: SmallVec<[(Kind, u32); 2]>,
    events: Range<usize>,
    /// Requests to be counted that had it, and whose they were.
    times: u32,
    support: Support,
    /// Outliers that had it, and whose they were.
    proposals: u32,
    proposed: Support,
}

impl Delta {
    /// The strangest elements of a request, and those of its items that are kept.
    pub(super) fn score(
        &mut self,
        baseline: &Baseline,
        request: &Request<'_>,
        target: &Target<'_>,
    ) -> (Strangest, SmallVec<[u32; 24]>) {
        let (mut strangest, mut items, mut number) = (Strangest::default(), SmallVec::new(), 0_u32);
        let reader = baseline.reader();
        reader.read(request, target, &mut |found| {
            let mut add = |kind, deviations| strangest.add(kind, number, deviations);
            if let Some(at) = self.by_id.get(&found.id) {
                let item = self.items.get(*at as usize);
                item.into_iter().flat_map(|item| &item.strange).for_each(|(kind, deviations)| add(*kind, *deviations));
                items.push(*at);
            } else {
                let elements = self.look(baseline, &reader, found);
                let strange = elements.each().filter_map(|element| {
                    let deviations = baseline.deviations(found.context, element);
                    add(element.kind, deviations);
                    (deviations > 0).then_some((element.kind, deviations))
                });
                items.extend(self.keep(found, elements, strange.collect()));
            }
            number = number.saturating_add(1);
        });
        (strangest, items)
    }

    /// The elements of an item that is not kept; its events are at hand then.
    fn look(&mut self, baseline: &Baseline, reader: &Reader<'_>, found: &Found<'_>) -> Elements {
        let mut elements = Elements::default();
        self.scratch.clear();
        reader.events(found, &mut |event| {
            elements.add(event.kind, baseline.model.counts.surprise(&event));
            self.scratch.push(event);
        });
        elements
    }

    /// Keeps the item whose events are at hand; `None` where there is no room.
    fn keep(&mut self, found: &Found<'_>, elements: Elements, strange: SmallVec<[(Kind, u32); 2]>) -> Option<u32> {
        let (from, to) = (self.events.len(), self.events.len().saturating_add(self.scratch.len()));
        let at = u32::try_from(self.items.len()).ok()?;
        if self.items.len() >= MOST_ITEMS || to > MOST_EVENTS {
            return None;
        }
        self.events.extend_from_slice(&self.scratch);
        self.items.push(Item {
            context: found.context,
            elements,
            strange,
            events: from..to,
            times: 0,
            support: Support::default(),
            proposals: 0,
            proposed: Support::default(),
        });
        self.by_id.insert(found.id, at);
        Some(at)
    }

    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= MOST_ITEMS || self.events.len() >= MOST_EVENTS / 8 * 7
    }

    pub(super) fn learn(&mut self, baseline: &Baseline, items: &[u32], strangest: &Strangest, client: Option<u64>) {
        let support = Support::of(client.unwrap_or_default());
        let outlier = baseline.is_outlier(strangest);
        for item in items {
            match self.items.get_mut(*item as usize) {
                Some(item) if outlier => {
                    item.proposals = item.proposals.saturating_add(1);
                    item.proposed = item.proposed.or(support);
                }
                Some(item) => {
                    item.times = item.times.saturating_add(1);
                    item.support = item.support.or(support);
                }
                None => {}
            }
        }
        self.requests = self.requests.saturating_add(1);
        if outlier && client.is_some_and(|client| self.is_heard(client)) {
            return;
        }
        self.scores.add(strangest);
        self.evidence.add(baseline.evidence(strangest).into_iter().max().unwrap_or_default(), 1);
    }

    /// Whether an outlier of this client has told already what normal requests may score: nobody moves the budget alone.
    fn is_heard(&mut self, client: u64) -> bool {
        let heard = self.heard.contains(&client);
        if !heard && self.heard.len() < MOST_HEARD {
            self.heard.push(client);
        }
        heard
    }

    /// Adds all to a baseline and begins anew.
    pub(super) fn fold_into(&mut self, baseline: &mut Baseline) {
        for item in &self.items {
            let events = self.events.get(item.events.clone()).unwrap_or_default();
            let counts = &mut baseline.model.counts;
            if item.times > 0 {
                events.iter().for_each(|event| counts.add(event.context, event.key, item.times, item.support));
                for element in item.elements.each() {
                    let norm = norm(baseline.service, item.context, element.kind);
                    baseline.model.norms.add(norm, element.surprise, item.times);
                }
            }
            if item.proposals > 0 {
                let Item { proposals, proposed, .. } = *item;
                events.iter().for_each(|event| counts.propose(event.context, event.key, proposals, proposed));
            }
        }
        baseline.histograms.join(&self.scores);
        baseline.evidence.join(&self.evidence);
        let folds = self.folds.saturating_add(1);
        self.by_id.clear();
        self.items.clear();
        self.events.clear();
        self.heard.clear();
        (self.scores, self.evidence) = (Histograms::default(), Histogram::default());
        (self.requests, self.folds) = (0, folds);
    }
}
