//! What to do with a request, and why.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Action, Code, Identity, Millis, Stage, Ticket};

/// What to do, mildest first. More evidence never makes it milder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Let it pass.
    #[default]
    Allow,
    /// Let it pass and look at it.
    Flag,
    /// Ask for stronger or fresher authentication (401, RFC 9470).
    StepUp,
    /// Slow it down (429).
    Throttle,
    /// Refuse it.
    Deny,
    /// Refuse it and suspend the key, session, subject or peer for a time (403).
    Suspend,
}

impl Outcome {
    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Flag => "flag",
            Self::StepUp => "step_up",
            Self::Throttle => "throttle",
            Self::Deny => "deny",
            Self::Suspend => "suspend",
        }
    }

    /// Whether the request goes on to the handler.
    pub const fn passes(self) -> bool {
        matches!(self, Self::Allow | Self::Flag)
    }
}

/// Evidence from a stage: what was found and what that calls for.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What was found.
    pub code: Code,
    /// Names of fields, policies or limits; never a secret or a body value.
    pub detail: Cow<'static, str>,
    /// What it calls for; the code's own outcome unless a rule says otherwise.
    pub outcome: Outcome,
    /// Found by a rule in monitor mode: reported, not acted on.
    pub monitor: bool,
}

impl Finding {
    /// A finding that calls for its code's own outcome.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), outcome: code.outcome(), monitor: false }
    }

    /// Calls for this outcome instead.
    pub fn calling_for(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// One reason of a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// `family.problem`, stable for ever.
    pub code: Code,
    /// The stage that found it.
    pub stage: Stage,
    /// How much it counts, 0..=1.
    pub weight: f64,
    /// Names of fields, policies or limits; never a secret or a body value.
    pub detail: Cow<'static, str>,
}

/// The client of a request that came by way of proxies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Its address; absent when the proxies did not tell one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
}

/// The endpoint a request was for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointRef {
    /// `operationId`, or method and template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
    /// Path template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Arc<str>>,
    /// Microsegment it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<Arc<str>>,
    /// Whether the configuration or an OpenAPI document names it.
    pub known: bool,
}

/// What the host must do besides passing or refusing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Obligation {
    /// Ask for stronger or fresher authentication (RFC 9470).
    StepUp {
        /// Space-separated acceptable `acr` values.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acr_values: Option<String>,
        /// Longest time since the last authentication, seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_age_s: Option<u64>,
    },
    /// Remove these fields from a JSON response.
    Redact {
        /// Dotted paths.
        fields: Vec<String>,
    },
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The request's id.
    pub id: Arc<str>,
    /// What to do.
    pub outcome: Outcome,
    /// False in monitor mode: the outcome is what would have been done, and the host lets the request pass.
    pub enforced: bool,
    /// HTTP status: 200 passes.
    pub status: u16,
    /// The clock that `decide` was given.
    pub time_ms: Millis,
    /// Who it is, when that was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Arc<Identity>>,
    /// The workload that carries the request for it, when that was proven: a client certificate, a JWT-SVID or a message
    /// signature beside the caller's own credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Arc<Identity>>,
    /// The client, where proxies tell its address (`[peer]`). Absent where the connection's own address is the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// What it was for.
    pub endpoint: Arc<EndpointRef>,
    /// Calibrated risk, 0..=1: about `1 - risk` of normal requests score at least as high.
    pub risk: f64,
    /// Raw anomaly evidence that `risk` calibrates; larger is stranger.
    pub score: f64,
    /// The channels that were computed, by name.
    pub scores: BTreeMap<Cow<'static, str>, f64>,
    /// Why, by weight, then code.
    pub reasons: Vec<Reason>,
    /// What the host must do besides passing or refusing.
    pub obligations: Vec<Obligation>,
    /// What was done to subjects of the request because of what they did: for the log, and for whoever is to be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Headers that the host adds to the response.
    pub response_headers: Vec<(Cow<'static, str>, String)>,
    /// Issuers whose key sets the host should fetch again; asked at a bounded rate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refresh_wanted: Vec<Arc<str>>,
    /// What the request holds until its response is observed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Ticket>,
    /// Prefix of the compiled configuration's SHA-256, hex.
    pub policy_version: SmolStr,
}

impl Decision {
    /// Whether the host passes the request on: its outcome passes, or nothing is enforced.
    pub fn passes(&self) -> bool {
        self.outcome.passes() || !self.enforced
    }
}
