//! The way of one request.

use std::borrow::Cow;
use std::sync::Arc;

use super::context::Context;
use super::draft::Draft;
use super::{Engine, State, Stopwatch};
use crate::limit::{Phase, Subject};
use crate::model::{Decision, Identity, Millis, Mode, Obligation, Request, Stage};
use crate::respond::Suspect;
use crate::route::Match;
use crate::{policy, respond};

impl Engine {
    /// What to do with one request. `now` is the host's clock; the same inputs in the same order give the same bits.
    pub fn decide(&self, state: &State, request: &Request<'_>, now: Millis) -> Decision {
        self.decide_timed(state, request, now, &mut ())
    }

    /// The same, and how long each stage takes: `watch` is told at the end of each.
    pub fn decide_timed(
        &self,
        state: &State,
        request: &Request<'_>,
        now: Millis,
        watch: &mut impl Stopwatch,
    ) -> Decision {
        let decision = self.run(state, request, now, watch);
        watch.lap(Stage::Respond);
        decision
    }

    fn run(&self, state: &State, request: &Request<'_>, now: Millis, watch: &mut impl Stopwatch) -> Decision {
        let mut draft = Draft::default();
        let seen = self.seen(request);
        let request = seen.or(request);
        draft.seen(&seen);
        let mut subject = Subject::of(request);

        let found = self.router.route(request).map_err(|miss| draft.missed(miss)).ok();
        if let Some(found) = &found {
            draft.found(found);
            subject.endpoint = Some(&found.endpoint.id);
            subject.segment = Some(found.segment);
        }
        watch.lap(Stage::Route);

        draft.limited(self.limiter.check(&state.limit, Phase::Peer, &subject, now).details());
        watch.lap(Stage::Limit);
        let suspect = Suspect { peer: subject.peer, identity: None };
        draft.graded(self.responder.check_peer(&state.respond, &suspect, now));
        watch.lap(Stage::Respond);
        let found = match found {
            Some(found) if !draft.ends() => found,
            found => return self.conclude(draft, state, request, found.as_ref(), now),
        };

        let verified = self.verifier.verify(&state.verify, request, now);
        draft.verified(&verified, request, found.endpoint);
        watch.lap(Stage::Verify);
        let suspect = Suspect { identity: draft.identity.as_deref(), ..suspect };
        let graded = self.responder.check_identity(&state.respond, &suspect, now);
        draft.graded(graded);
        draft.graded(self.responder.check_workload(&state.respond, draft.workload.as_deref(), now));
        watch.lap(Stage::Respond);
        if draft.ends() {
            return self.conclude(draft, state, request, Some(&found), now);
        }

        // Its own hold on it: the draft goes on being written.
        let identity = draft.identity.clone();
        let claim = |name: &str| verified.claims.text(name).map(Cow::into_owned);
        let tenant = || self.verifier.tenant(&verified).map(Cow::into_owned);
        let identified =
            Subject { identity: identity.as_deref(), tenant: Some(&tenant), claim: Some(&claim), ..subject };
        let check = self.limiter.check(&state.limit, Phase::Identity, &identified, now);
        draft.limited_unless_lifted(check, self.policy.as_deref());
        watch.lap(Stage::Limit);
        if draft.ends() {
            return self.conclude(draft, state, request, Some(&found), now);
        }

        draft.findings.extend(self.inspector.inspect(request));
        watch.lap(Stage::Inspect);
        if draft.ends() {
            return self.conclude(draft, state, request, Some(&found), now);
        }

        draft.judged(self.unusual(state, request, Some(&found), draft.identity.as_deref(), now));
        watch.lap(Stage::Anomaly);
        draft.fresh(&self.verifier, found.endpoint, now);

        if let Some(policy) = &self.policy {
            let host = request.authority().map(lower_case);
            let (identity, workload) = (draft.identity.as_deref(), draft.workload.as_deref());
            let context = Context::read(policy.reads(), &self.verifier, &verified, request, &found.variables);
            let asked = asked(&found, identity, workload, request, host.as_deref(), &context, draft.risk(), now);
            let effect = policy.effect(&policy.evaluate(&asked));
            if let Some(check) = draft.lifted(&effect) {
                let lifted = |name: &str| effect.exempt.iter().any(|exempt| exempt == name);
                let others = || self.limiter.check_but(&state.limit, Phase::Identity, &identified, &lifted, now);
                draft.limited(if check.refuses() { check } else { others() });
            }
            draft.authorized(effect, found.endpoint);
        }
        watch.lap(Stage::Policy);
        self.conclude(draft, state, request, Some(&found), now)
    }

