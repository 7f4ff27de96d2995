//! `zt limits`: a baseline in, limits out; tried on recorded events where some are given.

use zt_core::anomaly::LIMIT_BUDGET;
use zt_core::evaluate::{LimitTrial, Touched, Tried};
use zt_core::model::{ClientKind, Identity, LearnedLimit, LearnedLimits};

use crate::args::{Format, Limits, Period, Recorded};
use crate::configuration::Configuration;
use crate::output::{self, Output};
use crate::recorded::{self, Told};
use crate::{Ending, Failure, baseline, progress};

pub(crate) fn run(arguments: &Limits) -> Result<Ending, Failure> {
    let budget = arguments.budget.unwrap_or(LIMIT_BUDGET);
    if !(budget > 0.0 && budget < 1.0) {
        return Err(Failure(format!("a budget is a share between 0 and 1, as in `--budget 0.01`, and not {budget}")));
    }
    let known = baseline::read(&arguments.baseline)?;
    let learned = match &arguments.identity {
        Some(principal) => {
            let issuer = arguments.issuer.as_deref().map(Into::into);
            known.rates_of(&Identity { issuer, ..Identity::asserted(principal) }, budget)
        }
        None => known.rates(budget),
    };
    let mut output = Output::new();
    let mut ending = Ending::Clean;
    if !arguments.tried.is_empty() {
        let (tried, malformed) = tried(arguments, &learned)?;
        write_trial(arguments, &mut output, &tried)?;
        ending = if malformed == 0 { Ending::Clean } else { Ending::Findings };
    } else if arguments.common.json {
        output.json(&learned)?;
    } else if arguments.toml {
        toml(&mut output, &learned, arguments.period)?;
    } else {
        table(&mut output, &learned)?;
    }
    output.finish()?;
    if learned.limits.is_empty() {
        output::tell("nothing was learned of how often clients ask");
    }
    Ok(ending)
}

fn tried(arguments: &Limits, learned: &LearnedLimits) -> Result<(Tried, u64), Failure> {
    let configuration = Configuration::read(arguments.common.config.as_deref())?;
    let engine = arguments.common.config.as_ref().map(|_| configuration.engine()).transpose()?;
    let mut trial = LimitTrial::new(learned, arguments.period.seconds(), engine.as_ref()).map_err(Failure)?;
    let recorded = Recorded { strict: false, format: Format::Auto, files: arguments.tried.clone() };
    let bar = progress::bar_of_turns(&recorded.files, 1);
    let malformed = recorded::each(&recorded, Told::Reported, &bar, |_, event| {
        trial.add(&event);
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok((trial.end(), malformed))
}

fn write_trial(arguments: &Limits, output: &mut Output, tried: &Tried) -> Result<(), Failure> {
    if arguments.common.json {
        return output.json(tried);
    }
    output.line(&format!(
        "{:<44} {:>9} {:>8} {:>11} {:>8} {:>8}",
        "", "requests", "refused", "client-days", "touched", "%"
    ))?;
    let mut row = |name: &str, seen: &Touched| {
        let Touched { requests, refused, client_days, touched } = *seen;
        let share = if client_days == 0 { 0.0 } else { touched as f64 / client_days as f64 * 100.0 };
        output.line(&format!("{name:<44} {requests:>9} {refused:>8} {client_days:>11} {touched:>8} {share:>8.3}"))
    };
    for (label, seen) in &tried.labels {
        row(label, seen)?;
    }
    for (limit, seen) in &tried.limits {
        let rate = limit.recommended.as_ref().map_or("", |told| told.rate.as_str());
        row(&format!("{rate} {}", whose(limit)), seen)?;
    }
    Ok(())
}

fn span(seconds: u32) -> &'static str {
    match seconds {
        60 => "1m",
        600 => "10m",
        _ => "1h",
    }
}

/// `GET /orders/{} (address)`.
fn whose(limit: &LearnedLimit) -> String {
    let endpoint = limit.endpoint.as_deref().unwrap_or("all endpoints");
    match limit.client {
        ClientKind::Identity => endpoint.to_owned(),
        ClientKind::Address => format!("{endpoint} (address)"),
    }
}

fn table(output: &mut Output, learned: &LearnedLimits) -> Result<(), Failure> {
    output.line(&format!(
        "{:<12} {:<44} {:>5} {:>5} {:>5} {:>6} {:>8} {:>9} {:>7} {:>11} {:>10} {:>9}",
        "limit",
        "of one client at",
        "p50",
        "p90",
        "p99",
        "max",
        "mean",
        "variance",
        "clients",
        "client-days",
        "confidence",
        "touches %"
    ))?;
    for limit in &learned.limits {
        let LearnedLimit { p50, p90, p99, max, mean, variance, clients, client_days, .. } = limit;
        let (rate, sure) = match &limit.recommended {
            Some(told) => (told.rate.clone(), format!("{:>10.4} {:>9.3}", told.confidence, told.effect * 100.0)),
            None => (format!("?/{}", span(limit.period_s)), format!("{} more are needed", limit.missing)),
        };
        let whose = whose(limit);
        output.line(&format!(
            "{rate:<12} {whose:<44} {p50:>5} {p90:>5} {p99:>5} {max:>6} {mean:>8.2} {variance:>9.2} {clients:>7} {client_days:>11} {sure}"
        ))?;
    }
    Ok(())
}

/// Limits to paste, of one period.
fn toml(output: &mut Output, learned: &LearnedLimits, period: Period) -> Result<(), Failure> {
    if learned.limits.iter().any(|limit| limit.endpoint.as_deref().is_some_and(|endpoint| endpoint.contains(" /"))) {
        output
            .line("# Learned of paths: write the ids of the configuration's endpoints, or learn with `--config`.\n")?;
    }
    let of_period = learned.limits.iter().filter(|limit| limit.period_s == period.seconds());
    for (number, limit) in of_period.enumerate() {
        let whose = whose(limit);
        let Some(told) = &limit.recommended else {
            output.line(&format!("# {whose}: {} clients seen, {} more are needed\n", limit.clients, limit.missing))?;
            continue;
        };
        // Of an address all requests would be counted, and it was learned of those without an identity.
        let others = |other: &LearnedLimit| other.client != limit.client && other.endpoint == limit.endpoint;
        if limit.client == ClientKind::Address && learned.limits.iter().any(others) {
            output.line(&format!(
                "# {whose}: {} would do, but identities ask, too, and a limit by peer counts them\n",
                told.rate
            ))?;
            continue;
        }
        let key = if limit.client == ClientKind::Identity { "identity" } else { "peer" };
        output.line(&format!(
            "# {whose}: p50 {}, p99 {}, max {} of {} clients on {} days; confidence {:.3}, touches {:.3} % of them",
            limit.p50,
            limit.p99,
            limit.max,
            limit.clients,
            limit.client_days,
            told.confidence,
            told.effect * 100.0
        ))?;
        output.line(&format!(
            "[[limit]]\nname = \"learned-{}\"\nkey = [\"{key}\"]\nrate = \"{}\"\nmode = \"monitor\"",
            number + 1,
            told.rate
        ))?;
        match &limit.endpoint {
            Some(endpoint) => output.line(&format!("endpoints = [{}]\n", quoted(endpoint)))?,
            None => output.line("")?,
        }
    }
    Ok(())
}

/// A basic string of TOML; JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}
