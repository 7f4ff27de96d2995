//! A bounded table in which who has the fewest samples makes room: what a flood leaves behind displaces only its likes, and
//! the choice depends on what is there alone, not on the order in which it came.

use crate::base::bytes::Reader;
use crate::base::generations::Kept;
use crate::base::keyed::Map;

/// What has a number of samples.
pub(super) trait Sampled: Kept {
    fn samples(&self) -> u64;
    /// Bytes on the heap.
    fn memory(&self) -> usize;
}

#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    entries: Map<V>,
    capacity: usize,
}

impl<V: Sampled> Table<V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: Map::default(), capacity }
    }

    pub(super) fn get(&self, key: u64) -> Option<&V> {
        self.entries.get(&key)
    }

    /// To be written; [`bound`](Self::bound) follows.
    pub(super) fn entry(&mut self, key: u64) -> &mut V {
        self.entries.entry(key).or_default()
    }

    /// In no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Lets go what is too much: those with the fewest samples, of those the highest keys.
    pub(super) fn bound(&mut self) {
        let excess = self.entries.len().saturating_sub(self.capacity);
        if excess == 0 {
            return;
        }
        let mut order: Vec<(u64, u64)> = self.entries.iter().map(|(key, value)| (value.samples(), *key)).collect();
        order.sort_unstable_by(|(one, key), (two, other)| one.cmp(two).then(other.cmp(key)));
        for (_, key) in order.into_iter().take(excess) {
            self.entries.remove(&key);
        }
        self.entries.shrink_to(self.capacity);
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut sorted: Vec<(&u64, &V)> = self.entries.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| **key);
        out.extend_from_slice(&(sorted.len() as u64).to_le_bytes());
        for (key, value) in sorted {
            out.extend_from_slice(&key.to_le_bytes());
            value.write(out);
        }
    }

    /// `None` where the bytes are none of these, or more than the capacity.
    pub(super) fn read(capacity: usize, reader: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self::new(capacity);
        let number = usize::try_from(reader.u64()?).ok().filter(|number| *number <= capacity)?;
        let mut last = None;
        for _ in 0..number {
            let key = reader.u64().filter(|key| last.is_none_or(|last| last < *key))?;
            last = Some(key);
            read.entries.insert(key, V::read(reader)?);
        }
        Some(read)
    }

    pub(super) fn join(&mut self, other: &Self) {
        other.entries.iter().for_each(|(key, value)| self.entry(*key).join(value));
        self.bound();
    }

    pub(super) fn memory(&self) -> usize {
        let values = self.values().map(Sampled::memory).fold(0, usize::saturating_add);
        self.entries.allocation_size().saturating_add(values)
    }
}
