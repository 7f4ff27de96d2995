//! The half that needs Cedar: text to compiled policies, with every mistake found at once.

mod annotation;
mod arity;
mod builder;
mod declared;
mod diagnose;
mod expression;
mod indexing;
mod limits;
mod link;
mod redaction;
mod rule;
mod scan;
mod text;
mod validation;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cedar_policy::pst::Template;
use cedar_policy::{PolicyId, PolicySet};

use crate::model::{Problem, Source};

use super::program::Origin;
use super::vocabulary::{ANONYMOUS, ANONYMOUS_ID, METHODS, READ, Vocabulary, WRITE};
use super::{AttributeConfig, Compiled, Config, Policy};

pub(crate) use builder::{Builder, Slots};
pub(crate) use expression::{Lane, Refused};
pub(crate) use link::slots_of;
pub(crate) use scan::{check_depth, with_stack};
pub(crate) use text::{Read, read};

use diagnose::Place;
use limits::{NODES_MAX, more_mistakes};
pub(crate) use limits::{POLICIES_MAX, PROBLEMS_MAX, linked_problem};
use link::Linked;
use scan::positions;

/// A policy of a source.
struct Parsed<'a> {
    /// Cedar's own name for it in its source.
    cedar_id: PolicyId,
    place: Place<'a>,
    id: String,
    template: Template,
    /// Whether it is a template, for links to fill.
    slotted: bool,
    /// The template as Cedar links it.
    linkable: Option<cedar_policy::Template>,
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
        let (mut policies, mut templates) = (Vec::new(), Vec::new());
        for source in sources {
            let Some((set, parsed)) = parse(source, &mut problems) else { continue };
            let (own, slotted): (Vec<_>, Vec<_>) = parsed.into_iter().partition(|parsed| !parsed.slotted);
            problems.extend(validation::validate(&set, &own, vocabulary, &declared, source));
            policies.extend(own);
            templates.extend(slotted);
        }
        let count = policies.len().saturating_add(config.link.len());
        if count > POLICIES_MAX {
            problems.push(Problem::new("policy", format!("{count} policies; at most {POLICIES_MAX} are taken")));
            return Err(problems);
        }
        let links = link::resolve(&config.link, &templates, &policies, vocabulary, &mut problems);
        problems.extend(validation::validate_links(&templates, &links, vocabulary, &declared));
        check_names(policies.iter().chain(&templates), &mut problems);
        let compiled = assemble(config, &policies, (&templates, &links), vocabulary, &declared, &mut problems);
        if problems.is_empty() { Ok(Self(compiled)) } else { Err(problems) }
    }
}

/// Compiles text that Cedar's validator would refuse, so that evaluation errors can be compared too.
#[cfg(test)]
pub(crate) fn unvalidated(config: &Config, text: &str, vocabulary: &Vocabulary<'_>) -> Result<Policy, Vec<Problem>> {
    let source = Source { key: "policy.text".to_owned(), name: None, text };
    let mut problems = Vec::new();
    let declared = declared::declared(&config.context, &mut problems);
    let parsed = parse(&source, &mut problems).map(|(_, parsed)| parsed).unwrap_or_default();
    let (policies, templates): (Vec<_>, Vec<_>) = parsed.into_iter().partition(|parsed| !parsed.slotted);
    let links = link::resolve(&config.link, &templates, &policies, vocabulary, &mut problems);
    let compiled = assemble(config, &policies, (&templates, &links), vocabulary, &declared, &mut problems);
    if problems.is_empty() { Ok(Policy(compiled)) } else { Err(problems) }
}

/// Where policies of a source that stand in these ranges were written.
pub(crate) fn origins<'a>(source: &'a Source<'a>, policies: &'a Read) -> impl Iterator<Item = Origin> + 'a {
    let ranges: Vec<Range<usize>> = policies.policies.iter().map(|(range, _)| range.clone()).collect();
    let starts: Vec<(u32, u32)> = positions(source.text, &ranges).collect();
    ranges.into_iter().zip(starts).map(|(range, start)| Place { source, range, start }.origin())
}

/// Splits and parses a source.
fn parse<'a>(source: &'a Source<'a>, problems: &mut Vec<Problem>) -> Option<(PolicySet, Vec<Parsed<'a>>)> {
    let (found, mistakes) = read(source);
    problems.extend(mistakes);
    let Read { set, policies } = found?;
    let ranges: Vec<Range<usize>> = policies.iter().map(|(range, _)| range.clone()).collect();
    let starts: Vec<(u32, u32)> = positions(source.text, &ranges).collect();
    let mut parsed = Vec::with_capacity(policies.len());
    let known = problems.len();
    for (at, ((range, template), start)) in policies.into_iter().zip(starts).enumerate() {
        let place = Place { source, range, start };
        let id = match (template.annotations.get("id"), source.name) {
            (Some(id), _) => {
                let told = problems.len().saturating_sub(known) >= PROBLEMS_MAX;
                problems.extend(
                    annotation::id_problem("@id", id).filter(|_| !told).map(|message| place.problem("id", message)),
                );
                id.to_string()
            }
            (None, Some(name)) => format!("{name}:policy{at}"),
            (None, None) => format!("policy{at}"),
        };
        let cedar_id = PolicyId::new(format!("policy{at}"));
        let linkable = set.template(&cedar_id).cloned();
        parsed.push(Parsed { cedar_id, place, id, slotted: linkable.is_some(), template, linkable });
    }
    Some((set, parsed))
}

