//! The table of what is remembered: sets of eight, bounded by entries and by bytes.

/// Entries of one set.
const WAYS: usize = 8;

/// Entries in sets of eight by their hash. They stand in the table itself: a look-up in a large one costs what it waits
/// for memory, and a pointer is one wait more.
///
/// **At the bound**: a new entry for a full set displaces one that is over, else the one used least recently. While the
/// bytes do not suffice, a hand goes round the sets and takes such a one from each. The choice depends on the calls
/// alone.
#[derive(Debug)]
pub(super) struct Table<E> {
    /// None until the first entry: who verifies no token takes no memory for it.
    sets: Box<[Set<E>]>,
    most_sets: usize,
    bytes: usize,
    most_bytes: usize,
    hand: usize,
    len: usize,
}

#[derive(Debug)]
#[repr(align(64))]
struct Set<E> {
    /// Parts of the hashes; those without an entry mean nothing.
    tags: [u32; WAYS],
    /// The places, that of the entry used last first.
    order: [u8; WAYS],
    entries: [Option<E>; WAYS],
}

/// What the table asks of its entries.
pub(super) trait Entry {
    /// Bytes that it holds outside of the table.
    fn bytes(&self) -> usize;
    /// Whether it can be of no more use at this time.
    fn is_over(&self, now: i64) -> bool;
}

impl<E: Entry> Table<E> {
    /// A table with places for this many entries, in whole sets.
    pub(super) fn new(places: usize, most_bytes: usize) -> Self {
        Self { sets: Box::default(), most_sets: (places / WAYS).max(1), bytes: 0, most_bytes, hand: 0, len: 0 }
    }

    /// Bytes of the table for each place.
    pub(super) const fn bytes_of_place() -> usize {
        size_of::<Set<E>>() / WAYS
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.sets).saturating_add(self.bytes)
    }

    /// The entry with this hash that `is` the one; being found counts as use.
    pub(super) fn find(&mut self, hash: u64, is: impl FnMut(&E) -> bool) -> Option<&mut E> {
        let set = self.set_of(hash)?;
        let at = set.position(hash, is)?;
        set.use_now(at);
        set.entries.get_mut(at)?.as_mut()
    }

    /// Removes the entry that [`find`](Self::find) would give.
    pub(super) fn remove(&mut self, hash: u64, is: impl FnMut(&E) -> bool) {
        let gone = self.set_of(hash).and_then(|set| {
            let at = set.position(hash, is)?;
            set.entries.get_mut(at)?.take()
        });
        self.account_gone(gone);
    }

    /// Stores an entry, unless it is larger than everything may be. The caller knows that it is not there yet.
    pub(super) fn insert(&mut self, hash: u64, entry: E, now: i64) {
        if self.sets.is_empty() {
            let set = || Set { tags: [0; WAYS], order: [0, 1, 2, 3, 4, 5, 6, 7], entries: [const { None }; WAYS] };
            self.sets = (0..self.most_sets).map(|_| set()).collect();
        }
        let bytes = entry.bytes();
        if bytes > self.most_bytes {
            return;
        }
        let gone = self.set_of(hash).filter(|set| set.free().is_none()).and_then(|set| set.take_worst(now));
        self.account_gone(gone);
        while self.bytes.saturating_add(bytes) > self.most_bytes {
            let gone = self.sets.get_mut(self.hand).and_then(|set| set.take_worst(now));
            self.hand = if self.hand.saturating_add(1) < self.sets.len() { self.hand.saturating_add(1) } else { 0 };
            self.account_gone(gone);
        }
        let Some(set) = self.set_of(hash) else { return };
        let Some(at) = set.free() else { return };
        if let (Some(tag), Some(place)) = (set.tags.get_mut(at), set.entries.get_mut(at)) {
            (*tag, *place) = (tag_of(hash), Some(entry));
        }
        set.use_now(at);
        self.bytes = self.bytes.saturating_add(bytes);
        self.len = self.len.saturating_add(1);
    }

    /// Removes all that are not to be kept.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        let Self { sets, bytes, len, .. } = self;
        for place in sets.iter_mut().flat_map(|set| &mut set.entries) {
            if let Some(gone) = place.take_if(|entry| !keep(entry)) {
                *bytes = bytes.saturating_sub(gone.bytes());
                *len = len.saturating_sub(1);
            }
        }
    }

    fn account_gone(&mut self, gone: Option<E>) {
        if let Some(gone) = gone {
            self.bytes = self.bytes.saturating_sub(gone.bytes());
            self.len = self.len.saturating_sub(1);
        }
    }

    fn set_of(&mut self, hash: u64) -> Option<&mut Set<E>> {
        let at = u128::from(hash).saturating_mul(self.sets.len() as u128) >> 64;
        self.sets.get_mut(at as usize)
    }
}

