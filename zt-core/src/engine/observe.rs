//! The way of one response.

use smallvec::SmallVec;

use super::{Engine, State};
use crate::model::{Code, Decision, Finding, Millis, Obligation, Response, ResponseDecision};
use crate::respond::{self, Redaction, SWITCHING_PROTOCOLS};

/// The status where there is no response, but a verdict alone.
const NO_RESPONSE: u16 = 0;

impl Engine {
    /// What to do with the response to a request that `decision` let pass: the obligations that concern it, and where it
    /// brings its body along, the redacted one. A response that cannot be redacted is denied. Limits learn that the request
    /// has ended, and what it cost: once for each request, since a second time would count twice. Where `[anomaly]` is asked for,
    /// a response that is unusual for its endpoint is flagged, and others teach what is usual.
    ///
    /// A response may carry a [verdict](Response::verdict) about a decision that was flagged for being unusual
    /// ([`Detector::feedback`](crate::anomaly::Detector::feedback)): at once, or at any later time in a second observation,
    /// which says nothing but that. It is one where the status is 0, or where the response to one of the last flagged
    /// decisions was observed, or a verdict on it given, before.
    pub fn observe(
        &self,
        state: &State,
        decision: &Decision,
        response: &Response<'_>,
        now: Millis,
    ) -> ResponseDecision {
        if self.is_told_later(state, decision, response, now) {
            return response_decision(decision, &[], None, (0.0, 0.0), now);
        }
        self.limiter.close(&state.limit, &decision.tickets, response.cost, now);
        let answered = state.anomaly.as_ref().and_then(|detector| detector.answered(&decision.id, response, now));
        let (risk, score) = answered.as_ref().map_or((0.0, 0.0), |answered| (answered.risk(), answered.score));
        let unusual = answered.and_then(|answered| answered.unusual);
        let unusual = unusual.map(|detail| Finding::new(Code::AnomalyResponse, detail));
        let (unredactable, body) = match redacted(decision, response) {
            Ok(body) => (None, body),
            Err(why) => (Some(Finding::new(Code::RespondUnredactable, why)), None),
        };
        let findings: SmallVec<[Finding; 2]> = unredactable.into_iter().chain(unusual).collect();
        response_decision(decision, &findings, body, (risk, score), now)
    }

    /// Learns from the verdict, where there is one; and whether there is nothing else.
    fn is_told_later(&self, state: &State, decision: &Decision, response: &Response<'_>, now: Millis) -> bool {
        let Some(verdict) = response.verdict else { return false };
        let detector = state.anomaly.as_ref();
        let again = detector.is_some_and(|detector| detector.has_answered(&decision.id));
        detector.iter().for_each(|detector| _ = detector.feedback(&decision.id, verdict, now));
        again || response.status == NO_RESPONSE
    }

    /// What has to be done to the body of the response to a request that `decision` let pass, by the response's head: for
    /// hosts, which send it piece by piece. In monitor mode nothing is.
    pub fn redactor(&self, decision: &Decision, head: &Response<'_>) -> Redaction {
        if decision.enforced { respond::redaction(&decision.obligations, head) } else { Redaction::None }
    }
}

/// What is said of a response by what was found in it.
fn response_decision(
    decision: &Decision,
    findings: &[Finding],
    body: Option<Vec<u8>>,
    (risk, score): (f64, f64),
    now: Millis,
) -> ResponseDecision {
    let verdict = respond::conclude(findings);
    let redact = |obligation: &&Obligation| matches!(obligation, Obligation::Redact { .. });
    ResponseDecision {
        id: decision.id.to_string(),
        outcome: verdict.outcome,
        enforced: decision.enforced,
        status: verdict.status,
        time_ms: now,
        risk,
        score,
        reasons: verdict.reasons,
        obligations: decision.obligations.iter().filter(redact).cloned().collect(),
        // In monitor mode every response is sent as it is.
        body: body.filter(|_| decision.enforced).map(Into::into),
    }
}

/// The redacted body, where there is something to redact and the body is at hand.
fn redacted(decision: &Decision, response: &Response<'_>) -> Result<Option<Vec<u8>>, String> {
    let body = response.body.as_ref().map(|body| body.bytes());
    let mut redactor = match respond::redaction(&decision.obligations, response) {
        Redaction::None => return Ok(None),
        Redaction::Refuse(_)
            if body.is_some_and(<[u8]>::is_empty)
                && response.body_len.is_none()
                && response.status != SWITCHING_PROTOCOLS =>
        {
            return Ok(None);
        }
        Redaction::Refuse(why) => return Err(why.to_owned()),
        Redaction::Stream(redactor) => redactor,
    };
    let Some(bytes) = body else { return Ok(None) };
    let mut out = Vec::with_capacity(bytes.len());
    redactor.push(bytes, &mut out).map_err(|unreadable| unreadable.to_string())?;
    // A recording may hold the first part of a body only.
    let cut = response.body_len.is_some_and(|length| length > u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    if !cut {
        redactor.finish().map_err(|unreadable| unreadable.to_string())?;
    }
    Ok(Some(out))
}
