//! One set of a table: the words that threads share, and the right to change them.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Key, Value};

/// Words of a set: eight cache lines.
pub(super) const WORDS: usize = 64;
/// Words of a cache line.
pub(super) const LINE: usize = 8;
/// Words before the entries.
const HEAD: usize = 4;
/// Entries of a group.
const GROUP: usize = 5;

const LOCKED: u64 = 1;
const TAKEN_SHIFT: u32 = 8;
/// Tries before a thread lets others run: what is done under the lock takes less.
const SPINS: u32 = 100;

/// The words of a set: first its state (from the lowest bit: whether a thread holds it, how many entries are taken), then
/// how many entries had to go, then for each group of five entries the epoch of its last change, then the entries: both
/// halves of the key, and the value. A key of zero is none.
///
/// Each key has a group that is its home, where nine in ten are when three quarters are taken; the others are looked for
/// everywhere. In a group all five are compared, without a branch for each: a wrong guess of the processor would cost as
/// much as fetching the entry, for until it is fetched nothing can be done for the next request.
///
/// The lock is a word of the set itself, so that a request fetches no other line for it, and threads meet only at the same
/// set. It is held for some dozens of instructions.
pub(super) struct Set<'t, V> {
    words: &'t [AtomicU64; WORDS],
    value: PhantomData<V>,
}

/// A set that no other thread changes meanwhile.
pub(super) struct Held<'t, V> {
    set: Set<'t, V>,
    state: u64,
}

/// Entries of a set with such values: twenty with a value of one word.
pub(super) const fn ways<V: Value>() -> usize {
    (WORDS - HEAD) / slot_words::<V>()
}

const fn slot_words<V: Value>() -> usize {
    V::WORDS.saturating_add(2)
}

/// The first word of a place.
#[inline]
const fn first_word<V: Value>(at: usize) -> usize {
    HEAD.wrapping_add(at.wrapping_mul(slot_words::<V>()))
}

impl<'t, V: Value> Set<'t, V> {
    #[inline]
    pub(super) const fn new(words: &'t [AtomicU64; WORDS]) -> Self {
        const { assert!(ways::<V>() > 0 && ways::<V>() <= 4 * GROUP && ways::<V>().is_multiple_of(GROUP)) };
        Self { words, value: PhantomData }
    }

    /// Waits until no other thread holds it.
    #[inline]
    pub(super) fn lock(self) -> Held<'t, V> {
        let [word, ..] = self.words;
        let mut tries = 0_u32;
        loop {
            // Looking costs the holder nothing; trying would take its cache line.
            let state = word.load(Ordering::Relaxed);
            if state & LOCKED == 0
                && word.compare_exchange_weak(state, state | LOCKED, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            {
                return Held { set: self, state };
            }
            tries = tries.saturating_add(1);
            if tries < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }

    /// Entries that it holds and entries that had to go, as they are just now.
    pub(super) fn counts(&self) -> (usize, u64) {
        let [state, gone, ..] = self.words;
        (taken(state.load(Ordering::Relaxed)), gone.load(Ordering::Relaxed))
    }

    /// Whether it holds an entry, and has changed in this epoch or later; or a thread is about to change it. Nothing is
    /// written, so that memory that nobody has touched stays so.
    ///
    /// Sequentially consistent, as the lock and the epochs are: of a thread that takes the lock and then reads the epoch,
    /// and one that begins an epoch and then looks here, one sees the other.
    pub(super) fn may_have_changed(&self, epoch: u32) -> bool {
        let [state, ..] = self.words;
        let state = state.load(Ordering::SeqCst);
        let changed = || (0..ways::<V>()).step_by(GROUP).any(|at| self.stamp(at) >= epoch);
        state & LOCKED != 0 || (taken(state) > 0 && changed())
    }

    /// The place of this key. Entries stay where they are: one that is not found without the lock was not there at some
    /// moment meanwhile.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        let home = home::<V>(key);
        let (_, low) = key.halves();
        // From the last to the first; the upper half is compared once, for one.
        let at = (0..GROUP).fold(home, |found, step| {
            let at = home.wrapping_add(step);
            if self.low_half(at) == low { at } else { found }
        });
        if self.is_at(at, key) { Some(at) } else { self.find_anywhere(key) }
    }

    #[inline(never)]
    fn find_anywhere(&self, key: Key) -> Option<usize> {
        (0..ways::<V>()).find(|at| self.is_at(*at, key))
    }

    /// Whether this key is in this place.
    #[inline]
    pub(super) fn is_at(&self, at: usize, key: Key) -> bool {
        self.key(at) == key.halves()
    }

