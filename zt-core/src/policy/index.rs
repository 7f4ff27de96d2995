//! The scope index: finds exactly the policies whose scope fits a request.
//!
//! Action and resource are known at load for every endpoint, so each endpoint has a short list of *classes* of policies
//! that fit it, and each class is keyed by principal scope. That a slice by scope gives the same answer as all policies
//! is proved for Cedar (cedar-spec, `PolicySlice.lean`): a scope test cannot fail, and is a false conjunct.

use serde::{Deserialize, Serialize};

use super::program::{Program, Scope};
use super::table::{Table, hash_pair};

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
    #[serde(skip)]
    pub(crate) table: Table,
    pub(crate) rules: Vec<u32>,
    /// For each symbol, whether it is the principal scope of a rule.
    #[serde(skip)]
    pub(crate) principals: Vec<bool>,
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
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub(crate) class: u32,
    pub(crate) key: u32,
    pub(crate) start: u32,
    pub(crate) len: u32,
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
        self.table = Table::build(self.buckets.iter().map(|bucket| hash_pair(bucket.class, bucket.key)));
        self.principals = vec![false; program.uids.len()];
        for rule in &program.rules {
            if let Scope::Eq(symbol) | Scope::In(symbol) | Scope::IsIn(_, symbol) = rule.principal
                && let Some(scoped) = self.principals.get_mut(symbol as usize)
            {
                *scoped = true;
            }
        }
    }

    /// The row of an endpoint in a segment, its own unless said, under a method.
    pub(crate) fn row(&self, endpoint: usize, segment: Option<&str>, method: &str) -> Option<&Row> {
        let first = *self.first_row.get(endpoint)? as usize;
        let end = self.first_row.get(endpoint.checked_add(1)?).map_or(self.rows.len(), |next| *next as usize);
        let rows = self.rows.get(first..end)?;
        let segment = segment.or_else(|| rows.last().and_then(|own| own.segment.as_deref()));
        let mut there = rows.iter().filter(|row| row.segment.as_deref() == segment);
        // The last row of an endpoint for any method is for methods that have no group of their own.
        there.clone().find(|row| row.method.as_deref() == Some(method)).or_else(|| there.next_back())
    }

    /// The row of an endpoint by its id.
    pub(crate) fn row_of(&self, id: &str) -> Option<&Row> {
        let row = |at: &u32| self.rows.get(*at as usize);
        let at = self.by_id.binary_search_by(|at| row(at).map_or("", |row| &row.id).cmp(id)).ok()?;
        row(self.by_id.get(at)?)
    }

    /// Rules of a class with this principal scope.
    pub(crate) fn rules(&self, class: u32, key: u32) -> &[u32] {
        let same = |at: u32| self.buckets.get(at as usize).is_some_and(|b| b.class == class && b.key == key);
        let bucket = self.table.find(hash_pair(class, key), same).and_then(|at| self.buckets.get(at as usize));
        let range = bucket.map_or(0..0, |b| b.start as usize..b.start.saturating_add(b.len) as usize);
        self.rules.get(range).unwrap_or_default()
    }
}
