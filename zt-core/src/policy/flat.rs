//! Values as a list: members before what holds them, so that whoever reads one need not recurse.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ip::Ip;
use super::program::DEPTH_MAX;
use super::value::Stored;

/// A value in postfix order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Flat(Vec<Part>);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Part {
    Bool(bool),
    Long(i64),
    Str(Box<str>),
    Entity(Box<str>, Box<str>),
    /// Of as many values before it.
    Set(u32),
    /// Of as many values before it as there are names.
    Record(Vec<Box<str>>),
    Ip(Ip),
    Decimal(i64),
    Datetime(i64),
    Duration(i64),
}

impl From<Stored> for Flat {
    /// Recurses with the value, which the compiler has bounded.
    fn from(value: Stored) -> Self {
        let mut parts = Vec::new();
        flatten(value, &mut parts);
        Self(parts)
    }
}

fn flatten(value: Stored, parts: &mut Vec<Part>) {
    let part = match value {
        Stored::Bool(b) => Part::Bool(b),
        Stored::Long(n) => Part::Long(n),
        Stored::Str(text) => Part::Str(text),
        Stored::Entity(ty, id) => Part::Entity(ty, id),
        Stored::Set(members) => {
            let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
            members.into_iter().for_each(|member| flatten(member, parts));
            Part::Set(count)
        }
        Stored::Record(fields) => {
            let (names, values): (Vec<Box<str>>, Vec<Stored>) = fields.into_iter().unzip();
            values.into_iter().for_each(|value| flatten(value, parts));
            Part::Record(names)
        }
        Stored::Ip(ip) => Part::Ip(ip),
        Stored::Decimal(n) => Part::Decimal(n),
        Stored::Datetime(n) => Part::Datetime(n),
        Stored::Duration(n) => Part::Duration(n),
    };
    parts.push(part);
}

impl TryFrom<Flat> for Stored {
    type Error = &'static str;

    fn try_from(flat: Flat) -> Result<Self, Self::Error> {
        const WRONG: &str = "a value has members that are not there";
        // Each with its depth.
        let mut values: Vec<(Self, usize)> = Vec::new();
        let take = |values: &mut Vec<(Self, usize)>, count: usize| {
            let members = values.split_off(values.len().checked_sub(count).ok_or(WRONG)?);
            let depth = members.iter().map(|(_, depth)| *depth).max().unwrap_or_default().saturating_add(1);
            let members = members.into_iter().map(|(member, _)| member);
            if depth > DEPTH_MAX { Err("a value is too deep") } else { Ok((members, depth)) }
        };
        for part in flat.0 {
            let value = match part {
                Part::Bool(b) => Self::Bool(b),
                Part::Long(n) => Self::Long(n),
                Part::Str(text) => Self::Str(text),
                Part::Entity(ty, id) => Self::Entity(ty, id),
                Part::Set(count) => {
                    let (members, depth) = take(&mut values, usize::try_from(count).unwrap_or(usize::MAX))?;
                    let set = Self::Set(members.collect());
                    values.push((set, depth));
                    continue;
                }
                Part::Record(names) => {
                    let count = names.len();
                    let (members, depth) = take(&mut values, count)?;
                    let fields: BTreeMap<Box<str>, Self> = names.into_iter().zip(members).collect();
                    if fields.len() != count {
                        return Err("a record has two fields of one name");
                    }
                    values.push((Self::Record(fields), depth));
                    continue;
                }
                Part::Ip(ip) => Self::Ip(ip),
                Part::Decimal(n) => Self::Decimal(n),
                Part::Datetime(n) => Self::Datetime(n),
                Part::Duration(n) => Self::Duration(n),
            };
            values.push((value, 1));
        }
        match (values.pop(), values.is_empty()) {
            (Some((value, _)), true) => Ok(value),
            _ => Err("not one value"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Stored> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Stored::Bool),
            any::<i64>().prop_map(Stored::Long),
            any::<String>().prop_map(|text| Stored::Str(text.into())),
            any::<i64>().prop_map(Stored::Decimal),
            any::<std::net::IpAddr>().prop_map(|ip| Stored::Ip(Ip::single(ip))),
        ];
        leaf.prop_recursive(6, 64, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Stored::Set),
                prop::collection::btree_map("[a-c]{0,2}".prop_map(Into::into), inner, 0..5).prop_map(Stored::Record),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_flattened_comes_back(value in value()) {
            prop_assert_eq!(Stored::try_from(Flat::from(value.clone())), Ok(value));
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let nested = |depth: usize| Flat([vec![Part::Bool(true)], vec![Part::Set(1); depth]].concat());
        assert!(Stored::try_from(nested(DEPTH_MAX - 1)).is_ok());
        let names = |count: usize| vec![Box::from("a"); count];
        for bad in [
            nested(DEPTH_MAX),
            Flat(vec![]),
            Flat(vec![Part::Set(1)]),
            Flat(vec![Part::Set(u32::MAX)]),
            Flat(vec![Part::Bool(true), Part::Bool(true)]),
            Flat(vec![Part::Bool(true), Part::Record(names(2))]),
            Flat(vec![Part::Bool(true), Part::Bool(true), Part::Record(names(2))]),
        ] {
            assert!(Stored::try_from(bad.clone()).is_err(), "{bad:?}");
        }
    }
}
