//! What another table has lost.

use std::sync::atomic::Ordering;

use super::Bounded;

impl Bounded<u64> {
    /// An entry of this value is missing here too: a snapshot of the table that lost it says so.
    pub fn press_until(&self, until: u64) {
        self.pressed_until.fetch_max(until, Ordering::Relaxed);
    }

    /// Nothing that is missing matters longer than this: what seemed to was written under a clock that was ahead.
    pub fn press_no_longer_than(&self, latest: u64) {
        self.pressed_until.fetch_min(latest, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bounded::set::ways;
    use crate::base::bounded::{Change, Key};

    #[test]
    fn the_highest_that_was_lost_is_remembered() {
        let ways = ways::<u64>() as u128;
        let table = Bounded::with_capacity(ways as usize);
        let put = |number: u128, change: Change<u64>| {
            table.update(Key::from_u128(number).unwrap(), |_, value| *value, |_| (change, ()));
        };
        (1..=ways).for_each(|number| put(number, Change::Put(10 + number as u64)));
        assert_eq!(table.pressed_until(), 0);
        put(ways + 1, Change::Put(1));
        assert_eq!(table.pressed_until(), 11, "the lowest had to go");
        put(ways + 2, Change::Put(50));
        assert_eq!(table.pressed_until(), 11, "what went now was lower");
        put(ways + 3, Change::Offer(5));
        assert_eq!(table.pressed_until(), 11);
        put(ways + 4, Change::Offer(12));
        assert_eq!(table.pressed_until(), 12, "an offer that found no place is missing too");
        table.press_until(3);
        assert_eq!(table.pressed_until(), 12);
        table.press_until(90);
        assert_eq!(table.pressed_until(), 90);
        table.press_no_longer_than(95);
        assert_eq!(table.pressed_until(), 90);
        table.press_no_longer_than(40);
        assert_eq!(table.pressed_until(), 40);
        table.clear();
        assert_eq!(table.pressed_until(), 0);
    }
}
