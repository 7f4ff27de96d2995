//! How far a count is above what was expected.

use crate::base::bytes::Reader;
use crate::base::fixed;
use crate::base::generations::Kept;

/// One, 16 bits behind the point.
pub(super) const ONE: i64 = 1 << 16;
/// Before any count is known, as if so many were, with variances of a quarter of the square beyond those of chance.
const FEW: i64 = 20;
const FIRST: i64 = ONE / 4;
/// The least and the most that variances are thought to have beyond those of chance.
const LEAST: i64 = ONE / 16;
const MOST: i64 = 4 * ONE;
/// A count is not taken for more times what was expected.
const MOST_TIMES: u32 = 4;
/// Larger counts are halved, both and until they are not: chance hardly matters for them, and rounding would.
const EXACT: u64 = 1_024 << 8;

/// How much more counts vary than by chance, by the square of what was expected: the inverse of the shape of a negative
/// binomial distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    number: u32,
    /// 16 bits behind the point.
    sum: i64,
}

impl Spread {
    /// What a count says of it, both 8 bits behind the point; nothing where less than one was expected.
    pub(super) fn sample(count: u32, expected: u32) -> Option<i64> {
        if expected < 1 << 8 {
            return None;
        }
        let (count, expected) = (i64::from(count.min(expected.saturating_mul(MOST_TIMES))), i64::from(expected));
        // ((count - expected)^2 - count) / expected^2
        let far = (count - expected).saturating_mul(ONE) / expected;
        Some((far.saturating_mul(far) / ONE).saturating_sub(count.saturating_mul(ONE << 8) / expected / expected))
    }

    pub(super) fn add(&mut self, sample: i64) {
        self.number = self.number.saturating_add(1);
        self.sum = self.sum.saturating_add(sample);
    }

    /// Beside what is usual of others, 16 bits behind the point.
    pub(super) fn beside(&self, usual: Option<i64>) -> i64 {
        let sum = self.sum.saturating_add(usual.unwrap_or(FIRST).saturating_mul(FEW));
        (sum / i64::from(self.number).saturating_add(FEW)).clamp(LEAST, MOST)
    }
}

/// Deviations that a count is above what was expected: such as have the same probability, by the tail of a negative binomial
/// distribution. All numbers 8 bits behind the point, but the spread.
pub(super) fn deviations(count: u32, expected: u32, spread: i64) -> u32 {
    if count <= expected {
        return 0;
    }
    let (mut count, mut expected) = (u64::from(count), u64::from(expected));
    while count > EXACT {
        (count, expected) = (count / 2, expected / 2);
    }
    let expected = expected.max(1);
    let shape = u64::try_from((ONE << 8) / spread.max(1)).unwrap_or(0);
    // count ln(count / expected) - (count + shape) ln((count + shape) / (expected + shape)), 24 bits behind the point.
    let term = |part: u64, of: u64| part.saturating_mul(u64::from(fixed::ln(part).saturating_sub(fixed::ln(of))));
    let nats = term(count, expected).saturating_sub(term(count.saturating_add(shape), expected.saturating_add(shape)));
    u32::try_from((nats >> 7).isqrt()).unwrap_or(u32::MAX)
}

impl Kept for Spread {
    fn write(&self, out: &mut Vec<u8>) {
        self.number.write(out);
        out.extend_from_slice(&self.sum.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { number: reader.u32()?, sum: reader.i64()? })
    }

    fn join(&mut self, other: &Self) {
        self.number = self.number.saturating_add(other.number);
        self.sum = self.sum.saturating_add(other.sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn z(count: f64, expected: f64, spread: f64) -> f64 {
        let fixed = |number: f64| (number * 256.0) as u32;
        f64::from(deviations(fixed(count), fixed(expected), (spread * 65_536.0) as i64)) / 256.0
    }

    #[test]
    fn it_is_the_tail_of_a_negative_binomial_distribution() {
        for (count, expected, spread) in [
            (5.0, 1.0, 0.25),
            (60.0, 5.0, 0.1),
            (60.0, 60.0, 0.1),
            (350.0, 100.0, 0.05),
            (900.0, 300.0, 1.0),
            (1_020.0, 900.0, 0.02),
            (30.0, 0.1, 4.0),
        ] {
            let k = 1.0 / spread;
            let nats = count * libm::log(count / expected) - (count + k) * libm::log((count + k) / (expected + k));
            let (found, exact) = (z(count, expected, spread), libm::sqrt(2.0 * nats));
            assert!((found - exact).abs() < 0.05 + exact / 50.0, "{count} {expected} {spread}: {found} is not {exact}");
        }
        assert_eq!(z(3.0, 4.0, 0.1), 0.0);
    }

    #[test]
    fn large_counts_are_as_exact() {
        for expected in [3_000.0, 100_000.0, 4_000_000.0] {
            let far = (z(expected * 1.5, expected, 0.05) - z(1_023.0, 682.0, 0.05)).abs();
            assert!(far < 0.15, "{expected}: {far}");
        }
        assert!(deviations(u32::MAX, 0, 1) > 0);
    }

    #[test]
    fn spread_is_what_counts_vary_beyond_chance() {
        let of = |counts: &[f64], expected: f64| {
            let mut spread = Spread::default();
            let sample = |count: &f64| Spread::sample((count * 256.0) as u32, (expected * 256.0) as u32);
            (0..100).flat_map(|_| counts.iter().filter_map(sample)).for_each(|sample| spread.add(sample));
            spread.beside(None) as f64 / 65_536.0
        };
        // Deviations of 10 are chance among 100.
        assert!(of(&[90.0, 110.0], 100.0) < 0.07);
        // 50 of 100 are a quarter by the square, and a hundredth of it is chance.
        assert!((of(&[50.0, 150.0], 100.0) - 0.24).abs() < 0.02);
        assert_eq!(of(&[1.0, 9.0], 0.5), 0.25);
        assert!(of(&[1e6, 1.0], 2.0) < 4.1);
    }
}
