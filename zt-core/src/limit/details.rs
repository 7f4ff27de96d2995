//! The counts that one request has, asked together: all are spent, or none.

use smallvec::SmallVec;

use super::Standing;
use super::counter::{Counter, by_rule};
use super::rule::Rule;
use super::window::{Commit, Measure, Spent, Window};
use crate::model::{Finding, Millis, Mode, Ticket, TicketKey};

/// All that the limits of one phase say of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details<'l> {
    /// One `limit.exceeded` for each limit that refuses, in the order of the configuration, those that the state does not know
    /// first.
    pub findings: Vec<Finding>,
    /// Names of the limits that refuse and are enforced, in the same order.
    pub refused_by: Vec<&'l str>,
    /// Where the request stands with each count of the tightest limit that is enforced; empty when none applied.
    pub standings: SmallVec<[Standing<'l>; 1]>,
    /// What the request holds until its response is observed, if it passes.
    pub tickets: SmallVec<[Ticket; 1]>,
}

impl<'l> Details<'l> {
    /// Whether a limit that is enforced refuses.
    pub fn refuses(&self) -> bool {
        self.findings.iter().any(|finding| !finding.monitor)
    }

    /// Where the request stands with the tightest count of the tightest limit that is enforced.
    pub fn standing(&self) -> Option<Standing<'l>> {
        self.standings.iter().copied().reduce(Standing::tighter)
    }

    /// A limit that cannot be asked.
    pub(super) fn refuse(&mut self, rule: &'l Rule, label: &str) {
        self.findings.push(rule.finding(label));
        if rule.mode == Mode::Enforce {
            self.refused_by.push(&rule.name);
        }
    }

    /// Asks every count, and then spends from all of them. Looking first keeps a request that one limit refuses away from
    /// the others' entries: taking back is exact only while nobody has written in between.
    pub(super) fn looking_first(mut self, counters: &[Counter<'l, '_>], now: Millis) -> Self {
        let mut spending = self.clone();
        self.ask(counters, now, false);
        if self.refuses() {
            return self;
        }
        spending.ask(counters, now, true);
        spending
    }

    /// Asks every count; `commit` spends from all of them, or from none.
    pub(super) fn ask(&mut self, counters: &[Counter<'l, '_>], now: Millis, commit: bool) {
        let mut spent: SmallVec<[(&Counter<'l, '_>, Spent); 4]> = SmallVec::new();
        for group in by_rule(counters) {
            let before = spent.len();
            let mut measures: SmallVec<[(&'l Window, Measure); 2]> = SmallVec::new();
            let mut passes = true;
            for counter in group {
                let measure = counter.measure(now, if commit && passes { Commit::Spend } else { Commit::Look });
                match measure {
                    Measure::Passed { spent: by, .. } if commit && passes => spent.push((counter, by)),
                    Measure::Passed { .. } => {}
                    Measure::Refused { .. } => passes = false,
                }
                measures.push((counter.window, measure));
            }
            if !passes {
                spent.drain(before..).rev().for_each(|(counter, by)| counter.undo(by));
                measures.iter_mut().for_each(|(window, measure)| *measure = window.unspent(*measure, now));
            }
            let Some(first) = group.first() else { continue };
            self.add(first.rule, &measures);
            if passes && commit {
                self.hold(first, spent.get(before..).unwrap_or_default());
            }
        }
        if commit && self.refuses() {
            spent.into_iter().rev().for_each(|(counter, by)| counter.undo(by));
            self.tickets.clear();
        }
    }

    /// What a request that has spent of a limit holds until its end, where that matters.
    fn hold(&mut self, first: &Counter<'l, '_>, spent: &[(&Counter<'l, '_>, Spent)]) {
        if first.rule.holds_tickets {
            let slot = spent.iter().find(|(counter, _)| !counter.window.is_kept());
            let span = slot.map_or(0, |(_, by)| (by.written >> 32) as u32);
            let key = TicketKey(first.own.to_u128());
            self.tickets.push(Ticket { limit: first.rule.name.clone(), key, span });
        }
    }

    /// Adds what the counts of one more limit say.
    fn add(&mut self, rule: &'l Rule, measures: &[(&'l Window, Measure)]) {
        let refused = measures.iter().find(|(_, measure)| matches!(measure, Measure::Refused { .. }));
        if let Some((window, _)) = refused {
            self.refuse(rule, &window.label);
        }
        if rule.mode == Mode::Monitor {
            return;
        }
        let standings = measures.iter().map(|(window, measure)| Standing::of(window, measure));
        let tightest = standings.clone().reduce(Standing::tighter);
        let before = self.standing();
        if before.zip(tightest).is_none_or(|(before, tightest)| before.tighter(tightest) != before) {
            self.standings.clear();
            standings.for_each(|standing| self.standings.push(standing));
        }
    }
}
