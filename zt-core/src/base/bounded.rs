//! Keyed tables that cannot grow past their capacity.

mod insert;
mod key;
mod pressure;
#[cfg(test)]
mod stress;
#[cfg(test)]
mod tests;
mod usage;

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use insert::Inserted;
pub use key::{Key, KeyHasher, entries};
pub use usage::Usage;

/// A table of at most `capacity` entries, shared between threads by reference.
///
/// **At the bound**: a key has its place in one set of eight entries, chosen by its keyed hash. A new key for a full
/// set displaces the entry that `rank` puts lowest; among equals, the one used least recently. Nothing else is ever
/// forgotten, and the choice depends on the calls alone, so one thread is deterministic. Because keys spread over
/// the sets by chance, the first sets overflow when about half of the capacity is taken (at half, under 1 % of
/// the keys have no place).
///
/// **Pressure**: when an entry is displaced that still mattered, the table remembers until when it did
/// ([`pressed_until`](Self::pressed_until)), so that its user can be stricter with keys that it does not know.
///
/// **Changes**: each set carries the epoch of its last change, so that [`since`](Self::since) finds what is new without
/// a list of changes.
///
/// Memory is taken once, 24.5 bytes an entry for a `u64`, and does not depend on the keys. (The operating system maps
/// it as it is touched.) What values own on the heap is not counted.
pub struct Bounded<V> {
    shards: Box<[Shard<V>]>,
    sets_per_shard: usize,
    /// What changes are stamped with.
    epoch: AtomicU32,
    pressed_until: AtomicU64,
}

/// What a table keeps for a key.
pub trait Value: Clone + Default + PartialEq {
    /// Until when an entry with this value matters, in the user's own measure; 0 for what may be displaced unnoticed.
    fn matters_until(&self) -> u64 {
        0
    }
}

/// A time, or whatever else grows.
impl Value for u64 {
    fn matters_until(&self) -> u64 {
        *self
    }
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

const WAYS: usize = 8;
const MOST_SHARDS: usize = 64;
/// Fewer sets than this are not worth a lock of their own.
const LEAST_SETS_PER_SHARD: usize = 16;

/// Key halves and value; `(0, 0)` is empty. A tuple, because a vector of zeroed tuples costs no writing.
type Slot<V> = (u64, u64, V);

/// A cache line pair of its own, so that neighbours' locks do not slow each other.
#[repr(align(128))]
struct Shard<V>(Mutex<Sets<V>>);

struct Sets<V> {
    /// Sets of `WAYS` slots, in each the taken ones first, used last first.
    slots: Vec<Slot<V>>,
    /// For each set, the epoch of its last change.
    stamps: Vec<u32>,
    len: usize,
    evicted: u64,
}

impl<V: Value> Bounded<V> {
    /// A set and its stamp.
    const SET_BYTES: usize = WAYS * size_of::<Slot<V>>() + size_of::<u32>();

    /// A table of at most this many entries (whole sets: a multiple of 8, at least 8).
    pub fn with_capacity(entries: usize) -> Self {
        let sets = (entries / WAYS).max(1);
        let shards = (sets / LEAST_SETS_PER_SHARD).clamp(1, MOST_SHARDS);
        // A power of two, so that a mask chooses the shard.
        let shards = 1_usize << shards.ilog2();
        let sets_per_shard = sets / shards;
        let slots = sets_per_shard.saturating_mul(WAYS);
        let shard = || {
            let slots = vec![(0, 0, V::default()); slots];
            Shard(Mutex::new(Sets { slots, stamps: vec![0; sets_per_shard], len: 0, evicted: 0 }))
        };
        let shards = (0..shards).map(|_| shard()).collect();
        Self { shards, sets_per_shard, epoch: AtomicU32::new(0), pressed_until: AtomicU64::new(0) }
    }

    /// A table of about this many bytes.
    pub fn with_memory(bytes: usize) -> Self {
        // One part in 32 for the locks.
        let sets = bytes.saturating_sub(bytes / 32) / Self::SET_BYTES;
        Self::with_capacity(sets.saturating_mul(WAYS))
    }

    /// Entries that it can hold.
    pub fn capacity(&self) -> usize {
        self.shards.len().saturating_mul(self.sets_per_shard).saturating_mul(WAYS)
    }

    /// Entries that it holds.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries that had to go for others, and offers that found no place, so far.
    pub fn evicted(&self) -> u64 {
        self.shards.iter().map(|shard| shard.lock().evicted).fold(0, u64::saturating_add)
    }

    /// Bytes held, the same from the start.
    pub fn memory(&self) -> usize {
        let sets = self.shards.len().saturating_mul(self.sets_per_shard).saturating_mul(Self::SET_BYTES);
        sets.saturating_add(self.shards.len().saturating_mul(size_of::<Shard<V>>())).saturating_add(size_of::<Self>())
    }

    /// The value of a key; reading it counts as use.
    pub fn get(&self, key: Key) -> Option<V> {
        self.update(key, |_, _| (), |value| (Change::Keep, value.cloned()))
    }

