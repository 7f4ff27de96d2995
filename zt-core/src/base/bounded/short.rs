//! Keys of addresses and short names, in a fraction of what other keys take.

use std::fmt;

use super::key::{Key, KeyHasher, last_word};

/// Builds the [`Key`] of a few words: a strongly universal hash of 128 bits (multilinear: Dietzfelbinger 1996, Lemire and
/// Kaser 2014; factors and sums modulo 2^192, of which the upper 128 bits count), with factors that come from the seed.
/// The lowest bit is always one, so that no key is zero.
///
/// For any two lists of words that are chosen without knowing the factors, the keys are the same with probability 2^-127,
/// as far as factors that SipHash makes of a seed of 64 bits are random. Whoever sees keys of words that he knows can work
/// the factors out: keys are as secret as the seed.
/// What is left of the order of sums, which would put neighbours at equal distances, ends where the half by which tables
/// choose a set is mixed: by steps that can be undone, so that nothing of the above is lost.
///
/// Zeros at the end count for nothing: lists of different lengths have to tell their lengths.
#[derive(Clone)]
pub struct ShortHasher {
    first: U192,
    factors: [U192; Self::WORDS],
}

impl fmt::Debug for ShortHasher {
    /// Without the factors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShortHasher")
    }
}

impl ShortHasher {
    /// The most words that it takes.
    pub const WORDS: usize = 16;

    /// With factors that this hasher makes.
    pub fn new(hasher: &KeyHasher) -> Self {
        let number = |number: u64| hasher.clone().part(b"factor of short keys").number(number).key().to_u128();
        let factor = |at: u64| U192 { high: number(at), low: number(!at) as u64 };
        Self { first: factor(0), factors: std::array::from_fn(|at| factor(at as u64 + 1)) }
    }

    /// Nothing so far.
    #[inline(always)]
    pub fn begin(&self) -> Short<'_> {
        Short { sum: self.first, factors: &self.factors }
    }
}

/// A key to be, of the words so far.
#[derive(Clone)]
pub struct Short<'h> {
    sum: U192,
    factors: &'h [U192],
}

impl Short<'_> {
    /// One word more, or `None` of too many.
    #[inline(always)]
    pub fn number(self, word: u64) -> Option<Self> {
        let (factor, factors) = self.factors.split_first()?;
        Some(Self { sum: self.sum.plus(*factor, word), factors })
    }

    /// These bytes as whole words: the last is filled up with zeros.
    #[inline(always)]
    pub fn part(self, bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks();
        let (own, factors) = self.factors.split_at_checked(words.len())?;
        let plus = |sum: U192, (word, factor): (&[u8; 8], &U192)| sum.plus(*factor, u64::from_le_bytes(*word));
        let whole = Self { sum: words.iter().zip(own).fold(self.sum, plus), factors };
        if rest.is_empty() { Some(whole) } else { whole.number(last_word(bytes, rest.len())) }
    }

    /// The key of everything so far.
    #[inline(always)]
    pub fn key(self) -> Key {
        let sum = self.sum.high;
        Key::of_halves(mixed((sum >> 64) as u64), sum as u64 | 1)
    }
}

/// A number of 192 bits.
#[derive(Clone, Copy)]
struct U192 {
    high: u128,
    low: u64,
}

impl U192 {
    /// `self + factor * word`, modulo 2^192.
    #[inline(always)]
    const fn plus(self, factor: Self, word: u64) -> Self {
        let word = word as u128;
        let below = (factor.low as u128).wrapping_mul(word).wrapping_add(self.low as u128);
        let above = factor.high.wrapping_mul(word).wrapping_add(below >> 64);
        Self { high: self.high.wrapping_add(above), low: below as u64 }
    }
}

