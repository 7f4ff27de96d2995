//! The half that needs Cedar: text to compiled policies, with every mistake found at once.

mod annotation;
mod arity;
mod builder;
mod declared;
mod diagnose;
mod expression;
mod indexing;
mod redaction;
mod rule;
mod scan;
mod validation;

use std::collections::BTreeMap;
use std::str::FromStr as _;

use cedar_policy::ffi::DetailedError;
use cedar_policy::pst::{self, Template};
use cedar_policy::{PolicyId, PolicySet};

use crate::model::{Problem, Source};

use super::program::Origin;
use super::vocabulary::{ANONYMOUS, ANONYMOUS_ID, METHODS, READ, Vocabulary, WRITE};
use super::{AttributeConfig, Compiled, Config, Policy};

pub(crate) use builder::Builder;
pub(crate) use expression::{Lane, Refused};

use diagnose::{Place, cedar, located};
pub(crate) use scan::with_stack;
use scan::{positions, scan};

/// Largest text of one source, bytes.
pub(crate) const TEXT_MAX: usize = 8 << 20;
/// Most policies in all.
pub(crate) const POLICIES_MAX: usize = 100_000;

/// A policy of a source.
struct Parsed<'a> {
    /// Cedar's own name for it in its source.
    cedar_id: PolicyId,
    place: Place<'a>,
    id: String,
    template: Template,
}

