//! What an endpoint's surge was told of is not told again: not while it lasts, and not when as much comes again soon.

use crate::base::bytes::Reader;
use crate::base::generations::Kept;
use crate::model::Millis;

/// Fewer deviations are none, 8 bits behind the point.
const LEAST: u16 = 4 << 8;
/// Before anything was alarming, what is told is told again when it is so much higher.
const AGAIN: u16 = 1 << 8;
/// While it lasts: when it is so many times what was alarming.
const HIGHER: u16 = 8;
/// A surge is over when there was none for so long.
const OVER: Millis = 3_600_000;
/// After so long half is forgotten: what comes each week is told once.
const HALF_LIFE: Millis = 14 * 24 * 3_600_000;

/// Surges of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Episode {
    /// When there was one.
    last: Millis,
    period: u32,
    told: u16,
    /// What was alarming of the one that lasts.
    alarming: u16,
    /// The highest that there were alarms of.
    highest: u16,
}

impl Episode {
    /// What is news of so many deviations.
    pub(super) fn news(&mut self, deviations: u32, now: Millis) -> u32 {
        let deviations = u16::try_from(deviations).unwrap_or(u16::MAX);
        if deviations < LEAST {
            return 0;
        }
        let period = u32::try_from(now / HALF_LIFE).unwrap_or(0);
        let passed = period.saturating_sub(self.period);
        self.period = period.max(self.period);
        for height in [&mut self.told, &mut self.highest] {
            *height = height.checked_shr(passed).unwrap_or(0);
        }
        if now.saturating_sub(self.last) > OVER {
            self.alarming = 0;
        }
        self.last = now.max(self.last);
        let bar = if self.alarming > 0 {
            self.highest = self.highest.max(deviations);
            self.alarming.saturating_mul(HIGHER)
        } else {
            let again = if self.told > 0 { self.told.saturating_add(AGAIN) } else { 0 };
            // As much as there were alarms of, and a half.
            again.max(self.highest.saturating_add(self.highest / 2))
        };
        if deviations <= bar {
            return 0;
        }
        self.told = deviations;
        deviations.into()
    }

    /// So many deviations were alarming.
    pub(super) fn alarm(&mut self, deviations: u32, now: Millis) {
        self.last = now.max(self.last);
        self.alarming = u16::try_from(deviations).unwrap_or(u16::MAX).max(self.alarming);
        self.highest = self.highest.max(self.alarming);
    }
}

impl Kept for Episode {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.last.to_le_bytes());
        self.period.write(out);
        [self.told, self.alarming, self.highest].iter().for_each(|height| out.extend_from_slice(&height.to_le_bytes()));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (last, period) = (reader.i64()?, reader.u32()?);
        let mut height = || reader.take().map(u16::from_le_bytes);
        Some(Self { last, period, told: height()?, alarming: height()?, highest: height()? })
    }

    fn join(&mut self, other: &Self) {
        self.last = self.last.max(other.last);
        self.period = self.period.max(other.period);
        self.told = self.told.max(other.told);
        self.alarming = self.alarming.max(other.alarming);
        self.highest = self.highest.max(other.highest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;

    /// A surge that rises to a height, and how often it is alarming from there on where it is told.
    fn surge(episode: &mut Episode, height: u32, from: Millis, alarming: u32) -> usize {
        let one = |step: u32| {
            let told = episode.news(height * step * 256 / 100, from + Millis::from(step) * MINUTE);
            let alarm = told >= alarming * 256;
            if alarm {
                episode.alarm(told, from + Millis::from(step) * MINUTE);
            }
            alarm
        };
        (0..=100).map(one).filter(|alarm| *alarm).count()
    }

    #[test]
    fn once_while_it_lasts_and_not_again_soon() {
        let (mut episode, day) = (Episode::default(), 24 * 60 * MINUTE);
        assert_eq!(surge(&mut episode, 12, day, 4), 1);
        assert_eq!(surge(&mut episode, 13, 2 * day, 4), 0);
        assert_eq!(surge(&mut episode, 30, 3 * day, 4), 1, "much higher");
        assert_eq!(surge(&mut episode, 12, 70 * day, 4), 1, "long ago");
        assert_eq!(surge(&mut Episode::default(), 3, day, 4), 0);
        assert_eq!(surge(&mut Episode::default(), 6, day, 8), 0, "told, and not alarming");
        assert_eq!(surge(&mut Episode::default(), 100, day, 4), 2, "again when it is eight times as high");
    }
}
