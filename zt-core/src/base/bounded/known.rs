//! An entry that is there, while no other thread changes it.

use std::sync::atomic::AtomicU64;

use super::head::Head;
use super::set::{FREE, Set, group_of, home};
use super::{Bounded, Key, Value};

/// An entry that is there, under the lock of its group.
pub struct Known<'t, V: Value> {
    table: &'t Bounded<V>,
    group: Group<'t>,
    set: Set<'t, V>,
    at: usize,
}

/// A group that no other thread changes meanwhile.
struct Group<'t> {
    word: &'t AtomicU64,
    head: Head,
}

impl<'t> Group<'t> {
    #[inline(always)]
    fn lock(word: &'t AtomicU64) -> Self {
        Self { word, head: Head::lock(word) }
    }
}

impl Drop for Group<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.head.unlock(self.word);
    }
}

impl<V: Value> Bounded<V> {
    /// The entry of a key, if there is one. Until it is let go, no method of this table may be called.
    #[inline(always)]
    pub fn known(&self, key: Key) -> Option<Known<'_, V>> {
        let set = self.set_of(key)?;
        let home = home::<V>(key);
        let group = Group::lock(set.words.get(home)?);
        match set.find_at_once(home, key.halves()) {
            Some(at) => Some(Known { table: self, group, set, at }),
            None => {
                drop(group);
                self.known_elsewhere(set, key)
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn known_elsewhere<'t>(&'t self, set: Set<'t, V>, key: Key) -> Option<Known<'t, V>> {
        let at = set.find(key)?;
        let group = Group::lock(set.words.get(group_of::<V>(at))?);
        // It may have gone before the lock was taken.
        if set.is_at(at, key) { Some(Known { table: self, group, set, at }) } else { None }
    }
}

impl<V: Value> Known<'_, V> {
    /// What is stored.
    #[inline(always)]
    pub fn value(&self) -> V {
        V::read(self.set.value_words(self.at))
    }

    /// Stores another value.
    #[inline(always)]
    pub fn put(&mut self, value: V) {
        value.write(self.set.value_words(self.at));
        self.group.head = self.group.head.changed(self.table.epoch());
    }

    /// Forgets it.
    pub fn remove(mut self) {
        self.set.set_key(self.at, FREE);
        self.group.head = self.group.head.one_less();
    }
}
