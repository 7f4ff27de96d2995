//! The way of one request.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Engine, Mode, State};
use crate::limit::{self, Phase, Subject};
use crate::model::{
    Code, Decision, EndpointRef, Finding, Identity, IdentityKind, Millis, Obligation, Outcome, Request,
};
use crate::route::Endpoint;
use crate::{policy, respond};

impl Engine {
    /// What to do with one request. `now` is the host's clock; the same inputs in the same order give the same bits.
    pub fn decide(&self, state: &State, request: &Request<'_>, now: Millis) -> Decision {
        let mut draft = Draft::new();

        let endpoint = match self.router.route(request) {
            Ok(found) => Some(draft.at(found.endpoint)),
            Err(miss) => draft.missed(miss),
        };

        let mut subject = Subject::of(request, endpoint);
        draft.limited(self.limiter.check(&state.limit, Phase::Peer, &subject, now));
        let Some(endpoint) = endpoint.filter(|_| !draft.ends()) else { return self.conclude(draft, state, request, now) };

        let verified = self.verifier.verify(request, now);
        draft.verified(&verified, request, endpoint);
        if draft.ends() {
            return self.conclude(draft, state, request, now);
        }

        subject.identify(draft.identity.as_ref(), &verified);
        draft.limited(self.limiter.check(&state.limit, Phase::Identity, &subject, now));
        if draft.ends() {
            return self.conclude(draft, state, request, now);
        }

        draft.findings.extend(self.inspector.inspect(request));
        if draft.ends() {
            return self.conclude(draft, state, request, now);
        }

        if let Some(policy) = &self.policy {
            draft.authorized(policy, request, endpoint, now);
        }
        self.conclude(draft, state, request, now)
    }

    /// Evidence -> one outcome, its status and its headers.
    fn conclude(&self, draft: Draft, state: &State, request: &Request<'_>, now: Millis) -> Decision {
        let verdict = respond::conclude(&draft.findings);
        let response_headers = self.response_headers(&draft, &verdict);
        Decision {
            id: request.id.as_deref().map_or_else(|| state.next_id(now), Arc::from),
            outcome: verdict.outcome,
            enforced: self.mode == Mode::Enforce,
            status: verdict.status,
            time_ms: now,
            identity: draft.identity,
            endpoint: draft.endpoint,
            risk: 0.0,
            score: 0.0,
            scores: BTreeMap::new(),
            reasons: verdict.reasons,
            obligations: draft.obligations,
            response_headers,
            policy_version: Arc::clone(&self.version),
        }
    }
}
