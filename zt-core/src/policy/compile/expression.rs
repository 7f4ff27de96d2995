//! Compiles Cedar's public syntax tree to nodes. What has no node is refused by its name.

use std::fmt::Debug;

use cedar_policy::pst::{BinaryOp, Expr, Literal, UnaryOp, Var as PstVar};

use crate::policy::evaluate::call;
use crate::policy::facts::Fact;
use crate::policy::program::{Arithmetic, DEPTH_MAX, Function, Function2, Node, NodeId, Order, Var};
use crate::policy::value::{Stored, Value};

use super::builder::Builder;

/// Where a policy's `context` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The request context: its attributes are known at load.
    Request,
    /// Any record.
    Raw,
}

/// A construct that is not compiled: its name, and a word of the text that shows where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) construct: String,
    pub(crate) token: String,
}

fn refused<T>(construct: impl Into<String>, token: &str) -> Result<T, Refused> {
    Err(Refused { construct: construct.into(), token: token.to_owned() })
}

/// What a newer Cedar has beyond this version's, by its name in Cedar's syntax tree.
fn unknown<T>(kind: &str, construct: &impl Debug) -> Result<T, Refused> {
    let whole = format!("{construct:?}");
    let name: String = whole.chars().take_while(|c| c.is_alphanumeric() || *c == '_').take(60).collect();
    refused(format!("the {kind} `{name}`, which is newer than this version of zt,"), "")
}

impl Builder {
    /// Compiles an expression. Recursion is bounded by the nesting that [`super::scan`] lets through.
    pub(crate) fn expression(&mut self, expr: &Expr, lane: Lane) -> Result<NodeId, Refused> {
        let node = match expr {
            Expr::Literal(literal) => self.literal(literal)?,
            Expr::Var(PstVar::Context) if lane == Lane::Request => {
                return refused("`context` as a whole value", "context");
            }
            Expr::Var(var) => self.push(Node::Var(variable(var))),
            Expr::UnaryOp { op, expr } => {
                let operand = self.expression(expr, lane)?;
                self.unary(*op, operand)?
            }
            Expr::BinaryOp { op: BinaryOp::And, .. } | Expr::Is { in_expr: Some(_), .. } => {
                let mut members = Vec::new();
                self.chain(expr, BinaryOp::And, lane, &mut members)?;
                let run = self.run(&members);
                self.push(Node::And(run))
            }
            Expr::BinaryOp { op: BinaryOp::Or, .. } => {
                let mut members = Vec::new();
                self.chain(expr, BinaryOp::Or, lane, &mut members)?;
                let run = self.run(&members);
                self.push(Node::Or(run))
            }
            Expr::BinaryOp { op: BinaryOp::In, left, right } => self.within(left, right, lane)?,
            Expr::BinaryOp { op, left, right } => {
                let (left, right) = (self.expression(left, lane)?, self.expression(right, lane)?);
                let node = binary(*op, left, right)?;
                self.push(node)
            }
            Expr::GetAttr { expr, attr } => match (self.of_context(expr, attr, lane), lane) {
                (Some((read, _)), _) => self.push(read),
                (None, Lane::Request) if is_context(expr) => {
                    return refused(format!("an attribute `context.{attr}` beyond those of a request"), attr);
                }
                _ => {
                    let (inner, name) = (self.expression(expr, lane)?, self.name(attr));
                    self.push(Node::Attribute(inner, name))
                }
            },
            Expr::HasAttr { expr, attrs } => match (self.of_context(expr, attrs.first(), lane), lane) {
                (Some((_, has)), _) if attrs.len() == 1 => self.push(has),
                (_, Lane::Request) if is_context(expr) => {
                    return refused("`context has` with a name that the request context does not have", "has");
                }
                _ => {
                    let inner = self.expression(expr, lane)?;
                    let names: Vec<u32> = attrs.iter().map(|name| self.name(name)).collect();
                    let run = self.run(&names);
                    self.push(Node::Has(inner, run))
                }
            },
            Expr::Like { expr, pattern } => {
                let (inner, pattern) = (self.expression(expr, lane)?, self.pattern(pattern));
                self.push(Node::Like(inner, pattern))
            }
            Expr::Is { expr, entity_type, in_expr: None } => {
                let (inner, ty) = (self.expression(expr, lane)?, self.ty(entity_type));
                self.push(Node::Is(inner, ty))
            }
            Expr::IfThenElse { cond, then_expr, else_expr } => {
                let cond = self.expression(cond, lane)?;
                let (then, other) = (self.expression(then_expr, lane)?, self.expression(else_expr, lane)?);
                self.push(Node::If(cond, then, other))
            }
            Expr::Set(members) => {
                let nodes =
                    members.iter().map(|member| self.expression(member, lane)).collect::<Result<Vec<_>, _>>()?;
                match nodes.iter().map(|node| self.known(*node)).collect::<Option<Vec<Stored>>>() {
                    Some(values) => self.constant(Stored::Set(values)),
                    None => {
                        let run = self.run(&nodes);
                        self.push(Node::Set(run))
                    }
                }
            }
            Expr::Record(fields) => {
                let mut nodes = Vec::with_capacity(fields.len());
                for field in fields.values() {
                    nodes.push(self.expression(field, lane)?);
                }
                let names: Vec<u32> = fields.keys().map(|name| self.name(name)).collect();
                let (names, run) = (self.run(&names), self.run(&nodes));
                self.push(Node::Record(names, run))
            }
            Expr::Slot(_) => return refused("a template slot in a condition", "?principal"),
            Expr::Unknown { .. } => return refused("`unknown(...)`", "unknown"),
            other => return unknown("expression", other),
        };
        if self.depth(node) > DEPTH_MAX {
            return refused(format!("an expression nested deeper than {DEPTH_MAX} levels"), "");
        }
        Ok(node)
    }

