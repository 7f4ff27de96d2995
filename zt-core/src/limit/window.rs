//! One count of a limit: a rate, a quota of the calendar, or requests under way.

use super::calendar::Calendar;
use super::in_flight::InFlight;
use super::rate::Bucket;
use super::state::Table;
use crate::base::bounded::{Change, Key};
use crate::model::Millis;

/// One count of a limit.
#[derive(Debug)]
pub(super) struct Window {
    /// The limit's name; where it has several, with what tells this one apart.
    pub(super) label: Box<str>,
    pub(super) kind: Kind,
    pub(super) told: Told,
    /// What it counts and how fast, hashed: the same in another configuration has the same.
    pub(super) id: u128,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Rate(Bucket),
    Calendar(Calendar),
    InFlight(InFlight),
}

/// What clients are told of a count, whoever asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Requests per window.
    pub(super) quota: u32,
    /// Seconds, rounded up; 0 where requests under way are counted.
    pub(super) window_s: u64,
    /// Requests that may come at once.
    pub(super) burst: u32,
}

impl Kind {
    pub(super) fn told(&self) -> Told {
        let (quota, window_ms, burst) = match self {
            Self::Rate(bucket) => (bucket.rate.count, bucket.rate.per.millis().unsigned_abs(), bucket.capacity()),
            Self::Calendar(calendar) => (calendar.count, calendar.per_ms, calendar.count),
            Self::InFlight(slots) => (slots.most.into(), 0, slots.most.into()),
        };
        Told { quota, window_s: window_ms.div_ceil(1_000), burst }
    }
}

/// What a request asks of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// What it counts for, at least 1.
    pub(super) amount: u32,
    /// What must remain after it.
    pub(super) reserve: u32,
    pub(super) commit: Commit,
}

/// Whether a request that passes is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    Look,
    Spend,
}

/// What one window says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Within the limit, and spent.
    Passed {
        /// What was written, to give it back.
        spent: Spent,
        /// Requests that could follow at once.
        remaining: u32,
        /// Until everything is there again; 0 where nobody knows.
        reset_ns: u64,
    },
    /// Over the limit; nothing was spent.
    Refused {
        /// Until one request would pass, as far as is known.
        wait_ns: u64,
    },
}

/// A change of one entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) previous: Option<u64>,
    pub(super) written: u64,
    pub(super) amount: u32,
}

/// What is stored of a key, at a time: with whether the clock had gone back further than can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored<T> {
    pub(super) value: T,
    pub(super) jumped: bool,
}

/// An entry that lies further ahead of the clock than the limit itself can have put it, by more than this, was written
/// under a clock that was wrong. Closer ones are waited for.
pub(super) const SKEW_MS: u64 = 3_600_000;
/// What is told of a wait whose end nobody knows.
pub(super) const SOON_NS: u64 = 1_000_000_000;

/// Who goes first from a full table: the lowest value, which is whose bucket is full again soonest, or whose span ended
/// first and has least used. A bucket that is full equals a fresh one, so that forgetting it loses nothing; a key that is
/// being refused is forgotten last. Total, so that merges commute.
pub(super) fn rank(key: Key, value: &u64) -> (u64, Key) {
    (*value, key)
}

/// The clock, never before 1970.
pub(super) fn millis(now: Millis) -> u64 {
    u64::try_from(now).unwrap_or(0)
}

impl Window {
    /// The most that can pass at once.
    pub(super) const fn capacity(&self) -> u32 {
        self.told.burst
    }

    /// The most that a request can count for, of which `reserve` must remain.
    pub(super) fn amount(&self, cost: u32, reserve: u32) -> u32 {
        let most = self.capacity().saturating_sub(reserve).max(1);
        if matches!(self.kind, Kind::InFlight(_)) { 1 } else { cost.clamp(1, most) }
    }

