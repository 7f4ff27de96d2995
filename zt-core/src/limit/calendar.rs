//! So many in each span of the calendar.
//!
//! An entry is the number of its span (from 1970-01-01, UTC) in the high half, and what was used of it in the low.

use super::window::{Ask, Commit, Measure, SKEW_MS, Spent, Stored, millis, rank};
use crate::base::bounded::{Bounded, Change, Key};
use crate::model::Millis;

/// So many in each span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) count: u32,
    /// At least a minute, so that the number of a span fits its half.
    pub(super) per_ms: u64,
}

impl Calendar {
    /// The span that `now` is in.
    pub(super) fn span(self, now: Millis) -> u32 {
        u32::try_from(millis(now).checked_div(self.per_ms).unwrap_or_default()).unwrap_or(u32::MAX)
    }

    /// Span and use of an entry now. A clock that went back by less than an hour, or within its span, finds the span that
    /// was begun; one that went back further takes what was used along, into the span that it shows.
    fn stored(self, entry: Option<u64>, now: Millis) -> Stored<(u32, u32)> {
        let span = self.span(now);
        let Some((begun, used)) = entry.map(halves) else { return Stored { value: (span, 0), jumped: false } };
        let ahead = u64::from(begun).saturating_mul(self.per_ms).saturating_sub(millis(now));
        match begun > span {
            true if ahead > SKEW_MS => Stored { value: (span, used), jumped: true },
            true => Stored { value: (begun, used), jumped: false },
            false if begun == span => Stored { value: (span, used), jumped: false },
            false => Stored { value: (span, 0), jumped: false },
        }
    }

    pub(super) fn measure(self, table: &Bounded<u64>, key: Key, ask: Ask, now: Millis) -> (Measure, bool) {
        let most = self.count.saturating_sub(ask.reserve);
        table.update(key, rank, |entry| {
            let previous = entry.copied();
            let Stored { value: (span, used), jumped } = self.stored(previous, now);
            let reset_ns = self.left_ns(span, now);
            let passed = used.checked_add(ask.amount).filter(|used| *used <= most);
            // What is put right is put right, whatever comes of the request.
            let kept = if jumped { Change::Put(entry_of(span, used)) } else { Change::Keep };
            match passed {
                Some(next) => {
                    let written = entry_of(span, next);
                    let spent = Spent { previous, written, amount: ask.amount };
                    let measure = Measure::Passed { spent, remaining: most.saturating_sub(next), reset_ns };
                    (if ask.commit == Commit::Spend { Change::Put(written) } else { kept }, (measure, jumped))
                }
                None => (kept, (Measure::Refused { wait_ns: reset_ns }, jumped)),
            }
        })
    }

    /// The entry after so much more was used of the span.
    pub(super) fn charged(self, entry: Option<u64>, amount: u32, now: Millis) -> u64 {
        let Stored { value: (span, used), .. } = self.stored(entry, now);
        entry_of(span, used.saturating_add(amount))
    }

    /// What is missing, as it counts now.
    pub(super) fn lost(self, entry: u64, now: Millis) -> Stored<u64> {
        let Stored { value: (span, used), jumped } = self.stored(Some(entry), now);
        Stored { value: entry_of(span, used), jumped }
    }

    /// Until the span ends.
    fn left_ns(self, span: u32, now: Millis) -> u64 {
        let end = u64::from(span).saturating_add(1).saturating_mul(self.per_ms);
        end.saturating_sub(millis(now)).saturating_mul(1_000_000)
    }
}

/// Takes back what was used, unless the span is over; exact whoever came between.
pub(super) fn undo(table: &Bounded<u64>, key: Key, spent: Spent) {
    table.update(key, rank, |entry| {
        let change = match entry.map(|entry| halves(*entry)) {
            Some((span, used)) if span == halves(spent.written).0 => match used.saturating_sub(spent.amount) {
                0 => Change::Remove,
                used => Change::Put(entry_of(span, used)),
            },
            _ => Change::Keep,
        };
        (change, ())
    });
}

const fn halves(entry: u64) -> (u32, u32) {
    ((entry >> 32) as u32, entry as u32)
}

