//! Entities of raw requests, read from the explicit JSON form that Cedar writes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::policy::evaluate::{Failed, call, call2};
use crate::policy::program::{Function, Function2};
use crate::policy::value::{Stored, Uid, Value};

/// Attributes of a record.
pub(super) type Fields = BTreeMap<Box<str>, Stored>;

/// Entities by type and id.
#[derive(Debug, Default)]
pub(super) struct Store(BTreeMap<Box<str>, BTreeMap<Box<str>, Entity>>);

/// One entity.
#[derive(Debug, Default)]
pub(super) struct Entity {
    pub(super) attributes: Fields,
    pub(super) tags: Fields,
    /// All of them, not only parents.
    ancestors: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
}

impl Store {
    pub(super) fn find(&self, uid: Uid<'_>) -> Option<&Entity> {
        self.0.get(uid.ty)?.get(uid.id)
    }

    /// Whether the entity is below the other one.
    pub(super) fn within(&self, entity: Uid<'_>, ancestor: Uid<'_>) -> bool {
        let ancestors = self.find(entity).and_then(|entity| entity.ancestors.get(ancestor.ty));
        ancestors.is_some_and(|ids| ids.contains(ancestor.id))
    }
}

impl Entity {
    /// Everything that it is below.
    pub(super) fn above(&self) -> impl Iterator<Item = Uid<'_>> {
        self.ancestors.iter().flat_map(|(ty, ids)| ids.iter().map(move |id| Uid { ty, id }))
    }
}

type Name = (Box<str>, Box<str>);

/// Reads entities; their ancestors are followed to the top.
pub(super) fn read(json: &Json) -> Option<Store> {
    let mut store = Store::default();
    let mut parents: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for entity in json.as_array()? {
        let name = name(entity.get("uid")?)?;
        let above = entity.get("parents")?.as_array()?.iter().map(self::name).collect::<Option<Vec<Name>>>()?;
        let optional = |key: &str| entity.get(key).map_or(Some(Fields::new()), fields);
        let read = Entity { attributes: optional("attrs")?, tags: optional("tags")?, ..Entity::default() };
        store.0.entry(name.0.clone()).or_default().insert(name.1.clone(), read);
        parents.insert(name, above);
    }
    for (name, above) in &parents {
        let mut seen: BTreeSet<&Name> = above.iter().collect();
        let mut open: Vec<&Name> = above.iter().collect();
        while let Some(next) = open.pop() {
            open.extend(parents.get(next).into_iter().flatten().filter(|parent| seen.insert(parent)));
        }
        let entity = store.0.get_mut(&name.0)?.get_mut(&name.1)?;
        for (ty, id) in seen {
            entity.ancestors.entry(ty.clone()).or_default().insert(id.clone());
        }
    }
    Some(store)
}

/// Reads a record.
pub(super) fn fields(json: &Json) -> Option<Fields> {
    json.as_object()?.iter().map(|(name, field)| Some((name.as_str().into(), value(field)?))).collect()
}

fn name(json: &Json) -> Option<Name> {
    let json = json.get("__entity").unwrap_or(json);
    Some((json.get("type")?.as_str()?.into(), json.get("id")?.as_str()?.into()))
}

/// Reads a value. JSON is nested no deeper than its parser allows.
fn value(json: &Json) -> Option<Stored> {
    Some(match json {
        Json::Bool(b) => Stored::Bool(*b),
        Json::Number(n) => Stored::Long(n.as_i64()?),
        Json::String(s) => Stored::Str(s.as_str().into()),
        Json::Array(members) => Stored::Set(members.iter().map(value).collect::<Option<_>>()?),
        Json::Object(map) => match (map.get("__entity"), map.get("__extn")) {
            (Some(entity), _) => {
                let (ty, id) = name(entity)?;
                Stored::Entity(ty, id)
            }
            (None, Some(function)) => extension(function)?,
            (None, None) => Stored::Record(fields(json)?),
        },
        Json::Null => return None,
    })
}

/// Reads `{"fn": name, "arg": value}` or `{"fn": name, "args": [values]}`.
fn extension(json: &Json) -> Option<Stored> {
    let args = match (json.get("arg"), json.get("args")) {
        (Some(arg), _) => vec![value(arg)?],
        (None, args) => args?.as_array()?.iter().map(value).collect::<Option<Vec<Stored>>>()?,
    };
    let result: Result<Value<'_>, Failed> = match (json.get("fn")?.as_str()?, args.as_slice()) {
        ("ip", [text]) => call(Function::Ip, text.borrow()),
        ("decimal", [text]) => call(Function::Decimal, text.borrow()),
        ("datetime", [text]) => call(Function::Datetime, text.borrow()),
        ("duration", [text]) => call(Function::Duration, text.borrow()),
        ("offset", [from, by]) => call2(Function2::Offset, from.borrow(), by.borrow()),
        _ => return None,
    };
    match result.ok()? {
        Value::Ip(ip) => Some(Stored::Ip(ip)),
        Value::Decimal(n) => Some(Stored::Decimal(n)),
        Value::Datetime(n) => Some(Stored::Datetime(n)),
        Value::Duration(n) => Some(Stored::Duration(n)),
        _ => None,
    }
}
