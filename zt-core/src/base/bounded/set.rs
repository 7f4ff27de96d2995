//! One set of a table: the words that threads share, and the right to change them.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use super::held::Held;
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
pub(super) const TAKEN_SHIFT: u32 = 8;
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
    pub(super) words: &'t [AtomicU64; WORDS],
    value: PhantomData<V>,
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
pub(super) const fn first_word<V: Value>(at: usize) -> usize {
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
        // At once, for nearly always it is free, and looking first would ask for its cache line twice.
        while word.fetch_or(LOCKED, Ordering::SeqCst) & LOCKED != 0 {
            // From now on, looking costs the holder nothing; trying would take its cache line.
            while word.load(Ordering::Relaxed) & LOCKED != 0 {
                tries = tries.saturating_add(1);
                if tries < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
            }
        }
        let state = word.load(Ordering::Relaxed) & !LOCKED;
        Held::new(self, state)
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
    pub(super) fn key(&self, at: usize) -> (u64, u64) {
        let read = |word| self.words.get(word).map_or(0, |word: &AtomicU64| word.load(Ordering::Relaxed));
        (read(first_word::<V>(at)), read(first_word::<V>(at).wrapping_add(1)))
    }

    /// The words of the value in a place.
    #[inline]
    pub(super) fn value_words(&self, at: usize) -> &'t [AtomicU64] {
        let first = first_word::<V>(at).wrapping_add(2);
        self.words.get(first..first.wrapping_add(V::WORDS)).unwrap_or_default()
    }

    /// The epoch of the last change of a place or its neighbours.
    pub(super) fn stamp(&self, at: usize) -> u32 {
        let (word, shift) = stamped(at);
        self.words.get(word).map_or(0, |word| (word.load(Ordering::Relaxed) >> shift) as u32)
    }
}

/// Where a place has its stamp: the word, and the bit in it.
#[inline]
pub(super) const fn stamped(at: usize) -> (usize, u32) {
    let number = at / GROUP;
    (2_usize.wrapping_add(number / 2), if number.is_multiple_of(2) { 0 } else { 32 })
}

/// The first place of the group where a key is at home: by bits that no set is chosen by.
#[inline]
pub(super) const fn home<V: Value>(key: Key) -> usize {
    let (_, low) = key.halves();
    // In 64 bits first: the same on every target.
    ((low % (ways::<V>() / GROUP) as u64) as usize).wrapping_mul(GROUP)
}

const fn taken(state: u64) -> usize {
    (state >> TAKEN_SHIFT) as u8 as usize
}
