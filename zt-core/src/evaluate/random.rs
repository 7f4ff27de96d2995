//! Numbers that look random and are the same for the same seed: Steele, Lea and Flood's SplitMix64 (2014).

/// A row of them.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than `end`; 0 where that is 0.
    pub(super) const fn below(&mut self, end: usize) -> usize {
        ((self.next() as u128 * end as u128) >> 64) as usize
    }

    /// One of them; none of none.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_is_that_of_splitmix() {
        // Of the authors' program with the seed 1234567.
        let mut random = Random::new(1_234_567);
        let row = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(row.map(|_: u64| random.next()), row);
    }

    #[test]
    fn each_is_picked_about_as_often() {
        let mut random = Random::new(1);
        let mut times = [0_u32; 7];
        (0..70_000).for_each(|_| times[random.below(7)] += 1);
        assert!(times.iter().all(|times| (9_500..10_500).contains(times)), "{times:?}");
        assert_eq!(random.below(0), 0);
    }
}
