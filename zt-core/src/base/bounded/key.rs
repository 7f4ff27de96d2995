//! 128-bit keyed hashes: what a table keeps instead of the names that an attacker chooses.

use std::fmt;
use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// The keyed hash of some parts, 128 bits, never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    high: u64,
    low: u64,
}

impl Key {
    /// The key with this number; zero marks an empty place, and is none.
    pub const fn from_u128(number: u128) -> Option<Self> {
        if number == 0 { None } else { Some(Self { high: (number >> 64) as u64, low: number as u64 }) }
    }

    /// The key as a number.
    pub const fn to_u128(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }

    pub(super) const fn halves(self) -> (u64, u64) {
        (self.high, self.low)
    }

    pub(super) const fn of_halves(high: u64, low: u64) -> Self {
        Self { high, low }
    }
}

/// Builds a [`Key`] from parts with SipHash-1-3 (Aumasson and Bernstein 2012), under a secret seed so that nobody
/// can aim at a place of a table. Each part carries its length: `("ab", "c")` and `("a", "bc")` differ.
///
/// ```
/// use zt_core::base::bounded::KeyHasher;
/// let hasher = KeyHasher::new(7);
/// assert_ne!(hasher.clone().part(b"ab").part(b"c").key(), hasher.clone().part(b"a").part(b"bc").key());
/// ```
#[derive(Clone)]
pub struct KeyHasher(SipHasher13);

impl fmt::Debug for KeyHasher {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher")
    }
}

impl KeyHasher {
    /// A hasher under this seed; cloning it is cheaper than making another.
    pub fn new(seed: u64) -> Self {
        // SipHash takes 128 bits of key: the second half is the seed through a step of SplitMix64.
        let mut other = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        other = (other ^ other >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        other = (other ^ other >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(SipHasher13::new_with_keys(seed, other ^ other >> 31))
    }

    /// Adds these bytes, length first, as whole words: the last is filled up with zeros, which is the quickest way through
    /// the hash and loses nothing, for the length is known.
    #[inline]
    pub fn part(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.number(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
        self
    }

    /// Adds this number.
    #[inline]
    pub fn number(&mut self, number: u64) -> &mut Self {
        // Little-endian bytes on every target: `write_u64` takes the native ones.
        self.0.write_u64(number.to_le());
        self
    }

    /// Adds these bytes, or the fact that there are none, which no bytes equal.
    #[inline]
    pub fn optional(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.part(bytes),
            // No bytes are this long.
            None => self.number(u64::MAX),
        }
    }

    /// The key of everything so far.
    #[inline]
    pub fn key(&self) -> Key {
        let (high, low) = self.0.finish128().as_u64();
        Key { high, low: if high | low == 0 { 1 } else { low } }
    }
}

/// Why keys of elsewhere mean nothing here.
pub const OTHER_SEED: &str = "written under another seed: keep `[state] seed` the same from where a snapshot is taken to \
                              where it is read";

/// Keys and values of a table as bytes: 24 each, key before value, little-endian.
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = (u128, u64)> {
    bytes.as_chunks::<24>().0.iter().filter_map(|entry| {
        let (key, value) = entry.split_first_chunk()?;
        Some((u128::from_le_bytes(*key), u64::from_le_bytes(*value.first_chunk()?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_shift() {
        let hasher = KeyHasher::new(1);
        let keys = [
            hasher.clone().part(b"ab").part(b"c").key(),
            hasher.clone().part(b"a").part(b"bc").key(),
            hasher.clone().part(b"abc").key(),
            hasher.clone().part(b"abc").part(b"").key(),
            hasher.clone().optional(Some(b"a")).key(),
            hasher.clone().optional(None).key(),
            KeyHasher::new(2).part(b"abc").key(),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
        }
        assert_eq!(Key::from_u128(keys[0].to_u128()), Some(keys[0]));
        assert_eq!(Key::from_u128(0), None);
    }

    #[test]
    fn the_same_key_on_every_target() {
        let key = KeyHasher::new(42).part(b"limit").number(7).key();
        assert_eq!(key.to_u128(), 0x1383_6a4b_df1b_5422_bf8c_e4bd_0e3e_2457);
    }
}
