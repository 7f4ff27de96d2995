//! A rate, by GCRA: `governor` over our table and the request's clock.
//!
//! A limiter is built for each check: it holds two integers. Its clock answers 0 first, which governor takes as the
//! start of time, and the request's `now` after; so the theoretical arrival times (TAT) that it stores are absolute,
//! nanoseconds since the Unix epoch, and fit for a snapshot.
//!
//! A clock that goes back finds the entry in its future, and refuses until it has caught up with what was spent. Where an
//! entry lies so far ahead that the limit itself cannot have put it there (by more than an hour), the clock was wrong
//! when it was written: then the bucket counts as empty from now on, and fills at its rate.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::ops::Add;
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use super::window::{Ask, Measure, SKEW_MS, Spent, Stored, millis, rank};
use crate::base::bounded::{Bounded, Change, Key};
use crate::base::units::Rate;
use crate::model::Millis;

/// The longest time from an empty to a full bucket. Together with [`LAST_NS`] it keeps governor's unchecked arithmetic far
/// below the end of a `u64`.
pub(super) const LONGEST_FILL: Duration = Duration::from_secs(366 * 24 * 3600);
/// Time stands still from here on (April 2262): what is spent stays spent.
pub(super) const LAST_NS: u64 = 1 << 63;
/// No entry is later than this.
pub(super) const LATEST_TAT_NS: u64 = LAST_NS.saturating_add(LONGEST_FILL.as_nanos() as u64).saturating_add(DEBT_NS);
/// The longest debt, beside an empty bucket: a day.
const DEBT_NS: u64 = 86_400_000_000_000;

/// A bucket that fills at a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) quota: Quota,
    /// As it is written.
    pub(super) rate: Rate,
    /// Whether it may go into debt.
    pub(super) debts: bool,
}

impl Bucket {
    pub(super) fn capacity(self) -> u32 {
        self.quota.burst_size().get()
    }

    /// The time for one request.
    pub(super) fn period_ns(self) -> u64 {
        u64::try_from(self.quota.replenish_interval().as_nanos()).unwrap_or(u64::MAX)
    }

    /// From empty to full.
    fn fill_ns(self) -> u64 {
        self.period_ns().saturating_mul(self.capacity().into())
    }

    /// The arrival time that counts of one that is stored.
    fn stored(self, tat: u64, now: Instant) -> (u64, bool) {
        let debt = if self.debts { DEBT_NS } else { 0 };
        let most = now.0.saturating_add(self.fill_ns()).saturating_add(debt);
        let jumped = tat > most.saturating_add(SKEW_MS.saturating_mul(1_000_000));
        (if jumped { now.0.saturating_add(self.fill_ns()) } else { tat }, jumped)
    }

    pub(super) fn measure(self, table: &Bounded<u64>, key: Key, ask: Ask, now: Millis) -> (Measure, bool) {
        let now = Instant::of(now);
        let clock = RequestClock { started: Cell::new(false), now };
        let store = Store { table, bucket: self, ask, now, spent: Cell::default(), jumped: Cell::default() };
        let limiter = RateLimiter::<_, _, _, StateInformationMiddleware>::new(self.quota, store, clock);
        // What must remain is asked for too, and not taken.
        let cells = NonZeroU32::new(ask.amount.saturating_add(ask.reserve)).unwrap_or(NonZeroU32::MIN);
        let answer = limiter.check_key_n(&key, cells);
        let store = limiter.into_state_store();
        let measure = match answer {
            Ok(Ok(state)) => {
                let spent = store.spent.get();
                let reset_ns = spent.written.saturating_sub(now.0);
                Measure::Passed { spent, remaining: state.remaining_burst_capacity(), reset_ns }
            }
            Ok(Err(refusal)) => {
                let wait = refusal.wait_time_from(now).as_nanos();
                Measure::Refused { wait_ns: u64::try_from(wait).unwrap_or(u64::MAX) }
            }
            // More than what can pass at once never passes; no window asks for it.
            Err(_) => Measure::Refused { wait_ns: self.fill_ns() },
        };
        (measure, store.jumped.get())
    }

