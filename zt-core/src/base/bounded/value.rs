//! What a table keeps for a key.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a table keeps for a key: some words, all zero for [`Default`].
pub trait Value: Copy + Default + PartialEq {
    /// How many words it takes.
    const WORDS: usize;

    /// Reads it from its words.
    fn read(words: &[AtomicU64]) -> Self;

    /// Writes it to its words.
    fn write(self, words: &[AtomicU64]);

    /// Until when an entry with this value matters, in the user's own measure; 0 for what may be displaced unnoticed.
    fn matters_until(&self) -> u64 {
        0
    }
}

/// A time, or whatever else grows.
impl Value for u64 {
    const WORDS: usize = 1;

    #[inline]
    fn read(words: &[AtomicU64]) -> Self {
        words.first().map_or(0, |word| word.load(Ordering::Relaxed))
    }

    #[inline]
    fn write(self, words: &[AtomicU64]) {
        if let Some(word) = words.first() {
            word.store(self, Ordering::Relaxed);
        }
    }

    fn matters_until(&self) -> u64 {
        *self
    }
}

/// Words that somebody else understands: nothing of them matters to the table.
impl Value for [u64; 4] {
    const WORDS: usize = 4;

    fn read(words: &[AtomicU64]) -> Self {
        let mut value = Self::default();
        value.iter_mut().zip(words).for_each(|(value, word)| *value = word.load(Ordering::Relaxed));
        value
    }

    fn write(self, words: &[AtomicU64]) {
        self.iter().zip(words).for_each(|(value, word)| word.store(*value, Ordering::Relaxed));
    }
}
