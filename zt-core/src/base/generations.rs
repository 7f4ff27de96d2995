//! A map that forgets what was not asked for lately.

use super::bytes::Reader;
use super::keyed::Map;

/// What can be kept elsewhere, and joined with its like: in any order.
pub trait Kept: Default {
    /// As bytes.
    fn write(&self, out: &mut Vec<u8>);
    /// From bytes; `None` where they are none of these.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;
    /// Adds another.
    fn join(&mut self, other: &Self);
}

/// A count.
impl Kept for u32 {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.u32()
    }
    fn join(&mut self, other: &Self) {
        *self = self.saturating_add(*other);
    }
}

/// Two counts.
impl Kept for [u32; 2] {
    fn write(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|count| count.write(out));
    }
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some([reader.u32()?, reader.u32()?])
    }
    fn join(&mut self, other: &Self) {
        self.iter_mut().zip(other).for_each(|(own, other)| own.join(other));
    }
}

/// Whether it is there is all there is to know.
impl Kept for () {
    fn write(&self, _: &mut Vec<u8>) {}
    fn read(_: &mut Reader<'_>) -> Option<Self> {
        Some(())
    }
    fn join(&mut self, (): &Self) {}
}

/// At most so many entries by hash, in two generations: what is written is young; when half of the entries are young, the old
/// ones go and the young grow old. So what was written among the last half of the capacity is always there, and the choice depends
/// on the calls alone.
#[derive(Clone, Debug)]
pub struct Generations<V> {
    young: Map<V>,
    old: Map<V>,
    half: usize,
}

impl<V: Default> Generations<V> {
    /// For at most so many entries, two at least.
    pub fn new(capacity: usize) -> Self {
        Self { young: Map::default(), old: Map::default(), half: (capacity / 2).max(1) }
    }

    /// What is there for a key; it does not count as writing.
    pub fn get(&self, key: u64) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// What is there for a key, or a new one, to be written.
    pub fn entry(&mut self, key: u64) -> &mut V {
        let Self { young, old, half } = self;
        let aged = if young.contains_key(&key) { None } else { Some(old.remove(&key).unwrap_or_default()) };
        if aged.is_some() && young.len() >= *half {
            *old = std::mem::take(young);
        }
        young.entry(key).or_insert_with(|| aged.unwrap_or_default())
    }

