//! The way of one response.

use super::{Engine, State};
use crate::model::{Decision, Millis, Obligation, Outcome, Response, ResponseDecision};

impl Engine {
    /// What to do with the response to a request that `decision` let pass: the obligations that concern it.
    pub fn observe(
        &self,
        _state: &State,
        decision: &Decision,
        _response: &Response<'_>,
        now: Millis,
    ) -> ResponseDecision {
        let redact = |obligation: &&Obligation| matches!(obligation, Obligation::Redact { .. });
        ResponseDecision {
            id: decision.id.to_string(),
            outcome: Outcome::Allow,
            enforced: decision.enforced,
            time_ms: now,
            reasons: Vec::new(),
            obligations: decision.obligations.iter().filter(redact).cloned().collect(),
        }
    }
}
