//! The annotation `@redact`: members of a JSON response that are hidden.

use std::collections::BTreeSet;

use crate::base::member_path::MemberPath;
use crate::model::Problem;
use crate::policy::effect::Redactions;
use crate::policy::program::{Effect, Rule};

use super::diagnose::Place;

/// Most fields of one policy.
const FIELDS_MAX: usize = 64;
/// Most different fields of all policies together: a redactor of all of them still is small.
const TOTAL_MAX: usize = 1_024;

/// What a policy hides, in one form of writing, sorted, each once.
pub(super) fn fields(rule: &Rule, place: &Place<'_>, problems: &mut Vec<Problem>) -> Option<Vec<Box<str>>> {
    let list = rule.annotations.get("redact")?;
    let flags = rule.annotations.get("on_deny").is_some_and(|outcome| &**outcome == "flag");
    if rule.effect == Effect::Forbid && !flags {
        let problem = place.problem("redact", "`@redact` on a forbid that lets nothing pass");
        problems.push(problem.mend("write it on a permit, or add `@on_deny(\"flag\")`"));
        return None;
    }
    let paths = match MemberPath::parse_list(list) {
        Ok(paths) => paths,
        Err(found) => {
            let problem = |wrong: &crate::base::member_path::NoPath| {
                place.problem("redact", format!("`@redact`: {wrong}")).mend(wrong.mend)
            };
            problems.extend(found.iter().take(FIELDS_MAX).map(problem));
            return None;
        }
    };
    let fields: BTreeSet<String> = paths.iter().map(MemberPath::to_string).collect();
    if fields.len() > FIELDS_MAX {
        let message = format!("`@redact` names {} fields; at most {FIELDS_MAX} are taken", fields.len());
        problems.push(place.problem("redact", message).mend("name the object that they are in, or `*`"));
        return None;
    }
    Some(fields.into_iter().map(Box::from).collect())
}

/// All policies together: any of them may have a say in one decision.
pub(super) fn check_total(redactions: &Redactions, problems: &mut Vec<Problem>) {
    let different: BTreeSet<&str> = redactions.values().flatten().map(|field| &**field).collect();
    if different.len() > TOTAL_MAX {
        let message = format!("`@redact` names {} different fields; at most {TOTAL_MAX} are taken", different.len());
        problems.push(Problem::new("policy", message).mend("name the objects that they are in, or `*`"));
    }
}
