//! Policies that no request can meet. A forbid that never matches is a typing mistake that fails open.

use super::{Finding, Kind, ROWS_MAX, quote};
use crate::policy::logic::{Outcome, Rules};

/// Parts of a condition that are compared with each other to say which two of them exclude each other.
const PARTS_MAX: usize = 32;

/// Whether each policy never matches; and the findings.
pub(super) fn find(rules: &Rules<'_>) -> (Vec<bool>, Vec<Finding>) {
    let mut findings = Vec::new();
    let dead = (0..).zip(&rules.program().rules).map(|(at, rule)| {
        let dead = never(rules, at);
        if dead {
            let (kind, mend) = match rules.is_permit(at) {
                true => (Kind::PermitNeverMatches, "correct it, or take it out"),
                false => (Kind::ForbidNeverMatches, "correct it: what it was to forbid is not forbidden"),
            };
            let effect = if rules.is_permit(at) { "permit" } else { "forbid" };
            let message = format!("the {effect} `{}` can never match: {}", rule.id, reason(rules, at));
            findings.push(Finding::of(kind, rule, message, mend));
        }
        dead
    });
    (dead.collect(), findings)
}

/// Whether a policy is neither true nor fails, whatever the request.
fn never(rules: &Rules<'_>, at: u32) -> bool {
    let no_request = |outcome: &Outcome| outcome.yes.is_empty() && outcome.fails.is_empty();
    let rows = if rules.is_local(at) { ROWS_MAX } else { 1 };
    let mut of = rules.rows_of(at);
    let none = of.by_ref().take(rows).all(|row| no_request(&rules.outcome(at, rules.row(row))));
    none && (!rules.is_local(at) || of.next().is_none())
}

fn reason(rules: &Rules<'_>, at: u32) -> String {
    let Some(rule) = rules.rule(at) else { return String::new() };
    let Some(row) = rules.rows_of(at).next() else { return "no endpoint is in its scope".to_owned() };
    let reader = rules.reader(rules.row(row));
    let Some(scope) = reader.principal(rule.principal) else { return "no principal is in its scope".to_owned() };
    let program = rules.program();
    let parts: Vec<_> = program.conjuncts(rule.body).into_iter().take(PARTS_MAX).collect();
    let outcomes: Vec<Outcome> = parts.iter().map(|part| reader.expression(*part)).collect();
    let text = |at: usize| parts.get(at).map(|part| quote(&program.print(*part))).unwrap_or_default();
    for (at, outcome) in outcomes.iter().enumerate() {
        if outcome.yes.is_empty() {
            return format!("{} is never true", text(at));
        }
        if !outcome.yes.iter().any(|cube| cube.meets(&scope)) {
            return format!("{} is never true of its principals", text(at));
        }
        let excludes = |other: &&(usize, &Outcome)| {
            !other.1.yes.iter().any(|other| outcome.yes.iter().any(|cube| cube.meets(other)))
        };
        if let Some((other, _)) = outcomes.iter().enumerate().take(at).collect::<Vec<_>>().iter().find(excludes) {
            return format!("{} and {} are never both true", text(*other), text(at));
        }
    }
    "its conditions are never all true".to_owned()
}
