//! The demo's clock: it starts on Monday, 2 March 2026, 10:15 UTC, so that policies about office hours always decide
//! the same.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// When it starts, milliseconds since the Unix epoch.
pub(crate) const START: i64 = 1_772_446_500_000;

static STARTED: OnceLock<Instant> = OnceLock::new();
static HOURS_LATER: AtomicI64 = AtomicI64::new(0);

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> i64 {
    let elapsed = STARTED.get_or_init(Instant::now).elapsed().as_millis();
    START + HOURS_LATER.load(Ordering::Relaxed) * 3_600_000 + i64::try_from(elapsed).unwrap_or(0)
}

/// From now on it is so many hours later than it would be.
pub(crate) fn set_hours_later(hours: i64) {
    HOURS_LATER.store(hours, Ordering::Relaxed);
}
