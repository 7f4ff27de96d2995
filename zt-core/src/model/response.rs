//! One response, and what zt says of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Body, Header, Millis, Obligation, Outcome, Reason};

/// The response the host is about to send, or recorded.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Header lines.
    #[serde(default)]
    pub headers: Vec<Header<'a>>,
    /// Body, possibly cut: `body_len` is the true length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body<'a>>,
    /// True length of the body in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_len: Option<u64>,
    /// Time the handler took, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What the request turned out to cost, for limits whose `cost` is `"response"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<u32>,
    /// What became known of the request, whose decision was that it is unusual. The response may be observed a second time
    /// for it; a status of 0 means that there is none, and only the verdict is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// What the host knows of a request that was called unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was normal.
    FalsePositive,
    /// It was an attack, or abuse.
    Confirmed,
}

impl Verdict {
    /// By its name in documents.
    ///
    /// # Errors
    /// When none is called so.
    pub fn of_name(name: &str) -> Result<Self, String> {
        match name {
            "false_positive" => Ok(Self::FalsePositive),
            "confirmed" => Ok(Self::Confirmed),
            _ => Err("not a verdict: there are `false_positive` and `confirmed`".to_owned()),
        }
    }
}

/// What to do with a response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseDecision {
    /// The request's id.
    pub id: String,
    /// `allow` passes the response on.
    pub outcome: Outcome,
    /// False in monitor mode: the outcome is what would have been done.
    pub enforced: bool,
    /// HTTP status: 200 passes the response on as it is, another is that of the refusal in its place.
    pub status: u16,
    /// The clock that `observe` was given.
    pub time_ms: Millis,
    /// Calibrated risk, 0..=1: about `1 - risk` of normal responses are at least as unusual. 0 where that is not asked.
    pub risk: f64,
    /// Raw anomaly evidence in status, size and latency that `risk` calibrates; larger is stranger.
    pub score: f64,
    /// Why, by weight, then code.
    pub reasons: Vec<Reason>,
    /// What the host must do to the response before it is sent.
    pub obligations: Vec<Obligation>,
    /// The body to be sent in place of the one that was observed, where that was to be redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body<'static>>,
}
