//! Where requests can be: the rows of two vocabularies, beside each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Moved, Place};
use crate::policy::index::{Index, Row};
use crate::policy::vocabulary::METHODS;

/// Endpoint, segment, and method where it takes any.
type Key = (Box<str>, Option<Box<str>>, Option<Box<str>>);

/// Rows of the old and of the new index for the same requests.
pub(super) struct Places<'a> {
    pub(super) rows: Vec<[Option<&'a Row>; 2]>,
    keys: Vec<Key>,
    /// The first of those whose requests are of another endpoint in the new configuration.
    handed_on: usize,
    /// Keys by endpoint and by segment.
    of_endpoint: BTreeMap<Box<str>, BTreeSet<usize>>,
    of_segment: BTreeMap<Box<str>, BTreeSet<usize>>,
}

impl<'a> Places<'a> {
    pub(super) fn of(old: &'a Index, new: &'a Index, moved: &Moved) -> Self {
        let indexes = [by_key(old, moved, 0), by_key(new, moved, 1)];
        let keys: BTreeSet<&Key> = indexes.iter().flat_map(BTreeMap::keys).collect();
        let keys: BTreeSet<Key> = keys.into_iter().cloned().collect();
        let mut places = Self {
            rows: Vec::with_capacity(keys.len()),
            keys: Vec::new(),
            handed_on: keys.len(),
            of_endpoint: BTreeMap::new(),
            of_segment: BTreeMap::new(),
        };
        for key in keys {
            let [old, new] = &indexes;
            if let Some(segment) = &key.1 {
                places.of_segment.entry(segment.clone()).or_default().insert(places.rows.len());
            }
            places.add([row(old, &key), row(new, &key)], key);
        }
        for ([from, to], name) in &moved.handed_on {
            let [old, new] = [rows_of(old, *from), rows_of(new, *to)];
            let pairs = old.iter().flat_map(|old| new.iter().map(move |new| [*old, *new]));
            for pair in pairs.filter(|pair| same_method(*pair)) {
                places.add(pair, (name.as_str().into(), None, None));
            }
        }
        places
    }

    fn add(&mut self, rows: [Option<&'a Row>; 2], (id, segment, method): Key) {
        let at = self.rows.len();
        self.rows.push(rows);
        self.of_endpoint.entry(id.clone()).or_default().insert(at);
        self.keys.push((id, segment, method));
    }

    /// Whole segments, and endpoints of other segments.
    pub(super) fn named(&self, at: &BTreeSet<usize>) -> (Vec<String>, Vec<Place>) {
        let whole = self.of_segment.iter().filter(|(_, all)| all.is_subset(at));
        let segments: Vec<String> = whole.clone().map(|(segment, _)| (**segment).to_owned()).collect();
        let told: BTreeSet<usize> = whole.flat_map(|(_, all)| all).copied().collect();
        let rest: BTreeSet<usize> = at.difference(&told).copied().collect();
        let places =
            rest.iter().filter_map(|at| Some((*at, self.keys.get(*at)?))).map(|(at, (id, segment, method))| {
                let of: Vec<usize> = self.of_endpoint.get(id).into_iter().flatten().copied().collect();
                if at >= self.handed_on || of.iter().all(|at| rest.contains(at)) {
                    return Place { id: (**id).to_owned(), segment: None, method: None };
                }
                let alike = |at: &&usize| self.keys.get(**at).is_some_and(|(_, other, _)| other == segment);
                let of_segment = of.iter().filter(alike).all(|at| rest.contains(at));
                let elsewhere = of.iter().any(|at| !alike(&at));
                Place {
                    id: (**id).to_owned(),
                    segment: segment.as_deref().filter(|_| elsewhere).map(str::to_owned),
                    method: (!of_segment).then(|| method.as_deref().unwrap_or_default().to_owned()),
                }
            });
        (segments, places.collect::<BTreeSet<Place>>().into_iter().collect())
    }
}

/// Rows by what their requests are called; an endpoint for one method is for that one only.
fn by_key<'a>(index: &'a Index, moved: &Moved, side: usize) -> BTreeMap<Key, &'a Row> {
    let name = |row: &Row| {
        let apart = moved.apart.get(&*row.id).and_then(|names| names.get(side));
        apart.map_or_else(|| row.id.clone(), |name| name.as_str().into())
    };
    index.rows.iter().map(|row| ((name(row), row.segment.clone(), method_of(row)), row)).collect()
}

/// The method of a row, where it has a group of its own.
fn method_of(row: &Row) -> Option<Box<str>> {
    let group = row.groups.iter().find(|group| METHODS.iter().any(|(method, _)| **method == ***group));
    row.method.clone().or_else(|| group.cloned())
}

/// The row of requests. GET serves HEAD (RFC 9110, section 9.3.2).
fn row<'a>(rows: &BTreeMap<Key, &'a Row>, key: &Key) -> Option<&'a Row> {
    let (id, segment, method) = key;
    let get = || rows.get(&(id.clone(), segment.clone(), Some("GET".into()))).filter(|row| row.method.is_none());
    rows.get(key).or_else(|| if method.as_deref() == Some("HEAD") { get() } else { None }).copied()
}

/// The rows of an endpoint; one that is none where there is no endpoint.
fn rows_of(index: &Index, endpoint: Option<usize>) -> Vec<Option<&Row>> {
    let Some(at) = endpoint else { return vec![None] };
    let first = index.first_row.get(at).map_or(0, |first| *first as usize);
    let end = index.first_row.get(at.saturating_add(1)).map_or(index.rows.len(), |next| *next as usize);
    index.rows.get(first..end).unwrap_or_default().iter().map(Some).collect()
}

/// Whether a request can be in both rows. A method without a group may be any of those.
fn same_method([old, new]: [Option<&Row>; 2]) -> bool {
    match (old.and_then(method_of), new.and_then(method_of)) {
        (Some(old), Some(new)) => old == new || [&*old, &*new].iter().all(|method| ["GET", "HEAD"].contains(method)),
        _ => true,
    }
}
