//! Marks by key, and the filter for those that find no place.

use std::collections::BTreeMap;

use super::filter::Filter;
use crate::model::Millis;

/// When a revocation ends, and the issue time from which it does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::verify) struct Mark {
    pub(in crate::verify) expires: Millis,
    pub(in crate::verify) issued_before: Millis,
}

/// Those with a place of their own are the ones with the highest keys, whatever the order they came in: that makes merging
/// commutative.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) marks: BTreeMap<u128, Held>,
    pub(super) rest: Filter,
    /// The epoch of the filter's last change.
    pub(super) rest_changed: u32,
    /// What changes are stamped with.
    pub(super) epoch: u32,
    /// Marks that had to go to the filter.
    pub(super) moved: u64,
    /// When expired marks were last looked for.
    pub(super) swept: Millis,
}

/// A mark, and the epoch of its last change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) mark: Mark,
    pub(super) changed: u32,
}

impl Table {
    /// Adds a mark; of two for one key the stricter holds. Past the capacity the lowest key moves to the filter.
    pub(super) fn join(&mut self, key: u128, mark: Mark, capacity: usize) {
        let changed = self.epoch;
        let here = self.marks.entry(key).or_insert(Held { mark, changed });
        let stricter = here.mark.stricter(mark);
        if stricter != here.mark {
            *here = Held { mark: stricter, changed };
        }
        while self.marks.len() > capacity {
            if let Some((key, held)) = self.marks.pop_first() {
                self.rest.add(key, held.mark);
                self.rest_changed = changed;
                self.moved = self.moved.saturating_add(1);
            }
        }
    }
}

impl Mark {
    pub(super) fn stricter(self, other: Self) -> Self {
        Self { expires: self.expires.max(other.expires), issued_before: self.issued_before.max(other.issued_before) }
    }
}
