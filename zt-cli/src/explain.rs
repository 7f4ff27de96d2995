//! `zt explain`: recorded events in, why each is decided as it is out.

use std::path::Path;

use zt_core::State;
use zt_core::engine::Explanation;
use zt_core::model::{Event, Obligation};
use zt_core::policy::Verdict;
use zt_core::policy::explain::{Failed, Kind, Shown};

use crate::args::Explain;
use crate::configuration::Configuration;
use crate::events::{self, Malformed};
use crate::output::{self, Output};
use crate::{Ending, Failure, progress, snapshot};

pub(crate) fn run(arguments: &Explain) -> Result<Ending, Failure> {
    let configuration = Configuration::read(arguments.common.config.as_deref())?;
    let engine = configuration.engine()?;
    let state = State::new(&engine);
    if let Some(path) = &arguments.state {
        snapshot::restore(path, &state)?;
    }

    let mut output = Output::new();
    let (mut explained, mut refused) = (0_u64, 0_u64);
    let bar = progress::bar(&arguments.lines.files);
    let malformed =
        events::each(&arguments.lines.files, Malformed::strict(arguments.lines.strict), &bar, |_, event: Event| {
            if arguments.id.as_ref().is_some_and(|wanted| event.id.as_ref() != Some(wanted)) {
                return Ok(());
            }
            let now = event.time_ms;
            let request = event.into_request();
            let explanation = engine.explain(&state, &request, now);
            explained = explained.saturating_add(1);
            refused = refused.saturating_add(u64::from(!explanation.decision.outcome.passes()));
            if arguments.common.json {
                return output.json(&explanation);
            }
            let lossy = |text: &zt_core::model::Text<'_>| String::from_utf8_lossy(text.bytes()).into_owned();
            let asked = format!("{} {}", lossy(&request.method), lossy(&request.path));
            let separator = (explained > 1).then(String::new);
            let lines = lines(&asked, &explanation, configuration.directory());
            separator.iter().chain(&lines).try_for_each(|line| output.line(line))
        })?;
    bar.finish_and_clear();
    output.finish()?;

    if let Some(id) = arguments.id.as_ref().filter(|_| explained == 0) {
        return Err(Failure(format!("no event has the id `{}`", printable(id))));
    }
    if !arguments.common.json {
        output::tell(&format!("{explained} events explained, {refused} refused, {malformed} malformed lines"));
    }
    Ok(if malformed == 0 && refused == 0 { Ending::Clean } else { Ending::Findings })
}

/// An explanation for people.
fn lines(asked: &str, explanation: &Explanation, directory: &Path) -> Vec<String> {
    let Explanation { decision, policy, notes } = explanation;
    let mut lines = Vec::new();
    let mut line = |depth: usize, text: &str| lines.push(format!("{}{}", "  ".repeat(depth), printable(text)));
    let monitored = if decision.passes() && !decision.outcome.passes() { ", not enforced: it passes" } else { "" };
    line(0, &format!("{}: {asked}: {} ({}{monitored})", decision.id, decision.outcome.as_str(), decision.status));
    for (who, identity) in [("caller", &decision.identity), ("workload", &decision.workload)] {
        if let Some(identity) = identity {
            line(1, &format!("{who} {} ({})", identity.principal, identity.kind.as_str()));
        }
    }
    if let (Some(id), Some(segment)) = (&decision.endpoint.id, &decision.endpoint.segment) {
        line(1, &format!("endpoint {id}, segment {segment}"));
    }
    for reason in &decision.reasons {
        let detail = if reason.detail.is_empty() { reason.code.sentence() } else { &reason.detail };
        line(1, &format!("{}: {detail}", reason.code.as_str()));
    }
    for obligation in &decision.obligations {
        line(1, &owed(obligation));
    }
    if let Some(policy) = policy {
        let verdict = if policy.decision == Verdict::Allow { "allow" } else { "deny" };
        line(1, &format!("policies: {verdict}, {} looked at", policy.policies));
        let show = |line: &mut dyn FnMut(usize, &str), shown: &Shown| {
            line(2, &heading(shown, directory));
            shown.text.lines().for_each(|text| line(4, text));
            shown.held.iter().for_each(|held| line(3, &format!("holds: {held}")));
        };
        for shown in &policy.determining {
            show(&mut line, shown);
            if shown.effect == Kind::Forbid {
                line(3, "any one of what holds, made false, lifts it");
            }
        }
        for error in &policy.errors {
            show(&mut line, &error.policy);
            line(3, &format!("not evaluated: {}: {}", error.condition, error.why));
        }
        if policy.left_out > 0 {
            line(2, &format!("and {} policies more", policy.left_out));
        }
        if !policy.nearest.is_empty() {
            line(
                1,
                if decision.outcome.passes() {
                    "no permit fits, and none is needed:"
                } else {
                    "to be allowed, one of:"
                },
            );
        }
        for miss in &policy.nearest {
            line(2, &heading(&miss.policy, directory));
            miss.policy.held.iter().for_each(|held| line(3, &format!("holds: {held}")));
            for Failed { text, why, .. } in &miss.failed {
                line(3, &format!("fails: {text}: {why}"));
            }
            miss.unknown.iter().for_each(|unknown| line(3, &format!("not known: {unknown}")));
        }
    }
    notes.iter().for_each(|note| line(1, &format!("note: {note}")));
    lines
}

/// What the host has to do.
fn owed(obligation: &Obligation) -> String {
    match obligation {
        Obligation::Redact { fields } => format!("hides of the response: {}", fields.join(", ")),
        Obligation::StepUp { acr_values, max_age_s } => {
            let acr = acr_values.iter().map(|acr| format!(" acr {acr}"));
            let age = max_age_s.iter().map(|age| format!(" at most {age} s old"));
            format!("asks for authentication:{}", acr.chain(age).collect::<Vec<_>>().join(","))
        }
    }
}

/// What a policy is called, and where it stands.
fn heading(shown: &Shown, directory: &Path) -> String {
    let file = match &shown.file {
        Some(file) => directory.join(file).display().to_string(),
        None => "policy.text".to_owned(),
    };
    let effect = if shown.effect == Kind::Permit { "permit" } else { "forbid" };
    let place = format!("{effect} `{}` at {file}:{}:{}", shown.id, shown.line, shown.column);
    shown.reason.iter().fold(place, |place, reason| format!("{place}: {reason}"))
}

/// Recorded traffic may hold what moves a terminal's cursor.
fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
