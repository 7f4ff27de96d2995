//! What `zt.toml` says about paths, endpoints and segments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::units::{Duration, Size};

/// The `[route]` table: bounds on a path, and the one normalisation rule that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Longest raw path.
    pub max_path: Size,
    /// Most segments in a path.
    pub max_segments: u16,
    /// What two slashes in a row mean.
    pub empty_segments: EmptySegments,
}

/// What two slashes in a row mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmptySegments {
    /// The request is refused: servers disagree.
    #[default]
    Refuse,
    /// One slash. Choose it only when the server behind does the same.
    Merge,
}

/// One `[[endpoint]]`: an endpoint that no OpenAPI document names, or a mark on one that it does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Name in policies, limits and reports; the `operationId`, else method and template, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Method in its exact case, or `*` for any.
    pub method: String,
    /// Path template: `/a/{id}`, `/files/{name}.json`, `/a/*` for any one segment, `/a/**` for all below.
    pub path: String,
    /// No credential is asked.
    #[serde(default)]
    pub anonymous: bool,
    /// A login endpoint.
    #[serde(default)]
    pub login: bool,
    /// The longest time since the end user's authentication (`auth_time`); past it a fresher one is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reauthenticate_after: Option<Duration>,
    /// Authentication context classes (`acr`), one of which is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
}

/// One `[[segment]]`: a part of the API that policies and limits treat as one (a microsegment).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentConfig {
    /// Name in policies and reports.
    pub name: String,
    /// Path patterns such as `/v1/payments/**`; the most specific of all segments wins.
    pub paths: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_path: Size::from_bytes(8 << 10), max_segments: 64, empty_segments: EmptySegments::Refuse }
    }
}
