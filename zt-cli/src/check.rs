//! `zt check`: every mistake of a configuration at once, and what it compiles to.

use std::collections::BTreeSet;

use serde::Serialize;
use zt_core::Engine;
use zt_core::model::Problem;
use zt_core::policy::analysis::Finding;

use crate::args::Check;
use crate::configuration::Configuration;
use crate::output::Output;
use crate::{Ending, Failure};

pub(crate) fn run(arguments: &Check) -> Result<Ending, Failure> {
    let configuration = Configuration::read(arguments.file.as_deref().or(arguments.common.config.as_deref()))?;
    let compiled = configuration.compile();
    let mut output = Output::new();
    let report = match compiled {
        Ok(engine) => Report {
            ok: true,
            problems: Vec::new(),
            notices: engine.notices(),
            warnings: configuration.all_findings(&engine),
            summary: Some(Summary::of(&engine, &configuration)),
        },
        Err(problems) => Report { ok: false, problems, notices: Vec::new(), warnings: Vec::new(), summary: None },
    };
    let strict = arguments.strict && !report.warnings.is_empty();
    let ending = if report.ok && !strict { Ending::Clean } else { Ending::Findings };
    if arguments.common.json {
        output.json(&report)?;
    } else {
        report.write(&configuration.name(), &mut output)?;
    }
    output.finish()?;
    Ok(ending)
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    problems: Vec<Problem>,
    notices: Vec<String>,
    /// What is odd about the policies.
    warnings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary>,
}

/// What was compiled.
#[derive(Serialize)]
struct Summary {
    version: String,
    mode: zt_core::model::Mode,
    endpoints: usize,
    segments: usize,
    issuers: usize,
    api_keys: usize,
    other_credentials: usize,
    limits: usize,
    policies: bool,
    body_limit: usize,
}

impl Summary {
    fn of(engine: &Engine, configuration: &Configuration) -> Self {
        let config = configuration.config();
        let verify = &config.verify;
        let segments: BTreeSet<&str> = engine.router().endpoints().iter().map(|endpoint| &*endpoint.segment).collect();
        Self {
            version: engine.version().to_owned(),
            mode: engine.mode(),
            endpoints: engine.router().endpoints().len(),
            segments: segments.len(),
            issuers: verify.issuer.len(),
            api_keys: verify.api_key.len(),
            other_credentials: [
                verify.spiffe.len(),
                verify.workload.len(),
                verify.signature.len(),
                verify.webhook.len(),
                verify.sigv4.len(),
            ]
            .iter()
            .sum(),
            limits: config.limit.len(),
            policies: config.policy.is_some(),
            body_limit: engine.body_limit(),
        }
    }
}

impl Report {
    fn write(&self, name: &str, output: &mut Output) -> Result<(), Failure> {
        for problem in &self.problems {
            output.line(&problem.to_string())?;
        }
        match (&self.summary, self.problems.len()) {
            (Some(summary), _) => summary.write(name, output)?,
            (None, 1) => output.line("1 problem")?,
            (None, count) => output.line(&format!("{count} problems"))?,
        }
        self.warnings.iter().try_for_each(|warning| output.line(&format!("warning: {warning}")))?;
        self.notices.iter().try_for_each(|notice| output.line(&format!("notice: {notice}")))
    }
}

impl Summary {
    fn write(&self, name: &str, output: &mut Output) -> Result<(), Failure> {
        let mode = match self.mode {
            zt_core::model::Mode::Enforce => "enforce",
            zt_core::model::Mode::Monitor => "monitor",
        };
        output.line(&format!("{name}: ok"))?;
        output.line(&format!("  version     {}", self.version))?;
        output.line(&format!("  mode        {mode}"))?;
        output.line(&format!("  endpoints   {} in {} segments", self.endpoints, self.segments))?;
        output.line(&format!("  issuers     {}", self.issuers))?;
        output.line(&format!("  API keys    {}", self.api_keys))?;
        if self.other_credentials > 0 {
            let kinds = "trust domains, workloads, signing keys, webhooks, AWS access keys";
            output.line(&format!("  others      {} ({kinds})", self.other_credentials))?;
        }
        output.line(&format!("  limits      {}", self.limits))?;
        output.line(&format!("  policies    {}", if self.policies { "yes" } else { "none" }))?;
        output.line(&format!("  body limit  {} bytes", self.body_limit))
    }
}
