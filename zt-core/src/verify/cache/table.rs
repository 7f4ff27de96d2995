//! The table of what is remembered: sets of eight, bounded by entries and by bytes.

/// Entries of one set.
const WAYS: usize = 8;

/// Entries in sets of eight by their hash, in each set the one used last first.
///
/// **At the bound**: a new entry for a full set displaces one that is over, else the one used least recently. While the
/// bytes do not suffice, a hand goes round the sets and takes such a one from each. The choice depends on the calls
/// alone.
#[derive(Debug)]
pub(super) struct Table<E> {
    sets: Box<[Set<E>]>,
    bytes: usize,
    most_bytes: usize,
    hand: usize,
    len: usize,
}

/// Two cache lines, all that a look-up touches before its entry.
#[derive(Debug)]
#[repr(align(128))]
struct Set<E> {
    /// Hashes; those without an entry mean nothing.
    tags: [u64; WAYS],
    /// The taken places first.
    entries: [Option<Box<E>>; WAYS],
}

/// What the table asks of its entries.
pub(super) trait Entry {
    /// Bytes that it holds, itself included.
    fn bytes(&self) -> usize;
    /// Whether it can be of no more use at this time.
    fn is_over(&self, now: i64) -> bool;
}

impl<E: Entry> Table<E> {
    pub(super) fn new(sets: usize, most_bytes: usize) -> Self {
        let set = || Set { tags: [0; WAYS], entries: [const { None }; WAYS] };
        Self { sets: (0..sets.max(1)).map(|_| set()).collect(), bytes: 0, most_bytes, hand: 0, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.sets).saturating_add(self.bytes)
    }

    /// The entry with this hash that `is` the one; being found counts as use.
    pub(super) fn find(&mut self, hash: u64, mut is: impl FnMut(&E) -> bool) -> Option<&mut E> {
        let Set { tags, entries } = self.set_of(hash)?;
        let places = tags.iter().zip(&*entries);
        let found = places.take_while(|(_, entry)| entry.is_some());
        let at = found.into_iter().position(|(tag, entry)| *tag == hash && entry.as_deref().is_some_and(&mut is))?;
        if at > 0 {
            tags.get_mut(..=at)?.rotate_right(1);
            entries.get_mut(..=at)?.rotate_right(1);
        }
        let [first, ..] = entries;
        first.as_deref_mut()
    }

    /// Removes the entry that [`find`](Self::find) would give.
    pub(super) fn remove(&mut self, hash: u64, is: impl FnMut(&E) -> bool) {
        if self.find(hash, is).is_some()
            && let Some(set) = self.set_of(hash)
        {
            let gone = set.take(0);
            self.account_gone(gone);
        }
    }

    /// Stores an entry, unless it is larger than everything may be. The caller knows that it is not there yet.
    pub(super) fn insert(&mut self, hash: u64, entry: E, now: i64) {
        let bytes = entry.bytes();
        if bytes > self.most_bytes {
            return;
        }
        let gone = self.set_of(hash).and_then(|set| set.make_room(now));
        self.account_gone(gone);
        while self.bytes.saturating_add(bytes) > self.most_bytes {
            let gone = self.sets.get_mut(self.hand).and_then(|set| set.take_worst(now));
            self.hand = if self.hand.saturating_add(1) < self.sets.len() { self.hand.saturating_add(1) } else { 0 };
            self.account_gone(gone);
        }
        let Some(Set { tags, entries }) = self.set_of(hash) else { return };
        // The last place is free.
        tags.rotate_right(1);
        entries.rotate_right(1);
        let ([tag, ..], [first, ..]) = (tags, entries);
        (*tag, *first) = (hash, Some(Box::new(entry)));
        self.bytes = self.bytes.saturating_add(bytes);
        self.len = self.len.saturating_add(1);
    }

    /// Removes all that are not to be kept.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        let mut gone = Vec::new();
        for set in &mut self.sets {
            for at in (0..WAYS).rev() {
                if set.entries.get(at).and_then(Option::as_deref).is_some_and(|entry| !keep(entry)) {
                    gone.push(set.take(at));
                }
            }
        }
        gone.into_iter().for_each(|gone| self.account_gone(gone));
    }

    fn account_gone(&mut self, gone: Option<Box<E>>) {
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
    /// Makes the last place free.
    fn make_room(&mut self, now: i64) -> Option<Box<E>> {
        let [.., last] = &self.entries;
        if last.is_some() { self.take_worst(now) } else { None }
    }

    /// Takes the last that is over, else the last.
    fn take_worst(&mut self, now: i64) -> Option<Box<E>> {
        let over = self.entries.iter().rposition(|entry| entry.as_deref().is_some_and(|entry| entry.is_over(now)));
        let at = over.or_else(|| self.entries.iter().rposition(Option::is_some))?;
        self.take(at)
    }

    /// Takes this one; those behind it move up.
    fn take(&mut self, at: usize) -> Option<Box<E>> {
        let gone = self.entries.get_mut(at)?.take();
        self.tags.get_mut(at..)?.rotate_left(1);
        self.entries.get_mut(at..)?.rotate_left(1);
        gone
    }
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

    fn names(table: &Table<Thing>) -> Vec<u64> {
        table.sets.iter().flat_map(|set| set.entries.iter().flatten().map(|thing| thing.0)).collect()
    }

    #[test]
    fn a_set_is_two_cache_lines() {
        assert_eq!(
            size_of::<Set<Thing>>(),
            if cfg!(target_pointer_width = "64") { 128 } else { size_of::<Set<Thing>>() }
        );
    }

    #[test]
    fn the_over_ones_go_first_then_the_least_used() {
        let mut table = Table::new(1, 1_000);
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
        let mut table = Table::new(4, 1_000);
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
            let mut table = Table::<Thing>::new(8, 400);
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
                let all: Vec<&Thing> = table.sets.iter().flat_map(|set| set.entries.iter().flatten().map(|thing| &**thing)).collect();
                prop_assert_eq!(all.len(), table.len());
                prop_assert_eq!(all.iter().map(|thing| thing.1).sum::<usize>(), table.bytes);
                prop_assert!(table.bytes <= 400);
                for set in &table.sets {
                    prop_assert!(set.entries.windows(2).all(|two| two[0].is_some() || two[1].is_none()));
                }
            }
        }
    }
}
