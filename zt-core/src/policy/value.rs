//! Values: owned ones in a compiled program or an entity store, and borrowed ones while a policy is evaluated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::flat::Flat;
use super::ip::Ip;

/// A value at rest: a literal of a policy, or an attribute of an entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Flat", try_from = "Flat")]
pub(crate) enum Stored {
    Bool(bool),
    Long(i64),
    Str(Box<str>),
    Entity(Box<str>, Box<str>),
    Set(Vec<Self>),
    Record(BTreeMap<Box<str>, Self>),
    Ip(Ip),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
}

impl Stored {
    pub(crate) fn borrow(&self) -> Value<'_> {
        match self {
            Self::Bool(b) => Value::Bool(*b),
            Self::Long(n) => Value::Long(*n),
            Self::Str(s) => Value::Str(s),
            Self::Entity(ty, id) => Value::Entity(Uid { ty, id }),
            Self::Set(members) => Value::Set(Set::Stored(members)),
            Self::Record(fields) => Value::Record(Record::Stored(fields)),
            Self::Ip(ip) => Value::Ip(*ip),
            Self::Decimal(n) => Value::Decimal(*n),
            Self::Datetime(n) => Value::Datetime(*n),
            Self::Duration(n) => Value::Duration(*n),
        }
    }
}

/// Name of an entity: `Type::"id"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uid<'a> {
    pub(crate) ty: &'a str,
    pub(crate) id: &'a str,
}

/// A value while a policy is evaluated; copying it copies a reference.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Bool(bool),
    Long(i64),
    Str(&'a str),
    Entity(Uid<'a>),
    Set(Set<'a>),
    Record(Record<'a>),
    Ip(Ip),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
}

/// A set; members may repeat and are in no order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Set<'a> {
    Stored(&'a [Stored]),
    Strings(&'a [Box<str>]),
    /// Made by a set expression: a range of the evaluation's scratch values.
    Built {
        start: usize,
        len: usize,
    },
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record<'a> {
    Stored(&'a BTreeMap<Box<str>, Stored>),
    /// Made by a record expression: names in order, and as many scratch values from `start` on.
    Built {
        names: &'a [u32],
        start: usize,
    },
}
