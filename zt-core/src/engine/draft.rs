//! A decision in the making: what the stages have found so far.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Engine;
use super::peer::Seen;
use crate::anomaly::Judged;
use crate::limit::{self, Check, Details, Standing};
use crate::model::{
    Action, Client, Code, EndpointRef, Finding, Identity, IdentityKind, Millis, Obligation, Outcome, Request, Ticket,
};
use crate::policy::{Effect, Policy};
use crate::respond::{self, Graded, Verdict};
use crate::route::{Endpoint, Match, Miss};
use crate::verify::{Demand, Scheme, StepUp, Verified, Verifier};

/// A header that the host adds to the response.
type ResponseHeader = (std::borrow::Cow<'static, str>, String);

/// What the stages have found so far.
#[derive(Default)]
pub(super) struct Draft<'l> {
    pub(super) endpoint: Option<Arc<EndpointRef>>,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) workload: Option<Arc<Identity>>,
    pub(super) client: Option<Client>,
    pub(super) refresh_wanted: Option<Arc<str>>,
    pub(super) findings: SmallVec<[Finding; 4]>,
    pub(super) obligations: Vec<Obligation>,
    pub(super) actions: Vec<Action>,
    retry_after_s: Option<u64>,
    pub(super) tickets: Vec<Ticket>,
    pub(super) judged: Option<Judged>,
    standings: SmallVec<[Standing<'l>; 1]>,
    /// Refusals of limits that a policy may lift, until policies have spoken.
    pending: Option<Details<'l>>,
    allowed_methods: Option<String>,
    of_verify: SmallVec<[ResponseHeader; 1]>,
    scheme: Scheme,
}

impl<'l> Draft<'l> {
    /// Whether what was found ends the request here.
    pub(super) fn ends(&self) -> bool {
        respond::ends(&self.findings)
    }

    /// Route: the client, as far as a proxy tells.
    pub(super) fn seen(&mut self, seen: &Seen<'_>) {
        self.client = seen.client();
        self.findings.extend(seen.finding());
    }

    /// Route: the endpoint it is for.
    pub(super) fn found(&mut self, found: &Match<'_>) {
        self.endpoint = Some(found.told());
    }

    /// Route: no endpoint.
    pub(super) fn missed(&mut self, miss: Miss) {
        self.findings.push(miss.finding);
        self.allowed_methods = miss.allow;
    }

    /// Limit: what is left, or that it is too much.
    pub(super) fn limited(&mut self, details: Details<'l>) {
        self.findings.extend(details.findings);
        self.tickets.extend(details.tickets);
        if !details.standings.is_empty() {
            self.standings = details.standings;
        }
    }

    /// Limit: as [`limited`](Self::limited); but where policies could lift every refusal, they are asked first.
    pub(super) fn limited_unless_lifted(&mut self, check: Check<'l>, policy: Option<&Policy>) {
        let details = check.details();
        let liftable = |policy: &Policy| details.refused_by.iter().all(|limit| policy.may_exempt(limit));
        if details.refuses() && policy.is_some_and(liftable) {
            self.pending = Some(details);
        } else {
            self.limited(details);
        }
    }

