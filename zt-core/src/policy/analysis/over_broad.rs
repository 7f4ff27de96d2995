//! Permits of everything to everybody, and of writing to everybody.

use super::{Finding, Kind};
use crate::policy::logic::Rules;
use crate::policy::program::{ActionScope, Scope};
use crate::policy::vocabulary::WRITE;

pub(super) fn find(rules: &Rules<'_>) -> Vec<Finding> {
    let program = rules.program();
    let is_write = |symbol: &u32| program.uid(*symbol).is_some_and(|uid| uid.ty == "Action" && uid.id == WRITE);
    let mut found = Vec::new();
    for (at, rule) in (0..).zip(&program.rules) {
        if !rules.is_permit(at) || rule.principal != Scope::Any || rule.body.is_some() {
            continue;
        }
        let anywhere = matches!(rule.resource, Scope::Any | Scope::Is(_));
        let what = match &rule.action {
            ActionScope::Any if anywhere => "everything to everybody",
            ActionScope::In(groups) if groups.iter().any(is_write) => "writing to everybody",
            _ => continue,
        };
        let message = format!("the permit `{}` permits {what}, under no condition", rule.id);
        found.push(Finding::of(Kind::PermitOverBroad, rule, message, "say who may, where, or when"));
    }
    found
}
