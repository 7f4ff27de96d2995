//! What was seen since the last fold: items, how strange each is, and how often it is to be learned.

use std::ops::Range;

use smallvec::SmallVec;

use super::baseline::Baseline;
use super::calibration::{Histogram, Histograms};
use super::heard::Heard;
use super::item::{Element, Elements, Event, Sight, norm};
use super::kind::Kind;
use super::model::{Bounds, Seen, Steps, Support};
use super::request::{Found, Reader, Target, owner};
use super::score::Strangest;
use super::state::Trace;
use crate::base::keyed::Map;
use crate::model::Request;

/// Clients whose outliers are told apart.
const MOST_HEARD: usize = 512;

/// Since the last fold.
#[derive(Debug, Default)]
pub(super) struct Delta {
    by_id: Map<u32>,
    items: Vec<Item>,
    sights: Vec<Sight>,
    /// Of the item at hand.
    scratch: Vec<Sight>,
    scores: Histograms,
    evidence: Histogram,
    /// From fold to fold.
    heard: Heard<MOST_HEARD>,
    /// Requests that were learned since the last fold.
    pub(super) requests: u64,
    /// How often the items began anew.
    pub(super) rounds: u64,
}

/// Kinds with deviations; of an item there are no more than five.
type Strange = SmallVec<[(Kind, u32); 5]>;

#[derive(Debug)]
struct Item {
    context: u64,
    /// The endpoint whose room it takes.
    endpoint: u32,
    elements: Elements,
    /// What counts of them: deviations above 0.
    strange: Strange,
    sights: Range<usize>,
    /// Requests to be counted that had it, and whose they were.
    times: u32,
    support: Support,
    /// Outliers that had it, and whose they were.
    proposals: u32,
    proposed: Support,
}

impl Delta {
    /// The strangest elements of a request, but for an item that is its client's own, and those of its items that are kept.
    pub(super) fn score(
        &mut self,
        bounds: &Bounds,
        baseline: &Baseline,
        request: &Request<'_>,
        target: &Target<'_>,
        own: Option<u64>,
    ) -> (Strangest, SmallVec<[u32; 24]>) {
        let (mut strangest, mut items, mut number) = (Strangest::default(), SmallVec::new(), 0_u32);
        let reader = baseline.reader();
        reader.read(request, target, &mut |found| {
            let is_own = own == Some(found.id);
            let mut add = |kind, deviations| strangest.add(kind, number, if is_own { 0 } else { deviations });
            if let Some(at) = self.by_id.get(&found.id) {
                let item = self.items.get(*at as usize);
                item.into_iter().flat_map(|item| &item.strange).for_each(|(kind, deviations)| add(*kind, *deviations));
                items.push(*at);
            } else {
                let elements = self.look(bounds, baseline, &reader, found);
                let strange = elements.each().filter_map(|element| {
                    let deviations = baseline.deviations(found.context, element);
                    add(element.kind, deviations);
                    (deviations > 0).then_some((element.kind, deviations))
                });
                let strange = strange.collect();
                items.extend(self.keep(bounds, found, elements, strange));
            }
            number = number.saturating_add(1);
        });
        (strangest, items)
    }

    /// The elements of an item that is not kept; its events are at hand then, as many as there is ever room for.
    fn look(&mut self, bounds: &Bounds, baseline: &Baseline, reader: &Reader<'_>, found: &Found<'_>) -> Elements {
        let mut elements = Elements::default();
        self.scratch.clear();
        reader.events(found, &mut |sight| {
            elements.see(sight, &baseline.model);
            if self.scratch.len() <= bounds.events {
                self.scratch.push(sight);
            }
        });
        elements
    }

