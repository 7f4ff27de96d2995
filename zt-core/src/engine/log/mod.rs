//! The decision log: one line of JSON for each decision, each chained to the one before by a digest.
//!
//! A line has these keys, in this order: `seq`, `prev`, `time_ms`, `id`, `outcome`, `enforced`, `status`, `identity`,
//! `workload`, `endpoint`, `peer`, `reasons`, `obligations`, `actions`, `policy_version`, `inputs`, `stages_us`, `digest`; what is not
//! known is left out. `digest` is of every byte of the line before it (before its comma), `prev` is the `digest` of the line
//! before, empty in the first. Both are `sha256:` and 64 digits; with a key `hmac-sha256:`, and then nobody without the key
//! can make a chain that holds. `inputs` is a digest of the request; see `inputs.rs` for its form.
//!
//! Nothing of a request stands in a line but what names somebody or something: no header, no body, no query, no raw path,
//! no claim beside subject, issuer, session and id of the token.

mod inputs;
mod proof;
mod seal;

use std::net::IpAddr;

use serde::Serialize;

use super::Laps;
use crate::model::{
    Action, Decision, EndpointRef, Identity, IdentityKind, Millis, Obligation, Outcome, Reason, Request,
};

pub use proof::{Anchor, Broken, NotAnAnchor, Proof, Proven, Why};
pub use seal::{Key, KeyTooShort};

use seal::Seal;

/// The log as it grows: what the next line follows. Lines are to be written in the order in which they are made.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    next: u64,
    prev: String,
    seal: Seal,
    inputs: Seal,
}

impl Chain {
    /// An empty log.
    ///
    /// ```
    /// use zt_core::engine::log::{Chain, Proof};
    /// use zt_core::model::Request;
    /// use zt_core::{Config, Engine, State};
    ///
    /// let engine = Engine::new(&Config::default())?;
    /// let (state, request) = (State::new(&engine), Request::default());
    /// let decision = engine.decide(&state, &request, 1_800_000_000_000);
    /// let mut chain = Chain::new();
    /// let lines = [chain.record(&decision, &request, None), chain.record(&decision, &request, None)];
    ///
    /// let mut proof = Proof::new(None);
    /// for (number, line) in lines.iter().enumerate() {
    ///     proof.line(number as u64 + 1, line.as_bytes())?;
    /// }
    /// assert_eq!(proof.finish()?.records, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Chained under this key from the next line on: nobody without it can change a line and mend the chain.
    pub fn with_key(mut self, key: Key) -> Self {
        self.seal = Seal(Some(key));
        self
    }

    /// `inputs` made under this key: without one, whoever has the log can try out what a request may have been.
    pub fn with_inputs_key(mut self, key: Key) -> Self {
        self.inputs = Seal(Some(key));
        self
    }

    /// Going on after this line, the last one of the log. Give the key first.
    ///
    /// # Errors
    /// When the line is not a whole record of such a log.
    pub fn after(mut self, line: &str) -> Result<Self, Why> {
        let last = proof::read(line.trim_end().as_bytes(), &self.seal)?;
        (self.next, self.prev) = (last.seq.saturating_add(1), last.digest);
        Ok(self)
    }

    /// The line of a decision, without a line break. `request` is what the host handed over; `laps` is how long it took.
    pub fn record(&mut self, decision: &Decision, request: &Request<'_>, laps: Option<&Laps>) -> String {
        let record = Record {
            seq: self.next,
            prev: &self.prev,
            time_ms: decision.time_ms,
            id: &decision.id,
            outcome: decision.outcome,
            enforced: decision.enforced,
            status: decision.status,
            identity: decision.identity.as_deref().map(Who::of),
            workload: decision.workload.as_deref().map(Who::of),
            endpoint: &decision.endpoint,
            peer: Where::of(decision, request),
            reasons: &decision.reasons,
            obligations: &decision.obligations,
            actions: &decision.actions,
            policy_version: &decision.policy_version,
            inputs: inputs::digest(request, &self.inputs),
            stages_us: laps,
        };
        let mut line = serde_json::to_string(&record).unwrap_or_default();
        // The digest goes inside the braces.
        line.pop();
        let digest = self.seal.of(line.as_bytes());
        line.push_str(proof::DIGEST);
        line.push_str(&digest);
        line.push_str("\"}");
        (self.next, self.prev) = (self.next.saturating_add(1), digest);
        line
    }
}

/// The digest of a request as it stands in `inputs`, under the same key.
pub fn inputs(request: &Request<'_>, key: Option<Key>) -> String {
    inputs::digest(request, &Seal(key))
}

/// A line without its digest.
#[derive(Serialize)]
struct Record<'a> {
    seq: u64,
    prev: &'a str,
    time_ms: Millis,
    id: &'a str,
    outcome: Outcome,
    enforced: bool,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Who<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<Who<'a>>,
    endpoint: &'a EndpointRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<Where>,
    reasons: &'a [Reason],
    obligations: &'a [Obligation],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    actions: &'a [Action],
    policy_version: &'a str,
    inputs: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages_us: Option<&'a Laps>,
}

/// Who it was: what can be looked up later, not what they are.
#[derive(Serialize)]
struct Who<'a> {
    kind: IdentityKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    principal: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

impl<'a> Who<'a> {
    fn of(identity: &'a Identity) -> Self {
        Self {
            kind: identity.kind,
            issuer: identity.issuer.as_deref(),
            principal: &identity.principal,
            credential_id: identity.credential_id.as_deref(),
            session: identity.session.as_deref(),
        }
    }
}

/// The client's address, and the proxy's where there is one between.
#[derive(Serialize)]
struct Where {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<IpAddr>,
}

impl Where {
    fn of(decision: &Decision, request: &Request<'_>) -> Option<Self> {
        let connection = request.peer.ip;
        let (ip, through) = match decision.client {
            Some(client) => (client.ip, connection),
            None => (connection, None),
        };
        (ip.is_some() || through.is_some()).then_some(Self { ip, through })
    }
}

/// The Rust code of the guide, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/decision-log.md")]
pub struct Guide;

#[cfg(test)]
#[cfg(feature = "compile")]
mod tests;