    /// So many per cent of what can pass at once, rounded up.
    pub(super) fn reserve(&self, per_cent: u8) -> u32 {
        if per_cent == 0 {
            return 0;
        }
        let share = u64::from(self.capacity()).saturating_mul(per_cent.into()).div_ceil(100);
        u32::try_from(share).unwrap_or(u32::MAX)
    }

    /// What this says of a request; spends if it passes and `ask` commits.
    pub(super) fn measure(&self, table: &Table, key: Key, ask: Ask, now: Millis) -> Measure {
        let (measure, jumped) = match &self.kind {
            Kind::Rate(bucket) => bucket.measure(&table.entries, key, ask, now),
            Kind::Calendar(calendar) => calendar.measure(&table.entries, key, ask, now),
            Kind::InFlight(slots) => slots.measure(&table.entries, key, ask, now),
        };
        if jumped {
            table.jumped();
        }
        measure
    }

    /// What is there when nothing is spent after all.
    pub(super) fn unspent(&self, measure: Measure, now: Millis) -> Measure {
        let Measure::Passed { spent, remaining, reset_ns } = measure else { return measure };
        let before = || spent.previous.map_or(0, |tat| tat.saturating_sub(millis(now).saturating_mul(1_000_000)));
        let reset_ns = if matches!(self.kind, Kind::Rate(_)) { before() } else { reset_ns };
        Measure::Passed { spent, remaining: remaining.saturating_add(spent.amount), reset_ns }
    }

    /// Gives back what was spent.
    pub(super) fn undo(&self, table: &Table, key: Key, spent: Spent) {
        let entries = &table.entries;
        match self.kind {
            Kind::Rate(_) => super::rate::undo(entries, key, spent),
            Kind::Calendar(_) => super::calendar::undo(entries, key, spent),
            Kind::InFlight(_) => super::in_flight::give_back(entries, key, (spent.written >> 32) as u32),
        }
    }

    /// Counts what turned out to have been spent, whether it is there or not.
    pub(super) fn charge(&self, table: &Table, key: Key, amount: u32, now: Millis) {
        let entries = &table.entries;
        let charged = |next: &dyn Fn(Option<u64>) -> u64| {
            entries.update(key, rank, |value| (Change::Put(next(value.copied())), ()));
        };
        match &self.kind {
            Kind::Rate(bucket) => charged(&|value| bucket.charged(value, amount, now)),
            Kind::Calendar(calendar) => charged(&|value| calendar.charged(value, amount, now)),
            Kind::InFlight(_) => {}
        }
    }

    /// Whether the table has lost an entry that would matter now, and knows nothing of this key.
    pub(super) fn has_lost(&self, table: &Table, key: Key, now: Millis) -> bool {
        self.is_pressed(table, now) && table.entries.get(key).is_none()
    }

    /// Whether the table has lost an entry that would matter now.
    pub(super) fn is_pressed(&self, table: &Table, now: Millis) -> bool {
        let until = table.entries.pressed_until();
        if until == 0 {
            return false;
        }
        // What is missing is read as an entry is: one of a clock that was ahead matters no longer than one of now.
        let (Stored { value: until, jumped }, over) = match &self.kind {
            Kind::Rate(bucket) => (bucket.lost(until, now), millis(now).saturating_mul(1_000_000)),
            Kind::Calendar(calendar) => (calendar.lost(until, now), u64::from(calendar.span(now)) << 32),
            Kind::InFlight(_) => return false,
        };
        if jumped {
            table.entries.press_no_longer_than(until);
            table.jumped();
        }
        until > over
    }

    /// The greatest value that an entry can have.
    pub(super) const fn greatest(&self) -> u64 {
        if matches!(self.kind, Kind::Rate(_)) { super::rate::LATEST_TAT_NS } else { u64::MAX }
    }

    /// Whether a snapshot has its entries: what is under way ends with the process.
    pub(super) const fn is_kept(&self) -> bool {
        !matches!(self.kind, Kind::InFlight(_))
    }
}
