//! Strict validation by Cedar, against no more of the schema than the policies need.
//!
//! Cedar checks each policy for every action of the schema. All endpoints take the same principals, resources and
//! context, so that those which a policy does not name differ by their groups only, and one of each kind stands for all.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::ffi::DetailedError;
use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};

use crate::model::{Problem, Source};
use crate::policy::declared::AttributeConfig;
use crate::policy::print::quoted;
use crate::policy::vocabulary::{Endpoint, Vocabulary, schema};

use super::Parsed;
use super::diagnose::cedar;
use super::scan::strings;

/// Policies and endpoints they name that are validated together.
const TOGETHER_POLICIES: usize = 64;
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
    let (mut batch, mut failed) = (PolicySet::new(), PolicySet::new());
    let mut named = BTreeSet::new();
    let last = policies.len().saturating_sub(1);
    for (at, parsed) in policies.iter().enumerate() {
        if let Some(policy) = set.policy(&parsed.cedar_id) {
            // Names are unique in the source, and so in a batch.
            let _ = batch.add(policy.clone());
        }
        named.extend(strings(source.text, &parsed.place.range).filter_map(|name| by_name.get(name).copied()));
        if at == last || batch.num_of_policies() >= TOGETHER_POLICIES || named.len() >= TOGETHER_NAMED {
            if !passes(&batch, &representatives(vocabulary, &named), declared) {
                for policy in batch.policies() {
                    let _ = failed.add(policy.clone());
                }
            }
            (batch, named) = (PolicySet::new(), BTreeSet::new());
        }
    }
    if failed.is_empty() { Vec::new() } else { problems(&failed, &schema(vocabulary, declared), source) }
}

fn passes(batch: &PolicySet, endpoints: &[Endpoint<'_>], declared: &[&AttributeConfig]) -> bool {
    let vocabulary = Vocabulary { endpoints, ..Vocabulary::default() };
    Schema::from_cedarschema_str(&schema(&vocabulary, declared))
        .is_ok_and(|(schema, _)| Validator::new(schema).validate(batch, ValidationMode::Strict).validation_passed())
}

/// The endpoints that policies name, and one of each other kind.
fn representatives<'a>(vocabulary: &Vocabulary<'a>, named: &BTreeSet<usize>) -> Vec<Endpoint<'a>> {
    let mut kinds = BTreeSet::new();
    let wanted = |(at, endpoint): &(usize, &Endpoint<'a>)| named.contains(at) || kinds.insert(endpoint.method);
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
