//! A rate, by GCRA: `governor` over our table and the request's clock.
//!
//! The theoretical arrival times (TAT) that are stored are absolute, nanoseconds since the Unix epoch, and fit for a
//! snapshot.
//!
//! A clock that goes back finds the entry in its future, and refuses until it has caught up with what was spent. Where an
//! entry lies so far ahead that the limit itself cannot have put it there (by more than an hour), the clock was wrong
//! when it was written: then the bucket counts as empty from now on, and fills at its rate.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::governed::Governed;
use super::window::{Ask, Commit, Measure, SKEW_MS, Spent, Stored, millis, rank};
use crate::base::bounded::{Bounded, Change, Key};
use crate::base::units::Rate;
use crate::model::Millis;

/// The longest time from an empty to a full bucket: it keeps governor's unchecked arithmetic far below the end of a `u64`.
pub(super) const LONGEST_FILL: Duration = Duration::from_secs(366 * 24 * 3600);
/// Time stands still from here on (April 2262): what is spent stays spent.
pub(super) const LAST_NS: u64 = LAST_MS.saturating_mul(NS_PER_MS);
const LAST_MS: u64 = (1 << 63) / NS_PER_MS;
const NS_PER_MS: u64 = 1_000_000;
/// No entry is later than this.
pub(super) const LATEST_TAT_NS: u64 = LAST_NS.saturating_add(LONGEST_FILL.as_nanos() as u64).saturating_add(DEBT_NS);
/// The longest debt, beside an empty bucket: a day.
const DEBT_NS: u64 = 86_400_000_000_000;

/// A bucket that fills at a rate.
#[derive(Debug)]
pub(super) struct Bucket {
    quota: Quota,
    pub(super) governed: Governed,
    /// As it is written.
    pub(super) rate: Rate,
    /// The longest debt.
    debt_ns: u64,
    /// The time for one request.
    period_ns: u64,
    /// From empty to full.
    fill_ns: u64,
    /// No request of this limit puts an arrival time further ahead of itself, nor does a clock that is a little wrong.
    most_ahead_ns: u64,
}

impl Clone for Bucket {
    fn clone(&self) -> Self {
        Self::new(self.quota, self.rate, self.debts())
    }
}

impl Bucket {
    /// `debts`: whether it may go into debt.
    pub(super) fn new(quota: Quota, rate: Rate, debts: bool) -> Self {
        let period_ns = u64::try_from(quota.replenish_interval().as_nanos()).unwrap_or(u64::MAX);
        let fill_ns = period_ns.saturating_mul(quota.burst_size().get().into());
        let debt_ns = if debts { DEBT_NS } else { 0 };
        let most_ahead_ns = fill_ns.saturating_add(debt_ns).saturating_add(SKEW_MS.saturating_mul(NS_PER_MS));
        Self { quota, governed: Governed::new(quota), rate, debt_ns, period_ns, fill_ns, most_ahead_ns }
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

    /// Whether an arrival time that lies so far ahead was written under a clock that was wrong.
    #[inline]
    pub(super) const fn is_ahead(&self, ahead_ns: u64) -> bool {
        ahead_ns > self.most_ahead_ns
    }

    /// The arrival time that counts of one that is stored.
    fn stored(&self, tat: u64, now: Instant) -> Stored<u64> {
        let jumped = self.is_ahead(now.until(tat));
        Stored { value: if jumped { now.plus(self.fill_ns) } else { tat }, jumped }
    }

    pub(super) fn measure(&self, table: &Bounded<u64>, key: Key, ask: Ask, now: Millis) -> (Measure, bool) {
        let now = Instant::of(now);
        table.update(key, rank, |tat| {
            let stored = tat.map(|tat| self.stored(*tat, now));
            let (tat, jumped) = (stored.map(|stored| stored.value), stored.is_some_and(|stored| stored.jumped));
            let measure = self.ask(tat, ask, now);
            let change = match (measure, tat) {
                (Measure::Passed { spent, .. }, _) if ask.commit == Commit::Spend => Change::Put(spent.written),
                // What is put right is put right, whatever comes of the request.
                (_, Some(tat)) if jumped => Change::Put(tat),
                _ => Change::Keep,
            };
            (change, (measure, jumped))
        })
    }

    /// What governor says of a bucket with this arrival time.
    fn ask(&self, tat: Option<u64>, Ask { amount, reserve, .. }: Ask, now: Instant) -> Measure {
        // What must remain is asked for too, and not taken.
        let cells = NonZeroU32::new(amount.saturating_add(reserve)).unwrap_or(NonZeroU32::MIN);
        match self.governed.ask(now.until(tat.unwrap_or_default()), cells) {
            Ok(ahead_ns) => {
                let reset_ns = ahead_ns.saturating_sub(self.period_ns.saturating_mul(reserve.into()));
                let spent = Spent { previous: tat, written: now.plus(reset_ns), amount };
                Measure::Passed { spent, remaining: self.remaining(ahead_ns), reset_ns }
            }
            // More than what can pass at once never passes; no window asks for it.
            Err(wait_ns) => Measure::Refused { wait_ns: wait_ns.unwrap_or(self.fill_ns) },
        }
    }

    /// Requests that could follow at once.
    pub(super) fn remaining(&self, ahead_ns: u64) -> u32 {
        let left = self.fill_ns.saturating_sub(ahead_ns).checked_div(self.period_ns).unwrap_or_default();
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// What is missing, as it counts now.
    pub(super) fn lost(&self, tat: u64, now: Millis) -> Stored<u64> {
        self.stored(tat, Instant::of(now))
    }

    /// The arrival time after so many more, passed or not.
    pub(super) fn charged(&self, tat: Option<u64>, amount: u32, now: Millis) -> u64 {
        let now = Instant::of(now);
        let tat = tat.map_or(now.0, |tat| self.stored(tat, now).value).max(now.0);
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

/// Nanoseconds since the Unix epoch, at most [`LAST_NS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant(u64);

impl Instant {
    #[inline]
    pub(super) fn of(now: Millis) -> Self {
        Self(millis(now).min(LAST_MS).saturating_mul(NS_PER_MS))
    }

    /// From here to an arrival time, 0 to one that is over.
    #[inline]
    pub(super) const fn until(self, tat: u64) -> u64 {
        tat.saturating_sub(self.0)
    }

    /// An arrival time so long after. Far from the end of a `u64`, for what it is asked: see [`LATEST_TAT_NS`].
    #[inline]
    pub(super) const fn plus(self, span_ns: u64) -> u64 {
        self.0.wrapping_add(span_ns)
    }
}

#[cfg(test)]
mod tests;
