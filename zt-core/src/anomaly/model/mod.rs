//! What is known: counts of keys in contexts, and how surprising they are.
//!
//! A model is frozen: it says the same until new counts are [added](Model::add). Counts are exact, and adding them is
//! commutative and associative: whoever counted what, in parts or at once, in whatever order, the model is the same. That
//! holds because each bound is one on the whole, not on a way to it: a context with more than [`MOST_KEYS`] keys is open,
//! and the keys of an open context are not kept.

mod bytes;
mod counts;
mod moments;

pub(super) use counts::{Counts, Own};
pub(super) use moments::Norms;

use super::item::{Element, Elements, Item};

/// Counts, and what is normal for each kind of element.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) counts: Counts,
    pub(super) norms: Norms,
}

impl Model {
    /// The elements of an item, each as surprising as it is to this model.
    pub(super) fn elements(&self, item: &Item) -> Elements {
        super::item::elements(&item.events, |event| self.counts.surprise(event))
    }

    /// The same as if the item had not been counted.
    pub(super) fn elements_without(&self, item: &Item, own: &Own) -> Elements {
        super::item::elements(&item.events, |event| self.counts.surprise_without(event, own))
    }

    /// How far an element is from its likes, in deviations, [`FRACTION`](crate::base::fixed::FRACTION) bits behind the point.
    pub(super) fn deviations(&self, service: u64, item: &Item, element: &Element) -> i32 {
        self.norms.of(item.norm(service, element.kind)).deviations(element.surprise)
    }

    /// Bytes that the tables take.
    pub(super) fn memory(&self) -> usize {
        self.counts.memory().saturating_add(self.norms.memory())
    }
}
