//! Endpoints that a permit opens to everybody, under no condition, though they ask for a credential.

use std::collections::BTreeSet;

use super::{Finding, Kind, ROWS_MAX, Surroundings, some_of};
use crate::policy::logic::{Cube, Rules};
use crate::policy::program::Scope;

pub(super) fn find(rules: &Rules<'_>, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let anonymous: BTreeSet<&str> = surroundings.anonymous.iter().copied().collect();
    let mut found = Vec::new();
    for (at, rule) in (0..).zip(&rules.program().rules) {
        if !rules.is_permit(at) || rule.principal != Scope::Any {
            continue;
        }
        let everybody = |row: u32| rules.covered(&[Cube::default()], &rules.outcome(at, rules.row(row)).yes);
        let local = rules.is_local(at);
        if !local && !rules.rows_of(at).next().is_some_and(everybody) {
            continue;
        }
        let rows = rules.rows_of(at).take(if local { ROWS_MAX } else { usize::MAX });
        let open = rows.filter(|row| !local || everybody(*row)).filter_map(|row| rules.row(row));
        let asking = open.filter(|row| !anonymous.contains(&*row.id)).map(|row| (*row.id).to_owned());
        let endpoints: Vec<String> = asking.collect::<BTreeSet<String>>().into_iter().collect();
        if endpoints.is_empty() {
            continue;
        }
        let message = format!("the permit `{}` lets everybody call {}", rule.id, some_of(&endpoints));
        let mend = "name who may, or mark the endpoint `anonymous = true`";
        found.push(Finding { endpoints, ..Finding::of(Kind::EndpointEverybodyMayCall, rule, message, mend) });
    }
    found
}
