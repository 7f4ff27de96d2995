//! What an hour usually has.

use super::{bounded, not_negative};
use crate::base::bytes::Reader;
use crate::model::Millis;

const DAY: Millis = 86_400_000;
const HOUR: Millis = 3_600_000;
/// From here on an hour's mean moves by a hundredth with each point.
const MOST_VISITS: u8 = 100;
/// Points that an hour is thought to have had beside its own: of the long mean, and of its deviation.
const SHRINK_MEAN: f64 = 1.0;
const SHRINK_SIZE: f64 = 20.0;
/// Points without a difference that a weekday or weekend is thought to have had.
const SHRINK_WEEK: f64 = 48.0;
/// Long means move at least so far with each point.
pub(super) const LONG: f64 = 1.0 / 1_000.0;

/// An hour of the day, and of a weekday or of the weekend, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Hour {
    of_day: usize,
    of_week: usize,
}

impl Hour {
    pub(in super::super) const fn of(time_ms: Millis) -> Self {
        let of_day = time_ms.rem_euclid(DAY).div_euclid(HOUR) as usize;
        // 1970 began with a Thursday.
        let weekend = matches!(time_ms.div_euclid(DAY).rem_euclid(7), 2 | 3);
        Self { of_day, of_week: of_day * 2 + weekend as usize }
    }

    /// Twice the hour of the day, one more at the weekend.
    pub(in super::super) const fn of_week(self) -> usize {
        self.of_week
    }
}

/// How often each hour was seen, up to [`MOST_VISITS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visits {
    of_day: [u8; 24],
    of_week: [u8; 48],
}

impl Default for Visits {
    fn default() -> Self {
        Self { of_day: [0; 24], of_week: [0; 48] }
    }
}

impl Visits {
    /// Of an hour of the day, and of the week.
    pub(super) fn of(&self, hour: Hour) -> [u8; 2] {
        let [day, week] = [self.of_day.get(hour.of_day), self.of_week.get(hour.of_week)];
        [day.copied().unwrap_or_default(), week.copied().unwrap_or_default()]
    }

    pub(super) fn add(&mut self, hour: Hour) {
        for visits in [self.of_day.get_mut(hour.of_day), self.of_week.get_mut(hour.of_week)].into_iter().flatten() {
            *visits = more(*visits);
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.of_day);
        out.extend_from_slice(&self.of_week);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let read = Self { of_day: reader.take()?, of_week: reader.take()? };
        read.of_day.iter().chain(&read.of_week).all(|visits| *visits <= MOST_VISITS).then_some(read)
    }
}

fn more(visits: u8) -> u8 {
    visits.saturating_add(1).min(MOST_VISITS)
}

/// Means of hours, and what there is to them where they are new.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Season {
    hours: [Usual; 24],
    /// What a weekday's or weekend's hour has more than the hour of the day.
    weeks: [f64; 48],
    mean: f64,
    /// Mean size of residuals.
    size: f64,
    magnitude: f64,
}

/// Of an hour of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Usual {
    mean: f64,
    /// Mean size of residuals.
    size: f64,
}

/// A point beside what was expected.
pub(super) struct Compared {
    pub(super) residual: f64,
    /// Size that residuals of this hour usually have.
    pub(super) usual_size: f64,
}

impl Default for Season {
    fn default() -> Self {
        Self { hours: [Usual::default(); 24], weeks: [0.0; 48], mean: 0.0, size: 0.0, magnitude: 0.0 }
    }
}

impl Season {
    /// Compares a point with what its hour, seen so often, has had, and learns it; `part` is one part of all points.
    pub(super) fn push(&mut self, value: f64, hour: Hour, seen: [u8; 2], part: f64) -> Compared {
        let nothing = Compared { residual: 0.0, usual_size: 0.0 };
        let Some(usual) = self.hours.get_mut(hour.of_day) else { return nothing };
        let Some(week) = self.weeks.get_mut(hour.of_week) else { return nothing };
        if part >= 1.0 {
            self.mean = value;
        }
        let [of_day, of_week] = seen.map(f64::from);
        let expected = (usual.mean * of_day + SHRINK_MEAN * self.mean) / (of_day + SHRINK_MEAN)
            + *week * of_week / (of_week + SHRINK_WEEK);
        let [of_day_now, of_week_now] = seen.map(|visits| f64::from(more(visits)));
        if of_day > 0.0 {
            *week += (value - usual.mean - *week) / of_week_now;
        }
        let residual = value - expected;
        let usual_size = (usual.size * of_day + SHRINK_SIZE * self.size) / (of_day + SHRINK_SIZE);
        usual.mean += (value - usual.mean) / of_day_now;
        usual.size += (residual.abs() - usual.size) / of_day_now;
        let part = part.max(LONG);
        self.size += part * (residual.abs() - self.size);
        self.mean += part * (value - self.mean);
        self.magnitude += part * (value.abs() - self.magnitude);
        Compared { residual, usual_size }
    }

    /// Mean size of points.
    pub(super) const fn magnitude(&self) -> f64 {
        self.magnitude
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let hours = self.hours.iter().flat_map(|usual| [usual.mean, usual.size]);
        let numbers = hours.chain(self.weeks).chain([self.mean, self.size, self.magnitude]);
        numbers.for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self::default();
        for usual in &mut read.hours {
            *usual = Usual { mean: bounded(reader)?, size: not_negative(reader)? };
        }
        for week in &mut read.weeks {
            *week = bounded(reader)?;
        }
        (read.mean, read.size, read.magnitude) = (bounded(reader)?, not_negative(reader)?, not_negative(reader)?);
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_the_day_and_of_the_week() {
        let at = |days: i64, hours: i64| Hour::of(days * DAY + hours * HOUR);
        assert_eq!(at(0, 0), Hour { of_day: 0, of_week: 0 });
        assert_eq!(at(1, 23), Hour { of_day: 23, of_week: 46 });
        // Saturday, 3 January 1970, and the Sunday before that Thursday.
        assert_eq!(at(2, 5), Hour { of_day: 5, of_week: 11 });
        assert_eq!(at(-4, 5), Hour { of_day: 5, of_week: 11 });
        assert_eq!(Hour::of(-1), Hour { of_day: 23, of_week: 46 });
        for time in [Millis::MIN, Millis::MAX] {
            assert!(Hour::of(time).of_week < 48);
        }
    }
}
