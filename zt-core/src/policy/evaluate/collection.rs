//! Sets, records and attributes: membership, lookup and equality.

use crate::policy::value::{Record, Set, Stored, Value};

use super::{Evaluation, Failed, NESTED, World};

impl<'a, W: World<'a>> Evaluation<'a, W> {
    /// An attribute of a record or an entity, an error for any other value.
    pub(super) fn attribute(&self, value: Value<'a>, name: &str) -> Result<Option<Value<'a>>, Failed> {
        match value {
            Value::Entity(uid) => Ok(self.world.attribute(uid, name).map(Stored::borrow)),
            Value::Record(record) => Ok(self.field(record, name)),
            _ => Err(Failed),
        }
    }

    pub(super) fn field(&self, record: Record<'a>, name: &str) -> Option<Value<'a>> {
        match record {
            Record::Stored(fields) => fields.get(name).map(Stored::borrow),
            Record::Built { names, start } => {
                let at = names.iter().position(|n| self.program.name(*n) == Some(name))?;
                self.scratch.get(start.checked_add(at)?).copied()
            }
        }
    }

    pub(super) fn member(&self, set: Set<'a>, at: usize) -> Option<Value<'a>> {
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

    pub(super) fn members(&self, set: Set<'a>) -> impl Iterator<Item = Value<'a>> {
        (0..).map_while(move |at| self.member(set, at))
    }

    pub(super) fn contains(&self, set: Set<'a>, value: Value<'a>) -> bool {
        let len = match set {
            Set::Stored(members) => members.len(),
            Set::Strings(members) => members.len(),
            Set::Built { len, .. } => len,
        };
        self.afford(len) && self.members(set).any(|member| self.equal(member, value))
    }

    pub(super) fn subset(&self, inner: Set<'a>, outer: Set<'a>) -> bool {
        self.members(inner).all(|member| self.contains(outer, member))
    }

    /// Cedar's `==`: false for values of different types. Recurses into members, whose depth is bounded where they are
    /// read and built.
    pub(super) fn equal(&self, a: Value<'a>, b: Value<'a>) -> bool {
        match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Long(a), Value::Long(b))
            | (Value::Decimal(a), Value::Decimal(b))
            | (Value::Datetime(a), Value::Datetime(b))
            | (Value::Duration(a), Value::Duration(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Entity(a), Value::Entity(b)) => a == b,
            (Value::Ip(a), Value::Ip(b)) => a == b,
            (Value::Set(a), Value::Set(b)) => self.afford(NESTED) && self.subset(a, b) && self.subset(b, a),
            (Value::Record(a), Value::Record(b)) => self.afford(NESTED) && self.same_fields(a, b),
            _ => false,
        }
    }

    pub(super) fn same_fields(&self, a: Record<'a>, b: Record<'a>) -> bool {
        let same = |name: &str| match (self.field(a, name), self.field(b, name)) {
            (Some(a), Some(b)) => self.equal(a, b),
            _ => false,
        };
        let count = |record| match record {
            Record::Stored(fields) => fields.len(),
            Record::Built { names, .. } => names.len(),
        };
        // In a record that was built, each name is looked for among all of them.
        let lookup = |record| if let Record::Built { names, .. } = record { names.len() } else { 1 };
        count(a) == count(b)
            && self.afford(count(a).saturating_mul(lookup(a).max(lookup(b))))
            && match a {
                Record::Stored(fields) => fields.keys().all(|name| same(name)),
                Record::Built { names, .. } => names.iter().all(|name| self.program.name(*name).is_some_and(same)),
            }
    }
}