    /// Keeps the item whose events are at hand; `None` where there is no room.
    fn keep(&mut self, bounds: &Bounds, found: &Found<'_>, elements: Elements, strange: Strange) -> Option<u32> {
        let (from, to) = (self.sights.len(), self.sights.len().saturating_add(self.scratch.len()));
        let at = u32::try_from(self.items.len()).ok()?;
        if self.items.len() >= bounds.items || to > bounds.events {
            return None;
        }
        if self.items.is_empty() {
            // Once: nothing grows beyond.
            self.items.reserve_exact(bounds.items);
            self.sights.reserve_exact(bounds.events);
            self.by_id.reserve(bounds.items);
        }
        self.sights.extend_from_slice(&self.scratch);
        self.items.push(Item {
            context: found.context,
            endpoint: found.endpoint,
            elements,
            strange,
            sights: from..to,
            times: 0,
            support: Support::default(),
            proposals: 0,
            proposed: Support::default(),
        });
        self.by_id.insert(found.id, at);
        Some(at)
    }

    pub(super) fn is_full(&self, bounds: &Bounds) -> bool {
        self.items.len() >= bounds.items / 8 * 7 || self.sights.len() >= bounds.events / 8 * 7
    }

    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        let events = self.sights.capacity().saturating_add(self.scratch.capacity()).saturating_mul(size_of::<Sight>());
        let items = self.items.capacity().saturating_mul(size_of::<Item>());
        let fixed = Histograms::MEMORY.saturating_add(Histogram::MEMORY).saturating_add(self.heard.memory());
        [events, items, fixed].into_iter().fold(self.by_id.allocation_size(), usize::saturating_add)
    }

    /// Counts what was traced, or proposes it where it is an outlier to a baseline; and whether it tells how strange normal
    /// requests are.
    pub(super) fn learn(&mut self, baseline: &Baseline, trace: &Trace, client: Option<u64>) -> bool {
        let (client, outlier) = (client.unwrap_or_default(), baseline.is_outlier_while_serving(&trace.strangest));
        let tells = if outlier {
            self.heard.unusual(client, baseline.outliers_are_one_in())
        } else {
            self.heard.usual(client);
            true
        };
        let support = Support::of(client);
        for item in &trace.items {
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
        if tells {
            self.scores.add(&trace.strangest);
            self.evidence.add(trace.evidence, 1);
        }
        tells
    }

    /// Adds the items to a baseline, which says what it said until it is derived, and begins anew with them.
    pub(super) fn spill_into(&mut self, baseline: &mut Baseline) {
        let (counts, mut steps) = (&mut baseline.model.counts, Steps::default());
        let sights = |item: &Item| self.sights.get(item.sights.clone()).unwrap_or_default();
        let seen = |item: &Item, event: &Event, times, support| Seen {
            owner: owner(item.endpoint, event.kind),
            times,
            support,
        };
        for item in self.items.iter().filter(|item| item.times > 0) {
            for sight in sights(item) {
                match sight {
                    Sight::Event(event) => {
                        counts.add(event.context, event.key, seen(item, event, item.times, item.support));
                    }
                    Sight::Step(step) => steps.add(*step, item.times, item.support),
                }
            }
            for Element { kind, surprise } in item.elements.each() {
                let norm = norm(baseline.service, item.context, kind);
                baseline.model.norms.add(norm, owner(item.endpoint, kind), surprise, item.times);
            }
        }
        steps.count(counts, baseline.service);
        // Beside all that was counted, whatever came first.
        for item in self.items.iter().filter(|item| item.proposals > 0) {
            for event in sights(item).iter().map(|sight| sight.event(baseline.service)) {
                counts.propose(event.context, event.key, seen(item, &event, item.proposals, item.proposed));
            }
        }
        self.by_id.clear();
        self.items.clear();
        self.sights.clear();
        self.rounds = self.rounds.saturating_add(1);
    }

    /// Begins anew.
    pub(super) fn forget(&mut self) {
        *self = Self { rounds: self.rounds.saturating_add(1), ..Self::default() };
    }

    /// Adds all to a baseline and begins anew.
    pub(super) fn fold_into(&mut self, baseline: &mut Baseline) {
        self.spill_into(baseline);
        baseline.histograms.join(&self.scores);
        baseline.evidence.join(&self.evidence);
        self.scores.clear();
        self.evidence.clear();
        self.heard.make_room();
        self.requests = 0;
    }
}
