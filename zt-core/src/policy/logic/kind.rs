//! What an expression comes to, where it can fail only for an attribute of the context that is absent.

use crate::policy::facts::Fact;
use crate::policy::program::{Function, Function2, Node, NodeId, Program};
use crate::policy::value::Stored;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Long,
    Text,
    Entity,
    Entities,
    Set,
    Record,
    Ip,
    Decimal,
    Datetime,
    Duration,
}

/// What an expression comes to when the attributes that it adds to `needs` are there; nothing when it can fail even so.
/// Recursion is bounded as evaluation's is.
pub(crate) fn kind(program: &Program, node: NodeId, needs: &mut Vec<Fact>) -> Option<Kind> {
    let mut of = |node| kind(program, node, needs);
    Some(match *program.nodes.get(node as usize)? {
        Node::Bool(_) | Node::HasFact(_) | Node::VarIn(..) => Kind::Bool,
        Node::Long(_) => Kind::Long,
        Node::Constant(at) => stored(program.constants.get(at as usize)?),
        Node::Var(crate::policy::program::Var::Context) => return None,
        Node::Var(_) => Kind::Entity,
        Node::Fact(fact) => {
            if !fact.required() && !needs.contains(&fact) {
                needs.push(fact);
            }
            match fact.ty() {
                "Long" => Kind::Long,
                "String" => Kind::Text,
                "ipaddr" => Kind::Ip,
                "datetime" => Kind::Datetime,
                "Set<String>" => Kind::Set,
                _ => return None,
            }
        }
        Node::Equal(a, b) | Node::NotEqual(a, b) => {
            of(a)?;
            of(b)?;
            Kind::Bool
        }
        Node::Order(_, a, b) => match (of(a)?, of(b)?) {
            (Kind::Long, Kind::Long) | (Kind::Datetime, Kind::Datetime) | (Kind::Duration, Kind::Duration) => {
                Kind::Bool
            }
            _ => return None,
        },
        Node::In(a, b) => match (of(a)?, of(b)?) {
            (Kind::Entity, Kind::Entity | Kind::Entities) => Kind::Bool,
            _ => return None,
        },
        Node::Is(a, _) => wanted(of(a)?, Kind::Entity, Kind::Bool)?,
        Node::Set(run) => {
            let mut entities = true;
            for member in program.run(run) {
                entities &= of(*member)? == Kind::Entity;
            }
            if entities { Kind::Entities } else { Kind::Set }
        }
        Node::IsEmpty(a) => set(of(a)?)?,
        Node::Contains(a, b) => {
            set(of(a)?)?;
            of(b)?;
            Kind::Bool
        }
        Node::ContainsAll(a, b) | Node::ContainsAny(a, b) => {
            set(of(a)?)?;
            set(of(b)?)?
        }
        Node::Like(a, _) => wanted(of(a)?, Kind::Text, Kind::Bool)?,
        Node::Call(function, a) => match (function, of(a)?) {
            (Function::IsIpv4 | Function::IsIpv6 | Function::IsLoopback | Function::IsMulticast, Kind::Ip) => {
                Kind::Bool
            }
            (Function::ToTime, Kind::Datetime) => Kind::Duration,
            (
                Function::ToMilliseconds
                | Function::ToSeconds
                | Function::ToMinutes
                | Function::ToHours
                | Function::ToDays,
                Kind::Duration,
            ) => Kind::Long,
            _ => return None,
        },
        Node::Call2(Function2::IsInRange, a, b) => match (of(a)?, of(b)?) {
            (Kind::Ip, Kind::Ip) => Kind::Bool,
            _ => return None,
        },
        Node::Call2(Function2::Decimal(_), a, b) => match (of(a)?, of(b)?) {
            (Kind::Decimal, Kind::Decimal) => Kind::Bool,
            _ => return None,
        },
        // Arithmetic overflows; the others are taken apart before they come here, or can fail.
        _ => return None,
    })
}

fn wanted(found: Kind, wanted: Kind, then: Kind) -> Option<Kind> {
    (found == wanted).then_some(then)
}

fn set(found: Kind) -> Option<Kind> {
    matches!(found, Kind::Set | Kind::Entities).then_some(Kind::Bool)
}

fn stored(value: &Stored) -> Kind {
    match value {
        Stored::Bool(_) => Kind::Bool,
        Stored::Long(_) => Kind::Long,
        Stored::Str(_) => Kind::Text,
        Stored::Entity(..) => Kind::Entity,
        Stored::Set(members) if members.iter().all(|member| matches!(member, Stored::Entity(..))) => Kind::Entities,
        Stored::Set(_) => Kind::Set,
        Stored::Record(_) => Kind::Record,
        Stored::Ip(_) => Kind::Ip,
        Stored::Decimal(_) => Kind::Decimal,
        Stored::Datetime(_) => Kind::Datetime,
        Stored::Duration(_) => Kind::Duration,
    }
}
