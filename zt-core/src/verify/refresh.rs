//! How often the host is asked to fetch a key set again.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::model::Millis;

/// When each issuer's set was last asked for: one cell each, whatever tokens name.
#[derive(Debug)]
pub(super) struct Refresh(Box<[AtomicI64]>);

const NEVER: Millis = Millis::MIN;
/// A clock that went back by more intervals than these was wrong.
const BACK: Millis = 10;

impl Refresh {
    /// Nothing asked yet, for so many issuers.
    pub(super) fn new(issuers: usize) -> Self {
        Self((0..issuers).map(|_| AtomicI64::new(NEVER)).collect())
    }

    /// Whether to ask now for the set of the issuer at this place: of any number of calls within the interval, on any
    /// number of threads, one is told so. A place beyond those it was made for is never asked for.
    pub(super) fn ask(&self, at: usize, interval: Millis, now: Millis) -> bool {
        let Some(cell) = self.0.get(at) else { return false };
        let last = cell.load(Ordering::Relaxed);
        let since = now.saturating_sub(last);
        // Clocks of threads differ a little; one that was far ahead must not silence the wish until it is there again.
        let due = last == NEVER || since >= interval || since < interval.saturating_mul(-BACK);
        due && cell.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Bytes held.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn once_per_interval_and_issuer() {
        let refresh = Refresh::new(2);
        assert!(refresh.ask(0, 60_000, 5));
        assert!(!refresh.ask(0, 60_000, 5));
        assert!(refresh.ask(1, 60_000, 5));
        assert!(!refresh.ask(0, 60_000, 60_004));
        assert!(refresh.ask(0, 60_000, 60_005));
        // A clock that goes back does not ask the more.
        assert!(!refresh.ask(0, 60_000, 0));
        assert!(refresh.ask(0, 60_000, 60_004 - 600_000), "one that was far ahead");
        assert!(!refresh.ask(2, 60_000, 5));
    }

    #[test]
    fn of_many_threads_one_asks() {
        let (refresh, asked) = (Refresh::new(1), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for now in 0..1_000 {
                        asked.fetch_add(usize::from(refresh.ask(0, 100, now)), Ordering::Relaxed);
                    }
                });
            }
        });
        // The threads' clocks differ, so that an ask may be missed; none is doubled.
        assert!((1..=10).contains(&asked.into_inner()));
    }
}
