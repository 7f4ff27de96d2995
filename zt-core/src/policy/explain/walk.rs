//! Every policy, one by one: which apply, which fail, and which come near.

use super::scoped::{self, PARTS};
use super::shown::cut;
use super::why::{why, why_not_evaluated};
use super::{Explanation, Failed, Kind, Kinship, NearMiss, Part, Shown, Unevaluated};
use crate::policy::answer::{Answer, Tally};
use crate::policy::evaluate::{Evaluation, Failed as Unknown};
use crate::policy::program::{Effect, NodeId, Program, Rule};
use crate::policy::{ErrorMode, scope};

/// Determining and failing policies that are shown, of each.
const SHOWN_MAX: usize = 16;
/// Near misses.
const NEAREST_MAX: usize = 3;
/// Parts that are listed of a policy.
const PARTS_MAX: usize = 32;
/// Longest text of a policy, characters.
const POLICY_MAX: usize = 2_000;
/// Longest text of a part, characters.
const PART_MAX: usize = 400;

/// A policy, tried on a request.
struct Tried {
    fits: [bool; 3],
    conditions: Vec<(NodeId, Result<bool, Unknown>)>,
}

/// How far a permit is from applying: compared in this order.
type Distance = (usize, bool, bool, u32);

/// Why the policies decide as they do about a request.
pub(crate) fn explain<'a, W: Kinship<'a>>(program: &'a Program, world: &'a W, mode: ErrorMode) -> Explanation {
    let mut evaluation = Evaluation::new(program, world);
    let mut tally = Tally::default();
    let mut distances: Vec<Distance> = Vec::new();
    for (at, rule) in (0..).zip(&program.rules) {
        let tried = Tried::of(program, world, &mut evaluation, rule);
        if tried.fits == [true; 3] {
            tally.add(at, rule.effect, tried.result());
        }
        if rule.effect == Effect::Permit {
            distances.push(tried.distance(at));
        }
    }
    let answer = tally.answer(mode);
    let mut explanation = summed_up(program, &answer);
    let Explanation { determining, errors, nearest, .. } = &mut explanation;
    let rule = |at: &u32| program.rules.get(*at as usize);
    for rule in answer.determining.iter().filter_map(rule).take(SHOWN_MAX) {
        determining.push(Tried::of(program, world, &mut evaluation, rule).shown(program, rule));
    }
    for rule in answer.errors.iter().filter_map(rule).take(SHOWN_MAX) {
        let tried = Tried::of(program, world, &mut evaluation, rule);
        let Some((condition, _)) = tried.conditions.iter().find(|(_, result)| *result != Ok(true)) else { continue };
        errors.push(Unevaluated {
            policy: tried.shown(program, rule),
            condition: cut(&program.print(*condition), PART_MAX),
            why: why_not_evaluated(program, world, &mut evaluation, *condition),
        });
    }
    if !answer.permitted {
        distances.sort_unstable();
        for rule in distances.iter().take(NEAREST_MAX).filter_map(|(.., at)| rule(at)) {
            let tried = Tried::of(program, world, &mut evaluation, rule);
            nearest.push(tried.near_miss(program, world, &mut evaluation, rule));
        }
    }
    explanation
}

/// An explanation that shows no policies yet.
pub(super) fn summed_up(program: &Program, answer: &Answer) -> Explanation {
    let beyond = |of: &[u32]| of.len().saturating_sub(SHOWN_MAX);
    Explanation {
        decision: answer.verdict,
        permitted: answer.permitted,
        determining: Vec::new(),
        errors: Vec::new(),
        nearest: Vec::new(),
        policies: program.rules.len(),
        left_out: beyond(&answer.determining).saturating_add(beyond(&answer.errors)),
    }
}

