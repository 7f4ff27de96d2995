//! Keys of addresses, in a fraction of what other keys take.

use std::fmt;

use super::key::{Key, KeyHasher};

/// Builds the [`Key`] of an address: two strongly universal hashes of 64 bits over its two words (Dietzfelbinger 1996,
/// Lemire and Kaser 2014: factors and sums modulo 2^128, of which the upper half counts), with factors that come from the
/// seed. The lowest bit is always one, so that no key is zero.
///
/// For any two addresses that are chosen without knowing the factors, the keys are the same with probability 2^-127. What
/// is left of the order of sums, which would put neighbours at equal distances, ends where the half by which tables choose
/// a set is mixed: by steps that can be undone, so that nothing of the above is lost.
#[derive(Clone)]
pub struct AddressHasher {
    high: [u128; 3],
    low: [u128; 3],
}

impl fmt::Debug for AddressHasher {
    /// Without the factors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressHasher")
    }
}

impl AddressHasher {
    /// With factors that this hasher makes.
    pub fn new(hasher: &KeyHasher) -> Self {
        let factor = |number: u64| hasher.clone().part(b"factor of addresses").number(number).key().to_u128();
        Self { high: [0, 1, 2].map(factor), low: [3, 4, 5].map(factor) }
    }

    /// The key of the bits of an address.
    #[inline]
    pub fn key(&self, bits: u128) -> Key {
        Key::of_halves(mixed(sum(&self.high, bits)), sum(&self.low, bits) | 1)
    }
}

/// The upper half of `a * first + b * second + c`.
#[inline]
const fn sum(&[a, b, c]: &[u128; 3], bits: u128) -> u64 {
    let first = a.wrapping_mul(bits >> 64);
    let second = b.wrapping_mul(bits as u64 as u128);
    (first.wrapping_add(second).wrapping_add(c) >> 64) as u64
}

#[inline]
const fn mixed(bits: u64) -> u64 {
    (bits ^ bits >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bounded::set::home;

    /// Of so many keys the most that share a set, and the part that shares a home.
    fn crowding(seed: u64, addresses: impl Iterator<Item = u128>) -> (usize, f64) {
        const SETS: usize = 1 << 12;
        let hasher = AddressHasher::new(&KeyHasher::new(seed));
        let (mut sets, mut homes, mut all) = (vec![0; SETS], [0; 4], 0);
        for address in addresses {
            let key = hasher.key(address);
            sets[(key.halves().0 >> 52) as usize] += 1;
            homes[home::<u64>(key) / 16] += 1;
            all += 1;
        }
        (sets.into_iter().max().unwrap(), f64::from(homes.into_iter().max().unwrap()) / f64::from(all))
    }

    /// Neighbours, every second address, networks of IPv4 and of IPv6, interfaces of one network: whatever the step, keys
    /// spread as they would by chance. With ten keys a set on average, chance puts more than 32 in one of 4,096 sets once in
    /// thirty thousand times.
    #[test]
    fn whoever_counts_addresses_up_fills_no_set() {
        const V4: u128 = 0xffff_0a00_0000;
        const V6: u128 = 0x2001_0db8 << 96;
        for seed in 0..60 {
            for (base, step) in [(V4, 0), (V4, 1), (V4, 8), (V6, 0), (V6, 32), (V6, 64), (V6, 71), (V6, 80)] {
                let (most, home) = crowding(seed, (0..40_960).map(|number| base + (number << step)));
                assert!(most <= 32 && home < 0.27, "{seed}: {most}, {home} of {base:x} << {step}");
            }
        }
    }

    /// Bits that are spread over an address, in any order, networks beside hosts, squares: no pattern is better than chance.
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
                let (most, home) = crowding(seed, (0..40_960).map(pattern));
                assert!(most <= 32 && home < 0.27, "{seed}: {most}, {home} of pattern {at}");
            }
        }
    }

    #[test]
    fn no_two_addresses_have_the_same_key() {
        let hasher = AddressHasher::new(&KeyHasher::new(7));
        let bits = (0..128).flat_map(|bit| [1 << bit, !(1 << bit)]).chain([0, u128::MAX]);
        let keys: std::collections::BTreeSet<Key> = bits.map(|bits| hasher.key(bits)).collect();
        assert_eq!(keys.len(), 258);
        assert!(keys.iter().all(|key| key.to_u128() & 1 == 1));
        let other = AddressHasher::new(&KeyHasher::new(8));
        assert_ne!(hasher.key(1), other.key(1));
    }

    #[test]
    fn the_same_key_on_every_target() {
        let key = AddressHasher::new(&KeyHasher::new(42)).key(0x2001_0db8 << 96 | 7);
        assert_eq!(format!("{:032x}", key.to_u128()), "4d3e274ecbc6a8ce2c920a9eeb0da113");
    }

    /// `a * first + b * second + c` modulo 2^128, of which the upper half counts.
    #[test]
    fn is_a_sum_of_products() {
        let hasher = AddressHasher { high: [1 << 64, 1 << 65, 5 << 64], low: [3 << 64, u128::MAX, 10] };
        let key = hasher.key(7 << 64 | 9);
        assert_eq!(key.halves(), (mixed(7 + 2 * 9 + 5), 21 | 1));
        let (_, carried) = hasher.key(7 << 64 | 11).halves();
        assert_eq!(carried, 20 | 1, "of 10 - 11");
    }
}
