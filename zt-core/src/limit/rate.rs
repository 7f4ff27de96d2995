//! A rate, by GCRA: `governor` over our table and the request's clock.
//!
//! A limiter is built for each check, over the one entry: it holds two integers. Its clock answers 0 first, which governor
//! takes as the start of time, and the request's `now` after; so the theoretical arrival times (TAT) that are stored are
//! absolute, nanoseconds since the Unix epoch, and fit for a snapshot.
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
    quota: Quota,
    /// As it is written.
    pub(super) rate: Rate,
    /// The longest debt.
    debt_ns: u64,
    /// The time for one request.
    period_ns: u64,
    /// From empty to full.
    fill_ns: u64,
}

impl Bucket {
    /// `debts`: whether it may go into debt.
    pub(super) fn new(quota: Quota, rate: Rate, debts: bool) -> Self {
        let period_ns = u64::try_from(quota.replenish_interval().as_nanos()).unwrap_or(u64::MAX);
        let fill_ns = period_ns.saturating_mul(quota.burst_size().get().into());
        Self { quota, rate, debt_ns: if debts { DEBT_NS } else { 0 }, period_ns, fill_ns }
    }

    pub(super) const fn capacity(&self) -> u32 {
        self.quota.burst_size().get()
    }

    pub(super) const fn debts(&self) -> bool {
        self.debt_ns > 0
    }

    /// The time for one request.
    pub(super) const fn period_ns(&self) -> u64 {
        self.period_ns
    }

    /// The arrival time that counts of one that is stored.
    #[inline]
    fn stored(&self, tat: u64, now: Instant) -> (u64, bool) {
        let most = now.0.saturating_add(self.fill_ns).saturating_add(self.debt_ns);
        let jumped = tat > most.saturating_add(SKEW_MS.saturating_mul(1_000_000));
        (if jumped { now.0.saturating_add(self.fill_ns) } else { tat }, jumped)
    }

    #[inline]
    pub(super) fn measure(&self, table: &Bounded<u64>, key: Key, ask: Ask, now: Millis) -> (Measure, bool) {
        let now = Instant::of(now);
        table.update(key, rank, |tat| {
            let (tat, jumped) = match tat.map(|tat| self.stored(*tat, now)) {
                Some((tat, jumped)) => (Some(tat), jumped),
                None => (None, false),
            };
            let measure = self.ask(tat, ask, now);
            let change = match (measure, tat) {
                (Measure::Passed { spent, .. }, _) if ask.writes(tat) => Change::Put(spent.written),
                // What is put right is put right, whatever comes of the request.
                (_, Some(tat)) if jumped => Change::Put(tat),
                _ => Change::Keep,
            };
            (change, (measure, jumped))
        })
    }

    /// What governor says of a bucket with this arrival time.
    #[inline]
    fn ask(&self, tat: Option<u64>, Ask { amount, reserve, .. }: Ask, now: Instant) -> Measure {
        let store = Entry { tat: tat.map(Nanos::from), next: Cell::default() };
        let clock = RequestClock { started: Cell::new(false), now };
        let limiter = RateLimiter::<_, _, _, StateInformationMiddleware>::new(self.quota, store, clock);
        // What must remain is asked for too, and not taken.
        let cells = NonZeroU32::new(amount.saturating_add(reserve)).unwrap_or(NonZeroU32::MIN);
        match limiter.check_key_n(&(), cells) {
            Ok(Ok(state)) => {
                let next = limiter.into_state_store().next.get().as_u64();
                let written = next.saturating_sub(self.period_ns.saturating_mul(reserve.into()));
                let spent = Spent { previous: tat, written, amount };
                let reset_ns = written.saturating_sub(now.0);
                Measure::Passed { spent, remaining: state.remaining_burst_capacity(), reset_ns }
            }
            Ok(Err(refusal)) => {
                let wait = refusal.wait_time_from(now).as_nanos();
                Measure::Refused { wait_ns: u64::try_from(wait).unwrap_or(u64::MAX) }
            }
            // More than what can pass at once never passes; no window asks for it.
            Err(_) => Measure::Refused { wait_ns: self.fill_ns },
        }
    }

    /// What is missing, as it counts now.
    pub(super) fn lost(&self, tat: u64, now: Millis) -> Stored<u64> {
        let (value, jumped) = self.stored(tat, Instant::of(now));
        Stored { value, jumped }
    }

    /// The arrival time after so many more, passed or not.
    pub(super) fn charged(&self, tat: Option<u64>, amount: u32, now: Millis) -> u64 {
        let now = Instant::of(now);
        let tat = tat.map_or(now.0, |tat| self.stored(tat, now).0).max(now.0);
        let most = now.0.saturating_add(self.fill_ns).saturating_add(DEBT_NS).max(tat);
        tat.saturating_add(self.period_ns.saturating_mul(amount.into())).min(most)
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

/// The store of one entry, for one request.
struct Entry {
    tat: Option<Nanos>,
    /// The arrival time after a request that passed.
    next: Cell<Nanos>,
}

impl StateStore for Entry {
    type Key = ();

    #[inline]
    fn measure_and_replace<T, F, E>(&self, (): &(), f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, next) = f(self.tat)?;
        self.next.set(next);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests;