impl Tried {
    /// Tries every part by itself. A condition may rely on those before it, so that of what comes after one that failed an
    /// error says nothing.
    fn of<'a, W: Kinship<'a>>(
        program: &'a Program,
        world: &'a W,
        evaluation: &mut Evaluation<'a, W>,
        rule: &Rule,
    ) -> Self {
        let conditions = program.conjuncts(rule.body).into_iter();
        let conditions = conditions.map(|condition| (condition, evaluation.holds(Some(condition)))).collect();
        Self { fits: scope::fits(program, world, rule), conditions }
    }

    /// What evaluation makes of the conditions together: it stops at the first that does not hold.
    fn result(&self) -> Result<bool, Unknown> {
        self.conditions.iter().map(|(_, result)| *result).find(|result| *result != Ok(true)).unwrap_or(Ok(true))
    }

    /// The conditions that failed: those that are false, and the first that does not hold, whatever it is.
    fn failed(&self) -> impl Iterator<Item = (NodeId, Result<bool, Unknown>)> {
        let first = self.conditions.iter().position(|(_, result)| *result != Ok(true));
        let failed = move |at: usize, result| result == Ok(false) || Some(at) == first;
        self.conditions
            .iter()
            .enumerate()
            .filter(move |(at, (_, result))| failed(*at, *result))
            .map(|(_, tried)| *tried)
    }

    fn distance(&self, at: u32) -> Distance {
        let [_, action, resource] = self.fits;
        let misfits = self.fits.iter().filter(|fits| !**fits).count();
        (misfits.saturating_add(self.failed().count()), misfits > 0, !(action && resource), at)
    }

    fn shown(&self, program: &Program, rule: &Rule) -> Shown {
        let fitting = PARTS.iter().zip(self.fits).filter(|(_, fits)| *fits);
        let scope = fitting.filter_map(|((_, var), _)| scoped::text(program, rule, *var));
        let holding = self.conditions.iter().filter(|(_, result)| *result == Ok(true));
        let held = scope.chain(holding.map(|(condition, _)| program.print(*condition)));
        Shown {
            id: cut(&rule.id, PART_MAX),
            file: rule.origin.file.as_deref().map(str::to_owned),
            line: rule.origin.line,
            column: rule.origin.column,
            effect: match rule.effect {
                Effect::Permit => Kind::Permit,
                Effect::Forbid => Kind::Forbid,
            },
            text: cut(&rule.origin.text, POLICY_MAX),
            reason: rule.annotations.get("reason").map(|reason| cut(reason, PART_MAX)),
            held: held.take(PARTS_MAX).map(|text| cut(&text, PART_MAX)).collect(),
        }
    }

    fn near_miss<'a, W: Kinship<'a>>(
        &self,
        program: &'a Program,
        world: &'a W,
        evaluation: &mut Evaluation<'a, W>,
        rule: &Rule,
    ) -> NearMiss {
        let part = |part, text: String, why| Failed { part, text: cut(&text, PART_MAX), why };
        let misfits = PARTS.iter().zip(self.fits).filter(|(_, fits)| !*fits);
        let scope = misfits.map(|((name, var), _)| {
            let text = scoped::text(program, rule, *var).unwrap_or_default();
            part(*name, text, cut(&scoped::why(world, rule, *var), PART_MAX))
        });
        let conditions = self.failed().map(|(condition, result)| {
            let why = match result {
                Ok(_) => why(program, world, evaluation, condition),
                Err(Unknown) => why_not_evaluated(program, world, evaluation, condition),
            };
            part(Part::Condition, program.print(condition), why)
        });
        let failed: Vec<Failed> = scope.chain(conditions).take(PARTS_MAX).collect();
        let blocked = self.conditions.iter().filter(|(_, result)| *result == Err(Unknown));
        let first = self.result().is_err();
        let unknown = blocked.skip(usize::from(first)).take(PARTS_MAX);
        let unknown = unknown.map(|(condition, _)| cut(&program.print(*condition), PART_MAX)).collect();
        NearMiss { policy: self.shown(program, rule), failed, unknown }
    }
}
