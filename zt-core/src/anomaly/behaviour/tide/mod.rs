//! How much comes to an endpoint, from all its clients together, beside what comes at this hour of the week.
//!
//! Requests of the last ten minutes and of the last hour or so, as sums that fade, beside what the endpoint had in such hours, which is
//! shrunk to its part of what the whole service had, and what counts usually vary (a negative binomial distribution). What the
//! others have more than usual is expected of an endpoint too, so that a promotion is a surge of the service and of no endpoint.
//! Nothing is said before two days are known. It misses what grows from week to week, and what falls.

mod endpoint;
mod episode;
mod tail;
#[cfg(test)]
mod tests;
mod week;

use self::endpoint::Tide;
use self::tail::{ONE, Spread, deviations};
use self::week::{HOUR, HOURS, Week};
use super::room::Room;
use crate::base::bytes::Reader;
use crate::base::generations::{Generations, Kept};
use crate::model::Millis;

/// Endpoints that are remembered.
const ENDPOINTS: usize = 7 << 7;
/// After so many hours without any request nobody was there to see one.
const UNSEEN: u32 = 72;
/// Others that are thought to have come as expected, and the most that others make of what is expected; 8 bits behind the point.
const OTHERS: u32 = 4 << 8;
const MOST_OTHERS: u64 = 16 << 8;
/// So many more are always expected.
const MORE: u32 = 1 << 8;

/// What was seen of an endpoint and of all, to be [learned](Tides::learn).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Swell {
    samples: [[Option<i64>; 2]; 2],
    /// Deviations, and those that are news.
    heights: [u32; 2],
    news: [u32; 2],
}

/// What comes to every endpoint.
#[derive(Clone, Debug)]
pub(super) struct Tides {
    all: Tide,
    /// Hour since which requests are seen.
    since: u32,
    endpoints: Generations<Tide>,
    /// Of all endpoints.
    spreads: [Spread; 2],
    /// What each hour is expected to have of all.
    rates: Option<[u32; HOURS]>,
}

impl Tides {
    pub(super) fn new() -> Self {
        Self {
            all: Tide::default(),
            since: 0,
            endpoints: Generations::new(ENDPOINTS),
            spreads: Default::default(),
            rates: None,
        }
    }

    /// Counts a request to an endpoint; deviations that are news, 8 bits behind the point.
    pub(super) fn look(&mut self, endpoint: u64, now: Millis) -> (Swell, u32) {
        let now = now.max(0);
        let hour = u32::try_from(now / HOUR).unwrap_or(u32::MAX);
        let Self { all, since, endpoints, spreads, rates } = self;
        if hour > all.hour.saturating_add(UNSEEN) {
            *since = hour;
        }
        if hour > all.hour {
            *rates = None;
        }
        all.roll(hour, hour.max(all.hour), *since, Week::rates);
        let rates = rates.get_or_insert_with(|| all.week.rates());
        let own = endpoints.entry(endpoint);
        own.roll(hour, all.hour, *since, |_| *rates);
        let usual = spreads.map(|spread| Some(spread.beside(None)));
        let mut swell = Swell::default();
        let counts = [own.count(now), all.count(now)];
        let Some(expected_all) = all.expected(now) else { return (swell, 0) };
        let [[_, of_own], [_, of_all]] = counts;
        let beside = own.expected(now).map(|expected| beside_others(of_own, of_all, expected, expected_all));
        let expected = [beside, Some(expected_all.map(|expected| (expected, 0)))];
        let seen = swell.samples.iter_mut().zip(swell.heights.iter_mut().zip(&mut swell.news));
        for ((tide, counts), (expected, (samples, (height, news)))) in
            [own, all].into_iter().zip(counts).zip(expected.into_iter().zip(seen))
        {
            let Some(expected) = expected else { continue };
            let (new, [before, after]) = (tide.steps(now), counts);
            // Of an hour that was seen seldom it is not sure what it has.
            let seen = i64::from(tide.week.seen_like(hour));
            let unseen = ONE / seen.saturating_add(1) / 2;
            for (at, (expected, unsure)) in expected.into_iter().enumerate() {
                let of = |counts: [u32; 2]| counts.get(at).copied().unwrap_or_default();
                let spread = tide.spreads.get(at).zip(usual.get(at));
                let spread = spread
                    .map_or(ONE, |(spread, usual)| spread.beside(*usual))
                    .saturating_add(unsure.saturating_add(unseen));
                *height = deviations(of(after), expected.saturating_add(MORE), spread).max(*height);
                if let Some(sample) = samples.get_mut(at).filter(|_| new) {
                    *sample = Spread::sample(of(before), expected);
                }
            }
            *news = tide.episode.news(*height, now);
        }
        let [own, all] = swell.news;
        (swell, own.max(all))
    }

