//! Everything that changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Engine;
use crate::model::Millis;
use crate::{limit, verify};

/// Everything that changes: bounded, shared between threads by reference, and replaced by nothing but itself.
#[derive(Debug)]
pub struct State {
    pub(super) limit: limit::State,
    pub(super) verify: verify::State,
    sequence: AtomicU64,
}

impl State {
    /// An empty state whose hash tables are keyed by the configuration's seed, or by 0 when it names none.
    pub fn new(engine: &Engine) -> Self {
        Self::with_seed(engine, 0)
    }

    /// An empty state whose hash tables are keyed by the configuration's seed, or by this one when it names none.
    /// A server passes a random one, so that nobody can aim at its tables.
    pub fn with_seed(engine: &Engine, seed: u64) -> Self {
        let seed = engine.seed.unwrap_or(seed);
        Self {
            limit: limit::State::new(&engine.limiter, seed),
            verify: verify::State::new(&engine.verifier, seed),
            sequence: AtomicU64::new(0),
        }
    }

    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.limit.memory().saturating_add(self.verify.memory()).saturating_add(size_of::<Self>())
    }

    /// An id for a request that the host gave none.
    pub(super) fn next_id(&self, now: Millis) -> Arc<str> {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        Arc::from(format!("z-{now:x}-{sequence:x}"))
    }
}
