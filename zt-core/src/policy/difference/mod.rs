//! What changes from one set of policies to another: who may newly call what, and who no longer may.
//!
//! Complete: wherever the verdict of a request changes, a change is listed for a class of its principal and its endpoint.
//! Exact where conditions are about one attribute at a time; elsewhere a change may be listed that no request meets.

mod class;
mod places;
mod redactions;
mod regions;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::logic::Rules;
use super::{AttributeSource, Compiled, Policy};

use places::Places;
use regions::Sides;

/// Changes that are listed; the rest is counted.
const CHANGES_MAX: usize = 10_000;

/// What changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The changes, what is newly allowed first.
    pub changes: Vec<Change>,
    /// How many more there are than are listed.
    pub left_out: usize,
    /// Policies that hide other members of responses than before.
    pub redactions: Vec<Redacted>,
    /// Endpoints that a caller without a credential may newly reach, or no longer may.
    pub anonymous: Vec<Anonymous>,
}

/// A policy that hides other members of responses; what it is for is compared as every policy's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redacted {
    /// Its name.
    pub policy: String,
    /// What it hid and no longer hides.
    pub shown: Vec<String>,
    /// What it newly hides.
    pub hidden: Vec<String>,
}

/// An endpoint that newly asks for a credential, or for none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anonymous {
    /// Its id.
    pub endpoint: String,
    /// Newly allowed or newly denied to callers without one.
    pub turn: Turn,
}

impl Difference {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.redactions.is_empty() && self.anonymous.is_empty()
    }
}

/// Newly allowed or newly denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It was denied.
    Allowed,
    /// It was allowed.
    Denied,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Newly allowed or newly denied.
    pub turn: Turn,
    /// Who: `anyone`, a type such as `User`, or an entity such as `Role::"buyer"` or `User::"anna"`.
    pub principal: String,
    /// Segments of which every endpoint is meant.
    pub segments: Vec<String>,
    /// Endpoints of other segments.
    pub endpoints: Vec<Place>,
    /// When: `always`, or `when { ... }` in Cedar.
    pub condition: String,
}

/// An endpoint, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Only its requests in this segment, where they can be in several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Only these requests, where it takes any method; empty for methods that no group has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// Where the same requests are of other endpoints in the new configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moved {
    /// Endpoints that have one id and are for other requests: what the old and what the new one is called.
    pub(crate) apart: BTreeMap<String, [String; 2]>,
    /// Requests of an old endpoint that a new one answers, or none does; what they are called.
    pub(crate) handed_on: Vec<([Option<usize>; 2], String)>,
}

/// Who, and when: a class of principals and a condition.
type Entry = (Turn, String, String);

/// What changes from one set of policies to another, each over its own vocabulary.
pub fn difference(old: &Policy, new: &Policy) -> Difference {
    difference_of(old, new, &Moved::default())
}

/// The same where endpoints are not what they were.
pub(crate) fn difference_of(old: &Policy, new: &Policy, moved: &Moved) -> Difference {
    let redactions = redactions::compare(&old.0, &new.0);
    let places = Places::of(&old.0.index, &new.0.index, moved);
    let (old, new) = (read_as_told(old, new), read_as_told(new, old));
    let (old, new) = (Rules::new(&old), Rules::new(&new));
    let mut sides = Sides::new(&old, &new);
    let mut entries: BTreeMap<Entry, BTreeSet<usize>> = BTreeMap::new();
    let mut left_out = 0_usize;
    for (at, rows) in places.rows.iter().enumerate() {
        for entry in sides.entries(*rows).iter() {
            if let Some(known) = entries.get_mut(entry) {
                known.insert(at);
            } else if entries.len() < CHANGES_MAX {
                entries.insert(entry.clone(), BTreeSet::from([at]));
            } else {
                left_out = left_out.saturating_add(1);
            }
        }
    }
    let change = |((turn, principal, condition), at): (Entry, BTreeSet<usize>)| {
        let (segments, endpoints) = places.named(&at);
        Change { turn, principal, segments, endpoints, condition }
    };
    Difference { changes: entries.into_iter().map(change).collect(), left_out, redactions, anonymous: Vec::new() }
}

/// Policies whose declared attributes say where they are read, if the others read one of that name somewhere else.
fn read_as_told(policy: &Policy, other: &Policy) -> Compiled {
    let mut compiled = policy.0.clone();
    let others = || other.0.program.declared.iter().zip(&other.0.reads.declared);
    for (name, read) in compiled.program.declared.iter_mut().zip(&compiled.reads.declared) {
        let elsewhere = others().any(|(same, other)| same == name && other.is_some() && other != read);
        if let Some((source, ty)) = read.as_ref().filter(|_| elsewhere) {
            let (kind, of) = match source {
                AttributeSource::Claim(of) => ("claim", of),
                AttributeSource::Variable(of) => ("variable", of),
                AttributeSource::Header(of) => ("header", of),
                AttributeSource::Query(of) => ("query", of),
            };
            *name = format!("{name} /* {kind} {of}, {ty:?} */").into();
        }
    }
    compiled
}
