//! 128-bit keyed hashes: what a table keeps instead of the names that an attacker chooses.

use std::fmt;

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

/// Builds a [`Key`] from parts with SipHash-1-3 and its output of 128 bits (Aumasson and Bernstein 2012), under a secret
/// seed so that nobody can aim at a place of a table. Each part carries its length: `("ab", "c")` and `("a", "bc")` differ.
///
/// Parts are whole words, so that there is no rest to keep between them: a third of the instructions of a hasher of bytes,
/// and most of what a limit costs when its entry is near.
///
/// ```
/// use zt_core::base::bounded::KeyHasher;
/// let hasher = KeyHasher::new(7);
/// assert_ne!(hasher.clone().part(b"ab").part(b"c").key(), hasher.clone().part(b"a").part(b"bc").key());
/// ```
#[derive(Clone)]
pub struct KeyHasher {
    state: [u64; 4],
    words: u64,
}

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
        Self::with_keys(seed, other ^ other >> 31)
    }

    const fn with_keys(first: u64, second: u64) -> Self {
        // "somepseudorandomlygeneratedbytes", and what tells the output of 128 bits from that of 64.
        let state = [
            first ^ 0x736f_6d65_7073_6575,
            second ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            first ^ 0x6c79_6765_6e65_7261,
            second ^ 0x7465_6462_7974_6573,
        ];
        Self { state, words: 0 }
    }

    /// Adds these bytes, length first, as whole words: the last is filled up with zeros, which loses nothing, for the
    /// length is known.
    #[inline]
    pub fn part(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.number(last_word(bytes, rest.len()));
        }
        self
    }

    /// Adds this number.
    #[inline(always)]
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.state = block(self.state, number);
        self.words = self.words.wrapping_add(1);
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
    #[inline(always)]
    pub fn key(&self) -> Key {
        // The last block of SipHash: how many bytes there were, modulo 256, in its highest byte.
        let [a, b, c, d] = block(self.state, self.words << 3 << 56);
        let first = round(round(round([a, b, c ^ 0xee, d])));
        let [a, b, c, d] = first;
        let second = round(round(round([a, b ^ 0xdd, c, d])));
        let (high, low) = (folded(first), folded(second));
        Key { high, low: if high | low == 0 { 1 } else { low } }
    }
}

/// The last bytes, fewer than eight and more than none, as a word: read at once, with those before them.
#[inline]
pub(super) fn last_word(bytes: &[u8], count: usize) -> u64 {
    if let Some(last) = bytes.last_chunk() {
        return u64::from_le_bytes(*last) >> (8_usize.wrapping_sub(count).wrapping_mul(8) % 64);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << (count.wrapping_sub(4).wrapping_mul(8) % 64);
    }
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Takes in one word.
#[inline(always)]
const fn block([a, b, c, d]: [u64; 4], word: u64) -> [u64; 4] {
    let [a, b, c, d] = round([a, b, c, d ^ word]);
    [a ^ word, b, c, d]
}

const fn folded([a, b, c, d]: [u64; 4]) -> u64 {
    a ^ b ^ c ^ d
}

/// One SipRound.
#[inline(always)]
const fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32);
    c = c.wrapping_add(b);
    a = a.wrapping_add(d);
    b = b.rotate_left(17) ^ c;
    d = d.rotate_left(21) ^ a;
    c = c.rotate_left(32);
    [a, b, c, d]
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
    use proptest::prelude::*;
    use siphasher::sip128::SipHasher13;

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

    proptest! {
        /// Of the same words as bytes, little-endian.
        #[test]
        fn is_siphash_1_3(first: u64, second: u64, words in prop::collection::vec(any::<u64>(), 0..70)) {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let theirs = SipHasher13::new_with_keys(first, second).hash(&bytes);
            let mut ours = KeyHasher::with_keys(first, second);
            words.iter().for_each(|word| { ours.number(*word); });
            let key = ours.key();
            prop_assert_eq!((key.high, key.low), theirs.as_u64());
        }

        /// Texts as length and whole words, nothing as a length that none has.
        #[test]
        fn parts_are_words(parts in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..30)), 0..6)) {
            let (mut ours, mut words) = (KeyHasher::new(5), KeyHasher::new(5));
            for part in &parts {
                ours.optional(part.as_deref());
                let Some(part) = part else { words.number(u64::MAX); continue };
                words.number(part.len() as u64);
                let mut filled = part.clone();
                filled.resize(part.len().next_multiple_of(8), 0);
                for word in filled.chunks(8) { words.number(u64::from_le_bytes(word.try_into().unwrap())); }
            }
            prop_assert_eq!(ours.key(), words.key());
        }
    }

    #[test]
    fn the_same_key_on_every_target() {
        let key = KeyHasher::new(42).part(b"limit").number(7).key();
        assert_eq!(key.to_u128(), 0x1383_6a4b_df1b_5422_bf8c_e4bd_0e3e_2457);
    }
}
