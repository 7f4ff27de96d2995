//! Where requests can be: the rows of two vocabularies, beside each other.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::policy::index::{Index, Row};

/// Endpoint, segment, and method where it takes any.
type Key = (Box<str>, Option<Box<str>>, Option<Box<str>>);

/// Rows of the old and of the new index for the same requests.
pub(super) struct Places<'a> {
    pub(super) rows: Vec<[Option<&'a Row>; 2]>,
    keys: Vec<Key>,
    /// Keys by endpoint and by segment.
    of_endpoint: BTreeMap<Box<str>, BTreeSet<usize>>,
    of_segment: BTreeMap<Box<str>, BTreeSet<usize>>,
}

impl<'a> Places<'a> {
    pub(super) fn of(old: &'a Index, new: &'a Index) -> Self {
        let indexes = [old, new].map(by_key);
        let keys: BTreeSet<&Key> = indexes.iter().flat_map(BTreeMap::keys).collect();
        let keys: Vec<Key> = keys.into_iter().cloned().collect();
        let mut places = Self {
            rows: Vec::with_capacity(keys.len()),
            keys: Vec::new(),
            of_endpoint: BTreeMap::new(),
            of_segment: BTreeMap::new(),
        };
        for (at, (id, segment, method)) in keys.iter().enumerate() {
            let row = |rows: &BTreeMap<Key, &'a Row>| {
                let exact = rows.get(&(id.clone(), segment.clone(), method.clone()));
                exact.or_else(|| rows.get(&(id.clone(), segment.clone(), None))).copied()
            };
            let [old, new] = &indexes;
            places.rows.push([row(old), row(new)]);
            places.of_endpoint.entry(id.clone()).or_default().insert(at);
            if let Some(segment) = segment {
                places.of_segment.entry(segment.clone()).or_default().insert(at);
            }
        }
        places.keys = keys;
        places
    }

    /// Whole segments, and endpoints of other segments.
    pub(super) fn named(&self, at: &BTreeSet<usize>) -> (Vec<String>, Vec<Place>) {
        let whole = self.of_segment.iter().filter(|(_, all)| all.is_subset(at));
        let segments: Vec<String> = whole.clone().map(|(segment, _)| (**segment).to_owned()).collect();
        let told: BTreeSet<usize> = whole.flat_map(|(_, all)| all).copied().collect();
        let rest: BTreeSet<usize> = at.difference(&told).copied().collect();
        let places = rest.iter().filter_map(|at| self.keys.get(*at)).map(|(id, segment, method)| {
            let of: Vec<usize> = self.of_endpoint.get(id).into_iter().flatten().copied().collect();
            if of.iter().all(|at| rest.contains(at)) {
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

fn by_key(index: &Index) -> BTreeMap<Key, &Row> {
    index.rows.iter().map(|row| ((row.id.clone(), row.segment.clone(), row.method.clone()), row)).collect()
}
