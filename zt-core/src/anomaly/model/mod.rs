//! What is known: counts of keys in contexts, and how surprising they are.
//!
//! A model is frozen: it says the same until new counts are [added](Model::add). Counts are exact, and adding them is
//! commutative and associative: whoever counted what, in parts or at once, in whatever order, the model is the same. That
//! holds because each bound is one on the whole, not on a way to it: a context with more than [`MOST_KEYS`] keys is open,
//! and the keys of an open context are not kept; and what is [too much](Model::bound) goes once the whole is together.

mod accepted;
mod bound;
mod bytes;
mod counts;
mod moments;
mod odds;
mod support;
mod symbols;

pub(super) use accepted::Accepted;
pub(super) use bound::{Bounds, MEMORY, SERVICE};
pub(super) use counts::{Counts, Own, Seen};
pub(super) use moments::Norms;
pub(super) use support::Support;
pub(super) use symbols::{Steps, Symbols};

use super::item::{Elements, Event};
use super::shown::Shown;

/// Counts, and what is normal for each kind of element.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) counts: Counts,
    pub(super) norms: Norms,
    pub(super) symbols: Symbols,
    pub(super) accepted: Accepted,
}

impl Model {
    /// The elements of an item's events, each as surprising as it would be had the item not been counted.
    pub(super) fn elements_without(&self, events: &[Event]) -> Elements {
        let own = Own::of(events);
        Elements::of(events, |event| self.counts.surprise_without(event, &own))
    }

    /// Lets go what is too much: what was seen least goes first, so that no flood drives out what is well known.
    pub(super) fn bound(&mut self, bounds: &Bounds) {
        self.counts.bound(&bounds.counts);
        self.norms.bound(&bounds.norms);
        self.accepted.bound();
    }

    /// Whether a table is larger than it may be in all.
    pub(super) fn is_over(&self, bounds: &Bounds) -> bool {
        self.counts.is_over(&bounds.counts) || self.norms.is_over(&bounds.norms)
    }

    /// Counts what was shown as often as if several clients had shown it, and is never surprised by it again. What follows is not yet
    /// [derived](Self::derive).
    pub(super) fn accept(&mut self, shown: &Shown) {
        self.accepted.add(&mut self.counts, shown);
    }

    /// Works out what follows from counts and norms: once after they have changed.
    pub(super) fn derive(&mut self, service: u64) {
        self.counts.derive();
        self.accepted.derive(&mut self.counts);
        self.norms.derive();
        self.symbols.derive(&self.counts, service);
    }

    /// Bytes that the tables take.
    pub(super) fn memory(&self) -> usize {
        let parts = [self.counts.memory(), self.norms.memory(), self.accepted.memory()];
        parts.into_iter().fold(Symbols::MEMORY, usize::saturating_add)
    }
}
