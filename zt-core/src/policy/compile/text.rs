//! Text to Cedar's syntax trees; a policy with a problem of its own does not hide those of the others.

use std::ops::Range;
use std::str::FromStr as _;

use cedar_policy::ffi::DetailedError;
use cedar_policy::pst::{self, Template};
use cedar_policy::{PolicyId, PolicySet};

use crate::model::{Problem, Source};

use super::arity;
use super::diagnose::{cedar, cut, located, past};
use super::limits::{POLICIES_MAX, PROBLEMS_MAX, TEXT_MAX};
use super::scan::{Scan, scan};

/// A source as Cedar reads it.
pub(crate) struct Read {
    /// Policies and templates by Cedar's names for them: `policy0`, `policy1`, ...
    pub(crate) set: PolicySet,
    /// Where each of them stands, and its syntax tree, in the order of the text.
    pub(crate) policies: Vec<(Range<usize>, Template)>,
}

/// Parses a text within the limits: all of it that can be parsed, and every mistake in the rest.
pub(crate) fn read(source: &Source<'_>) -> (Option<Read>, Vec<Problem>) {
    let text = source.text;
    if text.len() > TEXT_MAX {
        let message = format!("{} bytes of policies; at most {TEXT_MAX} are taken", text.len());
        return (None, vec![located(source, None, message).mend("split it into files")]);
    }
    let scanned = scan(text);
    if scanned.policies.len() > POLICIES_MAX {
        let message = format!("more than {POLICIES_MAX} policies; at most {POLICIES_MAX} are taken");
        let problem = located(source, scanned.policies.get(POLICIES_MAX).map(|range| range.start), message);
        return (None, vec![problem.mend("name roles and segments rather than users and endpoints")]);
    }
    if scanned.broken.is_empty()
        && let Ok(set) = PolicySet::from_str(text)
    {
        return trees(source, set, &scanned);
    }
    let (mut problems, sound) = part(source, &scanned);
    if problems.len() >= PROBLEMS_MAX {
        problems.truncate(PROBLEMS_MAX);
        let message = format!("more than {PROBLEMS_MAX} mistakes: the rest of this text was not looked at");
        problems.push(located(source, None, message));
        return (None, problems);
    }
    // Offsets stay what they are.
    let mut rest: Vec<u8> = text.bytes().map(|byte| if byte == b'\n' { byte } else { b' ' }).collect();
    for range in sound {
        if let (Some(to), Some(from)) = (rest.get_mut(range.clone()), text.as_bytes().get(range)) {
            to.copy_from_slice(from);
        }
    }
    let rest = String::from_utf8(rest).unwrap_or_default();
    let scanned = scan(&rest);
    match PolicySet::from_str(&rest) {
        Ok(set) => {
            let (read, more) = trees(source, set, &scanned);
            problems.extend(more);
            (read, problems)
        }
        Err(errors) => {
            if problems.is_empty() {
                problems.extend(errors.iter().map(|error| cedar(source, 0, &DetailedError::from(error))));
            }
            (None, problems)
        }
    }
}

/// What is wrong with each policy by itself, and those in which nothing is.
fn part(source: &Source<'_>, scanned: &Scan) -> (Vec<Problem>, Vec<Range<usize>>) {
    let mut problems: Vec<Problem> = scanned.broken.iter().map(|broken| past(source, broken)).collect();
    let mut sound = Vec::new();
    for range in &scanned.policies {
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
        if scanned.broken.iter().any(|broken| broken.policy == range.start) {
            continue;
        }
        match PolicySet::from_str(source.text.get(range.clone()).unwrap_or_default()) {
            Ok(_) => sound.push(range.clone()),
            Err(errors) => {
                problems.extend(errors.iter().map(|error| cedar(source, range.start, &DetailedError::from(error))));
            }
        }
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    (problems, sound)
}

/// The public syntax trees of a set that was read from these ranges.
fn trees(source: &Source<'_>, set: PolicySet, scanned: &Scan) -> (Option<Read>, Vec<Problem>) {
    let count = set.num_of_policies().saturating_add(set.num_of_templates());
    let mut policies = Vec::with_capacity(count);
    let mut problems = Vec::new();
    for at in 0..count {
        let id = PolicyId::new(format!("policy{at}"));
        let range = scanned.policies.get(at).cloned().unwrap_or_default();
        let read = match (set.policy(&id), set.template(&id)) {
            (Some(policy), _) => match policy.to_pst().or_else(|error| arity::mended(policy).ok_or(error)) {
                Ok(pst::Policy::Static(policy)) => Ok(policy.body().clone()),
                Ok(_) => Err(String::new()),
                Err(error) => Err(format!(": {error}")),
            },
            (None, Some(template)) => {
                let read = template.to_pst().or_else(|error| arity::mended_template(template).ok_or(error));
                read.map_err(|error| format!(": {error}"))
            }
            (None, None) => Err(String::new()),
        };
        match read {
            Ok(template) => policies.push((range, template)),
            Err(why) => problems.push(
                located(source, Some(range.start), format!("a policy that cannot be read back{}", cut(&why)))
                    .mend("this version of zt compiles the language of Cedar 4.14"),
            ),
        }
    }
    (problems.is_empty().then_some(Read { set, policies }), problems)
}