    /// For at most so many entries from now on, two at least. Where there are more the old go, and of the young those with the
    /// highest keys, until half of them fit: the choice depends on the entries alone.
    pub fn resize(&mut self, capacity: usize) {
        self.half = (capacity / 2).max(1);
        if self.old.len() > self.half {
            self.old = Map::default();
        }
        if self.young.len() > self.half {
            let mut young: Vec<(u64, V)> = self.young.drain().collect();
            young.sort_unstable_by_key(|(key, _)| *key);
            young.truncate(self.half);
            self.young = young.into_iter().collect();
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.young.len().saturating_add(self.old.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every key, in no order.
    pub fn keys(&self) -> impl Iterator<Item = u64> {
        self.young.keys().chain(self.old.keys()).copied()
    }

    /// Every value, in no order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.young.values().chain(self.old.values())
    }

    /// Bytes that the tables take, without what values point to.
    pub fn memory(&self) -> usize {
        self.young.allocation_size().saturating_add(self.old.allocation_size())
    }
}

impl<V: Kept + Clone> Generations<V> {
    /// As bytes: both generations, each in rising order of keys.
    pub fn write(&self, out: &mut Vec<u8>) {
        for generation in [&self.young, &self.old] {
            let mut sorted: Vec<(&u64, &V)> = generation.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| **key);
            out.extend_from_slice(&(sorted.len() as u64).to_le_bytes());
            for (key, value) in sorted {
                out.extend_from_slice(&key.to_le_bytes());
                value.write(out);
            }
        }
    }

    /// From bytes, for this capacity; `None` where they are none of these. There may be more than that where several were
    /// [joined](Self::join): [`resize`](Self::resize) lets go what is too much.
    pub fn read(capacity: usize, reader: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self::new(capacity);
        let mut generation = || {
            // Each has a key at least.
            let number = usize::try_from(reader.u64()?).ok().filter(|number| *number <= reader.left() / 8)?;
            let (mut map, mut last) = (Map::default(), None);
            for _ in 0..number {
                let key = reader.u64().filter(|key| last.is_none_or(|last| last < *key))?;
                last = Some(key);
                map.insert(key, V::read(reader)?);
            }
            Some(map)
        };
        (read.young, read.old) = (generation()?, generation()?);
        let apart = read.old.keys().all(|key| !read.young.contains_key(key));
        apart.then_some(read)
    }

    /// Adds another's entries: as they are where there are none of their keys. There may be more than the capacity until as
    /// many were written.
    pub fn join(&mut self, other: &Self) {
        for (key, value) in &other.young {
            if let Some(old) = self.old.remove(key) {
                self.young.insert(*key, old);
            }
            join_at(&mut self.young, *key, value);
        }
        for (key, value) in &other.old {
            let generation = if self.young.contains_key(key) { &mut self.young } else { &mut self.old };
            join_at(generation, *key, value);
        }
    }
}

fn join_at<V: Kept + Clone>(entries: &mut Map<V>, key: u64, value: &V) {
    match entries.get_mut(&key) {
        Some(own) => own.join(value),
        None => _ = entries.insert(key, value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_lately_stays_and_the_number_is_bounded() {
        let mut map: Generations<u64> = Generations::new(100);
        for key in 0..10_000_u64 {
            *map.entry(key) += 1;
            *map.entry(7) += 1;
            assert!(map.len() <= 100);
            assert!(map.get(key.saturating_sub(40)).is_some(), "{key}");
        }
        assert_eq!(map.get(7), Some(&10_001));
        assert_eq!(map.get(9_000), None);
    }

    #[test]
    fn less_room_keeps_what_is_young() {
        let mut map: Generations<u64> = Generations::new(100);
        (0..80).for_each(|key| *map.entry(key) = key);
        map.resize(40);
        // 30 were young; the lowest 20 of them stay.
        assert_eq!(
            (map.len(), map.get(49), map.get(50), map.get(69), map.get(70)),
            (20, None, Some(&50), Some(&69), None)
        );
        (100..1_000).for_each(|key| *map.entry(key) = key);
        assert!(map.len() <= 40);
    }

    /// What is written lately comes first; joined, the longest wins.
    impl Kept for Vec<u8> {
        fn write(&self, out: &mut Vec<u8>) {
            out.push(u8::try_from(self.len()).unwrap());
            out.extend_from_slice(self);
        }
        fn read(reader: &mut Reader<'_>) -> Option<Self> {
            let [number] = reader.take()?;
            reader.bytes(number.into()).map(<[u8]>::to_vec)
        }
        fn join(&mut self, other: &Self) {
            self.extend_from_slice(other);
            self.sort_unstable();
        }
    }

    #[test]
    fn what_is_joined_is_the_same_in_any_order_and_reads_back_however_much_it_is() {
        let bytes = |map: &Generations<Vec<u8>>| {
            let mut bytes = Vec::new();
            map.write(&mut bytes);
            bytes
        };
        let of = |keys: std::ops::Range<u64>| {
            let mut map: Generations<Vec<u8>> = Generations::new(10);
            keys.for_each(|key| map.entry(key).extend([9, (key % 7) as u8, 1]));
            map
        };
        let (one, two) = (of(0..9), of(3..12));
        let [mut here, mut there] = [one.clone(), two.clone()];
        here.join(&two);
        there.join(&one);
        assert_eq!(bytes(&here), bytes(&there));
        assert_eq!(here.get(1), Some(&vec![9, 1, 1]), "as it was");
        let mut many = of(0..10);
        (1..30).for_each(|part| many.join(&of(part * 10..part * 10 + 10)));
        let written = bytes(&many);
        let mut reader = Reader::new(&written);
        let mut read = Generations::<Vec<u8>>::read(10, &mut reader).unwrap();
        assert_eq!((bytes(&read), reader.left(), read.len()), (written.clone(), 0, 300));
        read.resize(10);
        assert!(read.len() <= 10);
        // More than there can be are not made room for.
        let mut cut = written;
        cut[..8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
        assert!(Generations::<Vec<u8>>::read(10, &mut Reader::new(&cut)).is_none());
    }

    #[test]
    fn the_least_capacity() {
        let mut map: Generations<u8> = Generations::new(0);
        *map.entry(1) = 1;
        *map.entry(2) = 2;
        *map.entry(1) += 1;
        assert_eq!((map.get(1), map.get(2)), (Some(&2), Some(&2)));
    }
}
