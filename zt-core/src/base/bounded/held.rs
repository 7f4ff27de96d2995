//! The right to change a set.

use std::sync::atomic::Ordering;

use super::set::{Set, TAKEN_SHIFT, first_word, home, stamped, ways};
use super::{Key, Value};

/// A set that no other thread changes meanwhile.
pub(super) struct Held<'t, V> {
    set: Set<'t, V>,
    state: u64,
}

impl<'t, V> Held<'t, V> {
    /// Whose lock has just been taken, and its state without that.
    #[inline]
    pub(super) const fn new(set: Set<'t, V>, state: u64) -> Self {
        Self { set, state }
    }
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
