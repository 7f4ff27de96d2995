//! Sums whose parts count half as much after each half-life: forward decay, so that sums taken in different places and orders add
//! up to one (Cormode, Shkapenyuk, Srivastava and Xu 2009). The landmark is the epoch, 1970; only integers are used.

use super::bytes::Reader;
use super::fixed;
use super::generations::Kept;

/// A sum in units of what one is worth at the start of a half-life, 16 bits behind the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decayed {
    /// Which half-life since the landmark.
    period: u32,
    sum: u32,
}

/// More is not counted.
const MOST: u32 = u32::MAX;
/// Bits behind the point of a sum.
const POINT: u32 = 8;

/// The half-life that a time is in, and what one is worth then beside its start: 1 to 2, 16 bits behind the point.
fn weight(now: i64, half_life_ms: i64) -> (u32, u32) {
    let half_life = half_life_ms.max(1);
    let (period, within) = (now.max(0) / half_life, now.max(0) % half_life);
    let part = within.saturating_mul(1 << 16) / half_life;
    (u32::try_from(period).unwrap_or(u32::MAX), fixed::exp2(u16::try_from(part).unwrap_or(u16::MAX)))
}

impl Decayed {
    /// Adds so much at a time. What is late counts as little as it would by now.
    pub fn add(&mut self, amount: u32, now: i64, half_life_ms: i64) {
        let (period, weight) = weight(now, half_life_ms);
        let worth = u64::from(amount).saturating_mul(weight.into()) >> (16 - POINT);
        self.join(&Self { period, sum: u32::try_from(worth).unwrap_or(MOST) });
    }

    /// What is left of it at a time, 8 bits behind the point. Before the last addition it is as it was then.
    pub fn at(&self, now: i64, half_life_ms: i64) -> u32 {
        let (period, weight) = weight(now, half_life_ms);
        match period.checked_sub(self.period) {
            Some(passed) => {
                let left = u64::from(shifted(self.sum, passed)) << 16;
                u32::try_from(left / u64::from(weight.max(1))).unwrap_or(MOST)
            }
            None => self.sum,
        }
    }

    /// Adds another sum of the same half-life: the order never matters, but for what is shifted out, a 256th for each half-life.
    pub fn join(&mut self, other: &Self) {
        let period = self.period.max(other.period);
        let own = shifted(self.sum, period.saturating_sub(self.period));
        let others = shifted(other.sum, period.saturating_sub(other.period));
        *self = Self { period, sum: own.saturating_add(others) };
    }

    /// The larger of two sums of the same half-life.
    #[must_use]
    pub fn larger(&self, other: &Self) -> Self {
        let period = self.period.max(other.period);
        let [own, others] = [self, other].map(|sum| shifted(sum.sum, period.saturating_sub(sum.period)));
        Self { period, sum: own.max(others) }
    }
}

impl Kept for Decayed {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.period.to_le_bytes());
        out.extend_from_slice(&self.sum.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { period: reader.u32()?, sum: reader.u32()? })
    }

    fn join(&mut self, other: &Self) {
        Self::join(self, other);
    }
}

fn shifted(sum: u32, periods: u32) -> u32 {
    sum.checked_shr(periods).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn half_is_left_after_a_half_life() {
        let mut sum = Decayed::default();
        let start = 1_800_000_000_000;
        sum.add(100, start, HOUR);
        for (hours, left) in [(0, 100), (1, 50), (2, 25), (40, 0)] {
            let at = sum.at(start + hours * HOUR, HOUR) >> POINT;
            assert!(at == left || at + 1 == left, "{hours}: {at}");
        }
        sum.add(100, start - HOUR, HOUR);
        assert!((149..=150).contains(&(sum.at(start, HOUR) >> POINT)), "late by an hour");
        assert_eq!(sum.at(0, HOUR), sum.at(start / HOUR * HOUR, HOUR), "before it, as it was then");
    }

    #[test]
    fn it_has_an_end() {
        let mut sum = Decayed::default();
        (0..9).for_each(|_| sum.add(u32::MAX, i64::MAX, 1));
        assert_eq!(sum.at(i64::MAX, 1), MOST);
        sum.add(1, i64::MIN, i64::MIN);
    }

    proptest! {
        #[test]
        fn parts_add_up(parts in prop::collection::vec((0..50_u32, 0..20 * HOUR, 0..4_usize), 1..40)) {
            let (mut whole, mut others) = (Decayed::default(), [Decayed::default(); 4]);
            for (amount, at, place) in &parts {
                whole.add(*amount, *at, HOUR);
                others[*place].add(*amount, *at, HOUR);
            }
            let (mut joined, mut reversed) = (Decayed::default(), Decayed::default());
            others.iter().for_each(|part| joined.join(part));
            others.iter().rev().for_each(|part| reversed.join(part));
            let near = |a: u32, b: u32| a.abs_diff(b) <= u32::try_from(parts.len()).unwrap() * 2;
            prop_assert!(near(joined.at(20 * HOUR, HOUR), whole.at(20 * HOUR, HOUR)));
            prop_assert!(near(reversed.at(20 * HOUR, HOUR), whole.at(20 * HOUR, HOUR)));
            let exact: f64 = parts.iter().map(|(amount, at, _)| {
                f64::from(*amount) * libm::exp2(-((20 * HOUR - at) as f64) / HOUR as f64)
            }).sum();
            prop_assert!((f64::from(whole.at(20 * HOUR, HOUR)) / 256.0 - exact).abs() < 0.01 * exact + 0.5, "{:?} {}", whole, exact);
        }
    }
}
