//! Evaluates compiled expressions with exactly Cedar's semantics.
//!
//! Recursion follows the compiled tree only, whose depth is bounded at load, so that a decision never depends on how
//! much stack the caller has left. Nothing is allocated unless a policy builds large sets or records.

use smallvec::SmallVec;

use super::datetime::{date_of, parse_datetime, parse_decimal, parse_duration, time_of};
use super::facts::Fact;
use super::ip::Ip;
use super::program::{Arithmetic, Function, Function2, Node, NodeId, Order, Program, Run, Var};
use super::value::{Record, Set, Stored, Uid, Value};

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

/// An evaluation error: wrong type, overflow, missing attribute or entity, or a failed extension function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// Evaluates expressions of one program in one world.
pub(crate) struct Evaluation<'a, W> {
    program: &'a Program,
    world: &'a W,
    /// Members of the sets and records that the running policy has built.
    scratch: SmallVec<[Value<'a>; 8]>,
}

impl<'a, W: World<'a>> Evaluation<'a, W> {
    pub(crate) fn new(program: &'a Program, world: &'a W) -> Self {
        Self { program, world, scratch: SmallVec::new() }
    }

    /// Whether a policy's conditions hold.
    pub(crate) fn holds(&mut self, body: Option<NodeId>) -> Result<bool, Failed> {
        let Some(body) = body else { return Ok(true) };
        self.scratch.clear();
        self.bool(body)
    }

    /// The value of an expression by itself; it is good until the next evaluation.
    pub(crate) fn alone(&mut self, node: NodeId) -> Result<Value<'a>, Failed> {
        self.scratch.clear();
        self.value(node)
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

    /// An attribute of a record or an entity, an error for any other value.
    fn attribute(&self, value: Value<'a>, name: &str) -> Result<Option<Value<'a>>, Failed> {
        match value {
            Value::Entity(uid) => Ok(self.world.attribute(uid, name).map(Stored::borrow)),
            Value::Record(record) => Ok(self.field(record, name)),
            _ => Err(Failed),
        }
    }

    fn field(&self, record: Record<'a>, name: &str) -> Option<Value<'a>> {
        match record {
            Record::Stored(fields) => fields.get(name).map(Stored::borrow),
            Record::Built { names, start } => {
                let at = names.iter().position(|n| self.program.name(*n) == Some(name))?;
                self.scratch.get(start.checked_add(at)?).copied()
            }
        }
    }

    fn member(&self, set: Set<'a>, at: usize) -> Option<Value<'a>> {
        match set {
            Set::Stored(members) => members.get(at).map(Stored::borrow),
            Set::Strings(members) => members.get(at).map(|s| Value::Str(s)),
            Set::Built { start, len } => {
                if at < len {
                    self.scratch.get(start.checked_add(at)?).copied()
                } else {
                    None
                }
            }
        }
    }

    fn members(&self, set: Set<'a>) -> impl Iterator<Item = Value<'a>> {
        (0..).map_while(move |at| self.member(set, at))
    }

    fn contains(&self, set: Set<'a>, value: Value<'a>) -> bool {
        self.members(set).any(|member| self.equal(member, value))
    }

    fn subset(&self, inner: Set<'a>, outer: Set<'a>) -> bool {
        self.members(inner).all(|member| self.contains(outer, member))
    }

    /// Cedar's `==`: false for values of different types. Recurses into members, whose depth is bounded where they are
    /// read and built.
    fn equal(&self, a: Value<'a>, b: Value<'a>) -> bool {
        match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Long(a), Value::Long(b))
            | (Value::Decimal(a), Value::Decimal(b))
            | (Value::Datetime(a), Value::Datetime(b))
            | (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Entity(a), Value::Entity(b)) => a == b,
            (Value::Ip(a), Value::Ip(b)) => a == b,
            (Value::Set(a), Value::Set(b)) => self.subset(a, b) && self.subset(b, a),
            (Value::Record(a), Value::Record(b)) => self.same_fields(a, b),
            _ => false,
        }
    }

    fn same_fields(&self, a: Record<'a>, b: Record<'a>) -> bool {
        let same = |name: &str| match (self.field(a, name), self.field(b, name)) {
            (Some(a), Some(b)) => self.equal(a, b),
            _ => false,
        };
        let count = |record| match record {
            Record::Stored(fields) => fields.len(),
            Record::Built { names, .. } => names.len(),
        };
        count(a) == count(b)
            && match a {
                Record::Stored(fields) => fields.keys().all(|name| same(name)),
                Record::Built { names, .. } => names.iter().all(|name| self.program.name(*name).is_some_and(same)),
            }
    }
}

fn compare(order: Order, a: Value<'_>, b: Value<'_>) -> Result<bool, Failed> {
    match (a, b) {
        (Value::Long(a), Value::Long(b))
        | (Value::Datetime(a), Value::Datetime(b))
        | (Value::Duration(a), Value::Duration(b)) => Ok(ordered(order, a, b)),
        _ => Err(Failed),
    }
}

const fn ordered(order: Order, a: i64, b: i64) -> bool {
    match order {
        Order::Less => a < b,
        Order::LessEqual => a <= b,
        Order::Greater => a > b,
        Order::GreaterEqual => a >= b,
    }
}

const fn arithmetic(op: Arithmetic, a: i64, b: i64) -> Option<i64> {
    match op {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
    }
}

/// An extension function of one argument.
pub(crate) fn call<'a>(function: Function, value: Value<'_>) -> Result<Value<'a>, Failed> {
    Ok(match (function, value) {
        (Function::Ip, Value::Str(s)) => Value::Ip(Ip::parse(s).ok_or(Failed)?),
        (Function::Decimal, Value::Str(s)) => Value::Decimal(parse_decimal(s).ok_or(Failed)?),
        (Function::Datetime, Value::Str(s)) => Value::Datetime(parse_datetime(s).ok_or(Failed)?),
        (Function::Duration, Value::Str(s)) => Value::Duration(parse_duration(s).ok_or(Failed)?),
        (Function::IsIpv4, Value::Ip(ip)) => Value::Bool(ip.is_ipv4()),
        (Function::IsIpv6, Value::Ip(ip)) => Value::Bool(!ip.is_ipv4()),
        (Function::IsLoopback, Value::Ip(ip)) => Value::Bool(ip.is_loopback()),
        (Function::IsMulticast, Value::Ip(ip)) => Value::Bool(ip.is_multicast()),
        (Function::ToDate, Value::Datetime(t)) => Value::Datetime(date_of(t).ok_or(Failed)?),
        (Function::ToTime, Value::Datetime(t)) => Value::Duration(time_of(t)),
        (Function::ToMilliseconds, Value::Duration(d)) => Value::Long(d),
        (Function::ToSeconds, Value::Duration(d)) => Value::Long(d / 1_000),
        (Function::ToMinutes, Value::Duration(d)) => Value::Long(d / 60_000),
        (Function::ToHours, Value::Duration(d)) => Value::Long(d / 3_600_000),
        (Function::ToDays, Value::Duration(d)) => Value::Long(d / 86_400_000),
        _ => return Err(Failed),
    })
}

/// An extension function of two arguments.
pub(crate) fn call2<'a>(function: Function2, a: Value<'_>, b: Value<'_>) -> Result<Value<'a>, Failed> {
    Ok(match (function, a, b) {
        (Function2::IsInRange, Value::Ip(a), Value::Ip(b)) => Value::Bool(a.is_in_range(b)),
        (Function2::Offset, Value::Datetime(t), Value::Duration(d)) => Value::Datetime(t.checked_add(d).ok_or(Failed)?),
        (Function2::DurationSince, Value::Datetime(a), Value::Datetime(b)) => {
            Value::Duration(a.checked_sub(b).ok_or(Failed)?)
        }
        (Function2::Decimal(order), Value::Decimal(a), Value::Decimal(b)) => Value::Bool(ordered(order, a, b)),
        _ => return Err(Failed),
    })
}
