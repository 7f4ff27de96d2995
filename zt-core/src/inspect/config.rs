//! `[inspect]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::json;
use crate::base::units::Size;
use crate::model::{Mode, Outcome, Problem};

/// `[inspect]`: structural limits of requests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether findings are enforced or only reported.
    pub mode: Mode,
    /// What is done about input that breaks a standard but that real clients also send: broken percent-encoding, text
    /// that is not UTF-8, a missing content type. `allow` does not report it, `flag` does, `deny` refuses it.
    pub unclean: Outcome,
    /// What is done about a header that puts another method or target in the request's place
    /// (`X-HTTP-Method-Override`, `X-Original-URL`): what was authorised is not what would run.
    pub overrides: Outcome,
    /// Longest body.
    pub max_body: Size,
    /// Most header lines.
    pub max_headers: u32,
    /// Most bytes of all header names and values.
    pub max_header_bytes: Size,
    /// Longest path and query together.
    pub max_url: Size,
    /// Most parameters of a query or a form, and most parts of a multipart body.
    pub max_parameters: u32,
    /// Limits of JSON bodies.
    pub json: JsonConfig,
}

/// `[inspect.json]`: limits of JSON bodies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JsonConfig {
    /// Containers inside each other.
    pub depth: u32,
    /// Values in the whole body, containers included.
    pub values: u32,
    /// Members of one object.
    pub members: u32,
    /// Elements of one array.
    pub elements: u32,
    /// Digits of one number, fraction and exponent included.
    pub number_digits: u32,
    /// Longest member name, as written.
    pub key_bytes: Size,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            unclean: Outcome::Flag,
            overrides: Outcome::Deny,
            max_body: Size::from_bytes(1 << 20),
            max_headers: 100,
            max_header_bytes: Size::from_bytes(16 << 10),
            // Real beacons go past 8 KiB; most servers stop at 8 or 16.
            max_url: Size::from_bytes(16 << 10),
            max_parameters: 1_000,
            json: JsonConfig::default(),
        }
    }
}

impl Default for JsonConfig {
    fn default() -> Self {
        let limits = json::Limits::default();
        Self {
            depth: limits.depth,
            values: limits.values,
            members: limits.members,
            elements: limits.elements,
            number_digits: limits.number_digits,
            key_bytes: Size::from_bytes(u64::try_from(limits.key_bytes).unwrap_or(u64::MAX)),
        }
    }
}

impl Config {
    /// Whether it makes sense.
    pub(super) fn check(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        for (key, outcome) in [("inspect.unclean", self.unclean), ("inspect.overrides", self.overrides)] {
            if !matches!(outcome, Outcome::Allow | Outcome::Flag | Outcome::Deny) {
                let wrong = format!("`{}` cannot be done about it", outcome.as_str());
                problems.push(Problem::new(key, wrong).mend("write \"allow\", \"flag\" or \"deny\""));
            }
        }
        let sizes = [
            ("max_header_bytes", self.max_header_bytes.bytes()),
            ("max_headers", self.max_headers.into()),
            ("max_url", self.max_url.bytes()),
            ("json.depth", self.json.depth.into()),
            ("json.values", self.json.values.into()),
            ("json.members", self.json.members.into()),
            ("json.elements", self.json.elements.into()),
            ("json.number_digits", self.json.number_digits.into()),
            ("json.key_bytes", self.json.key_bytes.bytes()),
        ];
        for (key, _) in sizes.iter().filter(|(_, limit)| *limit == 0) {
            let wrong = "a limit of 0 refuses everything";
            problems.push(Problem::new(format!("inspect.{key}"), wrong).mend("write at least 1, or leave it out"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl JsonConfig {
    /// For the scanner; the bytes are the body's.
    pub(super) fn limits(&self) -> json::Limits {
        json::Limits {
            bytes: usize::MAX,
            depth: self.depth,
            values: self.values,
            members: self.members,
            elements: self.elements,
            number_digits: self.number_digits,
            key_bytes: self.key_bytes.bytes_usize(),
        }
    }
}
