//! What an answer means for the request: findings and obligations, graded by the annotations of the policies.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::model::{Code, Finding, Obligation, Outcome};

use super::ErrorMode;
use super::answer::{Answer, Verdict};
use super::program::{Effect as RuleEffect, Program};

/// Findings of one answer at most; the most severe stay.
const FINDINGS_MAX: usize = 16;

/// What a forbid calls for, from `@on_deny`, `@reason`, `@acr` and `@max_age`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Denial {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<Box<str>>,
    pub(crate) acr: Option<Box<str>>,
    pub(crate) max_age_s: Option<u64>,
}

/// Fields that policies hide, from `@redact`.
pub(crate) type Redactions = BTreeMap<u32, Vec<Box<str>>>;

impl Default for Denial {
    fn default() -> Self {
        Self { outcome: Outcome::Deny, reason: None, acr: None, max_age_s: None }
    }
}

/// What an answer means for the request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// Why it is refused, the most severe first; empty when it is allowed.
    pub findings: SmallVec<[Finding; 2]>,
    /// What a `step_up` asks for.
    pub obligation: Option<Obligation>,
    /// Members of a JSON response that are hidden where the request passes: sorted, each once.
    pub redact: Vec<String>,
    /// Limits that do not refuse the request, by name: sorted, each once.
    pub exempt: Vec<String>,
}

impl Effect {
    /// A forbid that cannot be evaluated denies, whatever it would have called for.
    pub(crate) fn new(program: &Program, denials: &BTreeMap<u32, Denial>, mode: ErrorMode, answer: &Answer) -> Self {
        let plain = Denial::default();
        let mut effect = Self::default();
        let mut matched: SmallVec<[(&Denial, u32, Code); 4]> = SmallVec::new();
        let forbids = |rule: &u32| program.rules.get(*rule as usize).is_some_and(|r| r.effect == RuleEffect::Forbid);
        for rule in answer.errors.iter().filter(|rule| forbids(rule)) {
            match mode {
                ErrorMode::Deny => matched.push((&plain, *rule, Code::PolicyError)),
                ErrorMode::Cedar => {
                    let skipped = finding(program, &plain, *rule, Code::PolicyError);
                    effect.findings.push(skipped.calling_for(Outcome::Allow));
                }
            }
        }
        if answer.verdict == Verdict::Deny {
            for rule in &answer.determining {
                matched.push((denials.get(rule).unwrap_or(&plain), *rule, Code::PolicyForbidden));
            }
        }
        matched.sort_by_key(|(denial, rule, _)| (std::cmp::Reverse(denial.outcome), *rule));
        let refused = matched.first().is_some_and(|(denial, _, _)| denial.outcome >= Outcome::Deny);
        if !answer.permitted && !refused {
            // A forbid that asks for less than a denial does not permit anything.
            effect.findings.push(Finding::new(Code::PolicyNotPermitted, "no policy permits this"));
        }
        effect.obligation = step_up(matched.iter().map(|(denial, _, _)| *denial));
        effect.findings.extend(matched.iter().map(|(denial, rule, code)| finding(program, denial, *rule, *code)));
        effect.findings.sort_by_key(|finding| std::cmp::Reverse(finding.outcome));
        effect.findings.truncate(FINDINGS_MAX);
        effect
    }

    /// The most severe outcome of its findings, without making them.
    pub(crate) fn outcome(
        program: &Program,
        denials: &BTreeMap<u32, Denial>,
        mode: ErrorMode,
        answer: &Answer,
    ) -> Outcome {
        let forbids = |rule: &u32| program.rules.get(*rule as usize).is_some_and(|r| r.effect == RuleEffect::Forbid);
        let failed = mode == ErrorMode::Deny && answer.errors.iter().any(forbids);
        let matched = answer.determining.iter().filter(|_| answer.verdict == Verdict::Deny);
        let graded = matched.map(|rule| denials.get(rule).map_or(Outcome::Deny, |denial| denial.outcome));
        let refused = failed.then_some(Outcome::Deny);
        let missing = (!answer.permitted).then(|| Code::PolicyNotPermitted.outcome());
        graded.chain(refused).chain(missing).max().unwrap_or(Outcome::Allow)
    }

    /// With the fields that any policy hides that had a say. A permit that forbids overrule has one too, because a
    /// forbid that only flags lets the request pass; and so has one that failed, unless Cedar's way is asked for.
    pub(crate) fn redacting(mut self, redactions: &Redactions, mode: ErrorMode, answer: &Answer) -> Self {
        if redactions.is_empty() {
            return self;
        }
        let failed = answer.errors.iter().filter(|_| mode == ErrorMode::Deny);
        let rules = answer.determining.iter().chain(&answer.overruled).chain(failed);
        let fields: BTreeSet<&str> =
            rules.filter_map(|rule| redactions.get(rule)).flatten().map(|field| &**field).collect();
        self.redact = fields.into_iter().map(str::to_owned).collect();
        self
    }
}

fn finding(program: &Program, denial: &Denial, rule: u32, code: Code) -> Finding {
    let id = program.rules.get(rule as usize).map_or("", |rule| &rule.id);
    let what = if code == Code::PolicyError { "could not be evaluated" } else { "matched" };
    let detail = match &denial.reason {
        Some(reason) => format!("forbid policy `{id}` {what}: {reason}"),
        None => format!("forbid policy `{id}` {what}"),
    };
    Finding::new(code, detail).calling_for(denial.outcome)
}

/// The first context class that is asked for, and the shortest age.
fn step_up<'d>(denials: impl Iterator<Item = &'d Denial>) -> Option<Obligation> {
    let mut asked = denials.filter(|denial| denial.outcome == Outcome::StepUp).peekable();
    asked.peek()?;
    let (mut acr_values, mut max_age_s) = (None, None::<u64>);
    for denial in asked {
        acr_values = acr_values.or_else(|| denial.acr.as_deref().map(str::to_owned));
        max_age_s = match (max_age_s, denial.max_age_s) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    Some(Obligation::StepUp { acr_values, max_age_s })
}
