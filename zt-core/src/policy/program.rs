//! The compiled form of policies: flat, plain data without Cedar's types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::Fact;
use super::like::Pattern;
use super::value::{Stored, Uid};

/// The deepest expression that is compiled: evaluation recurses no further, whatever the caller's stack.
pub(crate) const DEPTH_MAX: usize = 64;

/// Index of a node in [`Program::nodes`]; its children stand before it.
pub(crate) type NodeId = u32;

/// A run of [`Program::lists`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// Compiled policies.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Program {
    pub(crate) rules: Vec<Rule>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) lists: Vec<u32>,
    pub(crate) constants: Vec<Stored>,
    pub(crate) names: Vec<Box<str>>,
    /// Entities that policies name; the index is the symbol.
    pub(crate) uids: Vec<(Box<str>, Box<str>)>,
    pub(crate) patterns: Vec<Pattern>,
    /// Names of the declared attributes of the request context.
    #[serde(default)]
    pub(crate) declared: Vec<Box<str>>,
}

/// One policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: Box<str>,
    pub(crate) effect: Effect,
    pub(crate) annotations: BTreeMap<Box<str>, Box<str>>,
    pub(crate) principal: Scope,
    pub(crate) action: ActionScope,
    pub(crate) resource: Scope,
    /// The conditions; none is true.
    pub(crate) body: Option<NodeId>,
    pub(crate) origin: Origin,
}

/// Where a policy was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// The file, where it is one.
    pub(crate) file: Option<Box<str>>,
    /// From 1.
    pub(crate) line: u32,
    /// From 1.
    pub(crate) column: u32,
    /// The policy itself.
    pub(crate) text: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Effect {
    Permit,
    Forbid,
}

/// Scope of a principal or resource; numbers are symbols, types are names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    Any,
    Eq(u32),
    In(u32),
    Is(u32),
    IsIn(u32, u32),
}

/// Scope of an action: one of these symbols, or a member of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ActionScope {
    Any,
    Eq(u32),
    In(Vec<u32>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Var {
    Principal,
    Action,
    Resource,
    Context,
}

/// An expression.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Node {
    Bool(bool),
    Long(i64),
    Constant(u32),
    /// An expression that always fails, such as `ip("nonsense")`.
    Fail,
    Var(Var),
    /// `context.NAME` of the request context, resolved at load.
    Fact(Fact),
    /// `context has NAME`.
    HasFact(Fact),
    /// `context.NAME` of a declared attribute, by its place.
    Declared(u32),
    /// `context has NAME` of a declared attribute.
    HasDeclared(u32),
    /// All of these, left to right, stopping at the first false.
    And(Run),
    /// Any of these, left to right, stopping at the first true.
    Or(Run),
    Not(NodeId),
    If(NodeId, NodeId, NodeId),
    Neg(NodeId),
    Equal(NodeId, NodeId),
    NotEqual(NodeId, NodeId),
    Order(Order, NodeId, NodeId),
    Arithmetic(Arithmetic, NodeId, NodeId),
    In(NodeId, NodeId),
    /// A variable in an entity that the policy names.
    VarIn(Var, u32),
    Is(NodeId, u32),
    Set(Run),
    /// Names, and as many values.
    Record(Run, Run),
    Attribute(NodeId, u32),
    /// `has` with a path of names.
    Has(NodeId, Run),
    Tag(NodeId, NodeId),
    HasTag(NodeId, NodeId),
    IsEmpty(NodeId),
    Contains(NodeId, NodeId),
    ContainsAll(NodeId, NodeId),
    ContainsAny(NodeId, NodeId),
    Like(NodeId, u32),
    Call(Function, NodeId),
    Call2(Function2, NodeId, NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

/// Extension functions of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Function {
    Ip,
    Decimal,
    Datetime,
    Duration,
    IsIpv4,
    IsIpv6,
    IsLoopback,
    IsMulticast,
    ToDate,
    ToTime,
    ToMilliseconds,
    ToSeconds,
    ToMinutes,
    ToHours,
    ToDays,
}

/// Extension functions of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Function2 {
    IsInRange,
    Offset,
    DurationSince,
    /// A comparison of decimals.
    Decimal(Order),
}

impl Program {
    pub(crate) fn run(&self, run: Run) -> &[u32] {
        let (start, len) = (run.start as usize, run.len as usize);
        self.lists.get(start..start.saturating_add(len)).unwrap_or_default()
    }

    pub(crate) fn name(&self, name: u32) -> Option<&str> {
        self.names.get(name as usize).map(|name| &**name)
    }

    pub(crate) fn uid(&self, symbol: u32) -> Option<Uid<'_>> {
        self.uids.get(symbol as usize).map(|(ty, id)| Uid { ty, id })
    }

    /// Children of a node, in order.
    pub(crate) fn children(&self, node: &Node) -> ([Option<NodeId>; 3], &[NodeId]) {
        let none: &[NodeId] = &[];
        match *node {
            Node::And(run) | Node::Or(run) | Node::Set(run) | Node::Record(_, run) => ([None; 3], self.run(run)),
            Node::If(a, b, c) => ([Some(a), Some(b), Some(c)], none),
            Node::Equal(a, b)
            | Node::NotEqual(a, b)
            | Node::Order(_, a, b)
            | Node::Arithmetic(_, a, b)
            | Node::In(a, b)
            | Node::Tag(a, b)
            | Node::HasTag(a, b)
            | Node::Contains(a, b)
            | Node::ContainsAll(a, b)
            | Node::ContainsAny(a, b)
            | Node::Call2(_, a, b) => ([Some(a), Some(b), None], none),
            Node::Not(a)
            | Node::Neg(a)
            | Node::Is(a, _)
            | Node::Attribute(a, _)
            | Node::Has(a, _)
            | Node::IsEmpty(a)
            | Node::Like(a, _)
            | Node::Call(_, a) => ([Some(a), None, None], none),
            Node::Bool(_)
            | Node::Long(_)
            | Node::Constant(_)
            | Node::Fail
            | Node::Var(_)
            | Node::VarIn(..)
            | Node::Fact(_)
            | Node::HasFact(_)
            | Node::Declared(_)
            | Node::HasDeclared(_) => ([None; 3], none),
        }
    }
}