fn assemble(
    config: &Config,
    policies: &[Parsed<'_>],
    (templates, links): (&[Parsed<'_>], &[Linked]),
    vocabulary: &Vocabulary<'_>,
    declared: &[&AttributeConfig],
    problems: &mut Vec<Problem>,
) -> Compiled {
    let mut builder = Builder::default();
    builder.program.declared = declared.iter().map(|attribute| attribute.name.as_str().into()).collect();
    let (mut denials, mut redactions) = (BTreeMap::new(), BTreeMap::new());
    let own = policies.iter().map(|policy| (policy, policy.id.as_str(), Slots::default()));
    let linked = links.iter().filter_map(|link| {
        let template = templates.get(link.template)?;
        Some((template, link.id.as_str(), link.slots()))
    });
    // What is wrong with a template is told once, however many links it has.
    let mut told = BTreeSet::new();
    let known = problems.len();
    for (policy, id, slots) in own.chain(linked) {
        if problems.len().saturating_sub(known) >= PROBLEMS_MAX {
            problems.push(more_mistakes("policy"));
            break;
        }
        let seen = builder.program.uids.len();
        let mut found = Vec::new();
        let filled = [slots.principal.clone(), slots.resource.clone()];
        match builder.linked(id, policy.place.origin(), &policy.template, slots, Lane::Request) {
            Ok(()) => {
                let at = number(builder.program.rules.len().saturating_sub(1));
                if let Some(rule) = builder.program.rules.last() {
                    annotation::slips(rule, &policy.place, &mut found);
                    denials.extend(annotation::denial(rule, &policy.place, &mut found).map(|denial| (at, denial)));
                    annotation::check_exempt(rule, &policy.place, &mut found);
                    redactions.extend(redaction::fields(rule, &policy.place, &mut found).map(|fields| (at, fields)));
                }
            }
            Err(Refused { construct, token }) => {
                let problem = policy.place.problem(&token, format!("{construct} is not supported in policies"));
                let line = |problem: &Problem| (problem.key.clone(), problem.file.clone(), problem.line);
                // Validation has said it in better words.
                let said = problems.iter().take(known).any(|other| line(other) == line(&problem));
                found.extend((!said).then_some(problem));
            }
        }
        let named = builder.program.uids.get(seen..).unwrap_or_default();
        let by_slot = |ty: &str, id: &str| filled.iter().flatten().any(|(t, i)| t == ty && i == id);
        let unknown = named.iter().filter(|(ty, id)| !is_known(ty, id, vocabulary) && !by_slot(ty, id));
        found.extend(unknown.take(PROBLEMS_MAX).map(|(ty, id)| {
            let message = format!("there is no `{ty}::\"{id}\"` in this configuration");
            policy.place.problem(&format!("\"{id}\""), message)
        }));
        if !policy.slotted || told.insert(policy.id.as_str()) {
            problems.extend(found);
        }
        if builder.program.nodes.len() > NODES_MAX {
            let message = format!("with this policy there are more than {NODES_MAX} parts of expressions");
            let problem = policy.place.problem("", message);
            problems.push(problem.mend("name roles and segments rather than users and endpoints"));
            break;
        }
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

/// Whether some request can be about an entity: a typing mistake in a forbid would fail open.
fn is_known(ty: &str, id: &str, vocabulary: &Vocabulary<'_>) -> bool {
    match ty {
        "Segment" => vocabulary.segments.contains(&id) || vocabulary.endpoints.iter().any(|e| e.segment == Some(id)),
        "Endpoint" => vocabulary.endpoints.iter().any(|endpoint| endpoint.id == id),
        ANONYMOUS => id == ANONYMOUS_ID,
        _ => true,
    }
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

fn check_names<'p, 'a: 'p>(policies: impl Iterator<Item = &'p Parsed<'a>>, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    let mut told = 0_usize;
    for policy in policies {
        if seen.insert(policy.id.as_str(), ()).is_some() && told < PROBLEMS_MAX {
            told = told.saturating_add(1);
            problems.push(policy.place.problem("id", format!("two policies have the name `{}`", policy.id)));
        }
    }
}

/// An index as it is stored. The limits on text keep all of them far below the largest.
pub(crate) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