    /// What is missing, as it counts now.
    pub(super) fn lost(self, tat: u64, now: Millis) -> Stored<u64> {
        let (value, jumped) = self.stored(tat, Instant::of(now));
        Stored { value, jumped }
    }

    /// The arrival time after so many more, passed or not.
    pub(super) fn charged(self, tat: Option<u64>, amount: u32, now: Millis) -> u64 {
        let now = Instant::of(now);
        let tat = tat.map_or(now.0, |tat| self.stored(tat, now).0).max(now.0);
        let most = now.0.saturating_add(self.fill_ns()).saturating_add(DEBT_NS).max(tat);
        tat.saturating_add(self.period_ns().saturating_mul(amount.into())).min(most)
    }
}

/// Gives back what was spent, unless another request has written since: then the key stays the poorer for it.
pub(super) fn undo(table: &Bounded<u64>, key: Key, spent: Spent) {
    table.update(key, rank, |tat| {
        let change = match (tat, spent.previous) {
            (Some(tat), Some(previous)) if *tat == spent.written => Change::Put(previous),
            (Some(tat), None) if *tat == spent.written => Change::Remove,
            _ => Change::Keep,
        };
        (change, ())
    });
}

/// Nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Instant(u64);

impl Instant {
    fn of(now: Millis) -> Self {
        Self(millis(now).saturating_mul(1_000_000).min(LAST_NS))
    }
}

impl Add<Nanos> for Instant {
    type Output = Self;

    fn add(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span.as_u64()))
    }
}

impl Reference for Instant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, span: Nanos) -> Self {
        Self(self.0.saturating_sub(span.as_u64()))
    }
}

struct RequestClock {
    started: Cell<bool>,
    now: Instant,
}

impl Clock for RequestClock {
    type Instant = Instant;

    fn now(&self) -> Instant {
        if self.started.replace(true) { self.now } else { Instant(0) }
    }
}

struct Store<'t> {
    table: &'t Bounded<u64>,
    bucket: Bucket,
    ask: Ask,
    now: Instant,
    spent: Cell<Spent>,
    jumped: Cell<bool>,
}

