//! At one row: which requests are newly allowed, and which newly denied.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::class::classes;
use super::{Entry, Turn};
use crate::policy::index::Row;
use crate::policy::logic::{Cube, Rules, remainder};
use crate::policy::program::{Rule, Var};

/// Comparisons in all before sets of requests are taken as they are, without what others leave of them.
const STEPS_MAX: usize = 4_000_000;
/// Sets of requests of a row that are compared to leave out those within others.
const NESTED_MAX: usize = 128;
/// Sets of requests of a row that are worked out in all; beyond, each stands for what it could be.
const REGIONS_MAX: usize = 4_096;

/// The two sets of policies.
pub(super) struct Sides<'r, 'a> {
    sides: [&'r Rules<'a>; 2],
    /// What each policy matches by beside action and resource.
    texts: [Vec<Rc<str>>; 2],
    /// Rows with the same policies, none of which asks for the action or resource.
    known: BTreeMap<[Vec<u32>; 2], Rc<[Entry]>>,
    steps: usize,
}

/// Requests at a row, by policies of one set.
#[derive(Default)]
struct Side {
    /// Of permits that the other set does not have as they are.
    own_permits: Vec<Cube>,
    all_permits: Vec<Cube>,
    /// Of forbids that the other set does not have as they are.
    own_forbids: Vec<Cube>,
    all_forbids: Vec<Cube>,
}

impl<'r, 'a> Sides<'r, 'a> {
    pub(super) fn new(old: &'r Rules<'a>, new: &'r Rules<'a>) -> Self {
        let same_errors = old.compiled.errors == new.compiled.errors;
        let texts = [old, new].map(|rules| {
            let program = rules.program();
            let text = |(at, rule): (u32, &Rule)| {
                let mut parts: Vec<String> =
                    program.conjuncts(rule.body).into_iter().map(|p| program.print(p)).collect();
                let principal = program.print_scope(Var::Principal, rule.principal);
                parts.insert(0, format!("{:?} {principal:?}", rule.effect));
                if !same_errors {
                    parts.insert(0, format!("{:?}", rules.compiled.errors));
                }
                // What a forbid lets pass is not what it refuses.
                parts.insert(0, format!("flags: {}", rules.only_flags(at)));
                // Joined by a word of Cedar's, `a || b` and `c` would be `a || b && c`.
                Rc::from(format!("{parts:?}"))
            };
            (0..).zip(&program.rules).map(text).collect()
        });
        Self { sides: [old, new], texts, known: BTreeMap::new(), steps: STEPS_MAX }
    }

    /// What changes for requests that are at these rows.
    pub(super) fn entries(&mut self, [old_row, new_row]: [Option<&'a Row>; 2]) -> Rc<[Entry]> {
        let [old, new] = self.sides;
        let at = [(old, old_row), (new, new_row)].map(|(rules, row)| row.map(|row| rules.at(row)).unwrap_or_default());
        let [old_at, new_at] = &at;
        let local = |rules: &Rules<'_>, at: &[u32]| at.iter().any(|at| rules.is_local(*at));
        let local = local(old, old_at) || local(new, new_at);
        if let Some(known) = self.known.get(&at).filter(|_| !local) {
            return Rc::clone(known);
        }
        let same_place = match (old_row, new_row) {
            (Some(old_row), Some(new_row)) => old.reader(Some(old_row)).mark == new.reader(Some(new_row)).mark,
            _ => true,
        };
        let [old_texts, new_texts] = &self.texts;
        let old_has = written(old, old_texts, old_at, same_place);
        let new_has = written(new, new_texts, new_at, same_place);
        let old_own = without(old_texts, old_at, &new_has);
        let new_own = without(new_texts, new_at, &old_has);
        let mut entries = BTreeSet::new();
        if !old_own.is_empty() || !new_own.is_empty() {
            let (old, new) = (side(old, old_row, old_at, &old_own), side(new, new_row, new_at, &new_own));
            for (turn, from, to) in [(Turn::Allowed, &old, &new), (Turn::Denied, &new, &old)] {
                for cube in self.gained(from, to) {
                    entries.extend(classes(&cube).into_iter().map(|(class, when)| (turn, class, when)));
                }
            }
        }
        let entries: Rc<[Entry]> = entries.into_iter().collect();
        if !local {
            self.known.insert(at, Rc::clone(&entries));
        }
        entries
    }

    /// What the second side allows and the first does not.
    fn gained(&mut self, from: &Side, to: &Side) -> Vec<Cube> {
        let mut gained = Vec::new();
        // Permits that are new, where nothing permitted it and nothing forbids it.
        for cube in &to.own_permits {
            for left in self.left(cube, &from.all_permits) {
                gained.extend(self.left(&left, &to.all_forbids));
            }
        }
        // Forbids that are gone, where something permits it.
        'forbids: for cube in &from.own_forbids {
            for left in self.left(cube, &to.all_forbids) {
                if gained.len() > REGIONS_MAX {
                    // Everything that the permits have, whatever the forbids leave of it.
                    gained.extend_from_slice(&to.all_permits);
                    break 'forbids;
                }
                gained.extend(to.all_permits.iter().filter_map(|permit| permit.and(&left)));
            }
        }
        gained.sort();
        gained.dedup();
        if gained.len() <= NESTED_MAX {
            let all = gained.clone();
            gained.retain(|cube| !all.iter().any(|other| other != cube && cube.is_in(other)));
        }
        gained
    }

    fn left(&mut self, cube: &Cube, others: &[Cube]) -> Vec<Cube> {
        if self.steps == 0 {
            return vec![cube.clone()];
        }
        remainder(cube, others, &mut self.steps)
    }
}

/// Of policies at a row, those that mean the same wherever they are written so.
fn written<'t>(rules: &Rules<'_>, texts: &'t [Rc<str>], at: &[u32], same_place: bool) -> BTreeSet<&'t str> {
    let comparable = at.iter().filter(|at| same_place || !rules.is_local(**at));
    comparable.filter_map(|at| texts.get(*at as usize)).map(|text| &**text).collect()
}

/// Policies at a row that are not among these.
fn without(texts: &[Rc<str>], at: &[u32], known: &BTreeSet<&str>) -> BTreeSet<u32> {
    let is_known = |at: &&u32| texts.get(**at as usize).is_some_and(|text| known.contains(&**text));
    at.iter().filter(|at| !is_known(at)).copied().collect()
}

fn side<'a>(rules: &Rules<'a>, row: Option<&'a Row>, at: &[u32], own: &BTreeSet<u32>) -> Side {
    let mut found = Side::default();
    for at in at {
        let (cubes, all, of_own) = match rules.is_permit(*at) {
            true => (rules.outcome(*at, row).yes.clone(), &mut found.all_permits, &mut found.own_permits),
            false => (rules.denied(*at, row), &mut found.all_forbids, &mut found.own_forbids),
        };
        if own.contains(at) {
            of_own.extend_from_slice(&cubes);
        }
        all.extend(cubes);
    }
    found
}
