//! Keyed tables that cannot grow past their capacity.

#[cfg(test)]
mod between;
#[cfg(test)]
mod contended;
mod head;
mod held;
mod insert;
mod key;
mod known;
#[cfg(test)]
mod plain;
mod pressure;
mod set;
mod short;
#[cfg(test)]
mod stress;
#[cfg(test)]
mod tests;
mod usage;
mod value;

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use zerocopy::FromZeros as _;

pub use insert::Inserted;
pub use key::{Key, KeyHasher, OTHER_SEED, entries};
pub use known::Known;
pub use short::{Short, ShortHasher};
pub use usage::Usage;
pub use value::Value;

use head::Head;
use held::Held;
use set::{LINE, Set, WORDS, ways};

/// A table of at most `capacity` entries, shared between threads by reference.
///
/// **At the bound**: a key has its place in one set of forty entries (of twenty, with values of four words), chosen by its
/// keyed hash. A new key for a full set displaces the entry that `rank` puts lowest. Nothing else is ever forgotten, and
/// the choice depends on the calls alone, so one thread is deterministic. Because keys spread over the sets by chance, the
/// first sets overflow when about half of the capacity is taken (at half, two keys in a million have no place; at three
/// quarters, one in three hundred; with values of four words, one in 3,600 and one in 70).
///
/// **Pressure**: when an entry is displaced that still mattered, the table remembers until when it did
/// ([`pressed_until`](Self::pressed_until)), so that its user can be stricter with keys that it does not know.
///
/// **Threads**: every five entries have a lock of their own in their own cache lines; there is none for the table.
///
/// **Changes**: every five entries carry the epoch of their last change, so that [`since`](Self::since) finds what is new without
/// a list of changes.
///
/// Memory is taken once, 25.6 bytes an entry for a `u64`, and does not depend on the keys. (The operating system maps
/// it as it is touched.)
pub struct Bounded<V> {
    /// Sets, one after the other, from `start` on.
    words: Box<[AtomicU64]>,
    /// Where the first cache line begins.
    start: usize,
    sets: usize,
    /// What changes are stamped with.
    epoch: AtomicU32,
    pressed_until: AtomicU64,
    value: PhantomData<V>,
}

/// What [`Bounded::update`] does with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<V> {
    /// Leave it as it is.
    Keep,
    /// Store this, whoever must go.
    Put(V),
    /// Store this unless everything in its set ranks higher.
    Offer(V),
    /// Forget it.
    Remove,
}

impl<V: Value> Bounded<V> {
    const WAYS: usize = ways::<V>();
    /// Besides the sets: itself, and what is lost to alignment.
    const BESIDES: usize = size_of::<Self>() + LINE * size_of::<u64>();
    /// What the smallest table takes at most: one set.
    pub const LEAST_BYTES: usize = WORDS * size_of::<u64>() + Self::BESIDES;

    /// A table of at most this many entries (whole sets, at least one).
    ///
    /// # Panics
    /// When there is not so much memory.
    pub fn with_capacity(entries: usize) -> Self {
        let sets = (entries / Self::WAYS).max(1);
        let words = sets.saturating_mul(WORDS).saturating_add(LINE - 1);
        let words = <[AtomicU64]>::new_box_zeroed_with_elems(words);
        #[allow(clippy::expect_used, reason = "as every other allocation, and only when a state is made")]
        let words = words.expect("memory for a table");
        let start = words.as_ptr().align_offset(LINE * size_of::<u64>()).min(LINE - 1);
        Self { words, start, sets, epoch: AtomicU32::new(0), pressed_until: AtomicU64::new(0), value: PhantomData }
    }

    /// A table of at most this many bytes, or of [`LEAST_BYTES`](Self::LEAST_BYTES).
    pub fn with_memory(bytes: usize) -> Self {
        let sets = bytes.saturating_sub(Self::BESIDES) / (WORDS * size_of::<u64>());
        Self::with_capacity(sets.saturating_mul(Self::WAYS))
    }

    /// Entries that it can hold.
    pub fn capacity(&self) -> usize {
        self.sets.saturating_mul(Self::WAYS)
    }

    /// Entries that it holds; looks at every set.
    pub fn len(&self) -> usize {
        self.heads().map(Head::taken).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries that had to go for others, and offers that found no place, so far; looks at every set.
    pub fn evicted(&self) -> u64 {
        self.heads().map(Head::gone).fold(0, u64::saturating_add)
    }

    /// Bytes held, the same from the start.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.words).saturating_add(size_of::<Self>())
    }

    /// The value of a key. Nothing is written and nobody waited for where there is none.
    pub fn get(&self, key: Key) -> Option<V> {
        self.set_of(key)?.find(key)?;
        self.known(key).map(|entry| entry.value())
    }

