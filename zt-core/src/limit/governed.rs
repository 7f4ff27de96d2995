//! What `governor` says of one bucket.
//!
//! A limiter is made once for each rate, and its time begins at each request anew: its clock always shows 0, and it is
//! told an entry as how far its arrival time lies ahead of the request. GCRA knows only differences, so this is the same
//! as a clock that runs, and fits both a table of absolute times and hosts whose clock stands still while they compute.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

/// A quota's limiter.
#[derive(Debug)]
pub(super) struct Governed(RateLimiter<Entry, Told, AtTheRequest, NoOpMiddleware<Nanos>>);

impl Governed {
    pub(super) fn new(quota: Quota) -> Self {
        Self(RateLimiter::new(quota, Told, AtTheRequest))
    }

    /// Whether so many cells pass a bucket whose arrival time lies so many nanoseconds after the request: the arrival time
    /// then, as many after it.
    ///
    /// # Errors
    /// Nanoseconds until they would pass; `None` where they never do, for they are more than the burst.
    pub(super) fn ask(&self, ahead_ns: u64, cells: NonZeroU32) -> Result<u64, Option<u64>> {
        let entry = Entry::of(ahead_ns);
        match self.0.check_key_n(&entry, cells) {
            Ok(Ok(())) => Ok(entry.next.get().into()),
            Ok(Err(refusal)) => Err(u64::try_from(refusal.wait_time_from(Nanos::default()).as_nanos()).ok()),
            Err(_) => Err(None),
        }
    }

    /// The same of one cell, whose wait nobody asks for.
    #[inline(always)]
    pub(super) fn ask_one(&self, ahead_ns: u64) -> Option<u64> {
        let entry = Entry::of(ahead_ns);
        self.0.check_key(&entry).ok().map(|()| entry.next.get().into())
    }
}

/// The clock of every request: its time is where time begins.
#[derive(Debug)]
struct AtTheRequest;

impl Clock for AtTheRequest {
    type Instant = Nanos;

    #[inline]
    fn now(&self) -> Nanos {
        Nanos::default()
    }
}

/// One entry, as key of the store: what is stored of it, and what is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    ahead: Nanos,
    next: Cell<Nanos>,
}

impl Entry {
    #[inline(always)]
    fn of(ahead_ns: u64) -> Self {
        Self { ahead: ahead_ns.into(), next: Cell::default() }
    }
}

impl Hash for Entry {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.ahead.as_u64().hash(hasher);
    }
}

/// The store: it is told the entry with each request.
#[derive(Debug)]
struct Told;

impl StateStore for Told {
    type Key = Entry;

    #[inline]
    fn measure_and_replace<T, F, E>(&self, entry: &Entry, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, next) = f(Some(entry.ahead))?;
        entry.next.set(next);
        Ok(outcome)
    }
}
