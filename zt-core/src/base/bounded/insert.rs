//! Entries that lapse, and are never forgotten before.

use super::held::Held;
use super::set::{home, ways};
use super::{Bounded, Key, Value};

/// What [`Bounded::insert`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted<V> {
    /// It is there now. With the value of the entry that had lapsed and went for it, if there was one.
    New(Option<V>),
    /// A living entry of this key was there; it keeps the greater of the two values.
    Present,
    /// Every place that the key may have holds a living entry of another: nothing was changed.
    Full,
}

impl<V: Value + Ord> Bounded<V> {
    /// Adds an entry unless its key has a living one. An entry lives while its value is at least `now`; a living one is
    /// never displaced.
    ///
    /// A key may be in either of two sets and goes to the emptier, so that the first `Full` comes late: with random keys,
    /// past two thirds of the capacity. For that reason [`update`](Self::update) does not find what was inserted
    /// here, and a table is for the one or for the other.
    pub fn insert(&self, key: Key, value: V, now: V) -> Inserted<V> {
        let (high, low) = key.halves();
        let (first, second) = (self.index(high), self.index(low));
        // In one order for all keys: no two threads wait for each other.
        let lower = self.set(first.min(second)).map(Held::lock);
        let higher = if first == second { None } else { self.set(first.max(second)).map(Held::lock) };
        let mut sets = if first <= second { [lower, higher] } else { [higher, lower] };

        for set in sets.iter_mut().flatten() {
            if let Some(at) = set.find(key) {
                let own = set.value(at);
                if own < value {
                    set.set_value(at, value, self.epoch());
                }
                return if own >= now { Inserted::Present } else { Inserted::New(None) };
            }
        }
        let [first, second] = &mut sets;
        let room =
            |set: &Option<Held<'_, V>>| set.as_ref().map_or(0, |set| ways::<V>().saturating_sub(living(set, now)));
        let set = if room(second) > room(first) { second } else { first };
        let Some(set) = set else { return Inserted::Full };
        // A free place before one that has lapsed.
        let lapsed = set.entries().find(|(.., value)| *value < now).map(|(at, _, value)| (at, Some(value)));
        let Some((at, lapsed)) = set.free(key).map(|at| (at, None)).or(lapsed) else {
            set.evict(home::<V>(key));
            return Inserted::Full;
        };
        set.put(at, key, value, self.epoch());
        Inserted::New(lapsed)
    }
}

fn living<V: Value + Ord>(set: &Held<'_, V>, now: V) -> usize {
    set.entries().filter(|(.., value)| *value >= now).count()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::bounded::KeyHasher;
    use proptest::prelude::*;

    const WAYS: u64 = ways::<u64>() as u64;

    fn key(number: u64) -> Key {
        KeyHasher::new(9).number(number).key()
    }

    #[test]
    fn the_living_are_never_displaced() {
        let table = Bounded::<u64>::with_capacity(WAYS as usize);
        for number in 0..WAYS {
            assert_eq!(table.insert(key(number), 10 + number, 5), Inserted::New(None));
        }
        assert_eq!(table.insert(key(WAYS), 99, 5), Inserted::Full);
        assert_eq!(table.insert(key(WAYS), 99, 10), Inserted::Full, "`now` itself is still life");
        for number in 0..WAYS {
            assert_eq!(table.insert(key(number), 0, 10), Inserted::Present);
        }
        assert_eq!(table.insert(key(WAYS), 99, 11), Inserted::New(Some(10)), "the lapsed one goes");
        assert_eq!(table.insert(key(0), 98, 11), Inserted::Full);
        assert_eq!((table.len() as u64, table.evicted()), (WAYS, 3));
    }

    #[test]
    fn a_lapsed_entry_of_the_key_itself_is_new_again() {
        let table = Bounded::<u64>::with_capacity(8);
        assert_eq!(table.insert(key(1), 10, 0), Inserted::New(None));
        assert_eq!(table.insert(key(1), 30, 11), Inserted::New(None));
        assert_eq!(table.insert(key(1), 20, 12), Inserted::Present);
        assert_eq!(table.entries(), [(key(1), 30)], "the greater value stays");
    }

    #[test]
    fn a_free_place_goes_before_one_that_has_lapsed() {
        let table = Bounded::<u64>::with_capacity(WAYS as usize);
        assert_eq!(table.insert(key(1), 10, 0), Inserted::New(None));
        assert_eq!(table.insert(key(2), 30, 11), Inserted::New(None));
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn the_first_refusal_comes_late() {
        let table = Bounded::<u64>::with_capacity(1 << 16);
        let full = (0..).find(|number| table.insert(key(*number), 1, 0) == Inserted::Full).unwrap();
        assert!(full > (1 << 16) / 3 * 2, "{full} of {}", table.capacity());
        for number in 0..full {
            assert_eq!(table.insert(key(number), 1, 0), Inserted::Present, "{number}");
        }
    }

    proptest! {
        #[test]
        fn is_a_map_of_the_living_until_it_is_full(calls in prop::collection::vec((0_u64..200, 0_u64..40, 0_u64..40), 0..400)) {
            let table = Bounded::with_capacity(4096);
            let mut map = BTreeMap::<Key, u64>::new();
            let mut now = 0;
            for (number, life, step) in calls {
                now += step / 20;
                let value = now + life;
                let (key, lived) = (key(number), map.get(&key(number)).is_some_and(|value| *value >= now));
                let inserted = table.insert(key, value, now);
                prop_assert_eq!(inserted == Inserted::Present, lived);
                prop_assert_ne!(inserted, Inserted::Full);
                let kept = map.entry(key).or_insert(value);
                *kept = value.max(*kept);
                for (key, value) in table.entries() {
                    prop_assert_eq!(map.get(&key), Some(&value));
                }
            }
        }

        #[test]
        fn a_small_one_remembers_every_living_entry_it_took(calls in prop::collection::vec((0_u64..80, 1_u64..40), 0..300)) {
            let table = Bounded::with_capacity(WAYS as usize);
            let (mut taken, mut now) = (BTreeMap::new(), 0);
            for (number, life) in calls {
                now += 1;
                let lived = taken.get(&number).is_some_and(|value| *value >= now);
                match table.insert(key(number), now + life, now) {
                    Inserted::Present => { prop_assert!(lived); let v: &mut u64 = taken.get_mut(&number).unwrap(); *v = (*v).max(now + life); }
                    Inserted::New(_) => { prop_assert!(!lived); taken.insert(number, now + life); }
                    Inserted::Full => { prop_assert!(!lived); prop_assert!(taken.values().filter(|value| **value >= now).count() as u64 >= WAYS); }
                }
                prop_assert!(table.len() as u64 <= WAYS);
            }
        }
    }
}
