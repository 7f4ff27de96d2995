//! One count that a request has.

use super::rule::Rule;
use super::state::Table;
use super::window::{Ask, Commit, Measure, Spent, Window};
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
