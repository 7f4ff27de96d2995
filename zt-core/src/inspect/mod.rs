//! Is the input hostile or out of shape?
//!
//! The structural part: sizes, header syntax and framing, percent-encoding and UTF-8, control characters, content
//! types, and strict JSON within limits. Nothing is built and nothing is kept; a clean request costs a few passes over
//! its bytes.
//!
//! What no server should accept is refused. What real clients also send (a bare `%`, GBK in a query, JSON posted as a
//! form) is [unclean](Config::unclean) and by default only flagged.

mod body;
mod config;
mod headers;
mod json_body;
mod multipart;
mod parameters;
mod report;
mod target;

use smallvec::SmallVec;

pub use config::{Config, JsonConfig};

use crate::base::json;
use crate::model::{Finding, Mode, Outcome, Problem, Request};
use report::Report;

/// The structural limits, compiled.
#[derive(Clone, Debug)]
pub struct Inspector {
    mode: Mode,
    unclean: Outcome,
    overrides: Outcome,
    max_body: usize,
    max_headers: usize,
    max_header_bytes: usize,
    max_url: usize,
    max_parameters: usize,
    json: json::Limits,
}

impl Inspector {
    /// Compiles the configuration.
    ///
    /// # Errors
    /// Every mistake in it, keys relative to the configuration's root.
    pub fn compile(config: &Config) -> Result<Self, Vec<Problem>> {
        config.check()?;
        Ok(Self {
            mode: config.mode,
            unclean: config.unclean,
            overrides: config.overrides,
            max_body: config.max_body.bytes_usize(),
            max_headers: count(config.max_headers),
            max_header_bytes: config.max_header_bytes.bytes_usize(),
            max_url: config.max_url.bytes_usize(),
            max_parameters: count(config.max_parameters),
            json: config.json.limits(),
        })
    }

    /// What is out of shape in this request; at most one finding for each kind of problem and place.
    ///
    /// ```
    /// use zt_core::inspect::{Config, Inspector};
    /// use zt_core::model::{Body, Code, Request};
    ///
    /// let inspector = Inspector::compile(&Config::default()).unwrap();
    /// let request = Request {
    ///     method: "POST".into(),
    ///     path: "/orders".into(),
    ///     headers: vec![("Content-Type".into(), "application/json".into())],
    ///     body: Some(Body::new(br#"{"qty": 1, "qty": 100}"#)),
    ///     ..Request::default()
    /// };
    /// assert_eq!(inspector.inspect(&request)[0].code, Code::InspectJsonDuplicateKey);
    /// ```
    pub fn inspect(&self, request: &Request<'_>) -> SmallVec<[Finding; 2]> {
        let mut report = Report::new(self);
        headers::inspect(self, request, &mut report);
        target::inspect(self, request, &mut report);
        body::inspect(self, request, &mut report);
        report.into_findings()
    }

    /// Bytes of a body that a host need buffer; a longer one is refused whatever it holds.
    pub const fn body_limit(&self) -> usize {
        self.max_body
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
