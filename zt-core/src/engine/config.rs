//! Everything that `zt.toml` can say, as plain data.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PeerConfig;
use crate::base::units::Size;
use crate::model::Mode;
use crate::{anomaly, inspect, limit, policy, respond, route, verify};

/// The whole configuration. Read it with [`Config::from_toml`], or build it in code from [`Config::default`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of the format: 1.
    pub version: u32,
    /// Whether decisions are enforced or only reported.
    #[serde(default)]
    pub mode: Mode,
    /// OpenAPI documents that the host reads and hands over.
    #[serde(default)]
    pub openapi_files: Vec<String>,
    /// OpenAPI documents inline.
    #[serde(default)]
    pub openapi: Vec<String>,
    /// The client's address behind proxies. Without it the connection's own address is the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerConfig>,
    /// How request targets are read.
    #[serde(default)]
    pub route: route::Config,
    /// Microsegments.
    #[serde(default)]
    pub segment: Vec<route::SegmentConfig>,
    /// Endpoints, beside those of the OpenAPI documents.
    #[serde(default)]
    pub endpoint: Vec<route::EndpointConfig>,
    /// Credentials.
    #[serde(default)]
    pub verify: verify::Config,
    /// Quotas.
    #[serde(default)]
    pub limit: Vec<limit::Config>,
    /// Ladders of graded responses.
    #[serde(default, skip_serializing_if = "respond::Config::is_empty")]
    pub respond: respond::Config,
    /// Structural limits of requests.
    #[serde(default)]
    pub inspect: inspect::Config,
    /// Authorization policies. Without them, authenticated requests to known endpoints are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<policy::Config>,
    /// Anomaly scoring. Without it nothing is scored or learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<AnomalyConfig>,
    /// Bounds and seed of the state.
    #[serde(default)]
    pub state: StateConfig,
    /// The text this was read from, for the lines of later mistakes. It may hold secrets.
    #[cfg(feature = "compile")]
    #[serde(skip)]
    pub(super) text: Option<verify::Secret>,
    /// Files that the host handed over.
    #[serde(skip)]
    pub(super) files: Vec<File>,
}

/// `[anomaly]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnomalyConfig {
    /// Share of normal requests that may be called anomalous.
    #[serde(default = "default_budget")]
    pub budget: f64,
    /// A baseline of `zt learn`, which the host reads and hands over. Without one everything is learned while serving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_file: Option<String>,
    /// Most memory that what is learned may take: half for what requests are like, half for what clients do. It is not part
    /// of `state.memory`.
    #[serde(default = "default_memory")]
    pub memory: Size,
    /// The same inline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
}

impl Default for AnomalyConfig {
    fn default() -> Self {
        Self { budget: default_budget(), baseline_file: None, memory: default_memory(), baseline: None }
    }
}

const fn default_budget() -> f64 {
    0.001
}

const fn default_memory() -> Size {
    Size::from_bytes(anomaly::Detector::MEMORY as u64)
}

/// `[state]`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StateConfig {
    /// Most memory that the state may take: 40 % for limits, 35 % for verification (tokens 15, revocations 10, used
    /// proofs 10), 20 % for graded response, the rest for everything small. What a module's own key gives it is taken
    /// off first.
    pub memory: Size,
    /// Key of the hash tables. With a fixed seed a replay is exact; a server passes a random one to
    /// [`State::with_seed`](super::State::with_seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self { memory: Size::from_bytes(64 << 20), seed: None }
    }
}

/// A file that the configuration names, read by the host.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Its path, as the configuration names it or as a `*` in it matches.
    pub name: String,
    /// Its text.
    pub text: String,
}

impl fmt::Debug for File {
    /// Without the text: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: 1,
            mode: Mode::default(),
            openapi_files: Vec::new(),
            openapi: Vec::new(),
            peer: None,
            route: route::Config::default(),
            segment: Vec::new(),
            endpoint: Vec::new(),
            verify: verify::Config::default(),
            limit: Vec::new(),
            respond: respond::Config::default(),
            inspect: inspect::Config::default(),
            policy: None,
            anomaly: None,
            state: StateConfig::default(),
            #[cfg(feature = "compile")]
            text: None,
            files: Vec::new(),
        }
    }
}

impl Config {
    /// With these files, which the configuration names.
    pub fn with_files(mut self, files: impl IntoIterator<Item = File>) -> Self {
        self.files.extend(files);
        self
    }

    /// The files that the configuration names and the host must read, in order; `*` stands for any run of
    /// characters but `/` in one.
    pub fn named_files(&self) -> Vec<String> {
        let mut names = self.openapi_files.clone();
        names.extend(self.verify.named_files());
        names.extend(self.policy.iter().flat_map(|policy| policy.files.clone()));
        names.extend(self.anomaly.iter().flat_map(|anomaly| anomaly.baseline_file.clone()));
        names
    }

    /// The files handed over whose names fit this one.
    pub(super) fn files_named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s File> {
        self.files.iter().filter(move |file| fits(name, &file.name))
    }
}

/// Whether a name fits a pattern in which `*` stands for any run of characters but `/`.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .take_while(|at| rest.get(..*at).is_some_and(|skipped| !skipped.contains('/')))
        .any(|at| rest.get(at..).is_some_and(|rest| fits(tail, rest)))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stops_at_a_slash() {
        assert!(fits("policies/*.cedar", "policies/orders.cedar"));
        assert!(fits("p/*-*.cedar", "p/a-b.cedar"));
        assert!(!fits("policies/*.cedar", "policies/old/orders.cedar"));
        assert!(!fits("policies/*.cedar", "policies/orders.cedar.bak"));
        assert!(fits("keys.json", "keys.json"));
    }
}
