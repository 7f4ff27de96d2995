//! Evaluates compiled expressions with exactly Cedar's semantics.
//!
//! Recursion follows the compiled tree only, whose depth is bounded at load, so that a decision never depends on how
//! much stack the caller has left. Nothing is allocated unless a policy builds large sets or records.

mod collection;
mod operator;

use std::cell::Cell;

use smallvec::SmallVec;

use super::facts::Fact;
use super::program::{Node, NodeId, Program, Run, Var};
use super::value::{Record, Set, Stored, Uid, Value};

use operator::{arithmetic, compare};
pub(crate) use operator::{call, call2};

/// What a request brings: its variables, its context and the entities.
pub(crate) trait World<'a> {
    /// Principal, action or resource.
    fn entity(&self, var: Var) -> Option<Uid<'a>>;
    /// The whole context, where it is a record.
    fn context(&self) -> Option<Record<'a>>;
    /// An attribute of the request context.
    fn fact(&self, fact: Fact) -> Option<Value<'a>>;
    /// A declared attribute of the request context.
    fn declared(&self, _: u32) -> Option<Value<'a>> {
        None
    }
    /// Whether the entity is this one or below it.
    fn within(&self, entity: Uid<'_>, ancestor: Uid<'_>) -> bool;
    /// Whether a variable's entity is the one with this symbol or below it.
    fn var_within(&self, var: Var, symbol: u32) -> bool;
    /// Attributes; nothing for an entity that is not known.
    fn attribute(&self, entity: Uid<'_>, name: &str) -> Option<&'a Stored>;
    /// Tags.
    fn tag(&self, entity: Uid<'_>, name: &str) -> Option<&'a Stored>;
}

/// Most comparisons of members in all sets and records of one request: far above what people write, and the end of what
/// sets in sets could ask for otherwise, two times two at each level.
const COMPARISONS_MAX: u32 = 1 << 28;
/// As many of them does it cost to compare two sets or records.
const NESTED: usize = 1 << 10;

/// An evaluation error: wrong type, too many comparisons, overflow, missing attribute or entity, or a failed extension function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// Evaluates expressions of one program in one world.
pub(crate) struct Evaluation<'a, W> {
    program: &'a Program,
    world: &'a W,
    /// Members of the sets and records that the running policy has built.
    scratch: SmallVec<[Value<'a>; 8]>,
    /// Comparisons that are left.
    left: Cell<u32>,
}

impl<'a, W: World<'a>> Evaluation<'a, W> {
    pub(crate) fn new(program: &'a Program, world: &'a W) -> Self {
        Self { program, world, scratch: SmallVec::new(), left: Cell::new(COMPARISONS_MAX) }
    }

    /// Whether a policy's conditions hold.
    pub(crate) fn holds(&mut self, body: Option<NodeId>) -> Result<bool, Failed> {
        let Some(body) = body else { return Ok(true) };
        self.scratch.clear();
        let holds = self.bool(body)?;
        self.whole(holds)
    }

    /// The value of an expression by itself; it is good until the next evaluation.
    pub(crate) fn alone(&mut self, node: NodeId) -> Result<Value<'a>, Failed> {
        self.scratch.clear();
        let value = self.value(node)?;
        self.whole(value)
    }

    /// What came of it, unless a comparison was left out.
    fn whole<T>(&self, value: T) -> Result<T, Failed> {
        if self.left.get() == 0 { Err(Failed) } else { Ok(value) }
    }

    /// Whether so many members can still be compared.
    fn afford(&self, members: usize) -> bool {
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        self.left.set(self.left.get().saturating_sub(members));
        self.left.get() > 0
    }

    /// What most conditions are made of, without a value in between; anything else by its value.
    fn bool(&mut self, node: NodeId) -> Result<bool, Failed> {
        match *self.program.nodes.get(node as usize).ok_or(Failed)? {
            Node::And(run) => self.all(run),
            Node::Or(run) => self.any(run),
            Node::Not(a) => Ok(!self.bool(a)?),
            Node::HasFact(fact) => Ok(self.world.fact(fact).is_some()),
            Node::VarIn(var, symbol) => Ok(self.world.var_within(var, symbol)),
            Node::Order(order, a, b) => {
                let (a, b) = (self.operand(a)?, self.operand(b)?);
                compare(order, a, b)
            }
            Node::Equal(a, b) => {
                let (a, b) = (self.operand(a)?, self.operand(b)?);
                Ok(self.equal(a, b))
            }
            _ => match self.value(node)? {
                Value::Bool(b) => Ok(b),
                _ => Err(Failed),
            },
        }
    }

    /// A value that is most likely a constant or a fact.
    #[inline]
    fn operand(&mut self, node: NodeId) -> Result<Value<'a>, Failed> {
        match *self.program.nodes.get(node as usize).ok_or(Failed)? {
            Node::Long(n) => Ok(Value::Long(n)),
            Node::Fact(fact) => self.world.fact(fact).ok_or(Failed),
            Node::Constant(at) => Ok(self.program.constants.get(at as usize).ok_or(Failed)?.borrow()),
            _ => self.value(node),
        }
    }

    fn long(&mut self, node: NodeId) -> Result<i64, Failed> {
        match self.value(node)? {
            Value::Long(n) => Ok(n),
            _ => Err(Failed),
        }
    }

    fn str(&mut self, node: NodeId) -> Result<&'a str, Failed> {
        match self.value(node)? {
            Value::Str(s) => Ok(s),
            _ => Err(Failed),
        }
    }

    fn uid(&mut self, node: NodeId) -> Result<Uid<'a>, Failed> {
        match self.value(node)? {
            Value::Entity(uid) => Ok(uid),
            _ => Err(Failed),
        }
    }

    fn set(&mut self, node: NodeId) -> Result<Set<'a>, Failed> {
        match self.value(node)? {
            Value::Set(set) => Ok(set),
            _ => Err(Failed),
        }
    }

    fn value(&mut self, node: NodeId) -> Result<Value<'a>, Failed> {
        let program = self.program;
        Ok(match *program.nodes.get(node as usize).ok_or(Failed)? {
            Node::Bool(b) => Value::Bool(b),
            Node::Long(n) => Value::Long(n),
            Node::Constant(at) => program.constants.get(at as usize).ok_or(Failed)?.borrow(),
            Node::Fail => return Err(Failed),
            Node::Var(Var::Context) => Value::Record(self.world.context().ok_or(Failed)?),
            Node::Var(var) => Value::Entity(self.world.entity(var).ok_or(Failed)?),
            Node::Fact(fact) => self.world.fact(fact).ok_or(Failed)?,
            Node::Declared(at) => self.world.declared(at).ok_or(Failed)?,
            Node::HasDeclared(at) => Value::Bool(self.world.declared(at).is_some()),
            Node::And(_)
            | Node::Or(_)
            | Node::Not(_)
            | Node::HasFact(_)
            | Node::VarIn(..)
            | Node::Order(..)
            | Node::Equal(..) => Value::Bool(self.bool(node)?),
            Node::If(test, then, other) => {
                let branch = if self.bool(test)? { then } else { other };
                self.value(branch)?
            }
            Node::Neg(a) => Value::Long(self.long(a)?.checked_neg().ok_or(Failed)?),
            Node::NotEqual(a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                Value::Bool(!self.equal(a, b))
            }
            Node::Arithmetic(op, a, b) => {
                let (a, b) = (self.long(a)?, self.long(b)?);
                Value::Long(arithmetic(op, a, b).ok_or(Failed)?)
            }
            Node::In(a, b) => Value::Bool(self.within(a, b)?),
            Node::Is(a, ty) => Value::Bool(Some(self.uid(a)?.ty) == program.name(ty)),
            Node::Set(run) => self.build(run).map(|(start, len)| Value::Set(Set::Built { start, len }))?,
            Node::Record(names, run) => {
                let (start, _) = self.build(run)?;
                Value::Record(Record::Built { names: program.run(names), start })
            }
            Node::Attribute(a, name) => {
                let (value, name) = (self.value(a)?, program.name(name).ok_or(Failed)?);
                self.attribute(value, name)?.ok_or(Failed)?
            }
            Node::Has(a, path) => Value::Bool(self.has(a, path)?),
            Node::Tag(a, key) => {
                let (uid, key) = (self.uid(a)?, self.str(key)?);
                self.world.tag(uid, key).ok_or(Failed)?.borrow()
            }
            Node::HasTag(a, key) => {
                let (uid, key) = (self.uid(a)?, self.str(key)?);
                Value::Bool(self.world.tag(uid, key).is_some())
            }
            Node::IsEmpty(a) => {
                let set = self.set(a)?;
                Value::Bool(self.member(set, 0).is_none())
            }
            Node::Contains(a, b) => {
                let (set, value) = (self.set(a)?, self.value(b)?);
                Value::Bool(self.contains(set, value))
            }
            Node::ContainsAll(a, b) => {
                let (a, b) = (self.set(a)?, self.set(b)?);
                Value::Bool(self.subset(b, a))
            }
            Node::ContainsAny(a, b) => {
                let (a, b) = (self.set(a)?, self.set(b)?);
                Value::Bool(self.members(b).any(|member| self.contains(a, member)))
            }
            Node::Like(a, pattern) => {
                let text = self.str(a)?;
                Value::Bool(program.patterns.get(pattern as usize).ok_or(Failed)?.matches(text))
            }
            Node::Call(function, a) => call(function, self.value(a)?)?,
            Node::Call2(function, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                call2(function, a, b)?
            }
        })
    }

    fn all(&mut self, run: Run) -> Result<bool, Failed> {
        for node in self.program.run(run) {
            if !self.bool(*node)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any(&mut self, run: Run) -> Result<bool, Failed> {
        for node in self.program.run(run) {
            if self.bool(*node)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Evaluates members and keeps them in one run of the scratch: inner sets come first, so each is evaluated once.
    #[inline(never)]
    fn build(&mut self, run: Run) -> Result<(usize, usize), Failed> {
        let mut members: SmallVec<[Value<'a>; 8]> = SmallVec::new();
        for node in self.program.run(run) {
            let member = self.value(*node)?;
            members.push(member);
        }
        let start = self.scratch.len();
        let len = members.len();
        self.scratch.extend(members);
        Ok((start, len))
    }

    fn within(&mut self, a: NodeId, b: NodeId) -> Result<bool, Failed> {
        let (entity, ancestors) = (self.uid(a)?, self.value(b)?);
        match ancestors {
            Value::Entity(ancestor) => Ok(self.world.within(entity, ancestor)),
            Value::Set(set) => {
                if self.members(set).any(|member| !matches!(member, Value::Entity(_))) {
                    return Err(Failed);
                }
                Ok(self.members(set).any(|member| match member {
                    Value::Entity(ancestor) => self.world.within(entity, ancestor),
                    _ => false,
                }))
            }
            _ => Err(Failed),
        }
    }

    fn has(&mut self, a: NodeId, path: Run) -> Result<bool, Failed> {
        let mut value = self.value(a)?;
        for name in self.program.run(path) {
            let name = self.program.name(*name).ok_or(Failed)?;
            match self.attribute(value, name)? {
                Some(next) => value = next,
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}
