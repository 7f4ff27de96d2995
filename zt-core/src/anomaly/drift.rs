//! Is the budget kept? How many of the requests that were judged lately were called unusual, beside how many may be. That
//! needs no labels: where what is normal has changed, or what scores mean was learned of something else, there are more.
//!
//! Counted are windows of 16 to 32 times as many requests as one alarm is budgeted in. A client counts once in each, as it does
//! in what scores mean: so one that attacks, or has gone mad, is no drift; many that are flagged are, be it that a release has
//! changed what is normal, or that there are as many attackers. Which of both it is the count cannot tell.
//!
//! Vovk 2012 for the threshold, and for its promise the plain binomial test. A threshold that follows the realised share
//! (Gibbs and Candès 2021) keeps the budget under drift too, but is moved by whoever makes alarms; this only tells.

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::bytes::Reader;
use crate::base::keyed::Map;
use crate::base::math::{binomial_cdf, ln, upper_bound};

/// Alarms that are budgeted in a whole window; in the half of it that is left when it is full, half as many.
const WINDOW: f64 = 32.0;
/// Clients that are told apart in a window.
const MOST_HEARD: usize = 4_096;
/// So unlikely is the number of alarms, where the budget is kept, that is called drift.
const SIGNIFICANT: f64 = 0.001;
/// What is left to doubt in a calibration.
const DOUBT: f64 = 0.05;

/// Whether the budget is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// Too few requests were seen to call any unusual at this budget.
    NotCalibrated,
    /// Nothing says that it is not.
    Calm,
    /// More clients were flagged than a kept budget makes likely.
    Drifting,
}

/// The budget beside what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Drift {
    /// Share of normal requests that may be called unusual.
    pub budget: f64,
    /// Whether it is kept.
    pub course: Course,
    /// How sure that is, 0..=1: so unlikely would as few alarms be at a larger share. 0 where nothing was judged yet.
    pub confidence: f64,
    /// Requests that say what scores mean.
    pub calibrated_on: u64,
    /// How many more it takes before any request can be called unusual at this budget.
    pub needs: u64,
    /// Requests that were judged in the last window, once calibrated.
    pub judged: u64,
    /// How many of them were called unusual.
    pub alarms: u64,
    /// The same, each client counted once.
    pub clients: u64,
    /// `alarms` of `judged`.
    pub rate: f64,
    /// An upper bound of the rate, with 95 % confidence.
    pub rate_at_most: f64,
}

/// Counts of the last window.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker {
    /// What they are of: the bits of a budget.
    budget: u64,
    judged: u64,
    alarms: u64,
    clients: u64,
    heard: Map<()>,
}

/// Requests without an alarm that say with 95 % confidence that no more than a share make one.
pub(super) fn needed(budget: f64) -> u64 {
    // The least n with (1 - budget)^n <= 0.05.
    let rest = ln(1.0 - budget);
    if rest < 0.0 { (ln(DOUBT) / rest).ceil() as u64 } else { u64::MAX }
}

impl Tracker {
    /// A request was judged; an alarm, of whom it is.
    pub(super) fn count(&mut self, alarm: Option<u64>, budget: f64) {
        if self.budget != budget.to_bits() {
            *self = Self { budget: budget.to_bits(), ..Self::default() };
        }
        if self.judged >= (WINDOW / budget) as u64 {
            (self.judged, self.alarms, self.clients) = (self.judged / 2, self.alarms / 2, self.clients / 2);
            self.heard.clear();
        }
        self.judged = self.judged.saturating_add(1);
        let Some(of) = alarm else { return };
        self.alarms = self.alarms.saturating_add(1);
        let is_new = self.heard.len() >= MOST_HEARD || self.heard.insert(of, ()).is_none();
        self.clients = self.clients.saturating_add(is_new.into());
    }

    /// What the counts say, where scores were calibrated on so many requests.
    pub(super) fn drift(&self, budget: f64, calibrated_on: u64) -> Drift {
        let none = Self::default();
        let Self { judged, alarms, clients, .. } = if self.budget == budget.to_bits() { self } else { &none };
        let (judged, alarms, clients) = (*judged, *alarms, *clients);
        let as_many = clients.checked_sub(1).map_or(1.0, |less| 1.0 - binomial_cdf(less, judged, budget));
        let needs = needed(budget).saturating_sub(calibrated_on);
        Drift {
            budget,
            course: match (needs, as_many <= SIGNIFICANT) {
                (1.., _) => Course::NotCalibrated,
                (0, true) => Course::Drifting,
                (0, false) => Course::Calm,
            },
            confidence: if needs > 0 { 0.0 } else { 1.0 - binomial_cdf(clients, judged, budget) },
            calibrated_on,
            needs,
            judged,
            alarms,
            clients,
            rate: if judged > 0 { alarms as f64 / judged as f64 } else { 0.0 },
            rate_at_most: upper_bound(alarms, judged),
        }
    }

