//! How much an hour of the week has: of each hour of the day, on a weekday and at the weekend.

use super::super::super::series::Hour;
use crate::base::bytes::Reader;
use crate::base::generations::Kept;
use crate::model::Millis;

pub(super) const HOUR: Millis = 3_600_000;
/// Hours of the day, on a weekday and at the weekend.
pub(super) const HOURS: usize = 48;
/// Of more hours of a kind those before count half.
const MOST_SEEN: u8 = 32;
/// Hours of a kind that are thought to have been seen with what is expected of them.
const SHRINK: u64 = 2;

/// Of each hour of the week: how often it was seen, and how many requests it had in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Week {
    seen: [u8; HOURS],
    sums: [u32; HOURS],
}

impl Default for Week {
    fn default() -> Self {
        Self { seen: [0; HOURS], sums: [0; HOURS] }
    }
}

/// The place of an hour since 1970 in a week.
fn of_week(hour: u32) -> usize {
    Hour::of(Millis::from(hour).saturating_mul(HOUR)).of_week()
}

impl Week {
    /// An hour since 1970 had so many requests.
    pub(super) fn add(&mut self, hour: u32, number: u32) {
        let at = of_week(hour);
        if let (Some(seen), Some(sum)) = (self.seen.get_mut(at), self.sums.get_mut(at)) {
            if *seen >= MOST_SEEN {
                (*seen, *sum) = (*seen / 2, *sum / 2);
            }
            (*seen, *sum) = (seen.saturating_add(1), sum.saturating_add(number));
        }
    }

    /// Hours that were seen.
    pub(super) fn seen(&self) -> u32 {
        self.seen.iter().map(|seen| u32::from(*seen)).sum()
    }

    /// How often an hour since 1970 was seen.
    pub(super) fn seen_like(&self, hour: u32) -> u8 {
        self.seen.get(of_week(hour)).copied().unwrap_or_default()
    }

    fn each(&self) -> impl Iterator<Item = (u64, u64)> {
        self.seen.iter().zip(&self.sums).map(|(seen, sum)| (u64::from(*seen), u64::from(*sum)))
    }

    /// What each hour is expected to have, 8 bits behind the point: what it had, beside what its hour of the day has, beside what all
    /// have.
    pub(super) fn rates(&self) -> [u32; HOURS] {
        let (seen, sum) = self.each().fold((0, 0), add);
        let all = shrunk(seen, sum, 0, 0);
        let mut rates = [0; HOURS];
        for (at, rate) in rates.iter_mut().enumerate() {
            let of = |at: usize| self.each().nth(at).unwrap_or_default();
            let (seen, sum) = add(of(at), of(at ^ 1));
            let of_day = shrunk(seen, sum, all, SHRINK);
            let (seen, sum) = of(at);
            *rate = u32::try_from(shrunk(seen, sum, of_day, SHRINK)).unwrap_or(u32::MAX);
        }
        rates
    }

    /// What an hour since 1970 is expected to have, 8 bits behind the point: what it had, beside the part that this is of those
    /// whose `rates` are given.
    pub(super) fn rate(&self, hour: u32, rates: &[u32; HOURS]) -> u32 {
        let at = of_week(hour);
        let [mut sum, mut expected] = [0_u128; 2];
        for ((seen, own), rate) in self.each().zip(rates) {
            sum = sum.saturating_add(own.into());
            expected = expected.saturating_add(u128::from(seen).saturating_mul((*rate).into()));
        }
        let rate = u128::from(rates.get(at).copied().unwrap_or_default());
        let part = sum.saturating_mul(rate) * 256 / expected.max(1);
        let (seen, sum) = self.each().nth(at).unwrap_or_default();
        let rate = shrunk(seen, sum, u64::try_from(part).unwrap_or(u64::MAX), SHRINK);
        u32::try_from(rate).unwrap_or(u32::MAX)
    }
}

fn add((seen, sum): (u64, u64), (more, others): (u64, u64)) -> (u64, u64) {
    (seen.saturating_add(more), sum.saturating_add(others))
}

/// The mean of so many hours, and of so many more that have what is usual; 8 bits behind the point.
fn shrunk(seen: u64, sum: u64, usual: u64, more: u64) -> u64 {
    let all = sum.saturating_mul(256).saturating_add(usual.saturating_mul(more));
    all / seen.saturating_add(more).max(1)
}

impl Kept for Week {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.seen);
        self.sums.iter().for_each(|sum| sum.write(out));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut week = Self { seen: reader.take()?, ..Self::default() };
        week.sums.iter_mut().try_for_each(|sum| reader.u32().map(|read| *sum = read))?;
        week.seen.iter().all(|seen| *seen <= MOST_SEEN).then_some(week)
    }

    fn join(&mut self, other: &Self) {
        let own = self.seen.iter_mut().zip(&mut self.sums);
        for ((seen, sum), (others, other_sum)) in own.zip(other.seen.iter().zip(&other.sums)) {
            let (mut all, mut all_sum) = (seen.saturating_add(*others), sum.saturating_add(*other_sum));
            if all > MOST_SEEN {
                (all, all_sum) = (all / 2, all_sum / 2);
            }
            (*seen, *sum) = (all, all_sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From a Monday on.
    const MONDAY: u32 = 4 * 24;

    #[test]
    fn an_hour_has_what_it_had_and_a_new_one_what_others_have() {
        let mut week = Week::default();
        for hour in 0..4 * 24 {
            week.add(MONDAY + hour, if hour % 24 < 12 { 10 } else { 100 });
        }
        let rates = week.rates();
        let of = |hour: u32| rates[of_week(MONDAY + hour)] / 256;
        assert!((10..25).contains(&of(4)) && (80..=100).contains(&of(16)), "{} {}", of(4), of(16));
        // Saturday was never seen.
        assert!((10..40).contains(&of(5 * 24 + 4)) && (70..=100).contains(&of(5 * 24 + 16)));
        // An endpoint that has a tenth of the requests in a few of the hours has it in others too.
        let mut part = Week::default();
        (0..12).for_each(|hour| part.add(MONDAY + hour, 2));
        let rate = part.rate(MONDAY + 16, &rates) as f64 / 256.0;
        assert!((8.0..20.0).contains(&rate), "{rate}");
    }

    #[test]
    fn old_hours_fade_and_bytes_come_back() {
        let mut week = Week::default();
        (0..100).for_each(|day| week.add(MONDAY + day * 7 * 24, 1_000));
        (0..100).for_each(|day| week.add(MONDAY + day * 7 * 24, 0));
        assert!(week.rates()[of_week(MONDAY)] < 60 * 256);
        let mut bytes = Vec::new();
        week.write(&mut bytes);
        assert_eq!(Week::read(&mut Reader::new(&bytes)), Some(week.clone()));
        assert_eq!(Week::read(&mut Reader::new(&bytes[1..])), None);
        let mut other = Week::default();
        other.add(MONDAY, u32::MAX);
        let [mut one, mut two] = [week.clone(), other.clone()];
        one.join(&other);
        two.join(&week);
        assert_eq!(one, two);
    }
}
