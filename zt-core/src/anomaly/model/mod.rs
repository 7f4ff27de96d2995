//! What is known: counts of keys in contexts, and how surprising they are.
//!
//! A model is frozen: it says the same until new counts are [added](Model::add). Counts are exact, and adding them is
//! commutative and associative: whoever counted what, in parts or at once, in whatever order, the model is the same. That
//! holds because each bound is one on the whole, not on a way to it: a context with more than [`MOST_KEYS`] keys is open,
//! and the keys of an open context are not kept.

mod bytes;
mod counts;
mod moments;

pub(super) use counts::{Counts, Own, Support};
pub(super) use moments::Norms;

use super::item::{Elements, Event};

/// Counts, and what is normal for each kind of element.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) counts: Counts,
    pub(super) norms: Norms,
}

impl Model {
    /// The elements of an item's events, each as surprising as it would be had the item not been counted.
    pub(super) fn elements_without(&self, events: &[Event]) -> Elements {
        let own = Own::of(events);
        Elements::of(events, |event| self.counts.surprise_without(event, &own))
    }

    /// Bytes that the tables take.
    pub(super) fn memory(&self) -> usize {
        self.counts.memory().saturating_add(self.norms.memory())
    }
}
