//! The counts that a request has.

use smallvec::SmallVec;

use super::rule::Rule;
use super::state::Table;
use super::window::{Ask, Commit, Measure, Spent, Window};
use super::{State, Subject};
use crate::base::bounded::Key;
use crate::model::Millis;

/// One count that a request has.
#[derive(Clone, Copy)]
pub(super) struct Counter<'l, 's> {
    pub(super) rule: &'l Rule,
    pub(super) window: &'l Window,
    pub(super) table: &'s Table,
    /// Of its limit: its own, then those of coarser counts.
    pub(super) tables: &'s [Table],
    /// Of this count, and of the limit itself.
    pub(super) key: Key,
    pub(super) own: Key,
    pub(super) cost: u32,
    /// Per cent that must remain.
    pub(super) reserve: u8,
}

pub(super) type Counters<'l, 's> = SmallVec<[Counter<'l, 's>; 4]>;

/// The counts of one limit after those of another.
pub(super) fn by_rule<'c, 'l, 's>(counters: &'c [Counter<'l, 's>]) -> impl Iterator<Item = &'c [Counter<'l, 's>]> {
    counters.chunk_by(|a, b| std::ptr::eq(a.rule, b.rule))
}

impl Counter<'_, '_> {
    pub(super) fn has_lost(&self, now: Millis) -> bool {
        self.window.has_lost(self.table, self.key, now)
    }

    pub(super) fn measure(&self, now: Millis, commit: Commit) -> Measure {
        let reserve = self.window.reserve(self.reserve);
        let ask = Ask { amount: self.window.amount(self.cost, reserve), reserve, commit };
        self.window.measure(self.table, self.key, ask, now)
    }

    pub(super) fn undo(&self, spent: Spent) {
        self.window.undo(self.table, self.key, spent);
    }
}

/// Adds every count that a request has under a limit.
pub(super) fn count<'l, 's>(
    rule: &'l Rule,
    tables: &'s [Table],
    state: &State,
    subject: &Subject<'_>,
    counters: &mut Counters<'l, 's>,
) {
    let Some(key) = rule.key.key(rule.phase, state.hashers(), subject) else { return };
    let (cost, reserve) = (rule.cost_of(subject), rule.reserve_from(subject));
    for (window, table) in rule.windows.iter().zip(tables) {
        counters.push(Counter { rule, window, table, tables, key, own: key, cost, reserve });
    }
}

/// The same counts, and coarser ones of those limits whose tables have lost keys that may have been this one.
pub(super) fn with_coarser<'l, 's>(
    counters: &[Counter<'l, 's>],
    state: &State,
    subject: &Subject<'_>,
    now: Millis,
) -> Counters<'l, 's> {
    let mut all: Counters<'l, 's> = SmallVec::new();
    for group in by_rule(counters) {
        all.extend_from_slice(group);
        let Some(first) = group.first() else { continue };
        let mut tables = first.tables.get(group.len()..).unwrap_or_default();
        let mut lost = group.iter().any(|counter| counter.has_lost(now));
        for level in &first.rule.fallback {
            let Some(key) = level.key.key(first.rule.phase, state.hashers(), subject).filter(|_| lost) else { break };
            let (own, rest) = tables.split_at(level.windows.len().min(tables.len()));
            let coarser = level.windows.iter().zip(own);
            let before = all.len();
            all.extend(coarser.map(|(window, table)| Counter { window, table, key, reserve: 0, ..*first }));
            lost = all.get(before..).unwrap_or_default().iter().any(|counter| counter.has_lost(now));
            tables = rest;
        }
    }
    all
}