fn entry_of(span: u32, used: u32) -> u64 {
    u64::from(span) << 32 | u64::from(used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::tests::alone::{self, key};
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000;
    const DAILY: Calendar = Calendar { count: 10, per_ms: DAY as u64 };

    fn spend(table: &Bounded<u64>, amount: u32, now: Millis) -> (Measure, bool) {
        DAILY.measure(table, key(), alone::spend(amount, 0), now)
    }

    fn passes(table: &Bounded<u64>, now: Millis) -> u32 {
        (0..100).filter(|_| matches!(spend(table, 1, now).0, Measure::Passed { .. })).count() as u32
    }

    #[test]
    fn a_day_has_its_quota_and_the_next_has_it_anew() {
        let table = Bounded::with_capacity(8);
        assert_eq!(passes(&table, 3 * DAY + 5), 10);
        assert_eq!(spend(&table, 1, 4 * DAY - 1_000).0, Measure::Refused { wait_ns: 1_000_000_000 });
        assert_eq!(passes(&table, 4 * DAY), 10);
        assert_eq!(passes(&table, 9 * DAY - 1), 10, "nothing is saved up");
    }

    #[test]
    fn a_clock_that_goes_back_a_little_finds_the_day_that_was_begun() {
        let table = Bounded::with_capacity(8);
        assert_eq!(passes(&table, 4 * DAY), 10);
        assert_eq!(passes(&table, 4 * DAY - 1), 0, "yesterday's quota is not used again");
        assert_eq!(passes(&table, 4 * DAY - 3_600_000), 0);
        assert_eq!(passes(&table, 5 * DAY), 10);
    }

    #[test]
    fn a_clock_that_was_far_ahead_locks_nobody_out_for_long() {
        let table = Bounded::with_capacity(8);
        assert_eq!(passes(&table, 10_000 * DAY), 10);
        assert_eq!(spend(&table, 1, 4 * DAY), (Measure::Refused { wait_ns: DAY as u64 * 1_000_000 }, true));
        assert!(!spend(&table, 1, 4 * DAY).1, "told once");
        assert_eq!(passes(&table, 5 * DAY), 10, "the next day is a day like others");
    }

    #[test]
    fn what_is_taken_back_is_exact_whoever_came_between() {
        let table = Bounded::with_capacity(8);
        let Measure::Passed { spent, .. } = spend(&table, 3, 0).0 else { panic!("refused") };
        spend(&table, 5, 0);
        undo(&table, key(), spent);
        assert_eq!(passes(&table, 0), 5);
        spend(&table, 1, DAY);
        undo(&table, key(), spent);
        assert_eq!(passes(&table, DAY), 9, "another day's is not touched");
    }

    #[test]
    fn a_debt_ends_with_its_day() {
        let table = Bounded::with_capacity(8);
        table.update(key(), rank, |entry| (Change::Put(DAILY.charged(entry.copied(), 50, 0)), ()));
        assert_eq!(passes(&table, DAY - 1), 0);
        assert_eq!(passes(&table, DAY), 10);
        assert_eq!(DAILY.charged(Some(entry_of(0, u32::MAX)), 9, 0), entry_of(0, u32::MAX));
    }

    proptest! {
        #[test]
        fn counts_like_a_counter_by_span(steps in prop::collection::vec((0_i64..DAY, 1_u32..12), 1..80)) {
            let table = Bounded::with_capacity(8);
            let (mut now, mut used) = (0, std::collections::BTreeMap::<i64, u32>::new());
            for (step, amount) in steps {
                now += step;
                let used = used.entry(now / DAY).or_default();
                let due = *used + amount <= 10;
                *used += if due { amount } else { 0 };
                match spend(&table, amount, now).0 {
                    Measure::Passed { remaining, .. } => prop_assert!(due && remaining == 10 - *used),
                    Measure::Refused { wait_ns } => prop_assert!(!due && wait_ns > 0),
                }
            }
        }

        #[test]
        fn any_clock_and_any_entry_are_survived(entry: u64, times in prop::collection::vec(any::<i64>(), 1..20), amount: u32, per_ms: u64) {
            let calendar = Calendar { count: 10, per_ms };
            let table = Bounded::with_capacity(8);
            table.update(key(), rank, |_| (Change::Put(entry), ()));
            for now in times {
                calendar.measure(&table, key(), alone::spend(amount, 3), now);
                calendar.charged(Some(entry), amount, now);
            }
        }
    }
}
