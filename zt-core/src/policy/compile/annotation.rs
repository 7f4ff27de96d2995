//! Annotations that zt gives a meaning: `@id`, `@on_deny`, `@reason`, `@acr`, `@max_age`; `@exempt`; `@redact` has a
//! file of its own.

use std::collections::BTreeMap;

use crate::base::units::Duration;
use crate::model::{Outcome, Problem};
use crate::policy::effect::Denial;
use crate::policy::exempt::names;
use crate::policy::program::{Effect, Rule};

use super::diagnose::Place;

/// Longest `@id` and `@reason`, in characters.
const TEXT_MAX: usize = 200;

/// Annotations that mean something here, and what they are taken for in other words.
const KNOWN: [&str; 7] = ["id", "on_deny", "reason", "acr", "max_age", "redact", "exempt"];

/// An annotation that is nearly one of these is a slip: what it was to hide would be shown. Others are anybody's own.
pub(super) fn slips(rule: &Rule, place: &Place<'_>, problems: &mut Vec<Problem>) {
    let plain = |name: &str| name.to_ascii_lowercase().replace('_', "");
    for name in rule.annotations.keys().filter(|name| !KNOWN.contains(&&***name)) {
        let near = |known: &&&str| {
            let (known, name) = (plain(known), plain(name));
            known == name || (known.len() > 3 && strsim::osa_distance(&known, &name) <= 2)
        };
        if let Some(known) = KNOWN.iter().find(near) {
            let problem = place.problem(name, format!("`@{name}` means nothing here"));
            problems.push(problem.mend(format!("write `@{known}`; call one of your own something less alike")));
        }
    }
}

/// Why a text cannot name a policy in decisions and logs.
pub(super) fn id_problem(key: &str, id: &str) -> Option<String> {
    let good = !id.is_empty() && printable(id);
    (!good).then(|| format!("`{key}` must have 1 to {TEXT_MAX} characters and no control characters"))
}

/// What a forbid calls for, where its annotations say more than to deny.
pub(super) fn denial(rule: &Rule, place: &Place<'_>, problems: &mut Vec<Problem>) -> Option<Denial> {
    let annotations = &rule.annotations;
    let said = ["on_deny", "acr", "max_age"].into_iter().find(|key| annotations.contains_key(*key));
    if rule.effect == Effect::Permit {
        if let Some(key) = said {
            problems.push(
                place.problem(key, format!("`@{key}` on a permit")).mend("only a forbid says what a denial calls for"),
            );
        }
        return None;
    }
    let outcome = outcome(annotations, place, problems);
    let reason = text(annotations, "reason", place, problems, printable, "printable text");
    let acr = text(annotations, "acr", place, problems, acr_values, "space-separated `acr` values (RFC 9470)");
    let max_age_s = annotations.get("max_age").and_then(|value| match value.parse::<Duration>() {
        Ok(age) if age.millis() % 1_000 == 0 => u64::try_from(age.millis() / 1_000).ok(),
        Ok(_) => {
            problems.push(place.problem("max_age", format!("`@max_age(\"{value}\")` is not whole seconds")));
            None
        }
        Err(error) => {
            problems.push(place.problem("max_age", format!("`@max_age`: {error}")));
            None
        }
    });
    if outcome != Outcome::StepUp
        && let Some(key) = said.filter(|key| *key != "on_deny").or(annotations.get("max_age").map(|_| "max_age"))
    {
        problems.push(place.problem(key, format!("`@{key}` without `@on_deny(\"step_up\")`")));
    }
    let denial = Denial { outcome, reason, acr, max_age_s };
    (denial != Denial::default()).then_some(denial)
}

/// Whether `@exempt` names limits, on a permit. Whether there are such limits, the engine knows.
pub(super) fn check_exempt(rule: &Rule, place: &Place<'_>, problems: &mut Vec<Problem>) {
    let Some(limits) = rule.annotations.get("exempt") else { return };
    if rule.effect == Effect::Forbid {
        let problem = place.problem("exempt", "`@exempt` on a forbid, which lets nothing pass");
        problems.push(problem.mend("write it on a permit"));
    } else if names(limits).any(str::is_empty) {
        let problem = place.problem("exempt", "`@exempt` names no limit, or an empty one");
        problems.push(problem.mend("write names of limits with commas between: `@exempt(\"per-user, per-tenant\")`"));
    }
}

fn outcome(annotations: &BTreeMap<Box<str>, Box<str>>, place: &Place<'_>, problems: &mut Vec<Problem>) -> Outcome {
    match annotations.get("on_deny").map(|value| &**value) {
        None | Some("deny") => Outcome::Deny,
        Some("step_up") => Outcome::StepUp,
        Some("throttle") => Outcome::Throttle,
        Some("flag") => Outcome::Flag,
        Some(other) => {
            let problem = place.problem("on_deny", format!("`@on_deny(\"{other}\")` is not an outcome"));
            problems.push(problem.mend("write \"step_up\", \"throttle\", \"deny\" or \"flag\""));
            Outcome::Deny
        }
    }
}

fn text(
    annotations: &BTreeMap<Box<str>, Box<str>>,
    key: &str,
    place: &Place<'_>,
    problems: &mut Vec<Problem>,
    allowed: fn(&str) -> bool,
    expected: &str,
) -> Option<Box<str>> {
    let value = annotations.get(key)?;
    if value.is_empty() || !allowed(value) {
        problems.push(place.problem(key, format!("`@{key}` is not {expected}")));
        return None;
    }
    Some(value.clone())
}

fn printable(text: &str) -> bool {
    text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control)
}

/// They go into a quoted string of `WWW-Authenticate`.
fn acr_values(text: &str) -> bool {
    text.len() <= TEXT_MAX
        && text.split(' ').all(|value| !value.is_empty())
        && text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\')
}
