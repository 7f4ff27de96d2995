//! Roles and scopes that the configuration gives to callers and that no policy names.

use std::collections::BTreeSet;

use super::{Finding, Kind, Surroundings};
use crate::policy::logic::Rules;
use crate::policy::mentions::Mentions;
use crate::policy::vocabulary::{ROLE, SCOPE};

pub(super) fn find(rules: &Rules<'_>, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let mentions = Mentions::of(rules.program());
    let unused = |kind, ty: &'static str, word: &'static str, names: &[&str]| {
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let unused = names.into_iter().filter(|name| !mentions.has(ty, name));
        let finding = |name: &str| {
            let message = format!("callers have the {word} `{name}`, and no policy names it");
            Finding::new(kind, message, "write a policy for it, or take it from the callers")
        };
        unused.map(finding).collect::<Vec<_>>()
    };
    let mut found = unused(Kind::RoleNotUsed, ROLE, "role", surroundings.roles);
    found.extend(unused(Kind::ScopeNotUsed, SCOPE, "scope", surroundings.scopes));
    found
}