#[inline]
const fn mixed(bits: u64) -> u64 {
    (bits ^ bits >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::base::bounded::set::home;

    fn of<const N: usize>(hasher: &ShortHasher, words: [u64; N]) -> Option<Key> {
        words.into_iter().try_fold(hasher.begin(), Short::number).map(Short::key)
    }

    fn address(hasher: &ShortHasher, bits: u128) -> Option<Key> {
        of(hasher, [(bits >> 64) as u64, bits as u64])
    }

    fn hasher(seed: u64) -> ShortHasher {
        ShortHasher::new(&KeyHasher::new(seed))
    }

    /// Of 40,960 keys under this seed none share a set of 4,096, nor a home of eight, more than keys would by chance: with
    /// ten keys a set on average, chance puts more than 32 in one of them once in thirty thousand times.
    fn spread_as_by_chance(seed: u64, what: &str, key: impl Fn(&ShortHasher, u32) -> Option<Key>) {
        const SETS: usize = 1 << 12;
        let hasher = hasher(seed);
        let (mut sets, mut homes) = (vec![0; SETS], [0; 8]);
        for key in (0..40_960).map(|number| key(&hasher, number).unwrap()) {
            sets[(key.halves().0 >> 52) as usize] += 1;
            homes[home::<u64>(key) / 16] += 1;
        }
        let (most, home) = (sets.into_iter().max().unwrap(), homes.into_iter().max().unwrap());
        assert!(most <= 32 && home < 5_530, "{what} under {seed}: {most}, {home}");
    }

    /// Neighbours, every second address, networks of IPv4 and of IPv6, interfaces of one network, whatever the step.
    #[test]
    fn whoever_counts_addresses_up_fills_no_set() {
        const V4: u128 = 0xffff_0a00_0000;
        const V6: u128 = 0x2001_0db8 << 96;
        for seed in 0..60 {
            for (base, step) in [(V4, 0), (V4, 1), (V4, 8), (V6, 0), (V6, 32), (V6, 64), (V6, 71), (V6, 80)] {
                let what = format!("{base:x} << {step}");
                spread_as_by_chance(seed, &what, |hasher, number| address(hasher, base + (u128::from(number) << step)));
            }
        }
    }

    /// Bits that are spread over an address, in any order, networks beside hosts, squares.
    #[test]
    fn whoever_picks_patterns_fills_no_set() {
        const V6: u128 = 0x2001_0db8 << 96;
        let spread = |number: u128, gap: usize, from: usize| {
            (0..16).filter(|bit| number >> bit & 1 == 1).fold(V6, |bits, bit| bits ^ 1 << (from + gap * bit))
        };
        let patterns: [&dyn Fn(u128) -> u128; 12] = [
            &|number| spread(number, 2, 0),
            &|number| spread(number, 3, 0),
            &|number| spread(number, 5, 20),
            &|number| spread(number, 7, 0),
            &|number| spread(number, 2, 64),
            &|number| spread(number, 4, 64 - 32),
            &|number| V6 + ((number ^ number >> 1) << 64),
            &|number| V6 + (u128::from((number as u32).reverse_bits()) << 64),
            &|number| V6 + (number << 64) + number,
            &|number| V6 + ((number % 64) << 64) + number / 64,
            &|number| V6 + ((number * number) << 48),
            &|number| 0xffff_0000_0000 + number * 0x9e37_79b1 % (1 << 32),
        ];
        for seed in 100..110 {
            for (at, pattern) in patterns.iter().enumerate() {
                spread_as_by_chance(seed, &format!("pattern {at}"), |hasher, number| {
                    address(hasher, pattern(number.into()))
                });
            }
        }
    }

    #[test]
    fn whoever_counts_names_up_fills_no_set() {
        let names: [&dyn Fn(u32) -> String; 5] = [
            &|number| number.to_string(),
            &|number| format!("{number:08}"),
            &|number| format!("user-{number:06}"),
            &|number| format!("{number:x}-and-so-on-to-the-second-word"),
            &|number| format!("{:08}-0000-4000-8000-{number:012}", number / 7),
        ];
        for seed in 200..210 {
            for (at, name) in names.iter().enumerate() {
                spread_as_by_chance(seed, &format!("name {at}"), |hasher, number| {
                    let name = name(number);
                    Some(hasher.begin().number(name.len() as u64)?.part(name.as_bytes())?.key())
                });
            }
        }
    }

    #[test]
    fn no_two_addresses_have_the_same_key() {
        let bits = (0..128).flat_map(|bit| [1 << bit, !(1 << bit)]).chain([0, u128::MAX]);
        let keys: BTreeSet<Key> = bits.filter_map(|bits| address(&hasher(7), bits)).collect();
        assert_eq!(keys.len(), 258);
        assert!(keys.iter().all(|key| key.to_u128() & 1 == 1));
        assert_ne!(address(&hasher(7), 1), address(&hasher(8), 1));
    }

    #[test]
    fn every_word_counts_in_its_place() {
        let hasher = hasher(7);
        let mut keys = BTreeSet::from([of(&hasher, [0; ShortHasher::WORDS])]);
        for at in 0..ShortHasher::WORDS {
            for bit in 0..64 {
                let mut words = [0; ShortHasher::WORDS];
                words[at] = 1 << bit;
                assert!(keys.insert(of(&hasher, words)), "{at}, {bit}");
            }
        }
        assert!(keys.iter().all(Option::is_some));
        assert_eq!(of(&hasher, [5, 0, 0]), of(&hasher, [5]), "zeros at the end count for nothing");
    }

    #[test]
    fn there_is_none_of_too_many_words() {
        let hasher = hasher(7);
        let bytes = |count: usize| hasher.begin().part(&vec![1; count]).map(Short::key);
        assert_eq!(of(&hasher, [0; ShortHasher::WORDS + 1]), None);
        assert!(bytes(8 * ShortHasher::WORDS).is_some());
        assert_eq!((bytes(8 * ShortHasher::WORDS + 1), bytes(1 << 20)), (None, None));
    }

    #[test]
    fn the_same_key_on_every_target() {
        let key = address(&hasher(42), 0x2001_0db8 << 96 | 7).unwrap();
        assert_eq!(format!("{:032x}", key.to_u128()), "e7a34c703268f51816ebe3b15c3b2e3b");
    }

    proptest! {
        /// Modulo 2^192, of which the upper 128 bits count: beside a sum of three words.
        #[test]
        fn is_a_sum_of_products(seed: u64, words in prop::collection::vec(any::<u64>(), 0..=ShortHasher::WORDS), end in 0_usize..8) {
            let mut hasher = hasher(seed);
            // Factors of many carries, too.
            hasher.factors[1] = U192 { high: u128::MAX, low: u64::MAX };
            hasher.factors[2] = U192 { high: 1 << 64, low: 0 };
            let thirds = |number: U192| [number.low, number.high as u64, (number.high >> 64) as u64].map(u128::from);
            let mut sum = thirds(hasher.first);
            for (word, factor) in words.iter().zip(&hasher.factors) {
                let mut carried = 0;
                for (third, factor) in sum.iter_mut().zip(thirds(*factor)) {
                    let all = factor * u128::from(*word) + *third + carried;
                    (*third, carried) = (u128::from(all as u64), all >> 64);
                }
            }
            let [_, low, high] = sum.map(|third| third as u64);
            let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let key = hasher.begin().part(&bytes).unwrap().key();
            prop_assert_eq!(key.halves(), (mixed(high), low | 1));
            // Parts as whole words.
            let numbers = words.iter().try_fold(hasher.begin(), |short, word| short.number(*word));
            prop_assert_eq!(numbers.unwrap().key(), key);
            if let Some(last) = bytes.len().checked_sub(8) {
                bytes[last + end + 1..].fill(0);
                let filled = hasher.begin().part(&bytes).unwrap().key();
                bytes.truncate(last + end + 1);
                prop_assert_eq!(hasher.begin().part(&bytes).unwrap().key(), filled);
            }
        }
    }
}
