//! Limits that follow from what was learned of how often clients ask.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operation `limits` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearnedLimits {
    /// Share of the days of clients that a limit may touch, above 0 and below 1.
    pub budget: f64,
    /// All endpoints together first, then each by its name; of each identities before addresses, short periods before long.
    pub limits: Vec<LearnedLimit>,
}

/// How often one client asks for one endpoint within a period, and the limit that follows.
///
/// A sample is the day (UTC) of a client: the most requests that it made in any period of that day, each looked at in six
/// parts of a fifth, so that none is cut off. So a client that asks all day counts no more than one that asks once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LearnedLimit {
    /// Id of the endpoint; method and path template, `GET /orders/{}`, where it was learned without endpoints; absent for all
    /// endpoints together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What tells clients apart.
    pub client: ClientKind,
    /// Length of the period, seconds.
    pub period_s: u32,
    /// Half of the samples are at most this, requests; above 16 rounded up by at most an eighth.
    pub p50: u32,
    /// 90 of 100 are.
    pub p90: u32,
    /// 99 of 100 are.
    pub p99: u32,
    /// All are.
    pub max: u32,
    /// Mean of the samples, requests.
    pub mean: f64,
    /// Variance of the samples, requests squared; 0 of fewer than two.
    pub variance: f64,
    /// Different clients, estimated: a standard error of 6.5 %, and no more than there are samples.
    pub clients: u64,
    /// Samples: days of clients.
    pub client_days: u64,
    /// The limit; absent where too few clients were seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<RecommendedLimit>,
    /// How many clients more have to be seen before there is one (of an identity's own: days).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
}

/// A limit of one client. Who never asked more often within a period is never refused by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecommendedLimit {
    /// As `rate` of a `[[limit]]`: `"34/10m"`.
    pub rate: String,
    /// Requests per period.
    pub limit: u32,
    /// Requests that may come at once.
    pub burst: u32,
    /// Probability, 0 to 1, that it touches no more than the budget of such days of clients as were seen.
    pub confidence: f64,
    /// Share of the samples that it would have touched, 0 to 1.
    pub effect: f64,
}

/// What tells clients apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// The identity.
    Identity,
    /// The address (of IPv6 the /64), of requests without an identity.
    Address,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
