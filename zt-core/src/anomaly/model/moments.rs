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

    const fn usual(&self) -> Usual {
        let number = self.number.saturating_add(PRIOR);
        let mean = self.sum.saturating_add(PRIOR * PRIOR_MEAN) / number;
        let square = self.squares.saturating_add(PRIOR * 2 * PRIOR_SQUARE) / number;
        let variance = square.saturating_sub(mean.saturating_mul(mean));
        let deviation = variance.saturating_add(PRIOR_SQUARE).isqrt();
        // No surprise is larger than 16 bits: neither is a mean, or a deviation, of any.
        Usual {
            mean: if mean > MOST { MOST as u32 } else { mean as u32 },
            deviation: if deviation > MOST { MOST as u32 } else { deviation as u32 },
        }
    }
}

/// Mean and deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Usual {
    mean: u32,
    /// 0 where it is not yet [derived](Norms::derive).
    deviation: u32,
}

const MOST: u64 = u16::MAX as u64;
pub(super) const STALE: Usual = Usual { mean: 0, deviation: 0 };
/// Of what was never seen.
const UNKNOWN: Usual = Moments { number: 0, sum: 0, squares: 0 }.usual();

impl Usual {
    /// Distance above the mean in deviations, [`FRACTION`] bits behind the point; 0 where it is not above.
    pub(in super::super) const fn deviations(self, surprise: u16) -> u32 {
        let above = (surprise as u32).saturating_sub(self.mean) << FRACTION;
        match above.checked_div(self.deviation) {
            Some(deviations) => deviations,
            None => 0,
        }
    }
}

/// Moments by place and kind, and what follows from them.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Norms(pub(super) Map<(Moments, Usual)>);

impl Norms {
    pub(in super::super) fn of(&self, norm: u64) -> Usual {
        self.0.get(&norm).map_or(UNKNOWN, |(_, usual)| *usual)
    }

    /// Adds an element so many times; what follows is not yet [derived](Self::derive).
    pub(in super::super) fn add(&mut self, norm: u64, surprise: u16, times: u32) {
        self.entry(norm).add(surprise, times);
    }

    /// Adds all of another's; what follows is not yet [derived](Self::derive).
    pub(in super::super) fn join(&mut self, other: &Self) {
        for (norm, (moments, _)) in &other.0 {
            self.entry(*norm).join(moments);
        }
    }

    fn entry(&mut self, norm: u64) -> &mut Moments {
        let (moments, usual) = self.0.entry(norm).or_insert((Moments::default(), STALE));
        *usual = STALE;
        moments
    }

    /// Works out what follows from the moments that have changed.
    pub(in super::super) fn derive(&mut self) {
        let stale = self.0.values_mut().filter(|(_, usual)| *usual == STALE);
        stale.for_each(|(moments, usual)| *usual = moments.usual());
    }

    /// Bytes that the table takes.
    pub(in super::super) fn memory(&self) -> usize {
        self.0.allocation_size()
    }
}
