//! The parts of a scope: as text, and what the request had there.

use super::shown::entity;
use super::{Kinship, Part};
use crate::policy::print::variable;
use crate::policy::program::{ActionScope, Program, Rule, Scope, Var};

/// Variables in the order of a scope.
pub(super) const PARTS: [(Part, Var); 3] =
    [(Part::Principal, Var::Principal), (Part::Action, Var::Action), (Part::Resource, Var::Resource)];

/// Ancestors that are named.
const ABOVE_MAX: usize = 8;

/// A part of a scope as the condition it is; nothing for any.
pub(super) fn text(program: &Program, rule: &Rule, var: Var) -> Option<String> {
    match (var, &rule.action) {
        (Var::Principal, _) => program.print_scope(var, rule.principal),
        (Var::Resource, _) => program.print_scope(var, rule.resource),
        (Var::Context, _) | (Var::Action, ActionScope::Any) => None,
        (Var::Action, ActionScope::Eq(symbol)) => program.print_scope(var, Scope::Eq(*symbol)),
        (Var::Action, ActionScope::In(symbols)) => match symbols.as_slice() {
            [one] => program.print_scope(var, Scope::In(*one)),
            many => {
                let names: Vec<String> = many.iter().map(|symbol| program.print_symbol(*symbol)).collect();
                Some(format!("action in [{}]", names.join(", ")))
            }
        },
    }
}

/// What the request had where a scope asks: the entity, and what it is in where that is asked.
pub(super) fn why<'a>(world: &impl Kinship<'a>, rule: &Rule, var: Var) -> String {
    let scope = match var {
        Var::Principal => rule.principal,
        Var::Resource => rule.resource,
        Var::Action | Var::Context => Scope::Any,
    };
    let within = match var {
        Var::Action => matches!(rule.action, ActionScope::In(_)),
        _ => matches!(scope, Scope::In(_) | Scope::IsIn(..)),
    };
    if within { place(world, var) } else { name(world, var) }
}

/// Who or what a variable is.
pub(super) fn name<'a>(world: &impl Kinship<'a>, var: Var) -> String {
    world.entity(var).map_or_else(String::new, |uid| format!("`{}` is `{}`", variable(var), entity(uid)))
}

/// Who or what a variable is, and what it is in.
pub(super) fn place<'a>(world: &impl Kinship<'a>, var: Var) -> String {
    let Some(uid) = world.entity(var) else { return String::new() };
    let mut above = world.above(uid).into_iter();
    let mut names: Vec<String> = above.by_ref().take(ABOVE_MAX).map(|uid| format!("`{}`", entity(uid))).collect();
    names.extend(above.next().map(|_| "…".to_owned()));
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    format!("{}, which is in {names}", name(world, var))
}
