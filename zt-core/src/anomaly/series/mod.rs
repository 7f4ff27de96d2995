//! One number over time: is it what this hour of this day usually has?
//!
//! A point is compared with what its hour, weekday or weekend, has had. What is left over, as it is, as a logarithm and by
//! its usual size, goes to a [`Panel`] each, which asks how rare such a deviation was: of the point, of the last few, from
//! the one before, in unrest. The rarest answer is the point's surprise. An alarm is not raised again for what goes on:
//! each has to be clearly more surprising than the last, which is forgotten slowly.
//!
//! Beyond what was seen, rarity falls with a power of the distance (J. Pickands, "Statistical inference using extreme order
//! statistics", 1975). Measured on a part of the corpus of A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection
//! algorithms" (2015): `cargo xtask bench series`.

mod panel;
mod season;
mod tail;

use self::panel::Panel;
pub(super) use self::season::Hour;
use self::season::{Season, Visits};
use crate::base::bytes::Reader;
use crate::base::math::ln;
use crate::model::Millis;

/// Numbers beyond are not taken: 2^53, where whole numbers end to be exact.
const MOST: f64 = 9_007_199_254_740_992.0;
/// Deviations below this part of the usual magnitude are rounding.
const LEAST: f64 = 1e-9;
/// Points before the first alarm.
const WARM: u64 = 100;
/// What is left of the last alarm a point later.
const BAR_DECAY: f64 = 0.998;
/// So many times what is left of the last alarm is a new one.
const BAR_RATIO: f64 = 1.05;
/// Nats below which nothing is an alarm.
const LEAST_NATS: f64 = 1.0;
/// The more points are known, the more surprising the most surprising is: of the logarithm of their number, in thousands,
/// so much is taken off.
const AGE: f64 = 0.5;
const THOUSAND: f64 = 1_000.0;
/// Nats at which a score is one half.
const HALF: f64 = 6.0;

/// What is known of a series.
///
/// 7,920 bytes whatever it has seen, and no allocation; a point takes some microseconds. Meant for points in even steps of
/// five minutes to an hour: it remembers how rare something was for 5,000 points, which are 17 days of five minutes and three
/// and a half of one; a point that is missing is no point. With less than two weeks the days of the week are not known, with
/// less than two days the hours are not. Hours are those of UTC.
///
/// It misses what grows slowly, over days. Of a job that runs every night, two or three are alarms, then its hour is known;
/// where it is a single point of that hour, each night is one.
///
/// ```
/// use zt_core::anomaly::Series;
///
/// let mut requests = Series::new();
/// for minute in 0..1_440 {
///     let usual = 100.0 + f64::from(minute % 7);
///     assert!(requests.push(i64::from(minute) * 60_000, usual).score < Series::ALARM);
/// }
/// assert!(requests.push(1_440 * 60_000, 900.0).score >= Series::ALARM);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Points.
    number: u64,
    /// Points, the latest counting most.
    weight: f64,
    /// What is left of the last alarm, in nats.
    bar: f64,
    visits: Visits,
    plain: Season,
    logarithms: Season,
    /// Of residuals, of residuals of logarithms, and of residuals by their usual size.
    panels: [Panel; 3],
}

/// What a series says of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surprise {
    /// `-ln` of how rare such a deviation was before; it rises without end.
    pub nats: f64,
    /// What is worth telling, 0..1: 0 for what is usual and for what goes on; 0.5 at six nats, corrected for the number of
    /// points.
    pub score: f64,
}

impl Surprise {
    const NONE: Self = Self { nats: 0.0, score: 0.0 };
}

impl Default for Series {
    fn default() -> Self {
        Self::new()
    }
}

impl Series {
    /// A [score](Surprise::score) from here on is an alarm, unless the host knows better.
    pub const ALARM: f64 = 0.5;

    /// One that has seen nothing.
    pub fn new() -> Self {
        Self {
            number: 0,
            weight: 0.0,
            bar: 0.0,
            visits: Visits::default(),
            plain: Season::default(),
            logarithms: Season::default(),
            panels: [Panel::default(), Panel::default(), Panel::default()],
        }
    }

    /// Compares a point with those before it, and learns it.
    ///
    /// Points are in the order in which they come: the time, in milliseconds since 1970, says which hour of which day it is,
    /// and nothing else, so that a clock that is set back is no error. A value that is no number, or beyond 2^53 either way,
    /// is not a point: no surprise, nothing learned. The first 100 points raise no alarm.
    pub fn push(&mut self, time_ms: Millis, value: f64) -> Surprise {
        if !(-MOST..=MOST).contains(&value) {
            return Surprise::NONE;
        }
        self.number = self.number.saturating_add(1);
        let (hour, part) = (Hour::of(time_ms), 1.0 / self.number as f64);
        let seen = self.visits.of(hour);
        let plain = self.plain.push(value, hour, seen, part);
        let logarithm = ln(1.0 + value.abs());
        let logarithm = if value >= 0.0 { logarithm } else { -logarithm };
        let of_logarithm = self.logarithms.push(logarithm, hour, seen, part);
        self.visits.add(hour);
        let (least, least_of_logarithm) = (LEAST * self.plain.magnitude(), LEAST * self.logarithms.magnitude());
        let by_size = match plain.usual_size > least {
            true => (plain.residual / plain.usual_size).clamp(-MOST, MOST),
            false => 0.0,
        };
        let residuals = [(plain.residual, least), (of_logarithm.residual, least_of_logarithm), (by_size, LEAST)];
        let panels = self.panels.iter_mut().zip(residuals);
        let nats = panels.map(|(panel, (residual, least))| panel.push(residual, least, part, self.weight));
        let nats = nats.fold(0.0, f64::max);
        self.weight = self.weight * tail::KEPT + 1.0;
        Surprise { nats, score: self.alarm(nats) }
    }

    /// What is worth telling of so many nats.
    fn alarm(&mut self, nats: f64) -> f64 {
        let corrected = nats - AGE * ln(self.weight / THOUSAND);
        self.bar *= BAR_DECAY;
        if corrected <= LEAST_NATS || corrected <= BAR_RATIO * self.bar {
            return 0.0;
        }
        self.bar = corrected;
        if self.number > WARM { corrected / (corrected + HALF) } else { 0.0 }
    }

    /// Appends it as bytes, 7,920 of them, little-endian; the same series gives the same bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_le_bytes());
        [self.weight, self.bar].iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        self.visits.write(out);
        [&self.plain, &self.logarithms].iter().for_each(|season| season.write(out));
        self.panels.iter().for_each(|panel| panel.write(out));
    }

    /// From bytes; `None` where they are too few or no series could have become what they say.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (number, weight, bar) = (reader.u64()?, not_negative(reader)?, not_negative(reader)?);
        let visits = Visits::read(reader)?;
        let (plain, logarithms) = (Season::read(reader)?, Season::read(reader)?);
        let panels = [Panel::read(reader)?, Panel::read(reader)?, Panel::read(reader)?];
        // A series with points has weight.
        let sound = if number == 0 { weight == 0.0 } else { weight >= 1.0 };
        sound.then_some(Self { number, weight, bar, visits, plain, logarithms, panels })
    }
}

/// The next number, unless arithmetic with it could end beyond all numbers.
fn bounded(reader: &mut Reader<'_>) -> Option<f64> {
    reader.f64().filter(|number| number.abs() <= 4.0 * MOST)
}

fn not_negative(reader: &mut Reader<'_>) -> Option<f64> {
    bounded(reader).filter(|number| *number >= 0.0)
}

#[cfg(test)]
mod tests;
