//! Policies that another one makes useless: whatever they match, it matches too; and permits that are always taken back.
//!
//! A policy is compared with those that the scope index has for the same endpoint and principal, the unconditional ones
//! first: at most [`COMPARED_MAX`] of each effect and index entry, and the first that is written the same.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Finding, Kind, ROWS_MAX};
use crate::model::Outcome as Graded;
use crate::policy::effect::Denial;
use crate::policy::exempt;
use crate::policy::index::{ANY, key_eq, key_in};
use crate::policy::logic::{Cube, Rules};
use crate::policy::program::{Rule, Scope};

/// Policies of one effect under one entry of the index that a policy is compared with.
const COMPARED_MAX: usize = 64;

/// Permits and forbids under one entry of the index.
type Candidates = Rc<[Vec<u32>; 2]>;

pub(super) fn find(rules: &Rules<'_>, dead: &[bool]) -> Vec<Finding> {
    let mut known: BTreeMap<(u32, u32), Candidates> = BTreeMap::new();
    let mut same: BTreeMap<String, u32> = BTreeMap::new();
    let mut findings = Vec::new();
    for (at, rule) in (0..).zip(&rules.program().rules) {
        if dead.get(at as usize).copied().unwrap_or_default() {
            continue;
        }
        let Some(row) = rules.rows_of(at).next().and_then(|row| rules.row(row)) else { continue };
        let twin = *same.entry(written(rules, rule)).or_insert(at);
        let mut candidates = [Vec::from_iter((twin != at).then_some(twin)), Vec::new()];
        if !rules.is_permit(at) {
            candidates.swap(0, 1);
        }
        for class in &row.classes {
            for key in keys(rule.principal) {
                let of = known.entry((*class, key)).or_insert_with(|| Rc::new(first_of(rules, *class, key)));
                for (all, more) in candidates.iter_mut().zip(of.iter()) {
                    all.extend_from_slice(more);
                }
            }
        }
        let [permits, forbids] = candidates;
        let of_effect = if rules.is_permit(at) { &permits } else { &forbids };
        let mut others = of_effect.iter().copied().filter(|other| *other != at);
        if let Some(other) = others.find(|other| shadows(rules, *other, at)).and_then(|other| rules.rule(other)) {
            let message = format!("`{}` changes nothing: `{}` matches whatever it matches", rule.id, other.id);
            findings.push(Finding::of(Kind::PolicyShadowed, rule, message, "take it out, or make the other narrower"));
        } else if rules.is_permit(at) && taken_back(rules, &forbids, at) {
            let message = format!("the permit `{}` permits nothing: all of it is forbidden", rule.id);
            let mend = "take it out, or make the forbids narrower";
            findings.push(Finding::of(Kind::PermitAlwaysForbidden, rule, message, mend));
        }
    }
    findings
}

/// Entries of the index whose policies can be for all principals of this scope.
fn keys(scope: Scope) -> Vec<u32> {
    match scope {
        Scope::Any | Scope::Is(_) => vec![ANY],
        Scope::Eq(symbol) | Scope::In(symbol) | Scope::IsIn(_, symbol) => vec![ANY, key_eq(symbol), key_in(symbol)],
    }
}

/// The unconditional policies of an entry, then the others.
fn first_of(rules: &Rules<'_>, class: u32, key: u32) -> [Vec<u32>; 2] {
    let all = rules.compiled.index.rules(class, key);
    [true, false].map(|permit| {
        let of_effect = |bare: bool| {
            let wanted = move |at: &&u32| {
                rules.is_permit(**at) == permit && rules.rule(**at).is_some_and(|rule| rule.body.is_none() == bare)
            };
            all.iter().filter(wanted).copied()
        };
        of_effect(true).chain(of_effect(false)).take(COMPARED_MAX).collect()
    })
}

/// Everything that a policy matches by.
fn written(rules: &Rules<'_>, rule: &Rule) -> String {
    let program = rules.program();
    let body = rule.body.map(|body| program.print(body)).unwrap_or_default();
    format!("{:?} {:?} {:?} {:?} {body}", rule.effect, rule.principal, rule.action, rule.resource)
}