    /// An attribute of the request context: what reads it, and what asks for it.
    fn of_context(&self, expr: &Expr, attr: &str, lane: Lane) -> Option<(Node, Node)> {
        if lane != Lane::Request || !is_context(expr) {
            return None;
        }
        let declared = |name: &str| (0..).zip(&self.program.declared).find(|(_, known)| ***known == *name);
        match Fact::find(attr) {
            Some(fact) => Some((Node::Fact(fact), Node::HasFact(fact))),
            None => declared(attr).map(|(at, _)| (Node::Declared(at), Node::HasDeclared(at))),
        }
    }

    fn literal(&mut self, literal: &Literal) -> Result<NodeId, Refused> {
        let value = match literal {
            Literal::Bool(b) => Stored::Bool(*b),
            Literal::Long(n) => Stored::Long(*n),
            Literal::String(s) => Stored::Str(s.as_str().into()),
            Literal::EntityUID(uid) => Stored::Entity(uid.ty.to_string().into(), uid.eid.as_str().into()),
            other => return unknown("literal", other),
        };
        Ok(self.constant(value))
    }

    /// A chain of one operator as one list: `(a && b) && c` and `a && (b && c)` mean the same as `a && b && c`.
    pub(super) fn chain(
        &mut self,
        expr: &Expr,
        chained: BinaryOp,
        lane: Lane,
        members: &mut Vec<NodeId>,
    ) -> Result<(), Refused> {
        match expr {
            Expr::BinaryOp { op, left, right } if *op == chained => {
                self.chain(left, chained, lane, members)?;
                self.chain(right, chained, lane, members)
            }
            Expr::Is { expr: of, entity_type, in_expr: Some(ancestor) } if chained == BinaryOp::And => {
                let (inner, ty) = (self.expression(of, lane)?, self.ty(entity_type));
                members.push(self.push(Node::Is(inner, ty)));
                members.push(self.within(of, ancestor, lane)?);
                Ok(())
            }
            _ => {
                members.push(self.expression(expr, lane)?);
                Ok(())
            }
        }
    }

