//! Requests under way.
//!
//! Time is cut into generations of the hold's length. An entry is the number of its generation in the high half; below
//! it how many slots were taken in it, and how many in the one before, 16 bits each. A slot that is never given back is
//! free again when the generation after its own ends: after the hold at the soonest, at twice the hold at the latest.

use super::window::{Ask, Commit, Measure, SKEW_MS, SOON_NS, Spent, Stored, millis, rank};
use crate::base::bounded::{Bounded, Change, Key};
use crate::model::Millis;

/// So many at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InFlight {
    pub(super) most: u16,
    /// At least a second.
    pub(super) hold_ms: u64,
}

/// Slots taken, by generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slots {
    generation: u32,
    current: u16,
    previous: u16,
}

impl InFlight {
    fn generation(self, now: Millis) -> u32 {
        u32::try_from(millis(now).checked_div(self.hold_ms).unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// The slots that still count. A clock that went back by less than an hour finds the generation that was begun; one
    /// that went back further takes all slots along, into the generation that it shows.
    fn stored(self, entry: Option<u64>, now: Millis) -> Stored<Slots> {
        let generation = self.generation(now);
        let fresh = Slots { generation, ..Slots::default() };
        let Some(slots) = entry.map(Slots::of) else { return Stored { value: fresh, jumped: false } };
        if slots.generation > generation {
            let ahead = u64::from(slots.generation).saturating_mul(self.hold_ms).saturating_sub(millis(now));
            let jumped = ahead > SKEW_MS;
            return Stored { value: if jumped { Slots { generation, ..slots } } else { slots }, jumped };
        }
        let value = match generation.saturating_sub(slots.generation) {
            0 => slots,
            1 => Slots { previous: slots.current, ..fresh },
            _ => fresh,
        };
        Stored { value, jumped: false }
    }

    pub(super) fn measure(self, table: &Bounded<u64>, key: Key, ask: Ask, now: Millis) -> (Measure, bool) {
        let most = u32::from(self.most).saturating_sub(ask.reserve);
        table.update(key, rank, |entry| {
            let previous = entry.copied();
            let Stored { value: slots, jumped } = self.stored(previous, now);
            let left = most.saturating_sub(slots.taken());
            // What is put right is put right, whatever comes of the request.
            let kept = if jumped { Change::Put(slots.entry()) } else { Change::Keep };
            match left.checked_sub(1) {
                Some(remaining) => {
                    let written = Slots { current: slots.current.saturating_add(1), ..slots }.entry();
                    let spent = Spent { previous, written, amount: 1 };
                    let measure = Measure::Passed { spent, remaining, reset_ns: 0 };
                    (if ask.commit == Commit::Spend { Change::Put(written) } else { kept }, (measure, jumped))
                }
                None => (kept, (Measure::Refused { wait_ns: SOON_NS }, jumped)),
            }
        })
    }
}

/// Gives back a slot that was taken in a generation, if it still counts there.
pub(super) fn give_back(table: &Bounded<u64>, key: Key, generation: u32) {
    table.update(key, rank, |entry| {
        let Some(slots) = entry.map(|entry| Slots::of(*entry)) else { return (Change::Keep, ()) };
        let left = match slots.generation.checked_sub(generation) {
            Some(0) => Slots { current: slots.current.saturating_sub(1), ..slots },
            Some(1) => Slots { previous: slots.previous.saturating_sub(1), ..slots },
            _ => slots,
        };
        (if left.taken() == 0 { Change::Remove } else { Change::Put(left.entry()) }, ())
    });
}

impl Slots {
    const fn of(entry: u64) -> Self {
        Self { generation: (entry >> 32) as u32, current: (entry >> 16) as u16, previous: entry as u16 }
    }

    fn entry(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.current) << 16 | u64::from(self.previous)
    }

    fn taken(self) -> u32 {
        u32::from(self.current).saturating_add(self.previous.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::tests::alone::{self, key};
    use proptest::prelude::*;

    const HOLD: i64 = 60_000;
    const THREE: InFlight = InFlight { most: 3, hold_ms: HOLD as u64 };

    /// The generation in which a slot was taken.
    fn take(table: &Bounded<u64>, now: Millis) -> Option<u32> {
        match THREE.measure(table, key(), alone::spend(1, 0), now).0 {
            Measure::Passed { spent, .. } => Some((spent.written >> 32) as u32),
            Measure::Refused { .. } => None,
        }
    }

    #[test]
    fn a_slot_that_is_given_back_is_free() {
        let table = Bounded::with_capacity(8);
        let taken: Vec<u32> = (0..3).filter_map(|_| take(&table, 5)).collect();
        assert_eq!((taken.len(), take(&table, 5)), (3, None));
        give_back(&table, key(), taken[0]);
        assert!(take(&table, 6).is_some() && take(&table, 6).is_none());
        (0..3).for_each(|_| give_back(&table, key(), taken[0]));
        assert!(table.is_empty(), "who holds nothing takes no place");
        give_back(&table, key(), taken[0]);
        assert_eq!(take(&table, 7), Some(taken[0]));
    }

    #[test]
    fn a_slot_that_is_never_given_back_is_free_again_between_hold_and_twice_it() {
        for taken_at in [0, 1, HOLD / 2, HOLD - 1] {
            let table = Bounded::with_capacity(8);
            (0..3).for_each(|_| assert!(take(&table, taken_at).is_some()));
            assert_eq!(take(&table, taken_at + HOLD), None, "{taken_at}");
            let table_now = taken_at + 2 * HOLD;
            assert!(take(&table, table_now).is_some(), "{taken_at}");
        }
    }

    #[test]
    fn a_slot_given_back_late_is_not_given_back_twice() {
        let table = Bounded::with_capacity(8);
        let old = take(&table, 0).unwrap();
        let new: Vec<_> = (0..3).filter_map(|_| take(&table, 2 * HOLD)).collect();
        assert_eq!(new.len(), 3, "the old one counts no more");
        give_back(&table, key(), old);
        assert_eq!(take(&table, 2 * HOLD), None);
    }

    #[test]
    fn a_clock_that_goes_back_frees_nothing_and_locks_nobody_out() {
        let table = Bounded::with_capacity(8);
        (0..3).for_each(|_| assert!(take(&table, 100 * HOLD).is_some()));
        assert_eq!(take(&table, 99 * HOLD), None);
        assert_eq!(take(&table, 0), None, "further than an hour: they are taken along");
        assert_eq!(take(&table, HOLD), None);
        assert!(take(&table, 2 * HOLD).is_some());
    }

    proptest! {
        /// However requests come and end, no more than the limit are under way; and after twice the hold all are free.
        #[test]
        fn never_more_than_the_limit(steps in prop::collection::vec((0_i64..HOLD / 4, any::<bool>()), 1..120)) {
            let table = Bounded::with_capacity(8);
            let (mut now, mut held) = (0, Vec::<(u32, i64)>::new());
            for (step, ends) in steps {
                now += step;
                // A slot counts for the hold at least.
                held.retain(|(_, at)| now - at <= HOLD * 2);
                if ends && !held.is_empty() {
                    let (generation, _) = held.remove(0);
                    give_back(&table, key(), generation);
                } else if let Some(generation) = take(&table, now) {
                    held.push((generation, now));
                    let young = held.iter().filter(|(_, at)| now - at < HOLD).count();
                    prop_assert!(young <= 3);
                }
            }
            prop_assert!(take(&table, now + 2 * HOLD).is_some());
        }

        #[test]
        fn any_clock_and_any_entry_are_survived(entry: u64, times in prop::collection::vec(any::<i64>(), 1..20), hold_ms: u64, generation: u32) {
            let limit = InFlight { most: 3, hold_ms };
            let table = Bounded::with_capacity(8);
            table.update(key(), rank, |_| (Change::Put(entry), ()));
            for now in times {
                limit.measure(&table, key(), alone::spend(1, 1), now);
                give_back(&table, key(), generation);
            }
        }
    }
}
