//! Whether a request is in the scope of a policy, by looking at that policy alone.

use super::evaluate::World;
use super::program::{ActionScope, Program, Rule, Scope, Var};

/// Whether principal, action and resource fit, in this order.
pub(crate) fn fits<'a>(program: &Program, world: &impl World<'a>, rule: &Rule) -> [bool; 3] {
    let action = match &rule.action {
        ActionScope::Any => true,
        ActionScope::Eq(symbol) => fits_one(program, world, Var::Action, Scope::Eq(*symbol)),
        ActionScope::In(symbols) => symbols.iter().any(|symbol| world.var_within(Var::Action, *symbol)),
    };
    let one = |var: Var, scope: Scope| fits_one(program, world, var, scope);
    [one(Var::Principal, rule.principal), action, one(Var::Resource, rule.resource)]
}

fn fits_one<'a>(program: &Program, world: &impl World<'a>, var: Var, scope: Scope) -> bool {
    let entity = world.entity(var);
    let is = |ty: u32| entity.is_some_and(|uid| program.name(ty) == Some(uid.ty));
    match scope {
        Scope::Any => true,
        Scope::Eq(symbol) => entity.is_some() && entity == program.uid(symbol),
        Scope::In(symbol) => world.var_within(var, symbol),
        Scope::Is(ty) => is(ty),
        Scope::IsIn(ty, symbol) => is(ty) && world.var_within(var, symbol),
    }
}
