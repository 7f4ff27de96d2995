//! The annotation `@exempt`: limits that do not refuse what a permit permits.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use super::answer::Answer;
use super::effect::Effect;
use super::program::{Effect as RuleEffect, Program};

/// Names of limits, by policy.
pub(crate) type Exemptions = BTreeMap<u32, Vec<Box<str>>>;

/// An exemption that a policy names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemption<'p> {
    /// The limit.
    pub limit: &'p str,
    /// The policy.
    pub policy: &'p str,
    /// The file that the policy stands in, where it is one.
    pub file: Option<&'p str>,
    /// Line of the policy, from 1.
    pub line: u32,
    /// Column of the policy, from 1.
    pub column: u32,
}

/// The limits that an annotation names.
pub(crate) fn names(annotation: &str) -> impl Iterator<Item = &str> {
    annotation.split(',').map(str::trim)
}

pub(super) fn of(program: &Program) -> Exemptions {
    let permits = (0..).zip(&program.rules).filter(|(_, rule)| rule.effect == RuleEffect::Permit);
    permits
        .filter_map(|(at, rule)| Some((at, names(rule.annotations.get("exempt")?).map(Box::from).collect())))
        .collect()
}

impl Policy {
    /// Every exemption that a policy names.
    pub fn exemptions(&self) -> impl Iterator<Item = Exemption<'_>> {
        self.0.exemptions.iter().flat_map(|(at, limits)| {
            let rule = self.0.program.rules.get(*at as usize);
            limits.iter().filter_map(move |limit| {
                let rule = rule?;
                let (file, line, column) = (rule.origin.file.as_deref(), rule.origin.line, rule.origin.column);
                Some(Exemption { limit, policy: &rule.id, file, line, column })
            })
        })
    }

    /// Whether some policy exempts from this limit.
    pub fn may_exempt(&self, limit: &str) -> bool {
        self.0.exemptions.values().flatten().any(|name| **name == *limit)
    }
}

impl Effect {
    /// With the limits from which the permits exempt that match. One that forbids overrule has a say too, because a forbid
    /// that only flags lets the request pass; one that denies does so in any case.
    pub(super) fn exempting(mut self, exemptions: &Exemptions, answer: &Answer) -> Self {
        if !exemptions.is_empty() {
            let rules = answer.determining.iter().chain(&answer.overruled);
            let limits: BTreeSet<&str> =
                rules.filter_map(|rule| exemptions.get(rule)).flatten().map(|name| &**name).collect();
            self.exempt = limits.into_iter().map(str::to_owned).collect();
        }
        self
    }
}
