//! One set of a table: the words that threads share, and the right to change them.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Key, Value};

/// Entries of a set.
pub(super) const WAYS: usize = 10;
/// Words before the entries.
const HEAD: usize = 2;
/// Words of a cache line.
pub(super) const LINE: usize = 8;

const LOCKED: u64 = 1;
const TAKEN_SHIFT: u32 = 8;
const STAMP_SHIFT: u32 = 32;
/// Tries before a thread lets others run: what is done under the lock takes less.
const SPINS: u32 = 100;

/// The words of a set: first its state (from the lowest bit: whether a thread holds it, how many entries are taken, the
/// epoch of its last change), then how many entries had to go, then the entries: both halves of the key, and the value. A
/// key of zero is none.
///
/// The lock is a word of the set itself, so that a request fetches no other line for it, and threads meet only at the same
/// set. It is held for some dozens of instructions.
pub(super) struct Set<'t, V> {
    words: &'t [AtomicU64],
    value: PhantomData<V>,
}

/// A set that no other thread changes meanwhile.
pub(super) struct Held<'t, V> {
    set: Set<'t, V>,
    state: u64,
}

/// Words of a set with such values: whole cache lines.
pub(super) const fn words<V: Value>() -> usize {
    HEAD.saturating_add(WAYS.saturating_mul(slot_words::<V>())).next_multiple_of(LINE)
}

const fn slot_words<V: Value>() -> usize {
    V::WORDS.saturating_add(2)
}

impl<'t, V: Value> Set<'t, V> {
    pub(super) fn new(words: &'t [AtomicU64]) -> Self {
        Self { words, value: PhantomData }
    }

    /// Waits until no other thread holds it. `None` for a set without words, which there is not.
    #[inline]
    pub(super) fn lock(self) -> Option<Held<'t, V>> {
        let word = self.words.first()?;
        let mut tries = 0_u32;
        loop {
            // Looking costs the holder nothing; trying would take its cache line.
            let state = word.load(Ordering::Relaxed);
            if state & LOCKED == 0
                && word.compare_exchange_weak(state, state | LOCKED, Ordering::SeqCst, Ordering::Relaxed).is_ok()
            {
                return Some(Held { set: self, state });
            }
            tries = tries.saturating_add(1);
            if tries < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }

    /// Entries that it holds and entries that had to go, as they are just now.
    pub(super) fn counts(&self) -> (usize, u64) {
        let word = |at: usize| self.words.get(at).map_or(0, |word| word.load(Ordering::Relaxed));
        (taken(word(0)), word(1))
    }

    /// Whether it holds an entry, and has changed in this epoch or later; or a thread is about to change it. Nothing is
    /// written, so that memory that nobody has touched stays so.
    ///
    /// Sequentially consistent, as the lock and the epochs are: of a thread that takes the lock and then reads the epoch,
    /// and one that begins an epoch and then looks here, one sees the other.
    pub(super) fn may_have_changed(&self, epoch: u32) -> bool {
        let state = self.words.first().map_or(0, |word| word.load(Ordering::SeqCst));
        state & LOCKED != 0 || (taken(state) > 0 && stamp(state) >= epoch)
    }

    /// The place of this key. Entries stay where they are: one that is not found without the lock was not there at some
    /// moment meanwhile.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        self.slots().position(|slot| key_of(slot) == key.halves())
    }

    /// The words of each place.
    #[inline]
    fn slots(&self) -> impl DoubleEndedIterator<Item = &[AtomicU64]> + ExactSizeIterator {
        self.words.get(HEAD..).unwrap_or_default().chunks_exact(slot_words::<V>()).take(WAYS)
    }
}

const fn stamp(state: u64) -> u32 {
    (state >> STAMP_SHIFT) as u32
}

const fn taken(state: u64) -> usize {
    (state >> TAKEN_SHIFT) as u8 as usize
}

impl<V> Drop for Held<'_, V> {
    #[inline]
    fn drop(&mut self) {
        if let Some(word) = self.set.words.first() {
            word.store(self.state, Ordering::Release);
        }
    }
}

impl<V: Value> Held<'_, V> {
    fn slot(&self, at: usize) -> &[AtomicU64] {
        let first = HEAD.saturating_add(at.saturating_mul(slot_words::<V>()));
        self.set.words.get(first..first.saturating_add(slot_words::<V>())).unwrap_or_default()
    }

    /// The place of this key.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        self.set.find(key)
    }

    /// A place for one more.
    pub(super) fn free(&self) -> Option<usize> {
        if self.taken() == WAYS { None } else { self.set.slots().position(is_empty) }
    }

    /// The entries with their places.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, Key, V)> {
        let taken = self.set.slots().enumerate().filter(|(_, slot)| !is_empty(slot));
        taken.map(|(at, slot)| {
            let (high, low) = key_of(slot);
            (at, Key::of_halves(high, low), V::read(slot.get(2..).unwrap_or_default()))
        })
    }

    #[inline]
    pub(super) fn value(&self, at: usize) -> V {
        V::read(self.slot(at).get(2..).unwrap_or_default())
    }

    #[inline]
    pub(super) fn set_value(&mut self, at: usize, value: V, epoch: u32) {
        value.write(self.slot(at).get(2..).unwrap_or_default());
        self.stamp(epoch);
    }

    /// Puts an entry where none is, or in the place of another.
    pub(super) fn put(&mut self, at: usize, key: Key, value: V, epoch: u32) {
        if self.set.slots().nth(at).is_some_and(is_empty) {
            self.state = self.state.saturating_add(1 << TAKEN_SHIFT);
        }
        self.set_key(at, key.halves());
        self.set_value(at, value, epoch);
    }

    pub(super) fn remove(&mut self, at: usize) {
        if !self.set.slots().nth(at).is_none_or(is_empty) {
            self.state = self.state.saturating_sub(1 << TAKEN_SHIFT);
            self.set_key(at, (0, 0));
        }
    }

    /// Forgets every entry; what had to go before has gone.
    pub(super) fn clear(&mut self) {
        (0..WAYS).for_each(|at| self.remove(at));
    }

    pub(super) fn taken(&self) -> usize {
        taken(self.state)
    }

    /// One more had to go.
    pub(super) fn evict(&mut self) {
        if let Some(word) = self.set.words.get(1) {
            word.store(word.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
        }
    }

    /// The epoch of the last change.
    pub(super) const fn epoch(&self) -> u32 {
        stamp(self.state)
    }

    #[inline]
    fn stamp(&mut self, epoch: u32) {
        self.state = self.state & u64::from(u32::MAX) | u64::from(epoch) << STAMP_SHIFT;
    }

    fn set_key(&self, at: usize, halves: (u64, u64)) {
        if let [high, low, ..] = self.slot(at) {
            high.store(halves.0, Ordering::Relaxed);
            low.store(halves.1, Ordering::Relaxed);
        }
    }
}

#[inline]
fn key_of(slot: &[AtomicU64]) -> (u64, u64) {
    match slot {
        [high, low, ..] => (high.load(Ordering::Relaxed), low.load(Ordering::Relaxed)),
        _ => (0, 0),
    }
}

fn is_empty(slot: &[AtomicU64]) -> bool {
    key_of(slot) == (0, 0)
}