impl StateStore for Store<'_> {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let Ask { amount, reserve, .. } = self.ask;
        self.table.update(*key, rank, |tat| {
            let stored = tat.copied().map(|tat| self.bucket.stored(tat, self.now));
            let jumped = stored.is_some_and(|(_, jumped)| jumped);
            self.jumped.set(jumped);
            let tat = stored.map(|(tat, _)| tat);
            // What is put right is put right, whatever comes of the request.
            let kept = tat.filter(|_| jumped).map_or(Change::Keep, Change::Put);
            match f(tat.map(Nanos::from)) {
                Ok((outcome, next)) => {
                    let left = self.bucket.period_ns().saturating_mul(reserve.into());
                    let written = next.as_u64().saturating_sub(left);
                    self.spent.set(Spent { previous: tat, written, amount });
                    (if self.ask.writes(tat) { Change::Put(written) } else { kept }, Ok(outcome))
                }
                Err(refusal) => (kept, Err(refusal)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    use super::*;
    use crate::base::bounded::KeyHasher;
    use crate::limit::window::Commit;

    fn quota(period_ns: u64, burst: u32) -> Quota {
        Quota::with_period(Duration::from_nanos(period_ns)).unwrap().allow_burst(NonZeroU32::new(burst).unwrap())
    }

    fn key() -> Key {
        KeyHasher::new(1).part(b"k").key()
    }

    fn bucket(quota: Quota, debts: bool) -> Bucket {
        Bucket { quota, rate: "1/1s".parse().unwrap(), debts }
    }

    fn ask(quota: Quota, amount: u32, reserve: u32, commit: Commit, table: &Bounded<u64>, now: Millis) -> Measure {
        bucket(quota, false).measure(table, key(), Ask { amount, reserve, commit }, now).0
    }

    fn spend(quota: Quota, table: &Bounded<u64>, _: Key, now: Millis) -> Measure {
        ask(quota, 1, 0, Commit::Spend, table, now)
    }

    fn peek(quota: Quota, table: &Bounded<u64>, _: Key, now: Millis) -> Measure {
        ask(quota, 1, 0, Commit::Look, table, now)
    }

    proptest! {
        #[test]
        fn equals_governor_with_its_own_store_and_clock(
            period_us in 1_u64..3_000_000, burst in 1_u32..50, steps in prop::collection::vec((0_u64..5_000, 1_u32..60), 1..200)
        ) {
            let quota = quota(period_us * 1_000, burst);
            let clock = FakeRelativeClock::default();
            let theirs = RateLimiter::direct_with_clock(quota, clock.clone()).with_middleware::<StateInformationMiddleware>();
            let table = Bounded::with_capacity(8);
            let mut now = 0;
            for (step, cost) in steps {
                now += step;
                clock.advance(Duration::from_millis(step));
                let cost = cost.min(burst);
                let ours = ask(quota, cost, 0, Commit::Spend, &table, i64::try_from(now).unwrap());
                match (ours, theirs.check_n(NonZeroU32::new(cost).unwrap()).unwrap()) {
                    (Measure::Passed { remaining, .. }, Ok(state)) => {
                        prop_assert_eq!(remaining, state.remaining_burst_capacity());
                    }
                    (Measure::Refused { wait_ns }, Err(refusal)) => {
                        prop_assert_eq!(u128::from(wait_ns), refusal.wait_time_from(clock.now()).as_nanos());
                    }
                    (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs.is_ok()),
                }
            }
        }

        #[test]
        fn any_clock_and_any_entry_are_survived(
            period_ns in 1_u64..31_000_000_000_000_000, burst in 1_u32..=u32::MAX, entry in 0..=LATEST_TAT_NS,
            times in prop::collection::vec(any::<i64>(), 1..20)
        ) {
            let burst = burst.min((LONGEST_FILL.as_nanos() as u64 / period_ns).clamp(1, u64::from(u32::MAX)) as u32);
            let table = Bounded::with_capacity(8);
            table.update(key(), rank, |_| (Change::Put(entry), ()));
            for now in times {
                spend(quota(period_ns, burst), &table, key(), now);
                prop_assert!(table.get(key()).unwrap() <= LATEST_TAT_NS);
            }
        }

        /// However the clock jumps, no more passes than the burst and what the time between its extremes restores.
        #[test]
        fn a_clock_that_jumps_admits_no_more(times in prop::collection::vec(0_i64..100_000, 1..300), burst in 1_u32..10) {
            let table = Bounded::with_capacity(8);
            let quota = quota(1_000_000_000, burst);
            let passed = times.iter().filter(|now| matches!(spend(quota, &table, key(), **now), Measure::Passed { .. })).count();
            let span = times.iter().max().unwrap() - times.iter().min().unwrap();
            prop_assert!(passed as i64 <= i64::from(burst) + span / 1_000, "{} in {} ms", passed, span);
        }
    }

    #[test]
    fn peeking_spends_nothing() {
        let table = Bounded::with_capacity(8);
        let quota = quota(1_000_000_000, 1);
        let passed = peek(quota, &table, key(), 5);
        assert!(table.is_empty());
        assert_eq!(spend(quota, &table, key(), 5), passed);
        let refused = peek(quota, &table, key(), 5);
        assert_eq!(refused, Measure::Refused { wait_ns: 1_000_000_000 });
        assert_eq!(spend(quota, &table, key(), 5), refused);
    }

    #[test]
    fn undo_restores_only_its_own_write() {
        let table = Bounded::with_capacity(8);
        let quota = quota(1_000_000_000, 3);
        let spent = |measure| match measure {
            Measure::Passed { spent, .. } => spent,
            Measure::Refused { .. } => panic!("refused"),
        };
        let first = spent(spend(quota, &table, key(), 5));
        undo(&table, key(), first);
        assert!(table.is_empty());

        let first = spent(spend(quota, &table, key(), 5));
        let before = table.get(key());
        let second = spent(spend(quota, &table, key(), 5));
        undo(&table, key(), first);
        assert_ne!(table.get(key()), before, "another has written since");
        undo(&table, key(), second);
        assert_eq!(table.get(key()), before);
    }

    proptest! {
        /// What must remain is never taken by those for whom it is not, and is there for the others.
        #[test]
        fn a_reserve_is_kept(burst in 2_u32..40, share in 1_u32..40, steps in prop::collection::vec((0_i64..3_000, 1_u32..5), 1..100)) {
            let reserve = share.min(burst - 1);
            let (quota, table) = (quota(1_000_000_000, burst), Bounded::with_capacity(8));
            let mut now = 0;
            for (step, cost) in steps {
                now += step;
                ask(quota, cost.min(burst - reserve), reserve, Commit::Spend, &table, now);
                let left = (1..=burst).rev().find(|n| matches!(ask(quota, *n, 0, Commit::Look, &table, now), Measure::Passed { .. }));
                prop_assert!(left >= Some(reserve), "{:?} of {}", left, reserve);
            }
        }

        /// A debt makes later requests wait as long as they would have, had it been paid up front.
        #[test]
        fn a_debt_is_paid_off_at_the_rate(debt in 1_u32..1_000, burst in 1_u32..20) {
            let (quota, table) = (quota(1_000_000_000, burst), Bounded::with_capacity(8));
            let bucket = bucket(quota, true);
            table.update(key(), rank, |tat| (Change::Put(bucket.charged(tat.copied(), burst + debt, 0)), ()));
            let at = |now| bucket.measure(&table, key(), Ask { amount: 1, reserve: 0, commit: Commit::Look }, now).0;
            let due = i64::from(debt + 1) * 1_000;
            let passes = |now| matches!(at(now), Measure::Passed { .. });
            prop_assert_eq!((passes(due - 1), passes(due)), (false, true));
        }
    }

    #[test]
    fn a_clock_that_goes_back_a_little_is_waited_for() {
        let (quota, table) = (quota(1_000_000_000, 2), Bounded::with_capacity(8));
        let passes =
            |now| (0..9).filter(|_| matches!(spend(quota, &table, key(), now), Measure::Passed { .. })).count();
        let noon = 1_772_452_800_000;
        assert_eq!(passes(noon), 2);
        assert_eq!(spend(quota, &table, key(), noon - 3_600_000), Measure::Refused { wait_ns: 3_601_000_000_000 });
        assert_eq!(passes(noon), 0);
    }

    #[test]
    fn a_clock_that_was_far_ahead_locks_nobody_out_for_long() {
        let (quota, table) = (quota(1_000_000_000, 2), Bounded::with_capacity(8));
        let bucket = bucket(quota, false);
        let (noon, year) = (1_772_452_800_000, 31_536_000_000);
        spend(quota, &table, key(), noon + year);
        let one = Ask { amount: 1, reserve: 0, commit: Commit::Spend };
        assert_eq!(bucket.measure(&table, key(), one, noon), (Measure::Refused { wait_ns: 1_000_000_000 }, true));
        assert!(!bucket.measure(&table, key(), one, noon).1, "told once");
        assert!(matches!(spend(quota, &table, key(), noon + 1_000), Measure::Passed { .. }));
    }

    #[test]
    fn no_debt_is_longer_than_a_day() {
        let bucket = bucket(quota(1_000_000_000, 2), true);
        assert_eq!(bucket.charged(None, u32::MAX, 0), 2_000_000_000 + DEBT_NS);
        assert_eq!(bucket.charged(Some(2_000_000_000 + DEBT_NS), 1, 0), 2_000_000_000 + DEBT_NS);
    }
}
