//! A failure of zt itself is a refusal, never an open door and never a crash of the host.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::model::{Code, Decision, Millis, Outcome, Reason, Request};
use crate::{Engine, State};

/// [`Engine::decide`], where a panic becomes a refusal.
pub fn decide_or_refuse(engine: &Engine, state: &State, request: &Request<'_>, now: Millis) -> Decision {
    or_refuse(request.id.as_deref().unwrap_or_default(), now, || engine.decide(state, request, now))
}

/// What is answered when zt itself failed: a refusal. Fail closed.
pub fn panic_decision(id: &str, now: Millis) -> Decision {
    let code = Code::InternalPanic;
    Decision {
        id: id.into(),
        outcome: Outcome::Deny,
        enforced: true,
        status: code.status(),
        time_ms: now,
        identity: None,
        workload: None,
        client: None,
        endpoint: Arc::default(),
        risk: 0.0,
        score: 0.0,
        scores: Default::default(),
        reasons: vec![Reason { code, stage: code.stage(), weight: 1.0, detail: "".into() }],
        obligations: Vec::new(),
        actions: Vec::new(),
        response_headers: Vec::new(),
        refresh_wanted: Vec::new(),
        tickets: Vec::new(),
        policy_version: "".into(),
    }
}

/// The state may be looked at after a panic: it holds counters, each of which is whole at any time.
pub(super) fn or_refuse(id: &str, now: Millis, decide: impl FnOnce() -> Decision) -> Decision {
    catch_unwind(AssertUnwindSafe(decide)).unwrap_or_else(|_| panic_decision(id, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_refusal_even_in_monitor_mode() {
        let decision = or_refuse("e-1", 7, || panic!("a defect"));
        assert!(!decision.passes());
        assert_eq!((&*decision.id, decision.status, decision.time_ms), ("e-1", 403, 7));
        assert_eq!(decision.reasons[0].code, Code::InternalPanic);
    }
}
