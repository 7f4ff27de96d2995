//! Entries that lapse, and are never forgotten before.

use std::sync::atomic::Ordering;

use super::{Bounded, Key, Sets, Slot, Value, WAYS, is_empty};

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

impl<V: Value + Copy + Ord> Bounded<V> {
    /// Adds an entry unless its key has a living one. An entry lives while its value is at least `now`; a living one is
    /// never displaced.
    ///
    /// A key may be in either of two sets and goes to the emptier, so that the first `Full` comes late: with random keys,
    /// past two thirds of the capacity. For that reason [`update`](Self::update) does not find what was inserted
    /// here, and a table is for the one or for the other.
    pub fn insert(&self, key: Key, value: V, now: V) -> Inserted<V> {
        let (high, low) = key.halves();
        let first = self.set_of(high);
        // By its highest bits; the lowest chose the shard.
        let second = self.set_of(low);
        let Some(shard) = self.shards.get(low as usize & self.shards.len().wrapping_sub(1)) else {
            return Inserted::Full;
        };
        let mut sets = shard.lock();
        let Sets { slots, stamps, len, evicted } = &mut *sets;
        let sets = slots.as_chunks_mut::<WAYS>().0;
        let mut best: Option<(usize, usize, usize)> = None;
        for index in [first, second] {
            let Some(set) = sets.get_mut(index) else { continue };
            if let Some(own) = set.iter_mut().find(|slot| (slot.0, slot.1) == (high, low) && !is_empty(slot)) {
                let lived = own.2 >= now;
                if own.2 < value {
                    own.2 = value;
                    if let Some(stamp) = stamps.get_mut(index) {
                        *stamp = self.epoch.load(Ordering::Acquire);
                    }
                }
                return if lived { Inserted::Present } else { Inserted::New(None) };
            }
            let living = set.iter().filter(|slot| is_living(slot, now)).count();
            // The first place of all that is empty or has lapsed: taken ones stay in front.
            if let Some(at) = set.iter().position(|slot| !is_living(slot, now))
                && best.is_none_or(|(fewest, ..)| living < fewest)
            {
                best = Some((living, index, at));
            }
        }
        let place = best.and_then(|(_, index, at)| sets.get_mut(index)?.get_mut(at).zip(stamps.get_mut(index)));
        let Some((place, stamp)) = place else {
            *evicted = evicted.saturating_add(1);
            return Inserted::Full;
        };
        let lapsed = if is_empty(place) {
            *len = len.saturating_add(1);
            None
        } else {
            Some(place.2)
        };
        *place = (high, low, value);
        *stamp = self.epoch.load(Ordering::Acquire);
        Inserted::New(lapsed)
    }

    fn set_of(&self, hash: u64) -> usize {
        (u128::from(hash).saturating_mul(self.sets_per_shard as u128) >> 64) as usize
    }
}

fn is_living<V: Ord + Copy>(slot: &Slot<V>, now: V) -> bool {
    !is_empty(slot) && slot.2 >= now
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::bounded::KeyHasher;
    use proptest::prelude::*;

    fn key(number: u64) -> Key {
        KeyHasher::new(9).number(number).key()
    }

    #[test]
    fn the_living_are_never_displaced() {
        let table = Bounded::<u64>::with_capacity(8);
        for number in 0..8 {
            assert_eq!(table.insert(key(number), 10 + number, 5), Inserted::New(None));
        }
        assert_eq!(table.insert(key(8), 99, 5), Inserted::Full);
        assert_eq!(table.insert(key(8), 99, 10), Inserted::Full, "`now` itself is still life");
        for number in 0..8 {
            assert_eq!(table.insert(key(number), 0, 10), Inserted::Present);
        }
        assert_eq!(table.insert(key(8), 99, 11), Inserted::New(Some(10)), "the lapsed one goes");
        assert_eq!(table.insert(key(0), 98, 11), Inserted::Full);
        assert_eq!((table.len(), table.evicted()), (8, 3));
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
        fn a_small_one_remembers_every_living_entry_it_took(calls in prop::collection::vec((0_u64..40, 1_u64..9), 0..200)) {
            let table = Bounded::with_capacity(8);
            let (mut taken, mut now) = (BTreeMap::new(), 0);
            for (number, life) in calls {
                now += 1;
                let lived = taken.get(&number).is_some_and(|value| *value >= now);
                match table.insert(key(number), now + life, now) {
                    Inserted::Present => { prop_assert!(lived); let v: &mut u64 = taken.get_mut(&number).unwrap(); *v = (*v).max(now + life); }
                    Inserted::New(_) => { prop_assert!(!lived); taken.insert(number, now + life); }
                    Inserted::Full => { prop_assert!(!lived); prop_assert!(taken.values().filter(|value| **value >= now).count() >= 8); }
                }
                prop_assert!(table.len() <= 8);
            }
        }
    }
}
