//! What the tables may hold, and what goes where that is too little.
//!
//! While requests are learned from a recording, parts are whole and grow with it; at the end of a pass the bound of
//! [`MEMORY`] applies. A state keeps its own all the time.

use std::cmp::Reverse;

use crate::base::keyed::Map;

/// Bytes of a state where nobody says otherwise.
pub(in super::super) const MEMORY: usize = 8 << 20;
/// Fewer are not enough for anything.
const LEAST_MEMORY: usize = 1 << 20;
/// Bytes for each unit: two keys of 25, a context of 33 and a norm of 49, and half as much again for what is gathered
/// beside them.
const UNIT: usize = 256;

/// Bounds that follow from the memory of a state. All are far below the size at which a table would grow beyond its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Bounds {
    pub(super) counts: Bound,
    pub(super) norms: Bound,
    /// Items and events that one shard gathers.
    pub(in super::super) items: usize,
    pub(in super::super) events: usize,
}

/// Of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) in_all: usize,
    pub(super) of_endpoint: usize,
    /// Of what is alike at all endpoints, as headers are.
    pub(super) of_service: usize,
}

impl Bounds {
    pub(in super::super) fn of(bytes: usize) -> Self {
        let units = bytes.max(LEAST_MEMORY) / UNIT;
        let units = 1 << units.checked_ilog2().unwrap_or_default();
        let bound = |in_all: usize, of_endpoint: usize| {
            let of_service = of_endpoint.saturating_mul(8).min(in_all / 2);
            Bound { in_all, of_endpoint: of_endpoint.min(in_all / 2), of_service }
        };
        Self {
            // Of an endpoint 2,048 of 25 bytes and 256 of 49: less than 64 KiB.
            counts: bound(units / 8 * 9, 2_048),
            norms: bound(units / 8 * 5, 256),
            items: units / 32,
            events: units / 4,
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::of(MEMORY)
    }
}

/// An entry of a table, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// What is known least, and among equals what has the largest id.
    pub(super) events: u64,
    pub(super) id: u64,
    pub(super) owner: u32,
    pub(super) weight: usize,
}

/// The owner of what is alike at all endpoints.
pub(in super::super) const SERVICE: u32 = 0;

impl Bound {
    const fn of(&self, owner: u64) -> usize {
        if owner == SERVICE as u64 { self.of_service } else { self.of_endpoint }
    }

    /// Ids of what is too much: of each endpoint, then of all. What was seen least goes first, among equals the largest id,
    /// until seven eighths of the bound are left: whatever floods a table, what is well known stays. Since it follows from
    /// the whole alone, it is the same for every order in which the whole came together.
    pub(super) fn surplus(&self, entries: impl Iterator<Item = Entry>) -> Map<()> {
        let mut surplus = Map::default();
        let mut entries: Vec<Entry> = entries.collect();
        let mut all: usize = entries.iter().map(|entry| entry.weight).sum();
        let mut of_owner: Map<usize> = Map::default();
        for Entry { owner, weight, .. } in &entries {
            let sum = of_owner.entry((*owner).into()).or_default();
            *sum = sum.saturating_add(*weight);
        }
        of_owner.retain(|owner, sum| *sum > self.of(*owner));
        if of_owner.is_empty() && all <= self.in_all {
            return surplus;
        }
        entries.sort_unstable_by_key(|entry| (entry.events, Reverse(entry.id)));
        entries.retain(|Entry { id, owner, weight, .. }| {
            let owner = u64::from(*owner);
            let Some(sum) = of_owner.get_mut(&owner).filter(|sum| **sum > self.of(owner) / 8 * 7) else { return true };
            *sum = sum.saturating_sub(*weight);
            all = all.saturating_sub(*weight);
            surplus.insert(*id, ());
            false
        });
        if all > self.in_all {
            for Entry { id, weight, .. } in entries {
                if all <= self.in_all / 8 * 7 {
                    break;
                }
                all = all.saturating_sub(weight);
                surplus.insert(id, ());
            }
        }
        surplus
    }
}

/// Takes out of a table what goes, and the room it took: a table that is only emptied would grow all the same.
pub(super) fn without<V>(table: &mut Map<V>, goes: impl Fn(u64, &V) -> bool) {
    let kept = table.drain().filter(|(id, value)| !goes(*id, value)).collect::<Vec<_>>();
    *table = kept.into_iter().collect();
}