    /// Shows `f` the value of a key, if there is one, and does with the entry what it says; no other thread comes
    /// between. `rank` orders the entries of a full set: the lowest goes first.
    ///
    /// `f` runs under a lock: it must be short, and must not call this table.
    pub fn update<T, R: Ord>(
        &self,
        key: Key,
        rank: impl Fn(Key, &V) -> R,
        f: impl FnOnce(Option<&V>) -> (Change<V>, T),
    ) -> T {
        let (high, low) = key.halves();
        let index = (u128::from(high).saturating_mul(self.sets_per_shard as u128) >> 64) as usize;
        let shard = self.shards.get(low as usize & self.shards.len().wrapping_sub(1));
        let Some(shard) = shard else { return f(None).1 };
        let mut sets = shard.lock();
        let Sets { slots, stamps, len, evicted } = &mut *sets;
        let set = slots.as_chunks_mut::<WAYS>().0.get_mut(index);
        let Some((set, stamp)) = set.zip(stamps.get_mut(index)) else { return f(None).1 };

        // The first place that is this key's or free; the taken ones come first.
        let place = set.iter().position(|slot| (slot.0, slot.1) == (high, low) || is_empty(slot));
        let found = place.filter(|at| set.get(*at).is_some_and(|slot| !is_empty(slot)));
        if let Some(found) = found {
            to_front(set, found);
            let [first, ..] = set;
            let (change, result) = f(Some(&first.2));
            match change {
                Change::Keep => {}
                // What is the same is no change: else two tables that tell each other would never be done.
                Change::Put(value) | Change::Offer(value) if value == first.2 => {}
                Change::Put(value) | Change::Offer(value) => {
                    first.2 = value;
                    *stamp = self.epoch.load(Ordering::Acquire);
                }
                Change::Remove => {
                    *first = (0, 0, V::default());
                    let taken = set.iter().skip(1).take_while(|slot| !is_empty(slot)).count();
                    set.get_mut(..=taken).unwrap_or_default().rotate_left(1);
                    *len = len.saturating_sub(1);
                }
            }
            return result;
        }

        let (change, result) = f(None);
        let (value, offered) = match change {
            Change::Put(value) => (value, false),
            Change::Offer(value) => (value, true),
            Change::Keep | Change::Remove => return result,
        };
        let place = if let Some(free) = place {
            *len = len.saturating_add(1);
            free
        } else {
            *evicted = evicted.saturating_add(1);
            let ranked = set.iter().enumerate().map(|(at, slot)| (rank(Key::of_halves(slot.0, slot.1), &slot.2), at));
            // From the back, because the first of equals wins and the back is used least recently.
            match ranked.rev().min_by(|(a, _), (b, _)| a.cmp(b)) {
                Some((lowest, _)) if offered && rank(key, &value) <= lowest => {
                    self.press(&value);
                    return result;
                }
                Some((_, at)) => at,
                None => return result,
            }
        };
        if let Some(slot) = set.get_mut(place) {
            if !is_empty(slot) {
                self.press(&slot.2);
            }
            *slot = (high, low, value);
        }
        *stamp = self.epoch.load(Ordering::Acquire);
        to_front(set, place);
        result
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
        self.epoch.fetch_max(epoch, Ordering::AcqRel);
    }

    /// Every entry, by key: the same content gives the same list.
    pub fn entries(&self) -> Vec<(Key, V)> {
        self.since(0)
    }

    /// The entries of the sets that have changed in this epoch or later, by key: all that changed, and up to seven
    /// neighbours of each. Everything that changed before [`advance`](Self::advance) to a later epoch is in it: each
    /// change reads its epoch under the lock that this takes. Removals leave no trace.
    pub fn since(&self, epoch: u32) -> Vec<(Key, V)> {
        let mut entries = Vec::new();
        for shard in &self.shards {
            let sets = shard.lock();
            for (set, stamp) in sets.slots.as_chunks::<WAYS>().0.iter().zip(&sets.stamps) {
                if *stamp >= epoch {
                    let taken = set.iter().take_while(|slot| !is_empty(slot));
                    entries.extend(taken.map(|(high, low, value)| (Key::of_halves(*high, *low), value.clone())));
                }
            }
        }
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }

    /// Forgets everything, what pressed on it included.
    pub fn clear(&self) {
        for shard in &self.shards {
            let mut sets = shard.lock();
            sets.slots.fill((0, 0, V::default()));
            sets.len = 0;
        }
        self.pressed_until.store(0, Ordering::Relaxed);
    }
}

impl<V> Shard<V> {
    /// Nothing here is left half-done by a panic, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Sets<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> fmt::Debug for Bounded<V> {
    /// Shape only: entries may tell of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

const fn is_empty<V>(slot: &Slot<V>) -> bool {
    slot.0 | slot.1 == 0
}

/// Moves the slot at `from` to the front, those before it one back.
fn to_front<V>(set: &mut [Slot<V>; WAYS], from: usize) {
    if from != 0 {
        set.get_mut(..=from).unwrap_or_default().rotate_right(1);
    }
}
