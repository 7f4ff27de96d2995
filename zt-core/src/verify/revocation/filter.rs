//! A Bloom filter for revocations that have no place of their own.

use super::Mark;

/// Bits of an entry (Bloom 1970): 7 are best at 10 bits an entry.
const BITS: u32 = 7;

/// What may have been added; never says no to what was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    words: Vec<u64>,
    /// The strictest of everything added.
    strictest: Mark,
}

impl Filter {
    pub(super) fn with_memory(bytes: usize) -> Self {
        Self { words: vec![0; (bytes / 8).max(1)], strictest: Mark::default() }
    }

    pub(super) fn memory(&self) -> usize {
        self.words.len().saturating_mul(8)
    }

    pub(super) fn add(&mut self, key: u128, mark: Mark) {
        self.strictest = self.strictest.stricter(mark);
        for bit in 0..BITS {
            let (word, mask) = self.place(key, bit);
            if let Some(word) = self.words.get_mut(word) {
                *word |= mask;
            }
        }
    }

    /// The mark that holds for a key, when it may have been added.
    pub(super) fn mark(&self, key: u128) -> Option<Mark> {
        let set = |bit| {
            let (word, mask) = self.place(key, bit);
            self.words.get(word).is_some_and(|word| word & mask != 0)
        };
        (0..BITS).all(set).then_some(self.strictest)
    }

    /// Starts afresh once everything in it is over.
    pub(super) fn forget_expired(&mut self, now: i64) {
        if self.strictest != Mark::default() && self.strictest.expires <= now {
            self.words.fill(0);
            self.strictest = Mark::default();
        }
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.strictest == Mark::default() && self.words.iter().all(|word| *word == 0)
    }

    /// Everything that either holds; nothing changes when the other is of another size.
    pub(super) fn join(&mut self, other: &Self) {
        for (here, there) in self.words.iter_mut().zip(&other.words) {
            *here |= there;
        }
        self.strictest = self.strictest.stricter(other.strictest);
    }

    pub(super) fn parts(&self) -> (&[u64], Mark) {
        (&self.words, self.strictest)
    }

    pub(super) fn of_parts(words: Vec<u64>, strictest: Mark) -> Self {
        Self { words, strictest }
    }

    /// Word and mask of one of a key's bits, by double hashing (Kirsch and Mitzenmacher 2006).
    fn place(&self, key: u128, bit: u32) -> (usize, u64) {
        let (high, low) = ((key >> 64) as u64, key as u64);
        let hash = high.wrapping_add(low.wrapping_mul(u64::from(bit))).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let word = u128::from(hash).saturating_mul(self.words.len() as u128) >> 64;
        (word as usize, 1 << (hash & 63))
    }
}
