//! Everything that changes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::Engine;
use crate::anomaly::Detector;
use crate::model::Millis;
use crate::{limit, respond, verify};

/// Everything that changes: bounded, shared between threads by reference, and replaced by nothing but itself.
pub struct State {
    pub(super) limit: limit::State,
    pub(super) verify: verify::State,
    pub(super) respond: respond::State,
    /// Where the configuration asks for it.
    pub(super) anomaly: Option<Detector>,
    /// The epoch of changes from now on; one more with each delta.
    pub(super) epoch: AtomicU32,
    /// Which life of the state the epochs are of: a restore begins another.
    pub(super) life: AtomicU32,
    sequence: Apart,
}

/// A cache line pair of its own: who writes it slows nobody who reads what is beside it.
#[derive(Default)]
#[repr(align(128))]
struct Apart(AtomicU64);

impl fmt::Debug for State {
    /// Without the seed and what the tables tell of people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("memory", &self.memory().total).finish_non_exhaustive()
    }
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
            respond: respond::State::new(&engine.responder, seed),
            anomaly: engine.anomaly.as_ref().map(|unusual| unusual.detector(seed)),
            epoch: AtomicU32::new(0),
            life: AtomicU32::new(0),
            sequence: Apart::default(),
        }
    }

    /// Refuses from now on what this is about, until it expires.
    ///
    /// ```
    /// use zt_core::verify::{Revocation, Revoked};
    /// use zt_core::{Config, Engine, State};
    ///
    /// let engine = Engine::new(&Config::default())?;
    /// let state = State::new(&engine);
    /// let now = 1_800_000_000_000;
    /// let stolen = Revocation {
    ///     revoke: Revoked::Session,
    ///     issuer: Some("https://idp.example.com".to_owned()),
    ///     id: "08a5019c".to_owned(),
    ///     issued_before_ms: None,
    ///     expires_ms: now + 12 * 3_600_000,
    /// };
    /// state.revoke(&stolen, now);
    /// # Ok::<(), zt_core::engine::Invalid>(())
    /// ```
    pub fn revoke(&self, revocation: &verify::Revocation, now: Millis) {
        self.verify.revoke(revocation, now);
    }

    /// Learns from now on nothing of what is normal; what goes on is still counted.
    pub fn freeze(&self) {
        self.anomaly.iter().for_each(Detector::freeze);
    }

    /// A state that remembers what was revoked, who was struck and who is suspended, and nothing else: whatever is decided
    /// with it leaves this one as it is.
    pub(super) fn of_revocations(&self, engine: &Engine) -> Self {
        Self {
            limit: limit::State::new(&engine.limiter, engine.seed.unwrap_or_default()),
            verify: self.verify.of_revocations(&engine.verifier),
            respond: self.respond.copied(&engine.responder),
            anomaly: None,
            epoch: AtomicU32::new(0),
            life: AtomicU32::new(0),
            sequence: Apart::default(),
        }
    }

    /// An id for a request that the host gave none.
    pub(super) fn next_id(&self, now: Millis) -> Arc<str> {
        let sequence = self.sequence.0.fetch_add(1, Ordering::Relaxed);
        Arc::from(format!("z-{now:x}-{sequence:x}"))
    }
}
