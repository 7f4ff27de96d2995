//! Keyed 64-bit hashes for tables of counts.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

/// A seed and what is made of it.
#[derive(Clone)]
pub struct Keyed(RapidSecrets);

impl Keyed {
    /// Of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(RapidSecrets::seed(seed))
    }

    /// Hash of some bytes.
    #[inline]
    pub fn bytes(&self, bytes: &[u8]) -> u64 {
        rapidhash_v3_nano_inline::<true, false>(bytes, &self.0)
    }
}

impl fmt::Debug for Keyed {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").finish_non_exhaustive()
    }
}

/// Two hashes made one; the order matters.
#[inline]
pub const fn join(context: u64, key: u64) -> u64 {
    let left = context ^ 0x9e37_79b9_7f4a_7c15;
    let right = key.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ 0xa076_1d64_78bd_642f;
    let product = (left as u128).wrapping_mul(right as u128);
    (product as u64) ^ ((product >> 64) as u64) ^ left.rotate_left(29)
}

/// A map whose keys are hashes already.
pub type Map<V> = hashbrown::HashMap<u64, V, BuildHasherDefault<IdentityHasher>>;

/// A hash that is its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_on_every_target() {
        let keyed = Keyed::new(7);
        assert_eq!(keyed.bytes(b"GET /orders/{id}"), 8_273_872_045_402_853_278);
        assert_eq!(join(1, 2), 737_422_843_022_182_703);
    }

    #[test]
    fn joined_hashes_differ() {
        let joined: BTreeSet<u64> = (0..300_u64).flat_map(|a| (0..300_u64).map(move |b| join(a, b))).collect();
        assert_eq!(joined.len(), 90_000);
        assert_ne!(Keyed::new(1).bytes(b"x"), Keyed::new(2).bytes(b"x"));
    }
}
