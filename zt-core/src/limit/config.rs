//! `[[limit]]`: what is counted, and how often it may happen.

use std::num::{NonZeroU16, NonZeroU32};

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::KeyPart;
use super::state::LEAST_BYTES;
use super::written::{Cost, Rates};
use crate::base::units::{Duration, Rate};
use crate::model::Mode;

/// One `[[limit]]` table. It has at least one of `rate`, `quota` and `concurrent`; a request passes all of them, or is
/// counted in none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name, in reasons and in the `RateLimit` fields: letters, digits and `-_.:`, at most 64.
    pub name: String,
    /// What is counted apart. Empty: all requests together.
    pub key: Vec<KeyPart>,
    /// Requests per span of time, evenly: one rate, or several.
    #[serde(default, skip_serializing_if = "Rates::is_empty")]
    pub rate: Rates,
    /// Requests that may come at once; the rate's number when absent. With one rate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
    /// So many in each span of the calendar, which is counted from 1970-01-01, UTC: `"100000/1d"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Rate>,
    /// Requests that may be under way at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<NonZeroU16>,
    /// After this time, and at twice this time at the latest, a request whose end was never told counts no more; 1 minute
    /// when absent. With `concurrent` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Duration>,
    /// What a request counts for, in `rate` and `quota`; 1 when absent. Never more than what can pass at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// Per cent that are kept for those of `reserved_for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserve: Option<u8>,
    /// Who may use up the reserve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_for: Option<Reserved>,
    /// Who is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Except>,
    /// What holds for keys of which nothing is known while the limit's table is too small for its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// Whether each rate is what the `[anomaly]` baseline recommends for one client, within a tenth of what is written and
    /// that.
    #[serde(default, skip_serializing_if = "is_false")]
    pub learned: bool,
    /// Whether a refusal is enforced or only reported.
    #[serde(default)]
    pub mode: Mode,
    /// Endpoints (by id) that it is for. With no endpoints and no segments it is for all.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub endpoints: Vec<String>,
    /// Segments that it is for.
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub segments: Vec<String>,
    /// Bits of an IPv4 address that `peer_prefix` keeps; 24 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_prefix: Option<u8>,
    /// Bits of an IPv6 address that `peer_prefix` keeps; 56 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_prefix: Option<u8>,
}

impl Config {
    /// Bytes that its counts need at least.
    pub(crate) fn least_memory(&self) -> u64 {
        let counts = [self.quota.is_some(), self.concurrent.is_some()].into_iter().filter(|is| *is).count();
        (counts.saturating_add(self.rate.0.len()) as u64).saturating_mul(LEAST_BYTES)
    }
}

/// `reserved_for`: whoever is one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reserved {
    /// Roles of the identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Scopes of the identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Endpoints (by id).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
}

/// `except`: whoever is one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Except {
    /// Networks of the peer, such as `10.0.0.0/8`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub peers: Vec<String>,
    /// Principals.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<String>,
    /// Roles of the identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Scopes of the identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// `fallback`: a coarser count beside the limit's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fallback {
    /// What is counted apart. When absent, the key without its finest part, where the finer of a peer is its network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Vec<KeyPart>>,
    /// Requests per span of time; sixteen times the limit's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// A list that is there and empty is meant to be for nothing; without the key a limit is for everything.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = Vec::deserialize(deserializer)?;
    if names.is_empty() {
        return Err(D::Error::custom("names nothing; name some, or leave the key out: the limit is then for all"));
    }
    Ok(names)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
