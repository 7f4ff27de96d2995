//! The policies of a set: where each applies, and for which requests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::condition::{Outcome, Reader, both};
use super::cube::{self, Cube};
use super::place::{fold, of_place, signature};
use crate::policy::Compiled;
use crate::policy::ErrorMode;
use crate::policy::index::Row;
use crate::policy::program::{Effect, Program, Rule};

/// Comparisons of sets of requests in all; beyond, nothing is certain.
const STEPS_MAX: usize = 4_000_000;

/// The policies of a set.
pub(crate) struct Rules<'a> {
    pub(crate) compiled: &'a Compiled,
    /// Classes of each rule.
    classes: Vec<Vec<u32>>,
    /// Rows of each class.
    rows: Vec<Vec<u32>>,
    /// Buckets of each class.
    buckets: Vec<Vec<u32>>,
    /// Whether the conditions of a rule ask for its action or resource.
    local: Vec<bool>,
    /// The whole vocabulary, in a number.
    mark: u64,
    known: RefCell<BTreeMap<u32, Rc<Outcome>>>,
    /// Steps that are left for comparisons.
    steps: Cell<usize>,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(compiled: &'a Compiled) -> Self {
        let index = &compiled.index;
        let count =
            index.buckets.iter().map(|bucket| (bucket.class as usize).saturating_add(1)).max().unwrap_or_default();
        let (mut rows, mut buckets) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        let mut classes: Vec<Vec<u32>> = vec![Vec::new(); compiled.program.rules.len()];
        for (at, row) in (0..).zip(&index.rows) {
            for class in &row.classes {
                rows.get_mut(*class as usize).into_iter().for_each(|rows: &mut Vec<u32>| rows.push(at));
            }
        }
        for (at, bucket) in (0..).zip(&index.buckets) {
            buckets.get_mut(bucket.class as usize).into_iter().for_each(|of: &mut Vec<u32>| of.push(at));
            for rule in index.rules(bucket.class, bucket.key) {
                classes.get_mut(*rule as usize).into_iter().for_each(|of| of.push(bucket.class));
            }
        }
        let mark = index.rows.iter().fold(0, |mark, row| fold(mark, signature(row)));
        let program = &compiled.program;
        let of_place: Vec<bool> = of_place(program);
        let local = |rule: &Rule| rule.body.is_some_and(|body| of_place.get(body as usize).copied().unwrap_or(true));
        let local = program.rules.iter().map(local).collect();
        Self { compiled, classes, rows, buckets, local, mark, known: RefCell::default(), steps: Cell::new(STEPS_MAX) }
    }

    pub(crate) fn program(&self) -> &'a Program {
        &self.compiled.program
    }

    pub(crate) fn rule(&self, at: u32) -> Option<&'a Rule> {
        self.compiled.program.rules.get(at as usize)
    }

    pub(crate) fn row(&self, at: u32) -> Option<&'a Row> {
        self.compiled.index.rows.get(at as usize)
    }

    /// Rows that a rule applies to.
    pub(crate) fn rows_of(&self, rule: u32) -> impl Iterator<Item = u32> {
        let classes = self.classes.get(rule as usize).into_iter().flatten();
        classes.filter_map(|class| self.rows.get(*class as usize)).flatten().copied()
    }

    /// Whether a rule applies to every row that another one applies to.
    pub(crate) fn applies_wherever(&self, rule: u32, other: u32) -> bool {
        if self.classes.get(rule as usize) == self.classes.get(other as usize) {
            return true;
        }
        let mut there = vec![false; self.compiled.index.rows.len()];
        for row in self.rows_of(rule) {
            there.get_mut(row as usize).into_iter().for_each(|there| *there = true);
        }
        self.rows_of(other).all(|row| there.get(row as usize).copied().unwrap_or_default())
    }

    /// Rules that apply to a row.
    pub(crate) fn at(&self, row: &Row) -> Vec<u32> {
        let buckets = row.classes.iter().filter_map(|class| self.buckets.get(*class as usize)).flatten();
        let index = &self.compiled.index;
        let rules = buckets.filter_map(|at| index.buckets.get(*at as usize));
        let mut rules: Vec<u32> = rules.flat_map(|b| index.rules(b.class, b.key)).copied().collect();
        rules.sort_unstable();
        rules
    }

    /// Whether it matters to a rule's conditions at which row they are asked.
    pub(crate) fn is_local(&self, rule: u32) -> bool {
        self.local.get(rule as usize).copied().unwrap_or(true)
    }

    pub(crate) fn reader(&self, row: Option<&'a Row>) -> Reader<'a> {
        let mark = row.map_or(self.mark, |row| fold(self.mark, signature(row)));
        Reader { program: self.program(), row, mark }
    }

    /// For which requests at a row a rule's scope fits, and what its conditions then come to.
    pub(crate) fn outcome(&self, at: u32, row: Option<&'a Row>) -> Rc<Outcome> {
        let local = self.is_local(at);
        if !local && let Some(known) = self.known.borrow().get(&at) {
            return Rc::clone(known);
        }
        let reader = self.reader(row.filter(|_| local));
        let outcome = self.rule(at).and_then(|rule| {
            let scope = [reader.principal(rule.principal)?];
            let Outcome { yes, no, fails } = reader.body(rule.body);
            Some(Outcome { yes: both(&scope, &yes), no: both(&scope, &no), fails: both(&scope, &fails) })
        });
        let outcome = Rc::new(outcome.unwrap_or_default());
        if !local {
            self.known.borrow_mut().insert(at, Rc::clone(&outcome));
        }
        outcome
    }

    /// Requests at a row that a forbid refuses: where it only flags, those for which it fails.
    pub(crate) fn denied(&self, at: u32, row: Option<&'a Row>) -> Vec<Cube> {
        let outcome = self.outcome(at, row);
        let yes = if self.only_flags(at) { &[] } else { outcome.yes.as_slice() };
        [yes, self.failing(&outcome)].concat()
    }

    /// Requests at a row of which a forbid says something, if only that they are flagged.
    pub(crate) fn noted(&self, at: u32, row: Option<&'a Row>) -> Vec<Cube> {
        let outcome = self.outcome(at, row);
        [outcome.yes.as_slice(), self.failing(&outcome)].concat()
    }

    /// Requests for which a policy fails, where that means something.
    pub(crate) fn failing<'o>(&self, outcome: &'o Outcome) -> &'o [Cube] {
        match self.compiled.errors {
            ErrorMode::Deny => &outcome.fails,
            ErrorMode::Cedar => &[],
        }
    }

    /// Whether every request of these is in one of the others, for certain.
    pub(crate) fn covered(&self, cubes: &[Cube], others: &[Cube]) -> bool {
        // They were put together first.
        let mut steps = self.steps.get().saturating_sub(cubes.len().saturating_add(others.len()));
        let covered = cube::covered(cubes, others, &mut steps);
        self.steps.set(steps);
        covered
    }

    /// Whether others leave something of a cube, as far as can be told.
    pub(crate) fn survives(&self, cube: &Cube, others: &[Cube]) -> bool {
        !self.covered(std::slice::from_ref(cube), others)
    }

    /// Whether nothing more can be certain.
    pub(crate) fn exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Fields that a policy hides.
    pub(crate) fn redacts(&self, at: u32) -> &'a [Box<str>] {
        self.compiled.redactions.get(&at).map_or(&[], Vec::as_slice)
    }

    /// Whether a policy lets pass what it forbids.
    pub(crate) fn only_flags(&self, at: u32) -> bool {
        self.compiled.denials.get(&at).is_some_and(|denial| denial.outcome.passes())
    }

    pub(crate) fn is_permit(&self, at: u32) -> bool {
        self.rule(at).is_some_and(|rule| rule.effect == Effect::Permit)
    }
}
