//! Builds the scope index.

use std::collections::BTreeMap;

use crate::policy::index::{ANY, Bucket, Index, Row, key_eq, key_in};
use crate::policy::program::{ActionScope, Program, Scope};
use crate::policy::vocabulary::{Endpoint, METHODS, READ, Vocabulary, WRITE};

use super::number;

/// Which requests a class of rules is for, as far as endpoints go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Every request whose action and resource are within these symbols.
    Shared { action: Option<u32>, resource: Option<u32> },
    /// Requests of one row.
    Row(u32),
}

/// Indexes the rules of a program for a vocabulary.
pub(super) fn index(program: &Program, vocabulary: &Vocabulary<'_>) -> Index {
    let mut index = Index::default();
    for (at, endpoint) in vocabulary.endpoints.iter().enumerate() {
        index.first_row.push(number(index.rows.len()));
        let from = vocabulary.elsewhere.partition_point(|(of, _)| *of < at);
        let others = vocabulary.elsewhere.iter().skip(from).take_while(|(of, _)| *of == at);
        for segment in others.map(|(_, segment)| Some(*segment)).chain([endpoint.segment]) {
            let endpoint = Endpoint { segment, ..*endpoint };
            if endpoint.method == "*" {
                index.rows.extend(METHODS.iter().map(|(method, _)| row(program, &endpoint, Some(method))));
            }
            index.rows.push(row(program, &endpoint, None));
        }
    }
    let ids = |at: &u32| index.rows.get(*at as usize).map_or("", |row| &*row.id);
    let mut by_id: Vec<u32> = (0..number(index.rows.len())).collect();
    by_id.sort_by_key(ids);
    // Of an endpoint for any method the last row stays: the one that is in no method's group.
    by_id.reverse();
    by_id.dedup_by(|a, b| ids(a) == ids(b));
    by_id.reverse();
    index.by_id = by_id;

    let mut classes: BTreeMap<Class, BTreeMap<u32, Vec<u32>>> = BTreeMap::new();
    for (at, rule) in (0..).zip(&program.rules) {
        let key = match rule.principal {
            Scope::Any | Scope::Is(_) => ANY,
            Scope::Eq(symbol) => key_eq(symbol),
            Scope::In(symbol) | Scope::IsIn(_, symbol) => key_in(symbol),
        };
        for class in classes_of(program, &index.rows, &rule.action, rule.resource) {
            classes.entry(class).or_default().entry(key).or_default().push(at);
        }
    }
    for (class_at, (class, keys)) in (0..).zip(&classes) {
        let fits = |row_at: usize, row: &Row| match class {
            Class::Row(at) => *at as usize == row_at,
            Class::Shared { action, resource } => {
                action.is_none_or(|symbol| row.action.contains(&symbol))
                    && resource.is_none_or(|symbol| row.resource.contains(&symbol))
            }
        };
        for (at, row) in index.rows.iter_mut().enumerate() {
            if fits(at, row) {
                row.classes.push(class_at);
            }
        }
        for (key, rules) in keys {
            let start = number(index.rules.len());
            index.buckets.push(Bucket { class: class_at, key: *key, start, len: number(rules.len()) });
            index.rules.extend_from_slice(rules);
        }
    }
    index
}

fn row(program: &Program, endpoint: &Endpoint<'_>, method: Option<&str>) -> Row {
    let effective = method.unwrap_or(endpoint.method);
    let reads = METHODS.iter().find(|(known, _)| *known == effective).map(|(_, reads)| *reads);
    let mut groups: Vec<Box<str>> = vec![if reads == Some(true) { READ.into() } else { WRITE.into() }];
    if reads.is_some() {
        groups.push(effective.into());
    }
    let segment = endpoint.segment;
    let symbols = |fits: &dyn Fn(&str, &str) -> bool| {
        let fitting = (0..).zip(&program.uids).filter(|(_, (ty, id))| fits(ty, id));
        fitting.map(|(symbol, _)| symbol).collect::<Vec<u32>>()
    };
    Row {
        id: endpoint.id.into(),
        method: method.map(Into::into),
        action: symbols(&|ty, id| ty == "Action" && (id == endpoint.id || groups.iter().any(|group| **group == *id))),
        resource: symbols(&|ty, id| {
            (ty == "Endpoint" && id == endpoint.id) || (ty == "Segment" && Some(id) == segment)
        }),
        segment: segment.map(Into::into),
        groups,
        classes: Vec::new(),
    }
}

/// The classes that a rule is in; each request meets at most one of them.
fn classes_of(program: &Program, rows: &[Row], action: &ActionScope, resource: Scope) -> Vec<Class> {
    let is_endpoint = |ty: u32| program.name(ty) == Some("Endpoint");
    let within = match resource {
        Scope::Any => None,
        Scope::Is(ty) if is_endpoint(ty) => None,
        Scope::In(symbol) => Some(symbol),
        Scope::IsIn(ty, symbol) if is_endpoint(ty) => Some(symbol),
        // Nothing is below an endpoint, so that `==` and `in` are the same for one, and never true for a segment.
        Scope::Eq(symbol) if program.uid(symbol).is_some_and(|uid| uid.ty == "Endpoint") => Some(symbol),
        Scope::Eq(_) | Scope::Is(_) | Scope::IsIn(..) => return Vec::new(),
    };
    match action {
        ActionScope::Any => vec![Class::Shared { action: None, resource: within }],
        ActionScope::In(symbols) if symbols.len() == 1 => {
            vec![Class::Shared { action: symbols.first().copied(), resource: within }]
        }
        ActionScope::Eq(symbol) => rows_where(rows, |row| {
            row.action.contains(symbol)
                && program.uid(*symbol).is_some_and(|uid| *uid.id == *row.id)
                && fits(row, within)
        }),
        ActionScope::In(symbols) => {
            rows_where(rows, |row| symbols.iter().any(|symbol| row.action.contains(symbol)) && fits(row, within))
        }
    }
}

fn fits(row: &Row, resource: Option<u32>) -> bool {
    resource.is_none_or(|symbol| row.resource.contains(&symbol))
}

fn rows_where(rows: &[Row], wanted: impl Fn(&Row) -> bool) -> Vec<Class> {
    (0..).zip(rows).filter(|(_, row)| wanted(row)).map(|(at, _)| Class::Row(at)).collect()
}
