//! The table of what is remembered: sets of eight, bounded by entries and by bytes.

use crate::base::bounded::Usage;

/// Entries of one set.
const WAYS: usize = 8;

/// Entries in sets of eight by their hash. A look-up in a large table costs what it waits for memory, and waits that do not
/// depend on each other pass together. So parts of the hashes stand apart, and keys apart from values: both are small
/// enough to stay in the processor's caches, and what a key points to is then fetched along with its value.
///
/// **At the bound**: a new entry for a full set displaces one that is over, else the one used least recently. While the
/// bytes do not suffice, a hand goes round the sets and takes such a one from each. The choice depends on the calls
/// alone.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    /// None until the first entry: who verifies no token takes no memory for it.
    sets: Box<[Set]>,
    /// The entries of each set; a place has both or neither.
    keys: Box<[Places<K>]>,
    values: Box<[Places<V>]>,
    most_sets: usize,
    bytes: usize,
    most_bytes: usize,
    hand: usize,
    len: usize,
    evicted: u64,
}

type Places<T> = [Option<T>; WAYS];

/// What is known of a set without its entries.
#[derive(Clone, Copy, Debug)]
struct Set {
    /// Parts of the hashes; those without an entry mean nothing.
    tags: [u16; WAYS],
    /// The places, that of the entry used last first.
    order: [u8; WAYS],
}

/// A set and its entries.
struct Ways<'t, K, V> {
    set: &'t mut Set,
    keys: &'t mut Places<K>,
    values: &'t mut Places<V>,
}

/// What the table asks of its keys.
pub(super) trait Key {
    /// Bytes that the entry holds outside of the table.
    fn bytes(&self) -> usize;
}

/// What the table asks of its values.
pub(super) trait Value {
    /// Whether it can be of no more use at this time.
    fn is_over(&self, now: i64) -> bool;
}

impl<K: Key, V: Value> Table<K, V> {
    /// A table with places for this many entries, in whole sets.
    pub(super) fn new(places: usize, most_bytes: usize) -> Self {
        let most_sets = (places / WAYS).max(1);
        let (sets, keys, values) = Default::default();
        Self { sets, keys, values, most_sets, bytes: 0, most_bytes, hand: 0, len: 0, evicted: 0 }
    }

