//! Is this unusual? Configuration and findings.

use super::config::AnomalyConfig;
use super::{Engine, State, target};
use crate::anomaly::{Baseline, Channel, Detector, Evidence, Judged, Signal};
use crate::model::{Code, Finding, Identity, Millis, Problem, Request};
use crate::route::Match;

/// `[anomaly]`, compiled.
#[derive(Debug)]
pub(super) struct Unusual {
    budget: f64,
    memory: usize,
    baseline: Option<Baseline>,
}

impl Unusual {
    /// # Errors
    /// Where the budget is no share, or the baseline is none.
    pub(super) fn compile(config: &AnomalyConfig) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        if !(config.budget > 0.0 && config.budget < 1.0) {
            let mend = "write the share of normal requests that may be called unusual, such as 0.001";
            problems.push(Problem::new("anomaly.budget", "not between 0 and 1").mend(mend));
        }
        let memory = config.memory.bytes_usize();
        if memory < Detector::LEAST_MEMORY {
            problems.push(Problem::new("anomaly.memory", "less than 6 MiB").mend("write \"16MiB\" or so"));
        }
        let read = config.baseline.as_deref().map(Baseline::from_text);
        let baseline = read.transpose().map_err(|error| {
            let mend = "learn one with `zt learn`";
            problems.push(Problem::new("anomaly.baseline", error.to_string()).mend(mend));
        });
        if problems.is_empty() {
            Ok(Self { budget: config.budget, memory, baseline: baseline.ok().flatten() })
        } else {
            Err(problems)
        }
    }

    /// What was learned before.
    pub(super) const fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref()
    }

    /// What goes on from the baseline, or from nothing.
    pub(super) fn detector(&self, seed: u64) -> Detector {
        let baseline = self.baseline.clone().unwrap_or_else(|| Baseline::new(seed));
        Detector::with_memory(baseline, self.budget, self.memory)
    }
}

impl Engine {
    /// How unusual a request is, where the configuration asks.
    pub(super) fn unusual(
        &self,
        state: &State,
        request: &Request<'_>,
        found: Option<&Match<'_>>,
        identity: Option<&Identity>,
        now: Millis,
    ) -> Option<(Judged, Vec<Finding>)> {
        let detector = state.anomaly.as_ref()?;
        let target = target(found);
        let judged = detector.judge(request, &target, identity, now);
        if judged.unusual.is_empty() {
            return Some((judged, Vec::new()));
        }
        let why = detector.explain(request, &target, &judged);
        let detail = |evidence: Evidence| match evidence {
            Evidence::Request(channel) => why.iter().find(|why| why.channel == channel).map(ToString::to_string),
            Evidence::Behaviour(signal) => Some(detector.why(&judged, signal)),
        };
        let findings =
            judged.unusual.iter().map(|of| Finding::new(code(*of), detail(*of).unwrap_or_default())).collect();
        Some((judged, findings))
    }
}

const fn code(evidence: Evidence) -> Code {
    match evidence {
        Evidence::Request(Channel::Endpoint) => Code::AnomalyEndpoint,
        Evidence::Request(Channel::Parameter) => Code::AnomalyParameter,
        Evidence::Request(Channel::Structure | Channel::Headers) => Code::AnomalyStructure,
        Evidence::Request(Channel::Value) => Code::AnomalyValue,
        Evidence::Behaviour(Signal::Volume | Signal::Surge) => Code::AnomalyVolume,
        Evidence::Behaviour(Signal::Objects) => Code::AnomalyObjects,
        Evidence::Behaviour(Signal::Errors) => Code::AnomalyErrors,
        Evidence::Behaviour(Signal::Failures) => Code::AnomalyFailures,
        Evidence::Behaviour(Signal::Spread) => Code::AnomalySpread,
        Evidence::Behaviour(Signal::Exfiltration) => Code::AnomalyExfiltration,
        Evidence::Behaviour(Signal::Sequence | Signal::Flow) => Code::AnomalySequence,
        Evidence::Behaviour(Signal::Session) => Code::AnomalySession,
    }
}