impl Policy {
    /// Parses, strictly validates and compiles policies.
    ///
    /// # Errors
    /// Every problem found: syntax, types, unknown actions, segments and endpoints, names used twice, annotations that
    /// mean nothing, constructs that are not compiled, and text past the limits.
    pub fn compile(config: &Config, sources: &[Source<'_>], vocabulary: &Vocabulary<'_>) -> Result<Self, Vec<Problem>> {
        with_stack(|| Self::compile_here(config, sources, vocabulary))
    }

    fn compile_here(
        config: &Config,
        sources: &[Source<'_>],
        vocabulary: &Vocabulary<'_>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = check_vocabulary(vocabulary);
        if sources.is_empty() {
            let problem = Problem::new("policy", "no policies: every request would be denied");
            problems.push(problem.mend("name `files`, write `text`, or leave `[policy]` out"));
        }
        let declared = declared::declared(&config.context, &mut problems);
        let mut policies = Vec::new();
        for source in sources {
            let Some((set, parsed)) = parse(source, &mut problems) else { continue };
            problems.extend(validation::validate(&set, &parsed, vocabulary, &declared, source));
            policies.extend(parsed);
        }
        if policies.len() > POLICIES_MAX {
            problems
                .push(Problem::new("policy", format!("{} policies; at most {POLICIES_MAX} are taken", policies.len())));
        }
        check_names(&policies, &mut problems);
        let compiled = assemble(config, &policies, vocabulary, &declared, &mut problems);
        if problems.is_empty() { Ok(Self(compiled)) } else { Err(problems) }
    }
}

/// Compiles text that Cedar's validator would refuse, so that evaluation errors can be compared too.
#[cfg(test)]
pub(crate) fn unvalidated(config: &Config, text: &str, vocabulary: &Vocabulary<'_>) -> Result<Policy, Vec<Problem>> {
    let source = Source { key: "policy.text".to_owned(), name: None, text };
    let mut problems = Vec::new();
    let policies = parse(&source, &mut problems).map(|(_, policies)| policies).unwrap_or_default();
    let declared = declared::declared(&config.context, &mut problems);
    let compiled = assemble(config, &policies, vocabulary, &declared, &mut problems);
    if problems.is_empty() { Ok(Policy(compiled)) } else { Err(problems) }
}

/// Where each policy of a text was written, in the order of the text.
pub(crate) fn origins(source: &Source<'_>) -> Vec<Origin> {
    let scanned = scan(source.text).map(|scan| scan.policies).unwrap_or_default();
    let starts = positions(source.text, &scanned);
    scanned.iter().zip(starts).map(|(range, start)| Place { source, range: range.clone(), start }.origin()).collect()
}

/// Whether a text nests no deeper than Cedar's parsers can be trusted with.
pub(crate) fn check_depth(text: &str) -> bool {
    scan(text).is_ok()
}

/// Splits and parses a source; a policy with a problem of its own does not hide those of the others.
fn parse<'a>(source: &'a Source<'a>, problems: &mut Vec<Problem>) -> Option<(PolicySet, Vec<Parsed<'a>>)> {
    let (set, templates) = parse_text(source).map_err(|found| problems.extend(found)).ok()?;
    let scanned = scan(source.text).map(|scan| scan.policies).unwrap_or_default();
    let mut starts = positions(source.text, &scanned);
    let mut parsed = Vec::new();
    for (at, template) in templates.into_iter().enumerate() {
        let (range, start) = (scanned.get(at).cloned().unwrap_or_default(), starts.next().unwrap_or_default());
        let place = Place { source, range, start };
        if !template.is_static() {
            let problem = place.problem("?principal", "a template, which nothing links");
            problems.push(problem.mend("write a policy without slots"));
            continue;
        }
        let id = match (template.annotations.get("id"), source.name) {
            (Some(id), _) => {
                annotation::check_id(id, &place, problems);
                id.to_string()
            }
            (None, Some(name)) => format!("{name}:policy{at}"),
            (None, None) => format!("policy{at}"),
        };
        parsed.push(Parsed { cedar_id: PolicyId::new(format!("policy{at}")), place, id, template });
    }
    Some((set, parsed))
}

/// Parses a text within the limits; templates and policies in the order of the text.
pub(crate) fn parse_text(source: &Source<'_>) -> Result<(PolicySet, Vec<Template>), Vec<Problem>> {
    if source.text.len() > TEXT_MAX {
        let message = format!("{} bytes of policies; at most {TEXT_MAX} are taken", source.text.len());
        return Err(vec![located(source, None, message).mend("split it into files")]);
    }
    if let Err(deep) = scan(source.text) {
        return Err(vec![
            located(source, Some(deep.0), "nested too deep to be parsed safely")
                .mend("split it, or write a set: `[...].contains(x)`"),
        ]);
    }
    let set = PolicySet::from_str(source.text)
        .map_err(|errors| errors.iter().map(|error| cedar(source, &DetailedError::from(error))).collect::<Vec<_>>())?;
    let count = set.num_of_policies().saturating_add(set.num_of_templates());
    let mut templates = Vec::with_capacity(count);
    for at in 0..count {
        let id = PolicyId::new(format!("policy{at}"));
        let converted = match (set.policy(&id), set.template(&id)) {
            (Some(policy), _) => {
                let read = policy.to_pst().or_else(|error| arity::mended(policy).ok_or(error));
                read.map(|policy| match policy {
                    pst::Policy::Static(policy) => Some(policy.body().clone()),
                    _ => None,
                })
            }
            (None, Some(template)) => template.to_pst().map(Some),
            (None, None) => Ok(None),
        };
        match converted {
            Ok(Some(template)) => templates.push(template),
            Ok(None) => return Err(vec![located(source, None, format!("policy {at} cannot be read back"))]),
            Err(error) => return Err(vec![located(source, None, format!("policy {at} cannot be read back: {error}"))]),
        }
    }
    Ok((set, templates))
}

fn assemble(
    config: &Config,
    policies: &[Parsed<'_>],
    vocabulary: &Vocabulary<'_>,
    declared: &[&AttributeConfig],
    problems: &mut Vec<Problem>,
) -> Compiled {
    let mut builder = Builder::default();
    builder.program.declared = declared.iter().map(|attribute| attribute.name.as_str().into()).collect();
    let (mut denials, mut redactions) = (BTreeMap::new(), BTreeMap::new());
    for policy in policies {
        let seen = builder.program.uids.len();
        match builder.rule(&policy.id, policy.place.origin(), &policy.template, Lane::Request) {
            Ok(()) => {
                let at = number(builder.program.rules.len().saturating_sub(1));
                if let Some(rule) = builder.program.rules.last() {
                    denials.extend(annotation::denial(rule, &policy.place, problems).map(|denial| (at, denial)));
                    redactions.extend(redaction::fields(rule, &policy.place, problems).map(|fields| (at, fields)));
                }
            }
            Err(Refused { construct, token }) => {
                problems.push(policy.place.problem(&token, format!("{construct} is not supported in policies")));
            }
        }
        let named = builder.program.uids.get(seen..).unwrap_or_default();
        problems.extend(named.iter().filter_map(|(ty, id)| unknown_entity(ty, id, vocabulary, &policy.place)));
    }
    redaction::check_total(&redactions, problems);
    let program = builder.program;
    let index = indexing::index(&program, vocabulary);
    let reads = declared::reads(&program, declared);
    let mut compiled =
        Compiled { program, index, denials, redactions, errors: config.errors, reads, ..Compiled::default() };
    compiled.complete();
    compiled
}

/// An entity that no request can be about: a typing mistake, which in a forbid would fail open.
fn unknown_entity(ty: &str, id: &str, vocabulary: &Vocabulary<'_>, place: &Place<'_>) -> Option<Problem> {
    let known = match ty {
        "Segment" => vocabulary.segments.contains(&id) || vocabulary.endpoints.iter().any(|e| e.segment == Some(id)),
        "Endpoint" => vocabulary.endpoints.iter().any(|endpoint| endpoint.id == id),
        ANONYMOUS => id == ANONYMOUS_ID,
        _ => true,
    };
    let token = format!("\"{id}\"");
    (!known).then(|| place.problem(&token, format!("there is no `{ty}::\"{id}\"` in this configuration")))
}

fn check_vocabulary(vocabulary: &Vocabulary<'_>) -> Vec<Problem> {
    let mut seen = BTreeMap::new();
    let mut problems = Vec::new();
    for endpoint in vocabulary.endpoints {
        let group = [READ, WRITE].contains(&endpoint.id) || METHODS.iter().any(|(method, _)| *method == endpoint.id);
        if group {
            let message = format!("the endpoint `{}` has the name of a group of actions", endpoint.id);
            problems.push(Problem::new("policy", message).mend("give it another `operationId`"));
        } else if seen.insert(endpoint.id, ()).is_some() {
            let message = format!("two endpoints have the name `{}`", endpoint.id);
            problems.push(Problem::new("policy", message).mend("give one of them another `operationId`"));
        }
    }
    problems
}

fn check_names(policies: &[Parsed<'_>], problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for policy in policies {
        if seen.insert(policy.id.as_str(), ()).is_some() {
            problems.push(policy.place.problem("id", format!("two policies have the name `{}`", policy.id)));
        }
    }
}

/// An index as it is stored. The limits on text keep all of them far below the largest.
pub(crate) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
