//! The scope index: finds exactly the policies whose scope fits a request.
//!
//! Action and resource are known at load for every endpoint, so each endpoint has a short list of *classes* of policies
//! that fit it, and each class is keyed by principal scope. That a slice by scope gives the same answer as all policies
//! is proved for Cedar (cedar-spec, `PolicySlice.lean`): a scope test cannot fail, and is a false conjunct.

use serde::{Deserialize, Serialize};

use super::lookup::{Lookup, Span};
use super::program::{Effect, NodeId, Program, Scope};

/// Rules by endpoint and principal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    /// First row of each endpoint. It has a row for each segment its requests can be in, its own last; times one for
    /// each method where it takes any.
    pub(crate) first_row: Vec<u32>,
    pub(crate) rows: Vec<Row>,
    /// Rows by endpoint id, sorted.
    pub(crate) by_id: Vec<u32>,
    /// Class, key, and where its rules are.
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) rules: Vec<u32>,
    /// Finds buckets.
    #[serde(skip)]
    lookup: Lookup,
    /// What is evaluated of each of `rules`.
    #[serde(skip)]
    entries: Vec<Entry>,
    /// Buckets of any principal, by class.
    #[serde(skip)]
    any: Vec<Span>,
    /// For each symbol, the classes that have a rule with it as the principal scope, modulo the bits of a mask.
    #[serde(skip)]
    principals: Vec<u64>,
}

/// An endpoint under one method: what its action and its resource are within.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: Box<str>,
    /// The method, where the endpoint takes any.
    pub(crate) method: Option<Box<str>>,
    /// Names of the groups that the action is in.
    pub(crate) groups: Vec<Box<str>>,
    pub(crate) segment: Option<Box<str>>,
    /// Symbols that the action is or is below.
    pub(crate) action: Vec<u32>,
    /// Symbols that the resource is or is below.
    pub(crate) resource: Vec<u32>,
    pub(crate) classes: Vec<u32>,
}

/// Rules of one class with one principal scope.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) class: u32,
    pub(crate) key: u32,
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// What a decision needs of a rule, beside the others of its bucket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) rule: u32,
    pub(crate) body: Option<NodeId>,
    pub(crate) effect: Effect,
    /// The type that the principal has to be of, where that is said.
    pub(crate) ty: Option<u32>,
}

/// The key of rules for any principal, or any of a type.
pub(crate) const ANY: u32 = 0;

/// The key of `principal == UID`.
pub(crate) const fn key_eq(symbol: u32) -> u32 {
    symbol.wrapping_mul(2).wrapping_add(1)
}

/// The key of `principal in UID`.
pub(crate) const fn key_in(symbol: u32) -> u32 {
    symbol.wrapping_mul(2).wrapping_add(2)
}

impl Index {
    /// Makes what is not stored.
    pub(crate) fn complete(&mut self, program: &Program) {
        self.lookup = Lookup::build(&self.buckets);
        let classes =
            self.buckets.iter().map(|bucket| bucket.class as usize).max().map_or(0, |last| last.saturating_add(1));
        // More than there are buckets are of no compiler: `check` refuses them.
        self.any = vec![Span::default(); classes.min(self.buckets.len())];
        for bucket in self.buckets.iter().filter(|bucket| bucket.key == ANY) {
            if let Some(any) = self.any.get_mut(bucket.class as usize) {
                *any = Span::of(bucket);
            }
        }
        self.principals = vec![0; program.uids.len()];
        for bucket in self.buckets.iter().filter(|bucket| bucket.key != ANY) {
            if let Some(classes) = self.principals.get_mut(symbol_of(bucket.key) as usize) {
                *classes |= bit(bucket.class);
            }
        }
        let entry = |at: &u32| {
            let rule = program.rules.get(*at as usize);
            let ty = rule.and_then(|rule| match rule.principal {
                Scope::Is(ty) | Scope::IsIn(ty, _) => Some(ty),
                _ => None,
            });
            let body = rule.and_then(|rule| rule.body);
            Entry { rule: *at, body, effect: rule.map_or(Effect::Forbid, |rule| rule.effect), ty }
        };
        self.entries = self.rules.iter().map(entry).collect();
    }

    /// The row of an endpoint in a segment, its own unless said, under a method.
    pub(crate) fn row(&self, endpoint: usize, segment: Option<&str>, method: &str) -> Option<&Row> {
        let first = *self.first_row.get(endpoint)? as usize;
        let end = self.first_row.get(endpoint.checked_add(1)?).map_or(self.rows.len(), |next| *next as usize);
        let rows = self.rows.get(first..end)?;
        if let [only] = rows
            && only.method.is_none()
        {
            return segment.is_none_or(|segment| only.segment.as_deref() == Some(segment)).then_some(only);
        }
        let segment = segment.or_else(|| rows.last().and_then(|own| own.segment.as_deref()));
        let mut there = rows.iter().filter(|row| row.segment.as_deref() == segment);
        // The last row of an endpoint for any method is for methods that have no group of their own.
        there.clone().find(|row| row.method.as_deref() == Some(method)).or_else(|| there.next_back())
    }

    /// The row of an endpoint by its id.
    pub(crate) fn row_of(&self, id: &str) -> Option<&Row> {
        self.rows.get(self.place_of(id)? as usize)
    }

    /// The number of an endpoint by its id.
    pub(crate) fn endpoint(&self, id: &str) -> Option<usize> {
        let row = self.place_of(id)?;
        self.first_row.partition_point(|first| *first <= row).checked_sub(1)
    }

    fn place_of(&self, id: &str) -> Option<u32> {
        let row = |at: &u32| self.rows.get(*at as usize).map_or("", |row| &row.id);
        let at = self.by_id.binary_search_by(|at| row(at).cmp(id)).ok()?;
        self.by_id.get(at).copied()
    }

    /// Rules of a class with this principal scope.
    #[cfg(feature = "compile")]
    pub(crate) fn rules(&self, class: u32, key: u32) -> &[u32] {
        self.lookup.find(class, key).of_list(&self.rules)
    }

    /// What is evaluated of a class for any principal.
    pub(crate) fn for_any(&self, class: u32) -> &[Entry] {
        self.any.get(class as usize).copied().unwrap_or_default().of_list(&self.entries)
    }

    /// What is evaluated of a class for principals of this scope.
    pub(crate) fn entries(&self, class: u32, key: u32) -> &[Entry] {
        self.lookup.find(class, key).of_list(&self.entries)
    }

    /// Whether to look for rules of a class with an entity as their principal scope: never wrongly not.
    pub(crate) fn may_have(&self, class: u32, symbol: u32) -> bool {
        self.principals.get(symbol as usize).is_some_and(|classes| classes & bit(class) != 0)
    }
}

/// The symbol of a key that has one.
const fn symbol_of(key: u32) -> u32 {
    key.wrapping_sub(1) / 2
}

const fn bit(class: u32) -> u64 {
    1 << (class % u64::BITS)
}
