//! One set of a table: the words that threads share.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use super::head::Head;
use super::{Key, Value};

/// Words of a set: sixteen cache lines.
pub(super) const WORDS: usize = 128;
/// Words of a cache line.
pub(super) const LINE: usize = 8;
/// Entries of a group.
const GROUP: usize = 5;
/// The halves of the key that none is.
pub(super) const FREE: (u64, u64) = (0, 0);

/// The words of a set: groups of five entries, each in cache lines of its own (two, with values of one word). A group has
/// its head, and then its entries: both halves of the key, and the value. A key of zero is none. A place is named by its
/// first word, a group by its head.
///
/// Each key has a group that is its home, where nearly nine in ten are when three quarters are taken; the others are looked for
/// everywhere. In a group all five are compared, without a branch for each: a wrong guess of the processor would cost as
/// much as fetching the entry, for until it is fetched nothing can be done for the next request.
///
/// Each group has a lock. Who wants an entry that is there takes that of its group; who looks for room, or at all of them,
/// takes every group's, from the first to the last. The one is held for some dozens of instructions; the others, in a full set,
/// until forty entries are ranked.
pub(super) struct Set<'t, V> {
    pub(super) words: &'t [AtomicU64; WORDS],
    value: PhantomData<V>,
}

/// Entries of a set with such values: forty with a value of one word.
pub(super) const fn ways<V: Value>() -> usize {
    WORDS / group_words::<V>() * GROUP
}

const fn slot_words<V: Value>() -> usize {
    V::WORDS.saturating_add(2)
}

/// A power of two.
const fn group_words<V: Value>() -> usize {
    GROUP.saturating_mul(slot_words::<V>()).saturating_add(1).next_power_of_two()
}

/// Every group, from this one on.
fn groups_from<V: Value>(group: usize) -> impl Iterator<Item = usize> {
    groups::<V>().map(move |step| group.wrapping_add(step) % WORDS)
}

/// Every group.
pub(super) fn groups<V: Value>() -> impl Iterator<Item = usize> {
    (0..WORDS).step_by(group_words::<V>())
}

/// The places of a group.
fn places_of<V: Value>(group: usize) -> impl Iterator<Item = usize> {
    (group.wrapping_add(1)..).step_by(slot_words::<V>()).take(GROUP)
}

/// Every place.
pub(super) fn places<V: Value>() -> impl Iterator<Item = usize> {
    groups::<V>().flat_map(places_of::<V>)
}

/// The group of a place.
pub(super) const fn group_of<V: Value>(at: usize) -> usize {
    at & !(group_words::<V>().wrapping_sub(1))
}

/// The group where a key is at home: by bits that no set is chosen by.
#[inline(always)]
pub(super) const fn home<V: Value>(key: Key) -> usize {
    let (high, _) = key.halves();
    ((high >> 32) as usize % (WORDS / group_words::<V>())).wrapping_mul(group_words::<V>())
}

impl<V> Clone for Set<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Set<'_, V> {}

impl<'t, V: Value> Set<'t, V> {
    #[inline(always)]
    pub(super) const fn new(words: &'t [AtomicU64; WORDS]) -> Self {
        const { assert!(group_words::<V>() <= WORDS && group_words::<V>() >= LINE) };
        Self { words, value: PhantomData }
    }

    /// The heads of its groups, as they are just now. Nothing is written, so that memory that nobody has touched stays so.
    pub(super) fn heads(self) -> impl Iterator<Item = Head> {
        groups::<V>().filter_map(move |group| self.words.get(group)).map(Head::of)
    }

    /// The place of this key, home first. Entries stay where they are: one that is not found without the lock was not there
    /// at some moment meanwhile (or shares its lower half with one that went just then).
    pub(super) fn find(&self, key: Key) -> Option<usize> {
        groups_from::<V>(home::<V>(key)).find_map(|group| self.find_in(group, key.halves()))
    }

    /// A place where no entry is, as near to the home of this key as there is one.
    pub(super) fn free(&self, key: Key) -> Option<usize> {
        groups_from::<V>(home::<V>(key)).find_map(|group| self.find_in(group, FREE))
    }

    /// The place of these halves of a key in a group.
    pub(super) fn find_in(&self, group: usize, halves: (u64, u64)) -> Option<usize> {
        let at = self.likely(group, halves);
        match self.key(at) {
            found if found == halves => Some(at),
            (_, low) if low == halves.1 => places_of::<V>(group).find(|at| self.key(*at) == halves),
            _ => None,
        }
    }

    /// The same, but where another of the group has the same lower half it may not be found.
    #[inline(always)]
    pub(super) fn find_at_once(&self, group: usize, halves: (u64, u64)) -> Option<usize> {
        let at = self.likely(group, halves);
        (self.key(at) == halves).then_some(at)
    }

    /// The last place of a group with this lower half of a key, or its first: of all five no more is compared.
    #[inline(always)]
    fn likely(&self, group: usize, (_, low): (u64, u64)) -> usize {
        let mut next = group.wrapping_add(1);
        let mut at = next;
        for _ in 1..GROUP {
            next = next.wrapping_add(slot_words::<V>());
            at = if self.low_half(next) == low { next } else { at };
        }
        at
    }

    /// Whether this key is in this place.
    #[inline(always)]
    pub(super) fn is_at(&self, at: usize, key: Key) -> bool {
        self.key(at) == key.halves()
    }

    #[inline(always)]
    fn low_half(&self, at: usize) -> u64 {
        self.words.get(at.wrapping_add(1)).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Both halves of the key in a place, or zeros.
    #[inline(always)]
    pub(super) fn key(&self, at: usize) -> (u64, u64) {
        let read = |word| self.words.get(word).map_or(0, |word: &AtomicU64| word.load(Ordering::Relaxed));
        (read(at), read(at.wrapping_add(1)))
    }

    /// The words of the value in a place, and those that follow.
    #[inline(always)]
    pub(super) fn value_words(&self, at: usize) -> &'t [AtomicU64] {
        // No place ends outside; so told, the compiler need not look.
        self.words.get(at.wrapping_add(2) % WORDS..).unwrap_or_default()
    }

    /// Under the lock of the group.
    pub(super) fn set_key(&self, at: usize, halves: (u64, u64)) {
        if let Some([high, low]) = self.words.get(at..at.wrapping_add(2)) {
            high.store(halves.0, Ordering::Relaxed);
            low.store(halves.1, Ordering::Relaxed);
        }
    }
}
