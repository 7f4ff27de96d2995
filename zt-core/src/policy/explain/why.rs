//! What the request had where a condition looks.

use super::Kinship;
use super::scoped::{name, place};
use super::shown::{cut, value};
use crate::policy::evaluate::{Evaluation, Failed as Unknown};
use crate::policy::program::{Node, NodeId, Program, Var};
use crate::policy::value::Value;

/// Longest answer, characters.
const WHY_MAX: usize = 200;
/// Longest name of a value, characters.
const NAME_MAX: usize = 80;
/// Expressions of a condition that are looked at.
const LOOKED_AT_MAX: usize = 4_096;

/// The values that a condition looks at, in its order.
pub(super) fn why<'a, W: Kinship<'a>>(
    program: &'a Program,
    world: &'a W,
    evaluation: &mut Evaluation<'a, W>,
    condition: NodeId,
) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut open = vec![condition];
    let (mut looked_at, mut length) = (0_usize, 0_usize);
    while let Some(at) = open.pop() {
        looked_at = looked_at.saturating_add(1);
        if looked_at > LOOKED_AT_MAX || length > WHY_MAX {
            break;
        }
        let Some(node) = program.nodes.get(at as usize) else { continue };
        let sentence = match *node {
            Node::Fact(fact) | Node::HasFact(fact) => {
                Some(is(&format!("context.{}", fact.name()), world.fact(fact).ok_or(Unknown)))
            }
            Node::Declared(at) | Node::HasDeclared(at) => {
                Some(is(&format!("context.{}", program.declared_name(at)), world.declared(at).ok_or(Unknown)))
            }
            Node::Var(Var::Context) => None,
            Node::Var(var) => Some(name(world, var)),
            Node::VarIn(var, _) => Some(place(world, var)),
            Node::In(a, b) => match program.nodes.get(a as usize) {
                Some(Node::Var(var)) => {
                    open.push(b);
                    Some(place(world, *var))
                }
                _ => None,
            },
            Node::Attribute(..) | Node::Has(..) | Node::Tag(..) | Node::HasTag(..)
                if leads_from_a_variable(program, at) =>
            {
                Some(is(&cut(&program.print(at), NAME_MAX), evaluation.alone(at)))
            }
            _ => None,
        };
        match sentence {
            Some(sentence) if told.contains(&sentence) => {}
            Some(sentence) => {
                length = length.saturating_add(sentence.chars().count()).saturating_add(2);
                told.push(sentence);
            }
            None => {
                let (fixed, run) = program.children(node);
                let room = LOOKED_AT_MAX.saturating_sub(open.len());
                open.extend(run.iter().take(room).rev());
                open.extend(fixed.iter().rev().flatten());
            }
        }
    }
    match told.as_slice() {
        [] => "nothing that a request has is asked for".to_owned(),
        told => cut(&told.join("; "), WHY_MAX),
    }
}

/// Why a condition cannot be evaluated: the innermost expression that fails, and what the request had there.
pub(super) fn why_not_evaluated<'a, W: Kinship<'a>>(
    program: &'a Program,
    world: &'a W,
    evaluation: &mut Evaluation<'a, W>,
    condition: NodeId,
) -> String {
    let mut failing = condition;
    while let Some(inner) = failing_within(program, evaluation, failing) {
        failing = inner;
    }
    let text = cut(&program.print(failing), NAME_MAX);
    let had = why(program, world, evaluation, failing);
    cut(&format!("`{text}` cannot be evaluated: {had}"), WHY_MAX)
}

/// The child that is evaluated, and fails.
fn failing_within<'a, W: Kinship<'a>>(
    program: &'a Program,
    evaluation: &mut Evaluation<'a, W>,
    node: NodeId,
) -> Option<NodeId> {
    let node = program.nodes.get(node as usize)?;
    if let Node::If(test, then, other) = *node {
        return match evaluation.alone(test) {
            Err(Unknown) => Some(test),
            Ok(Value::Bool(true)) => Some(then),
            Ok(Value::Bool(false)) => Some(other),
            Ok(_) => None,
        }
        .filter(|branch| evaluation.alone(*branch).is_err());
    }
    let (fixed, run) = program.children(node);
    let chain = matches!(node, Node::And(_) | Node::Or(_));
    for at in fixed.into_iter().flatten().chain(run.iter().copied()) {
        match evaluation.alone(at) {
            Err(Unknown) => return Some(at),
            // An operand of `&&` and `||` that is no boolean: what comes after it is not reached.
            Ok(found) if chain && !matches!(found, Value::Bool(_)) => return None,
            Ok(_) => {}
        }
    }
    None
}

fn is(name: &str, found: Result<Value<'_>, Unknown>) -> String {
    match found {
        Ok(found) => format!("`{name}` is `{}`", value(found)),
        Err(Unknown) => format!("`{name}` is absent"),
    }
}

/// Whether this is an attribute or a tag of an attribute of ... a variable.
fn leads_from_a_variable(program: &Program, node: NodeId) -> bool {
    let mut at = node;
    loop {
        match program.nodes.get(at as usize) {
            Some(Node::Var(_) | Node::Fact(_)) => return true,
            Some(Node::Attribute(a, _) | Node::Has(a, _) | Node::Tag(a, _) | Node::HasTag(a, _)) => at = *a,
            _ => return false,
        }
    }
}