    /// Evidence -> strikes, one outcome, its status and its headers.
    fn conclude(
        &self,
        mut draft: Draft<'_>,
        state: &State,
        request: &Request<'_>,
        found: Option<&Match<'_>>,
        now: Millis,
    ) -> Decision {
        draft.settle();
        // Where nothing is enforced a request goes on, however early it would have ended.
        if self.mode == Mode::Monitor && draft.judged.is_none() {
            draft.judged(self.unusual(state, request, found, draft.identity.as_deref(), now));
        }
        let suspect = Suspect { peer: request.peer.ip, identity: draft.identity.as_deref() };
        let graded = self.responder.strike(&state.respond, &suspect, &draft.findings, now);
        draft.graded(graded);
        let verdict = respond::conclude(&draft.findings);
        let response_headers = self.response_headers(&draft, &verdict);
        // A refusal has no response to redact.
        draft.obligations.retain(|o| verdict.outcome.passes() || !matches!(o, Obligation::Redact { .. }));
        if !verdict.outcome.passes() && self.mode == Mode::Enforce {
            // There will be no response to observe.
            self.limiter.release(&state.limit, &draft.tickets, now);
            draft.tickets.clear();
        }
        let id: Arc<str> = request.id.as_deref().map_or_else(|| state.next_id(now), Arc::from);
        if let Some((detector, judged)) = state.anomaly.as_ref().zip(draft.judged.as_ref()) {
            let goes_on = verdict.outcome.passes() || self.mode == Mode::Monitor;
            detector.concluded(&id, judged, verdict.outcome, goes_on);
        }
        let (risk, score, scores) = draft.judged.as_ref().map(|judged| judged.told()).unwrap_or_default();
        Decision {
            id,
            outcome: verdict.outcome,
            enforced: self.mode == Mode::Enforce,
            status: verdict.status,
            time_ms: now,
            identity: draft.identity,
            workload: draft.workload,
            client: draft.client,
            endpoint: draft.endpoint.unwrap_or_default(),
            risk,
            score,
            scores,
            reasons: verdict.reasons,
            obligations: draft.obligations,
            actions: draft.actions,
            response_headers,
            refresh_wanted: draft.refresh_wanted.into_iter().collect(),
            tickets: draft.tickets,
            policy_version: self.version.clone(),
        }
    }
}

/// What policies are asked about a request.
#[expect(clippy::too_many_arguments, reason = "each is another stage's")]
pub(super) fn asked<'r>(
    found: &'r Match<'_>,
    identity: Option<&'r Identity>,
    workload: Option<&'r Identity>,
    request: &'r Request<'_>,
    host: Option<&'r str>,
    context: &'r Context<'_>,
    risk: f64,
    now: Millis,
) -> policy::Request<'r> {
    policy::Request {
        identity,
        workload,
        endpoint: found.endpoint.index as usize,
        segment: Some(found.segment),
        method: request.method.as_str().unwrap_or_default(),
        path: Some(found.path.as_str()),
        host,
        ip: request.peer.ip,
        asn: request.peer.asn,
        country: request.peer.country.as_deref(),
        tenant: context.tenant.as_deref(),
        client_id: context.client_id.as_deref(),
        declared: &context.declared,
        risk,
        now,
    }
}

/// Names of hosts are the same in any case (RFC 3986, section 3.2.2); policies see one form of them.
pub(super) fn lower_case(host: &str) -> Cow<'_, str> {
    match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(host.to_ascii_lowercase()),
        false => Cow::Borrowed(host),
    }
}
