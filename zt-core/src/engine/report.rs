//! What the state holds, for whoever keeps an eye on it.

use schemars::JsonSchema;
use serde::Serialize;

use super::State;
use crate::anomaly::{Detector, Drift, Feedback};
use crate::base::bounded::Usage;
use crate::verify;

/// Bytes that a state holds, by module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Memory {
    /// Limits.
    pub limit: usize,
    /// Remembered tokens, revocations and used proofs.
    pub verify: verify::Memory,
    /// Graded response.
    pub respond: usize,
    /// What is normal.
    pub anomaly: usize,
    /// All of it, and the state itself.
    pub total: usize,
}

/// What a state holds, and what it had to give up.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Report {
    /// Bytes held.
    pub memory: Memory,
    /// Each store: `limit:NAME` for each count of each limit, as reasons name it (`limit:NAME/fallback` for the coarser
    /// ones), `verify.cache`, `verify.revocations`, `verify.signals`,
    /// `verify.proofs`,
    /// `respond:NAME` for each ladder, and `respond:by hand` for what persons have suspended.
    pub stores: Vec<Store>,
    /// Where `[anomaly]` is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<AnomalyReport>,
}

/// How well what is unusual is told from what is not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct AnomalyReport {
    /// Whether the budget of false alarms is kept.
    pub drift: Drift,
    /// Verdicts on what was flagged.
    pub verdicts: Feedback,
}

/// One store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Store {
    /// Its name.
    pub store: String,
    /// How full it is.
    #[serde(flatten)]
    pub usage: Usage,
}

impl State {
    /// Bytes held, by module: true within a tenth of what an allocator counts.
    pub fn memory(&self) -> Memory {
        let (limit, verify, respond) = (self.limit.memory(), self.verify.memory(), self.respond.memory());
        let anomaly = self.anomaly.as_ref().map_or(0, Detector::memory);
        let parts = [limit, verify.cache, verify.revocations, verify.proofs, respond, anomaly];
        let total = parts.into_iter().fold(size_of::<Self>(), usize::saturating_add);
        Memory { limit, verify, respond, anomaly, total }
    }

    /// What it holds, and what it had to give up; by store.
    ///
    /// ```
    /// use zt_core::{Config, Engine, State};
    ///
    /// let state = State::new(&Engine::new(&Config::default())?);
    /// let report = state.report();
    /// assert!(report.memory.total < 64 << 20);
    /// assert_eq!(report.stores[0].store, "verify.cache");
    /// # Ok::<(), zt_core::engine::Invalid>(())
    /// ```
    pub fn report(&self) -> Report {
        let limits = self.limit.usage().map(|(name, usage)| Store { store: format!("limit:{name}"), usage });
        let verify = self.verify.usage().map(|(name, usage)| Store { store: name.to_owned(), usage });
        let respond = self.respond.usage().map(|(name, usage)| Store { store: format!("respond:{name}"), usage });
        let (memory, anomaly) = (self.memory(), self.anomaly_report());
        Report { memory, stores: limits.chain(verify).chain(respond).collect(), anomaly }
    }

    /// Whether the budget of false alarms is kept, and which verdicts were given; where `[anomaly]` is asked for.
    ///
    /// ```
    /// use zt_core::anomaly::Course;
    /// use zt_core::engine::AnomalyConfig;
    /// use zt_core::{Config, Engine, State};
    ///
    /// let mut config = Config::default();
    /// config.anomaly = Some(AnomalyConfig::default());
    /// let state = State::new(&Engine::new(&config)?);
    /// let drift = state.anomaly_report().map(|report| report.drift);
    /// assert_eq!(drift.map(|drift| (drift.course, drift.needs)), Some((Course::NotCalibrated, 2_995)));
    /// # Ok::<(), zt_core::engine::Invalid>(())
    /// ```
    pub fn anomaly_report(&self) -> Option<AnomalyReport> {
        let report = |detector: &Detector| AnomalyReport { drift: detector.drift(), verdicts: detector.verdicts() };
        self.anomaly.as_ref().map(report)
    }
}