    /// `in`; a variable in entities that the policy names is resolved to symbols.
    fn within(&mut self, left: &Expr, right: &Expr, lane: Lane) -> Result<NodeId, Refused> {
        let var = match left {
            Expr::Var(var) if *var != PstVar::Context => Some(variable(var)),
            _ => None,
        };
        match (var, right) {
            (Some(var), Expr::Literal(Literal::EntityUID(uid))) => {
                let symbol = self.symbol(uid);
                Ok(self.push(Node::VarIn(var, symbol)))
            }
            (Some(var), Expr::Set(members))
                if members.iter().all(|m| matches!(**m, Expr::Literal(Literal::EntityUID(_)))) =>
            {
                let mut nodes = Vec::with_capacity(members.len());
                for member in members {
                    if let Expr::Literal(Literal::EntityUID(uid)) = &**member {
                        let symbol = self.symbol(uid);
                        nodes.push(self.push(Node::VarIn(var, symbol)));
                    }
                }
                let run = self.run(&nodes);
                Ok(self.push(Node::Or(run)))
            }
            _ => {
                let (left, right) = (self.expression(left, lane)?, self.expression(right, lane)?);
                Ok(self.push(Node::In(left, right)))
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: NodeId) -> Result<NodeId, Refused> {
        let function = match op {
            UnaryOp::Not => return Ok(self.push(Node::Not(operand))),
            UnaryOp::Neg => return Ok(self.push(Node::Neg(operand))),
            UnaryOp::IsEmpty => return Ok(self.push(Node::IsEmpty(operand))),
            UnaryOp::Ip => Function::Ip,
            UnaryOp::Decimal => Function::Decimal,
            UnaryOp::Datetime => Function::Datetime,
            UnaryOp::Duration => Function::Duration,
            UnaryOp::IsIPv4 => Function::IsIpv4,
            UnaryOp::IsIPV6 => Function::IsIpv6,
            UnaryOp::IsLoopback => Function::IsLoopback,
            UnaryOp::IsMulticast => Function::IsMulticast,
            UnaryOp::ToDate => Function::ToDate,
            UnaryOp::ToTime => Function::ToTime,
            UnaryOp::ToMilliseconds => Function::ToMilliseconds,
            UnaryOp::ToSeconds => Function::ToSeconds,
            UnaryOp::ToMinutes => Function::ToMinutes,
            UnaryOp::ToHours => Function::ToHours,
            UnaryOp::ToDays => Function::ToDays,
            _ => return refused(format!("`{op}`"), &op.to_string()),
        };
        // `ip("10.0.0.0/8")` and its like are read once.
        let Some(known) = self.known(operand) else { return Ok(self.push(Node::Call(function, operand))) };
        let value = call(function, known.borrow()).ok().and_then(|value| match value {
            Value::Bool(b) => Some(Stored::Bool(b)),
            Value::Long(n) => Some(Stored::Long(n)),
            Value::Ip(ip) => Some(Stored::Ip(ip)),
            Value::Decimal(n) => Some(Stored::Decimal(n)),
            Value::Datetime(n) => Some(Stored::Datetime(n)),
            Value::Duration(n) => Some(Stored::Duration(n)),
            _ => None,
        });
        Ok(match value {
            Some(value) => self.constant(value),
            None => self.push(Node::Fail),
        })
    }
}

fn binary(op: BinaryOp, a: NodeId, b: NodeId) -> Result<Node, Refused> {
    Ok(match op {
        BinaryOp::Eq => Node::Equal(a, b),
        BinaryOp::NotEq => Node::NotEqual(a, b),
        BinaryOp::Less => Node::Order(Order::Less, a, b),
        BinaryOp::LessEq => Node::Order(Order::LessEqual, a, b),
        BinaryOp::Greater => Node::Order(Order::Greater, a, b),
        BinaryOp::GreaterEq => Node::Order(Order::GreaterEqual, a, b),
        BinaryOp::Add => Node::Arithmetic(Arithmetic::Add, a, b),
        BinaryOp::Sub => Node::Arithmetic(Arithmetic::Subtract, a, b),
        BinaryOp::Mul => Node::Arithmetic(Arithmetic::Multiply, a, b),
        BinaryOp::Contains => Node::Contains(a, b),
        BinaryOp::ContainsAll => Node::ContainsAll(a, b),
        BinaryOp::ContainsAny => Node::ContainsAny(a, b),
        BinaryOp::GetTag => Node::Tag(a, b),
        BinaryOp::HasTag => Node::HasTag(a, b),
        BinaryOp::IsInRange => Node::Call2(Function2::IsInRange, a, b),
        BinaryOp::Offset => Node::Call2(Function2::Offset, a, b),
        BinaryOp::DurationSince => Node::Call2(Function2::DurationSince, a, b),
        BinaryOp::DecimalLessThan => Node::Call2(Function2::Decimal(Order::Less), a, b),
        BinaryOp::DecimalLessEq => Node::Call2(Function2::Decimal(Order::LessEqual), a, b),
        BinaryOp::DecimalGreater => Node::Call2(Function2::Decimal(Order::Greater), a, b),
        BinaryOp::DecimalGreaterEq => Node::Call2(Function2::Decimal(Order::GreaterEqual), a, b),
        _ => return refused(format!("`{op}`"), &op.to_string()),
    })
}

const fn variable(var: &PstVar) -> Var {
    match var {
        PstVar::Principal => Var::Principal,
        PstVar::Action => Var::Action,
        PstVar::Resource => Var::Resource,
        PstVar::Context => Var::Context,
    }
}

const fn is_context(expr: &Expr) -> bool {
    matches!(expr, Expr::Var(PstVar::Context))
}