    /// Shows `f` the value of a key, if there is one, and does with the entry what it says; no other thread comes
    /// between. `rank` orders the entries of a full set: the lowest goes first.
    ///
    /// `f` runs under a lock: it must be short, and must not call this table.
    #[inline]
    pub fn update<T, R: Ord>(
        &self,
        key: Key,
        rank: impl Fn(Key, &V) -> R,
        f: impl FnOnce(Option<&V>) -> (Change<V>, T),
    ) -> T {
        if let Some(mut entry) = self.known(key) {
            let here = entry.value();
            let (change, result) = f(Some(&here));
            match change {
                Change::Remove => entry.remove(),
                // What is the same is no change: else two tables that tell each other would never be done.
                Change::Put(value) | Change::Offer(value) if value != here => entry.put(value),
                Change::Keep | Change::Put(_) | Change::Offer(_) => {}
            }
            return result;
        }
        let Some(set) = self.set_of(key) else { return f(None).1 };
        let mut set = Held::lock(set);
        // Another thread may have added it meanwhile.
        let found = set.find(key).map(|at| (at, set.value(at)));
        let (change, result) = f(found.as_ref().map(|(_, value)| value));
        match (change, found) {
            (Change::Remove, Some((at, _))) => set.remove(at),
            (Change::Put(value) | Change::Offer(value), Some((at, here))) if value != here => {
                set.set_value(at, value, self.epoch());
            }
            (Change::Put(value), None) => self.add(&mut set, key, value, false, rank),
            (Change::Offer(value), None) => self.add(&mut set, key, value, true, rank),
            _ => {}
        }
        result
    }

    /// Adds an entry for a key that has none.
    #[inline(never)]
    fn add<R: Ord>(&self, set: &mut Held<'_, V>, key: Key, value: V, offered: bool, rank: impl Fn(Key, &V) -> R) {
        if let Some(free) = set.free(key) {
            set.put(free, key, value, self.epoch());
            return;
        }
        let ranked = set.entries().map(|(at, key, value)| (rank(key, &value), at, value));
        let Some((lowest, at, gone)) = ranked.min_by(|(a, ..), (b, ..)| a.cmp(b)) else { return };
        set.evict(at);
        if offered && rank(key, &value) <= lowest {
            self.press(&value);
            return;
        }
        self.press(&gone);
        set.put(at, key, value, self.epoch());
    }

    /// The highest [`matters_until`](Value::matters_until) of the entries that were displaced, and of offers that found
    /// no place: until then, a key that is not here may have been.
    pub fn pressed_until(&self) -> u64 {
        self.pressed_until.load(Ordering::Relaxed)
    }

    fn press(&self, gone: &V) {
        let until = gone.matters_until();
        // Most floods displace what never mattered; those share this line without writing it.
        if until > self.pressed_until.load(Ordering::Relaxed) {
            self.pressed_until.fetch_max(until, Ordering::Relaxed);
        }
    }

    /// Begins this epoch: what changes from now on is stamped with it. One that is over stays over.
    pub fn advance(&self, epoch: u32) {
        self.epoch.fetch_max(epoch, Ordering::SeqCst);
    }

    /// Every entry, by key: the same content gives the same list.
    pub fn entries(&self) -> Vec<(Key, V)> {
        self.since(0)
    }

    /// The entries that have changed in this epoch or later, by key, and up to four neighbours of each. Everything that
    /// changed before [`advance`](Self::advance) to a later epoch is in it: each change reads its epoch under the lock that
    /// this takes. Removals leave no trace.
    pub fn since(&self, epoch: u32) -> Vec<(Key, V)> {
        let mut entries = Vec::new();
        for set in self.all().filter(|set| set.heads().any(|head| head.may_have_changed(epoch))) {
            // Before the lock: a long list is not moved while others wait.
            entries.reserve(Self::WAYS);
            entries.extend(Held::lock(set).since(epoch));
        }
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }

    /// Forgets everything, what pressed on it included.
    pub fn clear(&self) {
        let taken = self.all().filter(|set| set.heads().any(|head| head.may_have_changed(0)));
        taken.for_each(|set| Held::lock(set).clear());
        self.pressed_until.store(0, Ordering::Relaxed);
    }

    fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// The set of a key.
    #[inline]
    fn set_of(&self, key: Key) -> Option<Set<'_, V>> {
        self.set(self.index(key.halves().0))
    }

    /// Which set a hash falls on.
    #[inline]
    fn index(&self, hash: u64) -> usize {
        (u128::from(hash).wrapping_mul(self.sets as u128) >> 64) as usize
    }

    #[inline]
    fn set(&self, index: usize) -> Option<Set<'_, V>> {
        let (sets, _) = self.words.get(self.start..)?.as_chunks();
        sets.get(index).map(Set::new)
    }

    fn heads(&self) -> impl Iterator<Item = Head> {
        self.all().flat_map(Set::heads)
    }

    fn all(&self) -> impl Iterator<Item = Set<'_, V>> {
        (0..self.sets).filter_map(|index| self.set(index))
    }
}

impl<V> fmt::Debug for Bounded<V> {
    /// Shape only: entries may tell of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").field("sets", &self.sets).finish_non_exhaustive()
    }
}