impl<E: Entry> Set<E> {
    fn position(&self, hash: u64, mut is: impl FnMut(&E) -> bool) -> Option<usize> {
        let mut places = self.tags.iter().zip(&self.entries);
        places.position(|(tag, entry)| *tag == tag_of(hash) && entry.as_ref().is_some_and(&mut is))
    }

    fn use_now(&mut self, at: usize) {
        match self.order.iter().position(|place| usize::from(*place) == at) {
            Some(0) | None => {}
            Some(rank) => self.order.get_mut(..=rank).unwrap_or_default().rotate_right(1),
        }
    }

    fn free(&self) -> Option<usize> {
        self.entries.iter().position(Option::is_none)
    }

    /// Takes the least recently used that is over, else the least recently used.
    fn take_worst(&mut self, now: i64) -> Option<E> {
        let entry = |place: &u8| self.entries.get(usize::from(*place)).and_then(Option::as_ref);
        let mut taken = self.order.iter().rev().filter(|place| entry(place).is_some());
        let over = taken.clone().find(|place| entry(place).is_some_and(|entry| entry.is_over(now)));
        let at = usize::from(*over.or_else(|| taken.next())?);
        self.entries.get_mut(at)?.take()
    }
}

/// The low half of a hash; the high one chooses the set.
const fn tag_of(hash: u64) -> u32 {
    hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Name, bytes, end.
    #[derive(Clone, Debug, PartialEq)]
    struct Thing(u64, usize, i64);

    impl Entry for Thing {
        fn bytes(&self) -> usize {
            self.1
        }
        fn is_over(&self, now: i64) -> bool {
            self.2 <= now
        }
    }

    /// The names, used last first.
    fn names(table: &Table<Thing>) -> Vec<u64> {
        let places = table.sets.iter().flat_map(|set| set.order.map(|at| set.entries[usize::from(at)].as_ref()));
        places.flatten().map(|thing| thing.0).collect()
    }

    #[test]
    fn the_over_ones_go_first_then_the_least_used() {
        let mut table = Table::new(8, 1_000);
        for name in 0..8 {
            table.insert(name, Thing(name, 1, if name == 5 { 10 } else { 100 }), 0);
        }
        assert!(table.find(0, |thing| thing.0 == 0).is_some());
        table.insert(8, Thing(8, 1, 100), 10);
        assert_eq!(names(&table), [8, 0, 7, 6, 4, 3, 2, 1]);
        table.insert(9, Thing(9, 1, 100), 10);
        assert_eq!(names(&table), [9, 8, 0, 7, 6, 4, 3, 2]);
        assert!(table.find(1, |_| true).is_none());
    }

    #[test]
    fn one_hash_may_have_several_entries() {
        let mut table = Table::new(32, 1_000);
        table.insert(7, Thing(1, 1, 100), 0);
        table.insert(7, Thing(2, 1, 100), 0);
        assert_eq!(table.find(7, |thing| thing.0 == 1).map(|thing| thing.0), Some(1));
        table.remove(7, |thing| thing.0 == 1);
        assert!(table.find(7, |thing| thing.0 == 1).is_none());
        assert_eq!(table.find(7, |thing| thing.0 == 2).map(|thing| thing.0), Some(2));
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_and_forgets_nothing_else(
            calls in prop::collection::vec((0_u64..40, 0_u8..4, 1_usize..40, 0_i64..100), 0..200),
        ) {
            let mut table = Table::<Thing>::new(64, 400);
            for (name, what, bytes, end) in calls {
                let hash = name.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                match what {
                    0 => table.remove(hash, |thing| thing.0 == name),
                    1 => table.retain(|thing| thing.0 % 7 != name % 7),
                    _ => {
                        table.remove(hash, |thing| thing.0 == name);
                        table.insert(hash, Thing(name, bytes, end), 50);
                        prop_assert_eq!(table.find(hash, |thing| thing.0 == name).cloned(), Some(Thing(name, bytes, end)));
                    }
                }
                let all: Vec<&Thing> = table.sets.iter().flat_map(|set| set.entries.iter().flatten()).collect();
                prop_assert_eq!(all.len(), table.len());
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
