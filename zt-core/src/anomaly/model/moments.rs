//! How surprising the elements of one kind and place usually are.

use super::bound::{self, Bound};
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
        // No surprise is larger than 16 bits: neither is a mean of some, nor a deviation.
        let most = u16::MAX as u64;
        Usual {
            mean: if mean > most { u16::MAX } else { mean as u16 },
            deviation: if deviation > most { u16::MAX } else { deviation as u16 },
        }
    }
}

/// Mean and deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Usual {
    mean: u16,
    deviation: u16,
}

/// Of what was never seen.
const UNKNOWN: Usual = Moments { number: 0, sum: 0, squares: 0 }.usual();

impl Usual {
    /// Distance above the mean in deviations, [`FRACTION`] bits behind the point; 0 where it is not above.
    #[inline]
    pub(in super::super) const fn deviations(self, surprise: u16) -> u32 {
        let above = (surprise.saturating_sub(self.mean) as u32) << FRACTION;
        match above.checked_div(self.deviation as u32) {
            Some(deviations) => deviations,
            None => 0,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    pub(super) moments: Moments,
    /// The endpoint whose room it takes.
    pub(super) owner: u32,
    /// Follows from the moments, unless they have changed since.
    usual: Usual,
    stale: bool,
}

impl Norm {
    pub(super) const fn new(owner: u32, moments: Moments) -> Self {
        Self { moments, owner, usual: UNKNOWN, stale: true }
    }
}

/// Moments by place and kind, and what follows from them.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Norms(pub(super) Map<Norm>);

impl Norms {
    #[inline]
    pub(in super::super) fn of(&self, norm: u64) -> Usual {
        self.0.get(&norm).map_or(UNKNOWN, |norm| norm.usual)
    }

    /// Elements that were there.
    pub(in super::super) fn number(&self, norm: u64) -> u64 {
        self.0.get(&norm).map_or(0, |norm| norm.moments.number)
    }

    /// Adds an element so many times; what follows is not yet [derived](Self::derive), and says what it said.
    pub(in super::super) fn add(&mut self, norm: u64, owner: u32, surprise: u16, times: u32) {
        self.entry(norm, owner).add(surprise, times);
    }

    /// Adds all of another's; what follows is not yet [derived](Self::derive).
    pub(in super::super) fn join(&mut self, other: &Self) {
        for (id, norm) in &other.0 {
            self.entry(*id, norm.owner).join(&norm.moments);
        }
    }

    fn entry(&mut self, norm: u64, owner: u32) -> &mut Moments {
        let norm = self.0.entry(norm).or_insert(Norm::new(owner, Moments::default()));
        norm.stale = true;
        &mut norm.moments
    }

    /// Lets go what is too much.
    pub(super) fn bound(&mut self, bound: &Bound) {
        if self.0.len() <= bound.of_endpoint {
            return;
        }
        let entry = |(id, norm): (&u64, &Norm)| bound::Entry {
            events: norm.moments.number,
            id: *id,
            owner: norm.owner,
            weight: 1,
        };
        let surplus = bound.surplus(self.0.iter().map(entry));
        if !surplus.is_empty() {
            bound::without(&mut self.0, |id, _| surplus.contains_key(&id));
        }
    }

    /// Whether there may be [too much](Self::bound).
    pub(super) fn is_over(&self, bound: &Bound) -> bool {
        self.0.len() > bound.in_all
    }

    /// Works out what follows from the moments that have changed.
    pub(in super::super) fn derive(&mut self) {
        for norm in self.0.values_mut().filter(|norm| norm.stale) {
            (norm.usual, norm.stale) = (norm.moments.usual(), false);
        }
    }

    /// Bytes that the table takes.
    pub(in super::super) fn memory(&self) -> usize {
        self.0.allocation_size()
    }
}
