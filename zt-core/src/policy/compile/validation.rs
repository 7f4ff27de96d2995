//! Strict validation by Cedar, against no more of the schema than the policies need.
//!
//! Cedar checks each policy for every action of the schema. All endpoints take the same principals, resources and
//! context, so that those which a policy does not name differ by the groups that it names only, and one of each kind
//! stands for all; and so does one type of principal for those that are declared alike and that it does not name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};

use crate::model::{Problem, Source};
use crate::policy::declared::AttributeConfig;
use crate::policy::print::quoted;
use crate::policy::vocabulary::{
    ANONYMOUS, Endpoint, METHODS, PRINCIPALS, READ, USER, Vocabulary, WRITE, groups_declared, schema, schema_for,
};

use super::Parsed;
use super::diagnose::cedar;
use super::scan::strings;

/// Policies and endpoints they name that are validated together.
const TOGETHER_POLICIES: usize = 256;
const TOGETHER_NAMED: usize = 8;

/// Validates policies of one source; every error once.
pub(super) fn validate(
    set: &PolicySet,
    policies: &[Parsed<'_>],
    vocabulary: &Vocabulary<'_>,
    declared: &[&AttributeConfig],
    source: &Source<'_>,
) -> Vec<Problem> {
    let endpoints = vocabulary.endpoints.iter().enumerate();
    let by_name: BTreeMap<String, usize> = endpoints.map(|(at, endpoint)| (quoted(endpoint.id), at)).collect();
    let mut failed = PolicySet::new();
    let mut batches: BTreeMap<Told, (PolicySet, BTreeSet<usize>)> = BTreeMap::new();
    let mut ask = |told: &Told, (batch, named): (PolicySet, BTreeSet<usize>)| {
        if !passes(&batch, &representatives(vocabulary, &named, told), told, declared) {
            for policy in batch.policies() {
                let _ = failed.add(policy.clone());
            }
        }
    };
    for parsed in policies {
        let Some(policy) = set.policy(&parsed.cedar_id) else { continue };
        let told = Told::by(source.text, &parsed.place.range);
        let (batch, named) = batches.entry(told).or_default();
        // Names are unique in the source, and so in a batch.
        let _ = batch.add(policy.clone());
        named.extend(strings(source.text, &parsed.place.range).filter_map(|name| by_name.get(name).copied()));
        if batch.num_of_policies() >= TOGETHER_POLICIES || named.len() >= TOGETHER_NAMED {
            ask(&told, std::mem::take(batches.entry(told).or_default()));
        }
    }
    batches.into_iter().for_each(|(told, batch)| ask(&told, batch));
    if failed.is_empty() { Vec::new() } else { problems(&failed, &schema(vocabulary, declared), source) }
}

/// What a policy can tell requests apart by, beside the endpoints that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    /// One bit for each group of actions.
    groups: u32,
    /// The types of principals that are declared alike.
    principals: bool,
}

impl Told {
    fn by(text: &str, range: &Range<usize>) -> Self {
        let mut groups = 0;
        for name in strings(text, range) {
            let name = name.trim_matches('"');
            // What an escape stands for is not looked into.
            groups |= if name.contains('\\') { u32::MAX } else { bit(name) };
        }
        let text = text.get(range.clone()).unwrap_or_default();
        let alike = PRINCIPALS.iter().filter(|ty| **ty != ANONYMOUS);
        Self { groups, principals: alike.into_iter().any(|ty| text.contains(ty)) }
    }

    fn principals(self) -> &'static [&'static str] {
        if self.principals { PRINCIPALS } else { &[USER, ANONYMOUS] }
    }
}

/// The bit of a group of actions; none for another name.
fn bit(name: &str) -> u32 {
    let groups = [READ, WRITE].into_iter().chain(METHODS.iter().map(|(method, _)| *method));
    groups.zip(0..).find(|(group, _)| *group == name).map_or(0, |(_, at)| 1 << at)
}

fn passes(batch: &PolicySet, endpoints: &[Endpoint<'_>], told: &Told, declared: &[&AttributeConfig]) -> bool {
    let vocabulary = Vocabulary { endpoints, ..Vocabulary::default() };
    Schema::from_cedarschema_str(&schema_for(&vocabulary, declared, told.principals()))
        .is_ok_and(|(schema, _)| Validator::new(schema).validate(batch, ValidationMode::Strict).validation_passed())
}

/// The endpoints that policies name, and one of each other kind that they can tell from others.
fn representatives<'a>(vocabulary: &Vocabulary<'a>, named: &BTreeSet<usize>, told: &Told) -> Vec<Endpoint<'a>> {
    let mut kinds = BTreeSet::new();
    let kind =
        |endpoint: &Endpoint<'a>| told.groups & groups_declared(endpoint).fold(0, |groups, name| groups | bit(name));
    let wanted = |(at, endpoint): &(usize, &Endpoint<'a>)| named.contains(at) || kinds.insert(kind(endpoint));
    vocabulary.endpoints.iter().enumerate().filter(wanted).map(|(_, endpoint)| *endpoint).collect()
}

/// What the whole schema says, with its suggestions.
fn problems(failed: &PolicySet, schema: &str, source: &Source<'_>) -> Vec<Problem> {
    let schema = match Schema::from_cedarschema_str(schema) {
        Ok((schema, _)) => schema,
        Err(error) => {
            let message = format!("no schema can be made: {}", DetailedError::from(&error).message);
            return vec![Problem::new("policy", message)];
        }
    };
    let result = Validator::new(schema).validate(failed, ValidationMode::Strict);
    let mut found: Vec<Problem> = result.validation_errors().map(|e| cedar(source, &DetailedError::from(e))).collect();
    found.sort_by_key(|problem| (problem.line, problem.column));
    found
}
