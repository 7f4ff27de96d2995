//! What a table has lost that mattered.

use std::sync::atomic::Ordering;

use super::{Bounded, Change, Key};

impl Bounded<u64> {
    /// [`update`](Bounded::update), which remembers the value of what had to go for it or found no place: for values that
    /// say until when an entry matters.
    pub fn update_pressing<T, R: Ord>(
        &self,
        key: Key,
        rank: impl Fn(Key, &u64) -> R,
        f: impl FnOnce(Option<&mut u64>) -> (Change<u64>, T),
    ) -> T {
        self.update_displacing(key, rank, f, |value| self.press(*value))
    }

    /// The highest value that was displaced so far: until then something is missing here that mattered.
    pub fn pressed_until(&self) -> u64 {
        self.pressed.load(Ordering::Relaxed)
    }

    /// Something of this value is missing here, as another table knows.
    pub fn press(&self, until: u64) {
        self.pressed.fetch_max(until, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_that_was_lost_is_remembered() {
        let table = Bounded::with_capacity(8);
        let put = |number: u128, change: Change<u64>| {
            table.update_pressing(Key::from_u128(number).unwrap(), |_, value| *value, |_| (change, ()));
        };
        (1..=8).for_each(|number| put(number, Change::Put(10 + number as u64)));
        assert_eq!(table.pressed_until(), 0);
        put(9, Change::Put(1));
        assert_eq!(table.pressed_until(), 11, "the lowest had to go");
        put(10, Change::Put(50));
        assert_eq!(table.pressed_until(), 11, "what went now was lower");
        put(11, Change::Offer(5));
        assert_eq!(table.pressed_until(), 11);
        put(12, Change::Offer(12));
        assert_eq!(table.pressed_until(), 12, "an offer that found no place is missing too");
        table.clear();
        assert_eq!(table.pressed_until(), 0);
    }
}
