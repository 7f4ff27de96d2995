//! `governor` over our table and the request's clock.
//!
//! A limiter is built for each check: it holds two integers. Its clock answers 0 first, which governor takes as the
//! start of time, and the request's `now` after; so the theoretical arrival times (TAT) that it stores are absolute,
//! nanoseconds since the Unix epoch, and fit for a snapshot.

use std::cell::Cell;
use std::ops::Add;

use governor::clock::{Clock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use super::config::LONGEST_FILL;
use crate::base::bounded::{Bounded, Change, Key};
use crate::model::Millis;

/// What one limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Within the limit, and spent.
    Passed {
        /// What was written, to give it back.
        spent: Spent,
        /// Requests that could follow at once.
        remaining: u32,
        /// Until the bucket is full again.
        reset_ns: u64,
    },
    /// Over the limit; nothing was written.
    Refused {
        /// Until one request would pass.
        wait_ns: u64,
    },
}

/// A change of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    previous: Option<u64>,
    written: u64,
}

/// Time stands still from here on (April 2262): what is spent stays spent.
pub(super) const LAST_NS: u64 = 1 << 63;
/// No entry is later than this.
pub(super) const LATEST_TAT_NS: u64 = LAST_NS.saturating_add(LONGEST_FILL.as_nanos() as u64);

/// Spends one request of a key, if the limit has it.
///
/// A clock that goes back finds the entry in its future, and refuses until it has caught up with what was spent.
pub(super) fn spend(quota: Quota, table: &Bounded<u64>, key: Key, now: Millis) -> Measure {
    let store = Store { table, write: Change::Put, spent: Cell::default() };
    measure(quota, store, key, Instant::of(now))
}

/// What [`spend`] would say; spends nothing.
pub(super) fn peek(quota: Quota, table: &Bounded<u64>, key: Key, now: Millis) -> Measure {
    let store = Store { table, write: |_| Change::Keep, spent: Cell::default() };
    measure(quota, store, key, Instant::of(now))
}

fn measure(quota: Quota, store: Store<'_>, key: Key, now: Instant) -> Measure {
    let clock = RequestClock { started: Cell::new(false), now };
    let limiter = RateLimiter::<_, _, _, StateInformationMiddleware>::new(quota, store, clock);
    match limiter.check_key(&key) {
        Ok(state) => {
            let spent = limiter.into_state_store().spent.get();
            let reset_ns = spent.written.saturating_sub(now.0);
            Measure::Passed { spent, remaining: state.remaining_burst_capacity(), reset_ns }
        }
        Err(refusal) => {
            let wait = refusal.wait_time_from(now).as_nanos();
            Measure::Refused { wait_ns: u64::try_from(wait).unwrap_or(u64::MAX) }
        }
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

/// Who goes first from a full table: whose bucket is full again soonest. A bucket that is full equals a fresh one, so
/// that forgetting it loses nothing; a key that is being refused is forgotten last. Total, so that merges commute.
pub(super) fn rank(key: Key, tat: &u64) -> (u64, Key) {
    (*tat, key)
}

/// Nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Instant(u64);

impl Instant {
    fn of(now: Millis) -> Self {
        Self(u64::try_from(now).unwrap_or(0).saturating_mul(1_000_000).min(LAST_NS))
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
    write: fn(u64) -> Change<u64>,
    spent: Cell<Spent>,
}

impl StateStore for Store<'_> {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.table.update(*key, rank, |tat| {
            let previous = tat.map(|tat| *tat);
            match f(previous.map(Nanos::from)) {
                Ok((outcome, next)) => {
                    let written = next.as_u64();
                    self.spent.set(Spent { previous, written });
                    ((self.write)(written), Ok(outcome))
                }
                Err(refusal) => (Change::Keep, Err(refusal)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    use super::*;
    use crate::base::bounded::KeyHasher;

    fn quota(period_ns: u64, burst: u32) -> Quota {
        Quota::with_period(Duration::from_nanos(period_ns)).unwrap().allow_burst(NonZeroU32::new(burst).unwrap())
    }

    fn key() -> Key {
        KeyHasher::new(1).part(b"k").key()
    }

    proptest! {
        #[test]
        fn equals_governor_with_its_own_store_and_clock(
            period_us in 1_u64..3_000_000, burst in 1_u32..50, steps in prop::collection::vec(0_u64..5_000, 1..200)
        ) {
            let quota = quota(period_us * 1_000, burst);
            let clock = FakeRelativeClock::default();
            let theirs = RateLimiter::direct_with_clock(quota, clock.clone()).with_middleware::<StateInformationMiddleware>();
            let table = Bounded::with_capacity(8);
            let mut now = 0;
            for step in steps {
                now += step;
                clock.advance(Duration::from_millis(step));
                let ours = spend(quota, &table, key(), i64::try_from(now).unwrap());
                match (ours, theirs.check()) {
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
}