    /// Policy: which refusals of limits are lifted. Gives back the check that was pending, with what is still refused;
    /// what is lifted is reported.
    pub(super) fn lifted(&mut self, effect: &Effect) -> Option<Details<'l>> {
        let mut check = self.pending.take()?;
        let mut limits = check.refused_by.iter();
        let mut refused = Vec::new();
        for mut finding in check.findings.drain(..) {
            let limit = if finding.monitor { None } else { limits.next() };
            let lifted = limit.is_some_and(|limit| effect.exempt.iter().any(|exempt| exempt == limit));
            finding.monitor |= lifted;
            if lifted {
                self.findings.push(finding);
            } else {
                refused.push(finding);
            }
        }
        check.findings = refused;
        Some(check)
    }

    /// What was pending stays when nobody has lifted it.
    pub(super) fn settle(&mut self) {
        if let Some(check) = self.pending.take() {
            self.limited(check);
        }
    }

    /// Verify: who it is. No credential at all is a finding only where one is asked for.
    pub(super) fn verified(&mut self, verified: &Verified, request: &Request<'_>, endpoint: &Endpoint) {
        let silent = verified.identity.is_none() && verified.findings.is_empty();
        self.findings.extend(verified.findings.iter().cloned());
        self.identity.clone_from(&verified.identity);
        self.workload.clone_from(&verified.workload);
        self.refresh_wanted.clone_from(&verified.refresh_wanted);
        self.of_verify.clone_from(&verified.response_headers);
        self.scheme = verified.scheme;
        if let Some(max_age_s) = verified.max_age_s {
            self.oblige(Obligation::StepUp { acr_values: None, max_age_s: Some(max_age_s) });
        }
        if silent && let Some(subject) = request.subject.as_deref() {
            self.identity = Some(Arc::new(Identity::asserted(subject)));
        } else if silent && !endpoint.anonymous {
            let detail = if self.workload.is_some() { "a workload alone: it speaks for no caller" } else { "" };
            self.findings.push(Finding::new(Code::VerifyNoCredential, detail));
        }
    }

    /// Verify: whether the authentication is as fresh and as strong as the endpoint and the risk ask.
    pub(super) fn fresh(&mut self, verifier: &Verifier, endpoint: &Endpoint, now: Millis) {
        let Some(identity) = &self.identity else { return };
        let (max_age, acr_values) = (endpoint.reauthenticate_after, &*endpoint.acr_values);
        let demand = Demand { max_age, acr_values, risk: self.risk() };
        if let Some((finding, obligation)) = verifier.freshness(identity, &demand, now) {
            // The issuer's own `reauthenticate_after` may have said it already.
            if self.findings.iter().all(|known| known.code != finding.code) {
                self.findings.push(finding);
            }
            self.oblige(obligation);
        }
    }

    /// Anomaly: how unusual it is.
    pub(super) fn judged(&mut self, judged: Option<(Judged, Vec<Finding>)>) {
        let Some((judged, findings)) = judged else { return };
        self.findings.extend(findings);
        self.judged = Some(judged);
    }

    /// How risky it is, 0..=1.
    pub(super) fn risk(&self) -> f64 {
        self.judged.as_ref().map_or(0.0, Judged::risk)
    }

    /// Respond: where the request's subjects stand; of two findings by one ladder, before and after this request, the
    /// severer.
    pub(super) fn graded(&mut self, graded: Graded) {
        for finding in graded.findings {
            let same = |known: &&mut Finding| known.code == finding.code && known.detail == finding.detail;
            match self.findings.iter_mut().find(same) {
                Some(known) => known.outcome = known.outcome.max(finding.outcome),
                None => self.findings.push(finding),
            }
        }
        self.actions.extend(graded.actions);
        self.retry_after_s = self.retry_after_s.max(graded.retry_after_s);
        if graded.max_age_s.is_some() {
            self.oblige(Obligation::StepUp { acr_values: None, max_age_s: graded.max_age_s });
        }
    }

    /// Policy: what it permits, forbids or asks for. On an anonymous endpoint nobody needs a permit; a forbid counts.
    pub(super) fn authorized(&mut self, effect: Effect, endpoint: &Endpoint) {
        let nobody = endpoint.anonymous && self.identity.is_none();
        self.findings.extend(effect.findings.into_iter().filter(|f| !(nobody && f.code == Code::PolicyNotPermitted)));
        effect.obligation.into_iter().for_each(|obligation| self.oblige(obligation));
        if !effect.redact.is_empty() {
            self.oblige(Obligation::Redact { fields: effect.redact });
        }
    }

    /// Adds an obligation; two step-ups become one that asks for both, and for the shorter time.
    fn oblige(&mut self, obligation: Obligation) {
        let Obligation::StepUp { acr_values: acr, max_age_s: age } = obligation else {
            return self.obligations.push(obligation);
        };
        for known in &mut self.obligations {
            if let Obligation::StepUp { acr_values, max_age_s } = known {
                *acr_values = acr_values.take().or(acr);
                *max_age_s = [*max_age_s, age].into_iter().flatten().min();
                return;
            }
        }
        self.obligations.push(Obligation::StepUp { acr_values: acr, max_age_s: age });
    }
}

impl Engine {
    /// The headers that a verdict calls for.
    pub(super) fn response_headers(&self, draft: &Draft<'_>, verdict: &Verdict) -> Vec<ResponseHeader> {
        let mut headers = draft.of_verify.to_vec();
        match verdict.status {
            401 | 400 | 403 => headers.extend(self.challenge(draft, verdict)),
            405 => headers.extend(draft.allowed_methods.clone().map(|methods| ("Allow".into(), methods))),
            429 => headers.extend(limit::headers(&draft.standings)),
            _ => {}
        }
        if let Some(seconds) = draft.retry_after_s.filter(|_| !verdict.outcome.passes()) {
            wait(&mut headers, seconds);
        }
        headers
    }

    fn challenge(&self, draft: &Draft<'_>, verdict: &Verdict) -> Vec<ResponseHeader> {
        let step_up = draft.obligations.iter().find_map(|obligation| match obligation {
            Obligation::StepUp { acr_values, max_age_s } => {
                Some(StepUp { acr_values: acr_values.as_deref(), max_age_s: *max_age_s })
            }
            Obligation::Redact { .. } => None,
        });
        let step_up = step_up.unwrap_or_default();
        let by_token = draft.identity.as_ref().is_some_and(|identity| identity.kind == IdentityKind::Jwt);
        let Some(cause) = verdict.reasons.iter().find(|reason| reason.weight > 0.0) else { return Vec::new() };
        let code = match (verdict.outcome, cause.code) {
            (Outcome::StepUp, _) => Code::VerifyReauthenticate,
            (_, code @ (Code::PolicyNotPermitted | Code::PolicyForbidden)) if by_token => code,
            (_, code) if code.as_str().starts_with("verify.") => code,
            _ => return Vec::new(),
        };
        let challenges = self.verifier.challenges(draft.scheme, code, step_up);
        challenges.into_iter().map(|text| ("WWW-Authenticate".into(), text)).collect()
    }
}

/// The longer wait of a limit's and a ladder's.
fn wait(headers: &mut Vec<ResponseHeader>, seconds: u64) {
    let known = headers.iter_mut().find(|(name, _)| name == "Retry-After");
    match known {
        Some((_, value)) => *value = value.parse().unwrap_or(0).max(seconds).to_string(),
        None => headers.push(("Retry-After".into(), seconds.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_step_ups_become_one_that_asks_for_both() {
        let step_up = |acr_values: Option<&str>, max_age_s| Obligation::StepUp {
            acr_values: acr_values.map(str::to_owned),
            max_age_s,
        };
        let mut draft = Draft::default();
        draft.oblige(step_up(None, Some(600)));
        draft.oblige(step_up(Some("urn:example:mfa"), Some(300)));
        assert_eq!(draft.obligations, [step_up(Some("urn:example:mfa"), Some(300))]);
    }
}
