//! The right to change a set.

use std::sync::atomic::AtomicU64;

use super::head::Head;
use super::set::{FREE, Set, group_of, groups, places};
use super::{Key, Value};

/// A set that no other thread changes meanwhile.
pub(super) struct Held<'t, V: Value>(Set<'t, V>);

impl<'t, V: Value> Held<'t, V> {
    /// Waits until no other thread holds any of it.
    pub(super) fn lock(set: Set<'t, V>) -> Self {
        let held = Self(set);
        // In one order for all threads: no two wait for each other.
        held.heads().for_each(|word| {
            Head::lock(word);
        });
        held
    }

    fn heads(&self) -> impl Iterator<Item = &'t AtomicU64> {
        let words = self.0.words;
        groups::<V>().filter_map(|group| words.get(group))
    }

    /// The place of this key.
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        self.0.find(key)
    }

    /// A place for one more, as near to home as there is one.
    pub(super) fn free(&self, key: Key) -> Option<usize> {
        self.0.free(key)
    }

    fn is_free(&self, at: usize) -> bool {
        self.0.key(at) == FREE
    }

    /// The entries of which they or a neighbour have changed in this epoch or later.
    pub(super) fn since(&self, epoch: u32) -> impl Iterator<Item = (Key, V)> {
        let changed = move |at| self.head(at).is_some_and(|(_, head)| head.has_changed(epoch));
        self.entries().filter(move |(at, ..)| changed(*at)).map(|(_, key, value)| (key, value))
    }

    /// The entries with their places.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, Key, V)> {
        let taken = places::<V>().filter(|at| !self.is_free(*at));
        taken.map(|at| {
            let (high, low) = self.0.key(at);
            (at, Key::of_halves(high, low), self.value(at))
        })
    }

    pub(super) fn value(&self, at: usize) -> V {
        V::read(self.0.value_words(at))
    }

    pub(super) fn set_value(&mut self, at: usize, value: V, epoch: u32) {
        value.write(self.0.value_words(at));
        self.change(at, |head| head.changed(epoch));
    }

    /// Puts an entry where none is, or in the place of another.
    pub(super) fn put(&mut self, at: usize, key: Key, value: V, epoch: u32) {
        if self.is_free(at) {
            self.change(at, Head::one_more);
        }
        self.0.set_key(at, key.halves());
        self.set_value(at, value, epoch);
    }

    pub(super) fn remove(&mut self, at: usize) {
        if !self.is_free(at) {
            self.change(at, Head::one_less);
            self.0.set_key(at, FREE);
        }
    }

    /// Forgets every entry; what had to go before has gone.
    pub(super) fn clear(&mut self) {
        places::<V>().for_each(|at| self.remove(at));
    }

    /// One had to go from this place, or found none for this key.
    pub(super) fn evict(&mut self, at: usize) {
        self.change(at, Head::evicted);
    }

    /// The head of a place's group.
    fn head(&self, at: usize) -> Option<(&'t AtomicU64, Head)> {
        let word = self.0.words.get(group_of::<V>(at))?;
        Some((word, Head::of(word)))
    }

    fn change(&mut self, at: usize, next: impl FnOnce(Head) -> Head) {
        if let Some((word, head)) = self.head(at) {
            next(head).store(word);
        }
    }
}

impl<V: Value> Drop for Held<'_, V> {
    fn drop(&mut self) {
        self.heads().for_each(|word| Head::of(word).unlock(word));
    }
}
