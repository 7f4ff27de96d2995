//! Roles and scopes that the configuration gives to callers and that no policy names.

use std::collections::BTreeSet;

use super::{Finding, Kind, Surroundings};
use crate::policy::logic::Rules;
use crate::policy::value::Stored;
use crate::policy::vocabulary::{ROLE, SCOPE};

pub(super) fn find(rules: &Rules<'_>, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let program = rules.program();
    let named: BTreeSet<(&str, &str)> = program.uids.iter().map(|(ty, id)| (&**ty, &**id)).collect();
    // `context.roles.contains("x")` names a role as well; so may any other text.
    let mut texts = BTreeSet::new();
    let mut open: Vec<&Stored> = program.constants.iter().collect();
    while let Some(value) = open.pop() {
        match value {
            Stored::Str(text) | Stored::Entity(_, text) => drop(texts.insert(&**text)),
            Stored::Set(members) => open.extend(members),
            Stored::Record(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    let unused = |kind, ty: &'static str, word: &'static str, names: &[&str]| {
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let unused = names.into_iter().filter(|name| !named.contains(&(ty, *name)) && !texts.contains(name));
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
