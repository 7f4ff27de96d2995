//! The most requests within a period, wherever it begins.

use super::PERIODS;

/// Parts of a period; one more is looked at, so that no period is cut off.
const PARTS: i64 = 5;
const LATEST: i64 = -PARTS;

/// The last parts of one period, and the most that were in them.
///
/// Six parts cover every period of five, wherever it begins: the number is never less than that of the busiest period, and
/// that of six fifths of one at most. So a bucket of this number that fills within the period never refuses who made it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sliding {
    /// Which part of time the first of these is.
    part: i64,
    /// The latest first.
    parts: [u16; PARTS as usize + 1],
    most: u32,
}

impl Sliding {
    /// One more request. Whatever lies before the parts starts anew, as what lies far behind them.
    pub(super) fn add(&mut self, now: i64, period_ms: i64) {
        let part = now.div_euclid((period_ms / PARTS).max(1));
        let ahead = part.saturating_sub(self.part);
        let late = match ahead {
            0 => 0,
            LATEST..=-1 => usize::try_from(ahead.unsigned_abs()).unwrap_or_default(),
            _ => {
                let all = self.parts.len();
                let passed = usize::try_from(ahead).map_or(all, |passed| passed.min(all));
                self.parts.rotate_right(passed % all);
                self.parts.iter_mut().take(passed).for_each(|count| *count = 0);
                self.part = part;
                0
            }
        };
        if let Some(count) = self.parts.get_mut(late) {
            *count = count.saturating_add(1);
        }
        self.most = self.most.max(self.parts.iter().map(|count| u32::from(*count)).sum());
    }
}

/// Of each of [`PERIODS`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts([Sliding; PERIODS.len()]);

impl Counts {
    pub(super) fn add(&mut self, now: i64) {
        self.0.iter_mut().zip(PERIODS).for_each(|(sliding, period_s)| sliding.add(now, i64::from(period_s) * 1_000));
    }

    /// The most of each.
    pub(super) fn most(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|sliding| sliding.most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PERIOD: i64 = 600_000;

    fn most(times: &[i64]) -> u32 {
        let mut sliding = Sliding::default();
        times.iter().for_each(|at| sliding.add(*at, PERIOD));
        sliding.most
    }

    #[test]
    fn a_burst_is_counted_whole_where_clocks_turn() {
        let burst: Vec<i64> = (0..40).map(|n| 1_772_446_800_000 - 20_000 + n * 1_000).collect();
        assert_eq!(most(&burst), 40);
        let even: Vec<i64> = (0..1_000).map(|n| n * 60_000).collect();
        assert_eq!(most(&even), 12, "ten and the part more");
        assert_eq!(most(&[i64::MIN, i64::MAX, 0, i64::MIN, -1, 1]), 2);
        assert_eq!(most(&[3_600_000, 0, 3_600_000]), 1, "what is far behind starts anew");
    }

    proptest! {
        #[test]
        fn never_less_than_the_busiest_period_and_never_more_than_six_fifths_of_time(
            mut times in prop::collection::vec(0..20 * PERIOD, 1..300)
        ) {
            times.sort_unstable();
            let within = |length: i64| {
                let from = |start: &i64| times.iter().filter(|at| (0..=length).contains(&(**at - start))).count();
                u32::try_from(times.iter().map(from).max().unwrap()).unwrap()
            };
            let found = most(&times);
            prop_assert!(found >= within(PERIOD) && found <= within(PERIOD / PARTS * (PARTS + 1)));
        }
    }
}
