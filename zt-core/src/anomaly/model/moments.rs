//! How surprising the elements of one kind and place usually are.

use crate::base::fixed::{FRACTION, ONE};
use crate::base::keyed::Map;

/// Number, sum and sum of squares of surprises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Moments {
    pub(in super::super) number: u64,
    pub(in super::super) sum: u64,
    pub(in super::super) squares: u64,
}

/// Elements that are thought to have been seen before any was.
const PRIOR: u64 = 2;
/// Their surprise, and the least variance: one nat.
const PRIOR_MEAN: u64 = ONE as u64;
const PRIOR_SQUARE: u64 = PRIOR_MEAN * PRIOR_MEAN;

impl Moments {
    pub(in super::super) fn add(&mut self, surprise: u16, times: u32) {
        let (surprise, times) = (u64::from(surprise), u64::from(times));
        self.number = self.number.saturating_add(times);
        self.sum = self.sum.saturating_add(surprise.saturating_mul(times));
        self.squares = self.squares.saturating_add(surprise.saturating_mul(surprise).saturating_mul(times));
    }

    pub(in super::super) fn join(&mut self, other: &Self) {
        self.number = self.number.saturating_add(other.number);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// Distance from the mean in deviations, [`FRACTION`] bits behind the point.
    pub(in super::super) fn deviations(&self, surprise: u16) -> i32 {
        let number = self.number.saturating_add(PRIOR).max(1);
        let mean = self.sum.saturating_add(PRIOR * PRIOR_MEAN) / number;
        let square = self.squares.saturating_add(PRIOR * 2 * PRIOR_SQUARE) / number;
        let variance = square.saturating_sub(mean.saturating_mul(mean));
        let deviation = variance.saturating_add(PRIOR_SQUARE).isqrt().max(1);
        let distance = i64::from(surprise).saturating_sub(i64::try_from(mean).unwrap_or(i64::MAX));
        let scaled = distance.saturating_mul(1 << FRACTION) / i64::try_from(deviation).unwrap_or(i64::MAX);
        i32::try_from(scaled).unwrap_or(i32::MAX)
    }
}

/// Moments by place and kind.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Norms(pub(super) Map<Moments>);

impl Norms {
    pub(in super::super) fn of(&self, norm: u64) -> Moments {
        self.0.get(&norm).copied().unwrap_or_default()
    }

    pub(in super::super) fn add(&mut self, norm: u64, surprise: u16, times: u32) {
        self.0.entry(norm).or_default().add(surprise, times);
    }

    pub(in super::super) fn join(&mut self, other: &Self) {
        for (norm, moments) in &other.0 {
            self.0.entry(*norm).or_default().join(moments);
        }
    }

    /// Bytes that the table takes.
    pub(in super::super) fn memory(&self) -> usize {
        self.0.allocation_size()
    }
}
