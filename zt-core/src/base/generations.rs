//! A map that forgets what was not asked for lately.

use super::keyed::Map;

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

    /// Every entry, in rising order of keys.
    pub fn sorted(&self) -> Vec<(u64, &V)> {
        let mut all: Vec<(u64, &V)> = self.young.iter().chain(&self.old).map(|(key, value)| (*key, value)).collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }

    /// Bytes that the tables take, without what values point to.
    pub fn memory(&self) -> usize {
        self.young.allocation_size().saturating_add(self.old.allocation_size())
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
            assert!(map.sorted().len() <= 100);
            assert!(map.get(key.saturating_sub(40)).is_some(), "{key}");
        }
        assert_eq!(map.get(7), Some(&10_001));
        assert_eq!(map.get(9_000), None);
        let sorted = map.sorted();
        assert!(sorted.windows(2).all(|pair| pair[0].0 < pair[1].0));
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