    /// As bytes, without who was heard.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let numbers = [self.budget, self.judged, self.alarms, self.clients];
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }

    /// From bytes; `None` where they are none of these.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [budget, judged, alarms, clients] = [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?];
        let sound = clients <= alarms && alarms <= judged;
        sound.then_some(Self { budget, judged, alarms, clients, heard: Map::default() })
    }

    /// Adds what was counted elsewhere at the same budget. Of two budgets the larger stays, so that the order never matters.
    pub(super) fn join(&mut self, other: &Self) {
        let order = |tracker: &Self| (tracker.judged > 0, tracker.budget);
        if order(self) == order(other) {
            self.judged = self.judged.saturating_add(other.judged);
            self.alarms = self.alarms.saturating_add(other.alarms);
            self.clients = self.clients.saturating_add(other.clients);
        } else if order(other) > order(self) {
            let Self { budget, judged, alarms, clients, .. } = *other;
            *self = Self { budget, judged, alarms, clients, ..Self::default() };
        }
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        self.heard.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: f64 = 0.01;

    /// So many requests of different clients, one alarm in `every`.
    fn tracked(requests: u64, every: u64) -> Tracker {
        let mut tracker = Tracker::default();
        (1..=requests).for_each(|n| tracker.count(n.is_multiple_of(every).then_some(n), BUDGET));
        tracker
    }

    #[test]
    fn as_many_requests_as_the_bound_needs() {
        for budget in [0.5, 0.3, 0.05, 0.01, 0.001, 0.0001] {
            let needed = needed(budget);
            assert!(upper_bound(0, needed) <= budget * (1.0 + 1e-6), "{budget} {needed}");
            assert!(upper_bound(0, needed - 1) > budget, "{budget} {needed}");
        }
        assert_eq!((needed(0.001), needed(1e-300)), (2_995, u64::MAX));
    }

    #[test]
    fn a_budget_that_is_kept_is_calm_and_one_that_is_not_drifts() {
        let calm = tracked(3_000, 120).drift(BUDGET, 1_000);
        assert_eq!((calm.course, calm.judged, calm.alarms, calm.clients), (Course::Calm, 3_000, 25, 25));
        assert!(calm.confidence > 0.7 && calm.rate < BUDGET && calm.rate_at_most > BUDGET, "{calm:?}");
        let sure = tracked(3_000, 200).drift(BUDGET, 1_000);
        assert!(sure.confidence > 0.99 && sure.rate_at_most < BUDGET, "{sure:?}");
        let drifting = tracked(3_000, 55).drift(BUDGET, 1_000);
        assert!(drifting.course == Course::Drifting && drifting.confidence < 0.001, "{drifting:?}");
        // Twice the budget is no proof yet where few were judged.
        assert_eq!(tracked(400, 50).drift(BUDGET, 1_000).course, Course::Calm);
    }

    #[test]
    fn one_client_is_no_drift() {
        let mut tracker = tracked(1_000, 150);
        (0..2_000).for_each(|_| tracker.count(Some(7), BUDGET));
        let drift = tracker.drift(BUDGET, 1_000);
        assert_eq!((drift.course, drift.alarms, drift.clients), (Course::Calm, 2_006, 7));
    }

    #[test]
    fn what_is_long_ago_is_forgotten_and_numbers_stay_small() {
        let mut tracker = tracked(100_000, 20);
        assert_eq!(tracker.drift(BUDGET, 1_000).course, Course::Drifting);
        for n in 0..100_000_u64 {
            tracker.count(None, BUDGET);
            assert!(tracker.judged <= 3_200, "{n}");
        }
        assert_eq!(tracker.drift(BUDGET, 1_000).course, Course::Calm);
        (0..100_000).for_each(|n| tracker.count(Some(n), 1e-9));
        assert!(tracker.heard.len() <= MOST_HEARD && tracker.judged == 100_000, "another budget begins anew");
    }

    #[test]
    fn before_it_is_calibrated_it_says_how_many_are_missing() {
        let new = Tracker::default().drift(0.001, 1_995);
        assert_eq!((new.course, new.needs, new.confidence), (Course::NotCalibrated, 1_000, 0.0));
        let calibrated = Tracker::default().drift(0.001, 2_995);
        assert_eq!((calibrated.course, calibrated.needs, calibrated.confidence), (Course::Calm, 0, 0.0));
    }

    #[test]
    fn counts_are_read_back_and_added() {
        let (one, two) = (tracked(900, 90), tracked(500, 100));
        let mut bytes = Vec::new();
        one.write(&mut bytes);
        let mut read = Tracker::read(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(read.drift(BUDGET, 9_000), one.drift(BUDGET, 9_000));
        read.join(&two);
        let mut other = two.clone();
        other.join(&one);
        assert_eq!((read.judged, read.alarms, read.clients), (1_400, 15, 15));
        assert_eq!(read.drift(BUDGET, 9_000), other.drift(BUDGET, 9_000));
        let mut fresh = Tracker::default();
        fresh.join(&one);
        assert_eq!(fresh.drift(BUDGET, 9_000), one.drift(BUDGET, 9_000));
        let mut other_budget = Tracker::default();
        (0..9).for_each(|n| other_budget.count(Some(n), 0.5));
        let [mut here, mut there] = [one.clone(), other_budget.clone()];
        here.join(&other_budget);
        there.join(&one);
        assert_eq!((here.budget, here.judged, there.judged), (there.budget, 9, 9), "in any order");
        bytes[8] = 0;
        bytes[9] = 0;
        assert!(Tracker::read(&mut Reader::new(&bytes)).is_none(), "more alarms than requests");
    }
}