    /// Bytes of the table for each place.
    pub(super) const fn bytes_of_place() -> usize {
        (size_of::<Set>() + size_of::<Places<K>>() + size_of::<Places<V>>()) / WAYS
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn usage(&self) -> Usage {
        let table = [size_of_val(&*self.sets), size_of_val(&*self.keys), size_of_val(&*self.values)];
        let memory = table.into_iter().fold(self.bytes, usize::saturating_add);
        let capacity = self.most_sets.saturating_mul(WAYS);
        Usage { memory, entries: self.len, capacity, evicted: self.evicted }
    }

    /// The entry with this hash whose key `is` the one; being found counts as use.
    pub(super) fn find(&mut self, hash: u64, is: impl FnMut(&K) -> bool) -> Option<(&K, &mut V)> {
        let Ways { set, keys, values } = self.ways(self.set_of(hash))?;
        let at = set.position(keys, hash, is)?;
        set.use_now(at);
        keys.get(at)?.as_ref().zip(values.get_mut(at)?.as_mut())
    }

    /// Removes the entry that [`find`](Self::find) would give.
    pub(super) fn remove(&mut self, hash: u64, is: impl FnMut(&K) -> bool) {
        let gone = self.ways(self.set_of(hash)).and_then(|mut ways| {
            let at = ways.set.position(ways.keys, hash, is)?;
            ways.take(at)
        });
        self.account_gone(gone);
    }

    /// Stores an entry, unless it is larger than everything may be. The caller knows that it is not there yet.
    pub(super) fn insert(&mut self, hash: u64, key: K, value: V, now: i64) {
        if self.sets.is_empty() {
            let set = Set { tags: [0; WAYS], order: [0, 1, 2, 3, 4, 5, 6, 7] };
            self.sets = std::iter::repeat_n(set, self.most_sets).collect();
            self.keys = (0..self.most_sets).map(|_| [const { None }; WAYS]).collect();
            self.values = (0..self.most_sets).map(|_| [const { None }; WAYS]).collect();
        }
        let bytes = key.bytes();
        if bytes > self.most_bytes {
            return;
        }
        let full = self.ways(self.set_of(hash)).filter(|ways| ways.free().is_none());
        let gone = full.and_then(|mut ways| ways.take_worst(now));
        self.account_displaced(gone);
        while self.bytes.saturating_add(bytes) > self.most_bytes {
            let gone = self.ways(self.hand).and_then(|mut ways| ways.take_worst(now));
            self.hand = if self.hand.saturating_add(1) < self.sets.len() { self.hand.saturating_add(1) } else { 0 };
            self.account_displaced(gone);
        }
        let Some(ways) = self.ways(self.set_of(hash)) else { return };
        let Some(at) = ways.free() else { return };
        let Ways { set, keys, values } = ways;
        if let (Some(tag), Some(own), Some(its)) = (set.tags.get_mut(at), keys.get_mut(at), values.get_mut(at)) {
            (*tag, *own, *its) = (tag_of(hash), Some(key), Some(value));
        }
        set.use_now(at);
        self.bytes = self.bytes.saturating_add(bytes);
        self.len = self.len.saturating_add(1);
    }

    /// Removes all that are not to be kept.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        let Self { keys, values, bytes, len, .. } = self;
        for (key, value) in keys.as_flattened_mut().iter_mut().zip(values.as_flattened_mut()) {
            if value.take_if(|value| !keep(value)).is_some() {
                *bytes = bytes.saturating_sub(key.take().map_or(0, |gone| gone.bytes()));
                *len = len.saturating_sub(1);
            }
        }
    }

    fn account_displaced(&mut self, gone: Option<K>) {
        self.evicted = self.evicted.saturating_add(gone.is_some().into());
        self.account_gone(gone);
    }

    fn account_gone(&mut self, gone: Option<K>) {
        if let Some(gone) = gone {
            self.bytes = self.bytes.saturating_sub(gone.bytes());
            self.len = self.len.saturating_sub(1);
        }
    }

    /// The set for a hash.
    fn set_of(&self, hash: u64) -> usize {
        let at = u128::from(hash).saturating_mul(self.sets.len() as u128) >> 64;
        at as usize
    }

    fn ways(&mut self, at: usize) -> Option<Ways<'_, K, V>> {
        Some(Ways { set: self.sets.get_mut(at)?, keys: self.keys.get_mut(at)?, values: self.values.get_mut(at)? })
    }
}

impl Set {
    fn position<K>(&self, keys: &Places<K>, hash: u64, mut is: impl FnMut(&K) -> bool) -> Option<usize> {
        let mut places = self.tags.iter().zip(keys);
        places.position(|(tag, key)| *tag == tag_of(hash) && key.as_ref().is_some_and(&mut is))
    }

    fn use_now(&mut self, at: usize) {
        match self.order.iter().position(|place| usize::from(*place) == at) {
            Some(0) | None => {}
            Some(rank) => self.order.get_mut(..=rank).unwrap_or_default().rotate_right(1),
        }
    }
}

impl<K, V: Value> Ways<'_, K, V> {
    fn free(&self) -> Option<usize> {
        self.keys.iter().position(Option::is_none)
    }

    /// Takes the least recently used that is over, else the least recently used.
    fn take_worst(&mut self, now: i64) -> Option<K> {
        let value = |place: &u8| self.values.get(usize::from(*place)).and_then(Option::as_ref);
        let mut taken = self.set.order.iter().rev().filter(|place| value(place).is_some());
        let over = taken.clone().find(|place| value(place).is_some_and(|value| value.is_over(now)));
        let at = usize::from(*over.or_else(|| taken.next())?);
        self.take(at)
    }

    fn take(&mut self, at: usize) -> Option<K> {
        *self.values.get_mut(at)? = None;
        self.keys.get_mut(at)?.take()
    }
}