    /// Learns from a request that was let pass.
    pub(super) fn learn(&mut self, endpoint: u64, swell: &Swell) {
        let Self { all, endpoints, spreads, .. } = self;
        let [samples, samples_all] = swell.samples;
        let own = endpoints.entry(endpoint);
        (own.teaches, all.teaches) = (true, true);
        for (spread, samples) in [(spreads, samples), (&mut own.spreads, samples), (&mut all.spreads, samples_all)] {
            let samples = spread.iter_mut().zip(samples);
            samples.for_each(|(spread, sample)| sample.into_iter().for_each(|sample| spread.add(sample)));
        }
    }

    /// What was news is alarming: of an endpoint, and then what it makes of all is known too.
    pub(super) fn alarm(&mut self, endpoint: u64, swell: &Swell, now: Millis) {
        let [own, all] = swell.news;
        let [_, height] = swell.heights;
        if own > 0 {
            self.endpoints.entry(endpoint).episode.alarm(own, now);
        }
        if own > 0 && height > 0 || all > 0 {
            self.all.episode.alarm(height, now);
        }
    }

    pub(super) fn resize(&mut self, room: Room) {
        self.endpoints.resize(room.of(ENDPOINTS));
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.all.write(out);
        self.since.write(out);
        self.endpoints.write(out);
        self.spreads.iter().for_each(|spread| spread.write(out));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (all, since) = (Tide::read(reader)?, reader.u32()?);
        let endpoints = Generations::read(ENDPOINTS, reader)?;
        let spreads = [Spread::read(reader)?, Spread::read(reader)?];
        Some(Self { all, since, endpoints, spreads, rates: None })
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.all.join(&other.all);
        self.since = self.since.max(other.since);
        self.endpoints.join(&other.endpoints);
        self.spreads.iter_mut().zip(&other.spreads).for_each(|(own, other)| own.join(other));
        self.rates = None;
    }

    pub(super) fn memory(&self) -> usize {
        self.endpoints.memory()
    }
}

/// What is expected of an endpoint where all others have more than is expected of them; and how much less sure that is, by the
/// square, 16 bits behind the point.
fn beside_others(own: [u32; 2], all: [u32; 2], expected: [u32; 2], expected_all: [u32; 2]) -> [(u32, i64); 2] {
    let mut beside = expected.map(|expected| (expected, 0));
    let others = own.into_iter().zip(all).zip(expected_all);
    for ((expected, unsure), ((own, all), expected_all)) in beside.iter_mut().zip(others) {
        let others = all.saturating_sub(own).saturating_add(OTHERS);
        let usual = expected_all.saturating_sub(*expected).saturating_add(OTHERS);
        let more = (u64::from(others) << 8) / u64::from(usual);
        let more = more.clamp(1 << 8, MOST_OTHERS);
        *expected = u32::try_from(u64::from(*expected).saturating_mul(more) >> 8).unwrap_or(u32::MAX);
        *unsure = (ONE / 2).saturating_sub(ONE.saturating_mul(128) / i64::try_from(more).unwrap_or(1).max(1));
    }
    beside
}