    #[inline]
    fn low_half(&self, at: usize) -> u64 {
        self.words.get(first_word::<V>(at).wrapping_add(1)).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Both halves of the key in a place, or zeros.
    #[inline]
    fn key(&self, at: usize) -> (u64, u64) {
        let read = |word| self.words.get(word).map_or(0, |word: &AtomicU64| word.load(Ordering::Relaxed));
        (read(first_word::<V>(at)), read(first_word::<V>(at).wrapping_add(1)))
    }

    /// The words of the value in a place.
    #[inline]
    fn value_words(&self, at: usize) -> &'t [AtomicU64] {
        let first = first_word::<V>(at).wrapping_add(2);
        self.words.get(first..first.wrapping_add(V::WORDS)).unwrap_or_default()
    }

    /// The epoch of the last change of a place or its neighbours.
    fn stamp(&self, at: usize) -> u32 {
        let (word, shift) = stamped(at);
        self.words.get(word).map_or(0, |word| (word.load(Ordering::Relaxed) >> shift) as u32)
    }
}

/// Where a place has its stamp: the word, and the bit in it.
#[inline]
const fn stamped(at: usize) -> (usize, u32) {
    let number = at / GROUP;
    (2_usize.wrapping_add(number / 2), if number.is_multiple_of(2) { 0 } else { 32 })
}

/// The first place of the group where a key is at home: by bits that no set is chosen by.
#[inline]
const fn home<V: Value>(key: Key) -> usize {
    let (_, low) = key.halves();
    // In 64 bits first: the same on every target.
    ((low % (ways::<V>() / GROUP) as u64) as usize).wrapping_mul(GROUP)
}

const fn taken(state: u64) -> usize {
    (state >> TAKEN_SHIFT) as u8 as usize
}

impl<V> Drop for Held<'_, V> {
    #[inline]
    fn drop(&mut self) {
        let [word, ..] = self.set.words;
        word.store(self.state, Ordering::Release);
    }
}

impl<V: Value> Held<'_, V> {
    /// The place of this key.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        self.set.find(key)
    }

    /// Whether this key is in this place.
    #[inline]
    pub(super) fn is_at(&self, at: usize, key: Key) -> bool {
        self.set.is_at(at, key)
    }

    /// A place for one more, at home if there is one.
    pub(super) fn free(&self, key: Key) -> Option<usize> {
        let home = home::<V>(key);
        (home..ways::<V>()).chain(0..home).find(|at| self.is_free(*at))
    }

    fn is_free(&self, at: usize) -> bool {
        self.set.key(at) == (0, 0)
    }

    /// The entries of which they or a neighbour have changed in this epoch or later.
    pub(super) fn since(&self, epoch: u32) -> impl Iterator<Item = (Key, V)> {
        let entries = self.entries().filter(move |(at, ..)| self.set.stamp(*at) >= epoch);
        entries.map(|(_, key, value)| (key, value))
    }

    /// The entries with their places.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, Key, V)> {
        let taken = (0..ways::<V>()).filter(|at| !self.is_free(*at));
        taken.map(|at| {
            let (high, low) = self.set.key(at);
            (at, Key::of_halves(high, low), self.value(at))
        })
    }

    #[inline]
    pub(super) fn value(&self, at: usize) -> V {
        V::read(self.set.value_words(at))
    }

    #[inline]
    pub(super) fn set_value(&mut self, at: usize, value: V, epoch: u32) {
        value.write(self.set.value_words(at));
        let (word, shift) = stamped(at);
        if let Some(word) = self.set.words.get(word) {
            let others = word.load(Ordering::Relaxed) & !(u64::from(u32::MAX) << shift);
            word.store(others | u64::from(epoch) << shift, Ordering::Relaxed);
        }
    }

    /// Puts an entry where none is, or in the place of another.
    pub(super) fn put(&mut self, at: usize, key: Key, value: V, epoch: u32) {
        if self.is_free(at) {
            self.state = self.state.saturating_add(1 << TAKEN_SHIFT);
        }
        self.set_key(at, key.halves());
        self.set_value(at, value, epoch);
    }

    pub(super) fn remove(&mut self, at: usize) {
        if !self.is_free(at) {
            self.state = self.state.saturating_sub(1 << TAKEN_SHIFT);
            self.set_key(at, (0, 0));
        }
    }

    /// Forgets every entry; what had to go before has gone.
    pub(super) fn clear(&mut self) {
        (0..ways::<V>()).for_each(|at| self.remove(at));
    }

    /// One more had to go.
    pub(super) fn evict(&mut self) {
        let [_, gone, ..] = self.set.words;
        gone.store(gone.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    fn set_key(&self, at: usize, halves: (u64, u64)) {
        let first = first_word::<V>(at);
        if let Some([high, low]) = self.set.words.get(first..first.wrapping_add(2)) {
            high.store(halves.0, Ordering::Relaxed);
            low.store(halves.1, Ordering::Relaxed);
        }
    }
}