/// Whether without the second nothing changes because of the first. Of two that are the same, the earlier one stays.
fn shadows(rules: &Rules<'_>, first: u32, second: u32) -> bool {
    let as_severe = rules.is_permit(first) || as_severe(rules, first, second);
    let as_much = hides_as_much(rules, first, second) && exempts_as_much(rules, first, second);
    if rules.exhausted() || !as_severe || !as_much || !rules.applies_wherever(first, second) {
        return false;
    }
    // A forbid that fails denies, whatever it would have called for.
    let denied = |at: u32, row| match denial(rules, at, &Denial::default()).outcome >= Graded::Deny {
        true => rules.noted(at, row),
        false => rules.failing(&rules.outcome(at, row)).to_vec(),
    };
    let same_way = |a: u32, b: u32, row| {
        let (of_a, of_b) = (rules.outcome(a, row), rules.outcome(b, row));
        let failing = rules.failing(&of_b);
        if rules.is_permit(b) {
            // A permit that fails may hide something all the same.
            let hides = || rules.covered(failing, &rules.noted(a, row));
            rules.covered(&of_b.yes, &of_a.yes) && (rules.redacts(b).is_empty() || hides())
        } else {
            rules.covered(&of_b.yes, &rules.noted(a, row)) && rules.covered(failing, &denied(a, row))
        }
    };
    let implied = |a: u32, b: u32| {
        let local = rules.is_local(a) || rules.is_local(b);
        let mut rows = rules.rows_of(b);
        let looked_at = rows.by_ref().take(if local { ROWS_MAX } else { 1 });
        let mut all = looked_at.map(|row| rules.row(row));
        let all = all.all(|row| same_way(a, b, row));
        all && (!local || rows.next().is_none())
    };
    implied(first, second)
        && (first < second
            || !(rules.applies_wherever(second, first)
                && implied(second, first)
                && equally_severe(rules, first, second)
                && hides_as_much(rules, second, first)
                && exempts_as_much(rules, second, first)))
}

/// Whether the first lifts every limit that the second lifts.
fn exempts_as_much(rules: &Rules<'_>, first: u32, second: u32) -> bool {
    let limits = |at: u32| rules.rule(at).and_then(|rule| rule.annotations.get("exempt")).map(|limits| &**limits);
    let lifted: Vec<&str> = limits(first).into_iter().flat_map(exempt::names).collect();
    limits(second).into_iter().flat_map(exempt::names).all(|limit| lifted.contains(&limit))
}

/// Whether the first hides every field that the second hides.
fn hides_as_much(rules: &Rules<'_>, first: u32, second: u32) -> bool {
    let (hides, fields) = (rules.redacts(first), rules.redacts(second));
    fields.iter().all(|field| hides.contains(field))
}

/// A forbid asks for more than to deny where its annotations say so.
fn denial<'r>(rules: &'r Rules<'_>, at: u32, plain: &'r Denial) -> &'r Denial {
    rules.compiled.denials.get(&at).unwrap_or(plain)
}

fn as_severe(rules: &Rules<'_>, first: u32, second: u32) -> bool {
    let plain = Denial::default();
    let (first, second) = (denial(rules, first, &plain), denial(rules, second, &plain));
    let asks = |denial: &Denial| denial.outcome == Graded::StepUp;
    first.outcome >= second.outcome
        && (!asks(second) || (&first.acr, first.max_age_s) == (&second.acr, second.max_age_s))
}

fn equally_severe(rules: &Rules<'_>, first: u32, second: u32) -> bool {
    rules.is_permit(first) || as_severe(rules, second, first)
}

/// Whether forbids that deny have all that a permit has. Milder ones let the request pass.
fn taken_back(rules: &Rules<'_>, forbids: &[u32], permit: u32) -> bool {
    let plain = Denial::default();
    let deny = |at: &&u32| denial(rules, **at, &plain).outcome >= Graded::Deny && rules.applies_wherever(**at, permit);
    let forbids: Vec<u32> = forbids.iter().filter(deny).copied().collect();
    if forbids.is_empty() || rules.exhausted() {
        return false;
    }
    let local = rules.is_local(permit) || forbids.iter().any(|at| rules.is_local(*at));
    let mut rows = rules.rows_of(permit);
    let mut looked_at = rows.by_ref().take(if local { ROWS_MAX } else { 1 });
    let all = looked_at.all(|row| {
        let row = rules.row(row);
        let denied: Vec<Cube> = forbids.iter().flat_map(|at| rules.denied(*at, row)).collect();
        rules.covered(&rules.outcome(permit, row).yes, &denied)
    });
    all && (!local || rows.next().is_none())
}