/// The low end of a hash; the high one chooses the set.
const fn tag_of(hash: u64) -> u16 {
    hash as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Name, bytes.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Thing(u64, usize);

    /// Name, end.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct End(u64, i64);

    impl Key for Thing {
        fn bytes(&self) -> usize {
            self.1
        }
    }

    impl Value for End {
        fn is_over(&self, now: i64) -> bool {
            self.1 <= now
        }
    }

    impl Table<Thing, End> {
        fn add(&mut self, hash: u64, name: u64, bytes: usize, end: i64) {
            self.insert(hash, Thing(name, bytes), End(name, end), 50);
        }
    }

    /// The names, used last first.
    fn names(table: &Table<Thing, End>) -> Vec<u64> {
        let sets = table.sets.iter().zip(&table.keys);
        let places = sets.flat_map(|(set, keys)| set.order.map(|at| keys[usize::from(at)].as_ref()));
        places.flatten().map(|thing| thing.0).collect()
    }

    #[test]
    fn the_over_ones_go_first_then_the_least_used() {
        let mut table = Table::new(8, 1_000);
        for name in 0..8 {
            table.add(name, name, 1, if name == 5 { 10 } else { 100 });
        }
        assert!(table.find(0, |thing| thing.0 == 0).is_some());
        table.add(8, 8, 1, 100);
        assert_eq!(names(&table), [8, 0, 7, 6, 4, 3, 2, 1]);
        table.add(9, 9, 1, 100);
        assert_eq!(names(&table), [9, 8, 0, 7, 6, 4, 3, 2]);
        assert!(table.find(1, |_| true).is_none());
    }

    #[test]
    fn one_hash_may_have_several_entries() {
        let mut table = Table::new(32, 1_000);
        table.add(7, 1, 1, 100);
        table.add(7, 2, 1, 100);
        assert_eq!(table.find(7, |thing| thing.0 == 1), Some((&Thing(1, 1), &mut End(1, 100))));
        table.remove(7, |thing| thing.0 == 1);
        assert!(table.find(7, |thing| thing.0 == 1).is_none());
        assert_eq!(table.find(7, |thing| thing.0 == 2), Some((&Thing(2, 1), &mut End(2, 100))));
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_and_forgets_nothing_else(
            calls in prop::collection::vec((0_u64..40, 0_u8..4, 1_usize..40, 0_i64..100), 0..200),
        ) {
            let mut table = Table::<Thing, End>::new(64, 400);
            for (name, what, bytes, end) in calls {
                let hash = name.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                match what {
                    0 => table.remove(hash, |thing| thing.0 == name),
                    1 => table.retain(|thing| thing.0 % 7 != name % 7),
                    _ => {
                        table.remove(hash, |thing| thing.0 == name);
                        table.add(hash, name, bytes, end);
                        let found = table.find(hash, |thing| thing.0 == name);
                        prop_assert_eq!(found, Some((&Thing(name, bytes), &mut End(name, end))));
                    }
                }
                let all: Vec<&Thing> = table.keys.as_flattened().iter().flatten().collect();
                prop_assert_eq!(all.len(), table.len());
                for (key, value) in table.keys.as_flattened().iter().zip(table.values.as_flattened()) {
                    prop_assert_eq!(key.map(|key| key.0), value.map(|value| value.0));
                }
                prop_assert_eq!(all.iter().map(|thing| thing.1).sum::<usize>(), table.bytes);
                prop_assert!(table.bytes <= 400);
                for set in &table.sets {
                    let mut places = set.order;
                    places.sort_unstable();
                    prop_assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7]);
                }
            }
        }
    }
}
