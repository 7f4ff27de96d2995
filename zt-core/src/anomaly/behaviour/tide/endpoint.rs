//! What comes to one endpoint, or to all of them.

use super::episode::Episode;
use super::tail::Spread;
use super::week::{HOUR, HOURS, Week};
use crate::base::bytes::Reader;
use crate::base::decayed::Decayed;
use crate::base::fixed;
use crate::base::generations::Kept;
use crate::model::Millis;

/// Of sums that are as much as comes in ten minutes, and in an hour.
const HALF_LIVES: [Millis; 2] = [7 * 60_000, 42 * 60_000];
/// Counts are compared with what was expected once in so long.
const STEP: Millis = 600_000;
/// Hours that sums that fade are expected from.
const BEFORE: usize = 6;
/// Hours before anything is said.
const KNOWN: u32 = 48;
/// Hours without a request that are counted when there is one.
const MOST_EMPTY: u32 = 14 * 24;
/// Of more than so many times what was expected, and so many requests, an hour teaches no more.
const MOST_TIMES: u32 = 8;
const MOST_MORE: u32 = 64;

const ONE: u64 = 1 << 16;
/// ln 2, 16 bits behind the point.
const LN2: u64 = 45_426;

/// What comes to one endpoint, or to all.
#[derive(Clone, Debug, Default)]
pub(super) struct Tide {
    /// Hour since 1970 that is under way, its requests, and whether any of them taught.
    pub(super) hour: u32,
    number: u32,
    pub(super) teaches: bool,
    step: u32,
    pub(super) week: Week,
    lately: [Decayed; 2],
    pub(super) spreads: [Spread; 2],
    pub(super) episode: Episode,
    /// What this hour and those before are expected to have, 8 bits behind the point, and the hour of all endpoints that it
    /// was worked out in.
    rates: Option<(u32, [u32; BEFORE])>,
}

impl Tide {
    /// The hour that was under way is over. What taught is learned, and hours without a request. What is expected follows from
    /// what is known then, in an hour of all endpoints, and from nothing else.
    pub(super) fn roll(&mut self, hour: u32, all: u32, since: u32, rates: impl Fn(&Week) -> [u32; HOURS]) {
        let new = hour > self.hour;
        if !new && self.rates.is_some_and(|(of, _)| of == all) {
            return;
        }
        if new {
            if self.teaches && self.hour > 0 {
                let most = (self.week.rate(self.hour, &rates(&self.week)) >> 8)
                    .saturating_mul(MOST_TIMES)
                    .saturating_add(MOST_MORE);
                let most = if self.week.seen() < KNOWN { u32::MAX } else { most };
                self.week.add(self.hour, self.number.min(most));
                let first = self.hour.saturating_add(1).max(since).max(hour.saturating_sub(MOST_EMPTY));
                (first..hour).for_each(|empty| self.week.add(empty, 0));
            }
            (self.hour, self.number, self.teaches) = (hour, 0, false);
        }
        let rates = rates(&self.week);
        let before = [0, 1, 2, 3, 4, 5].map(|before| self.week.rate(self.hour.saturating_sub(before), &rates));
        self.rates = Some((all, before));
    }

    /// Counts a request; what there was lately before and after it.
    pub(super) fn count(&mut self, now: Millis) -> [[u32; 2]; 2] {
        let at = |lately: &[Decayed; 2]| {
            let [short, long] = HALF_LIVES;
            let [one, other] = lately;
            [one.at(now, short), other.at(now, long)]
        };
        self.number = self.number.saturating_add(1);
        let before = at(&self.lately);
        self.lately.iter_mut().zip(HALF_LIVES).for_each(|(lately, half_life)| lately.add(1, now, half_life));
        [before, at(&self.lately)]
    }

    /// What is expected lately; nothing where too little is known.
    pub(super) fn expected(&self, now: Millis) -> Option<[u32; 2]> {
        let (_, rates) = self.rates.as_ref().filter(|_| self.week.seen() >= KNOWN)?;
        Some(HALF_LIVES.map(|half_life| {
            // Of each hour, from the first on, what is left at its end; of this one what came until now.
            let mut rate = 0;
            for (before, own) in rates.iter().enumerate().rev() {
                let left = left(if before == 0 { now.rem_euclid(HOUR) } else { HOUR }, half_life);
                let came = u64::from(*own).saturating_mul(ONE.saturating_sub(left));
                rate = came.saturating_add(rate * left) >> 16;
            }
            // A sum that fades is as much as comes in a half-life, by ln 2.
            let whole = u64::saturating_mul(rate, half_life.unsigned_abs()) / HOUR.unsigned_abs();
            u32::try_from(whole.saturating_mul(ONE) / LN2).unwrap_or(u32::MAX)
        }))
    }

    /// Whether this is the first request of ten minutes.
    pub(super) fn steps(&mut self, now: Millis) -> bool {
        let step = u32::try_from(now / STEP).unwrap_or(0);
        let new = step > self.step;
        self.step = step.max(self.step);
        new
    }
}

/// What is left after a time, 16 bits behind the point.
fn left(after: Millis, half_life: Millis) -> u64 {
    let part = u16::try_from(after % half_life * (1 << 16) / half_life).unwrap_or(u16::MAX);
    let whole = (1_u64 << 32) / u64::from(fixed::exp2(part).max(1));
    whole.checked_shr(u32::try_from(after / half_life).unwrap_or(u32::MAX)).unwrap_or(0)
}

impl Kept for Tide {
    fn write(&self, out: &mut Vec<u8>) {
        [self.hour, self.number, self.step].iter().for_each(|number| number.write(out));
        out.push(self.teaches.into());
        self.week.write(out);
        self.lately.iter().for_each(|lately| lately.write(out));
        self.spreads.iter().for_each(|spread| spread.write(out));
        self.episode.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [hour, number, step] = [reader.u32()?, reader.u32()?, reader.u32()?];
        let [teaches] = reader.take()?;
        let teaches = [false, true].get(usize::from(teaches)).copied()?;
        Some(Self {
            hour,
            number,
            teaches,
            step,
            week: Week::read(reader)?,
            lately: [Decayed::read(reader)?, Decayed::read(reader)?],
            spreads: [Spread::read(reader)?, Spread::read(reader)?],
            episode: Episode::read(reader)?,
            rates: None,
        })
    }

    /// Rates are those of one place: hours are added up, and what is under way is the larger of both.
    fn join(&mut self, other: &Self) {
        let order = |tide: &Self| (tide.hour, tide.number, tide.teaches);
        self.week.join(&other.week);
        let (last, over) =
            if order(other) > order(self) { (order(other), order(self)) } else { (order(self), order(other)) };
        let (hour, number, teaches) = over;
        if teaches {
            self.week.add(hour, number);
        }
        (self.hour, self.number, self.teaches) = last;
        self.step = self.step.max(other.step);
        self.lately.iter_mut().zip(&other.lately).for_each(|(own, other)| *own = own.larger(other));
        self.spreads.iter_mut().zip(&other.spreads).for_each(|(own, other)| own.join(other));
        self.episode.join(&other.episode);
        self.rates = None;
    }
}
