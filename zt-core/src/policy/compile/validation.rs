//! Strict validation by Cedar, against no more of the schema than the policies need.
//!
//! Cedar checks each policy for every action of the schema. All endpoints take the same principals, resources and
//! context, so that those which a policy does not name differ by the groups that it names only, and one of each kind
//! stands for all; and so does one type of principal for those that are declared alike and that it does not name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    EntityUid, PolicyId, PolicySet, Schema, SlotId, ValidationMode, ValidationResult, ValidationWarning, Validator,
};

use crate::model::{Problem, Source};
use crate::policy::declared::AttributeConfig;
use crate::policy::print::quoted;
use crate::policy::vocabulary::{
    ANONYMOUS, Endpoint, METHODS, PRINCIPALS, READ, USER, Vocabulary, WRITE, groups_declared, schema, schema_for,
};

use super::Parsed;
use super::diagnose::{cedar, cut};
use super::limits::{PROBLEMS_MAX, more_mistakes};
use super::link::{self, Linked};
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
    let by_name = endpoints_by_name(vocabulary);
    let mut failed = Vec::new();
    let mut batches: BTreeMap<Told, (PolicySet, BTreeSet<usize>)> = BTreeMap::new();
    let mut ask = |told: &Told, (batch, named): (PolicySet, BTreeSet<usize>)| {
        if !passes(&batch, &representatives(vocabulary, &named, told), told, declared) {
            failed.push(batch);
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
    if failed.is_empty() { Vec::new() } else { problems(failed, &schema(vocabulary, declared), source) }
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
    /// Everything.
    const ALL: Self = Self { groups: u32::MAX, principals: true };

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

/// Endpoints as policies write them.
fn endpoints_by_name(vocabulary: &Vocabulary<'_>) -> BTreeMap<String, usize> {
    vocabulary.endpoints.iter().enumerate().map(|(at, endpoint)| (quoted(endpoint.id), at)).collect()
}

/// Validates templates and what links make of them.
pub(super) fn validate_links(
    templates: &[Parsed<'_>],
    links: &[Linked],
    vocabulary: &Vocabulary<'_>,
    declared: &[&AttributeConfig],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let by_name = endpoints_by_name(vocabulary);
    let mut by_template: BTreeMap<usize, Vec<&Linked>> = BTreeMap::new();
    for link in links {
        by_template.entry(link.template).or_default().push(link);
    }
    for (template, own) in by_template {
        let Some(template) = templates.get(template) else { continue };
        let named = strings(template.place.source.text, &template.place.range);
        let named = named.filter_map(|name| by_name.get(name).copied()).collect();
        // What a link puts into a slot is not in the text.
        let few = representatives(vocabulary, &named, &Told::ALL);
        let few = Vocabulary { endpoints: &few, ..Vocabulary::default() };
        let mut told = false;
        for some in own.chunks(TOGETHER_POLICIES) {
            let Some(batch) = linked(template, some) else {
                problems.push(template.place.problem("", "a template that Cedar cannot link"));
                break;
            };
            if validated(&batch, &few, declared).is_some_and(|result| result.validation_passed_without_warnings()) {
                continue;
            }
            let Some(result) = validated(&batch, vocabulary, declared) else { continue };
            for error in result.validation_errors() {
                if problems.len() >= PROBLEMS_MAX {
                    problems.push(more_mistakes("policy.link"));
                    return problems;
                }
                let link = some.iter().find(|link| cedar_id(link) == *error.policy_id());
                match link {
                    Some(link) => problems.push(of_link(link, &DetailedError::from(error))),
                    None if told => {}
                    None => problems.push(cedar(template.place.source, 0, &DetailedError::from(error))),
                }
            }
            let failed: BTreeSet<PolicyId> =
                result.validation_errors().map(|error| error.policy_id().clone()).collect();
            // Cedar only warns of a policy that no request is in the scope of.
            for warning in result.validation_warnings() {
                if let ValidationWarning::InvalidActionApplication(_) = warning
                    && !failed.contains(warning.policy_id())
                    && let Some(link) = some.iter().find(|link| cedar_id(link) == *warning.policy_id())
                {
                    problems.push(of_link(link, &DetailedError::from(warning)));
                }
            }
            told = true;
        }
    }
    problems
}

fn cedar_id(link: &Linked) -> PolicyId {
    PolicyId::new(link::key(link.at))
}

/// One of Cedar's errors, under the key of the link.
fn of_link(link: &Linked, error: &DetailedError) -> Problem {
    let rest = error.message.split_once("`, ").filter(|_| error.message.starts_with("for policy `"));
    let problem = Problem::new(link::key(link.at), cut(rest.map_or(&*error.message, |(_, rest)| rest)));
    match &error.help {
        Some(help) => problem.mend(cut(help)),
        None => problem,
    }
}

/// A template with some of its links, as Cedar links them.
fn linked(template: &Parsed<'_>, links: &[&Linked]) -> Option<PolicySet> {
    let mut batch = PolicySet::new();
    batch.add_template(template.linkable.clone()?).ok()?;
    for link in links {
        let slot = |slot: SlotId, uid: &Option<EntityUid>| uid.clone().map(|uid| (slot, uid));
        let slots = [slot(SlotId::principal(), &link.principal), slot(SlotId::resource(), &link.resource)];
        batch.link(template.cedar_id.clone(), cedar_id(link), slots.into_iter().flatten().collect()).ok()?;
    }
    Some(batch)
}

fn validated(set: &PolicySet, vocabulary: &Vocabulary<'_>, declared: &[&AttributeConfig]) -> Option<ValidationResult> {
    let (schema, _) = Schema::from_cedarschema_str(&schema(vocabulary, declared)).ok()?;
    Some(Validator::new(schema).validate(set, ValidationMode::Strict))
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
fn problems(failed: Vec<PolicySet>, schema: &str, source: &Source<'_>) -> Vec<Problem> {
    let schema = match Schema::from_cedarschema_str(schema) {
        Ok((schema, _)) => schema,
        Err(error) => {
            let message = format!("no schema can be made: {}", DetailedError::from(&error).message);
            return vec![Problem::new("policy", message)];
        }
    };
    let validator = Validator::new(schema);
    let mut found: Vec<Problem> = Vec::new();
    for batch in failed {
        let result = validator.validate(&batch, ValidationMode::Strict);
        let room = PROBLEMS_MAX.saturating_sub(found.len());
        let mut errors = result.validation_errors();
        found.extend(errors.by_ref().take(room).map(|e| cedar(source, 0, &DetailedError::from(e))));
        if errors.next().is_some() || found.len() >= PROBLEMS_MAX {
            found.push(more_mistakes(&source.key));
            break;
        }
    }
    // Cedar tells them in any order, and one mistake for each action that it is one for.
    found.sort_by(|a, b| {
        let place = |problem: &Problem| (problem.line.is_none(), problem.line, problem.column);
        place(a).cmp(&place(b)).then_with(|| a.message.cmp(&b.message)).then_with(|| a.mend.cmp(&b.mend))
    });
    found.dedup();
    found
}
