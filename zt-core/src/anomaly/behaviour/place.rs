//! From where a session is: what of that is new to its identity, all in one, and how far away it is.

use super::facts::{ATTRIBUTES, Facts};
use super::known::Known;
use crate::base::bytes::Reader;
use crate::base::{fixed, geo};

/// Sets of attributes, and how well an identity is known.
const SETS: usize = 1 << ATTRIBUTES;
const LEVELS: usize = 4;
/// Distances: half nats of kilometres.
const DISTANCES: usize = 24;
const HALF_NAT: u32 = 1 << 15;
/// Sessions of all identities that weigh as much as those of the ones that are known as well.
const OF_ALL: u64 = 4;
/// As many sets are as likely before anything is known.
const UNKNOWN: u64 = 8;

/// What is new about where a session is from.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    level: usize,
    /// A bit of each attribute that is new.
    set: usize,
    /// How far from where the identity was before.
    distance: Option<usize>,
}

/// What is new about where sessions are from, of all identities that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    sets: [[u32; SETS]; LEVELS],
    /// Of those where anything is new.
    distances: [u32; DISTANCES],
}

impl News {
    /// Of a session, beside the values of each attribute that its identity is known by, and where that was last.
    pub(super) fn of(facts: &Facts, known: &[Known; ATTRIBUTES], last: Option<geo::Point>) -> Self {
        let is_new = |(value, known): (&Option<u32>, &Known)| value.is_some_and(|value| !known.holds(value));
        let news = facts.attributes.iter().zip(known).map(is_new);
        let times = known.iter().map(Known::times).max();
        let distance =
            |(last, now)| (fixed::ln(u64::from(geo::kilometres(last, now)).saturating_add(1)) / HALF_NAT) as usize;
        Self {
            level: (times.unwrap_or_default().max(1).ilog2() as usize).min(LEVELS - 1),
            set: news.fold(0, |set, new| set << 1 | usize::from(new)),
            distance: last.zip(facts.point).map(distance).map(|distance| distance.min(DISTANCES - 1)),
        }
    }

    pub(super) const fn any(&self) -> bool {
        self.set > 0
    }
}

impl Places {
    pub(super) const fn new() -> Self {
        Self { sets: [[0; SETS]; LEVELS], distances: [0; DISTANCES] }
    }

    /// How surprising that is, nats with 8 bits behind the point; 0 where nothing is new.
    pub(super) fn strangeness(&self, news: &News) -> u32 {
        if !news.any() {
            return 0;
        }
        let of = |level: &[u32; SETS]| u64::from(level.get(news.set).copied().unwrap_or_default());
        let all = |level: &[u32; SETS]| level.iter().map(|times| u64::from(*times)).sum::<u64>();
        let (own, own_all) = self.sets.get(news.level).map_or((0, 0), |level| (of(level), all(level)));
        let (common, common_all) = (self.sets.iter().map(of).sum::<u64>(), self.sets.iter().map(all).sum::<u64>());
        // (own + 4 p) / (own_all + 4), p = (common + 1/2) / (common_all + 4).
        let whole = common_all.saturating_mul(2).saturating_add(UNKNOWN);
        let part = common.saturating_mul(2).saturating_add(1).saturating_mul(OF_ALL);
        let set = fixed::surprise(
            own.saturating_mul(whole).saturating_add(part),
            own_all.saturating_add(OF_ALL).saturating_mul(whole),
        );
        set.saturating_add(news.distance.map_or(0, |distance| self.so_far(distance))).max(1)
    }

    fn so_far(&self, distance: usize) -> u32 {
        let sum = |from: usize| self.distances.iter().skip(from).map(|times| u64::from(*times)).sum::<u64>();
        let half = |times: u64| times.saturating_mul(2).saturating_add(1);
        fixed::surprise(half(sum(distance)), half(sum(0)))
    }

    pub(super) fn learn(&mut self, news: &News) {
        let set = self.sets.get_mut(news.level).and_then(|level| level.get_mut(news.set));
        let distance = news.distance.filter(|_| news.any()).and_then(|distance| self.distances.get_mut(distance));
        set.into_iter().chain(distance).for_each(|times| *times = times.saturating_add(1));
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let numbers = self.sets.iter().flatten().chain(&self.distances);
        numbers.for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self::new();
        read.numbers_mut().try_for_each(|number| reader.u32().map(|read| *number = read))?;
        Some(read)
    }

    pub(super) fn join(&mut self, other: &Self) {
        let mut other = other.clone();
        self.numbers_mut().zip(other.numbers_mut()).for_each(|(own, other)| *own = own.saturating_add(*other));
    }

    fn numbers_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        self.sets.iter_mut().flatten().chain(&mut self.distances)
    }
}
