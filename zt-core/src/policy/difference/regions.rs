//! At one row: which requests are newly allowed, and which newly denied.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::class::classes;
use super::{Entry, Turn};
use crate::policy::index::Row;
use crate::policy::logic::{Cube, Rules, remainder};
use crate::policy::program::{Rule, Var};

/// Subtractions in all before sets of requests are taken as they are, without what others leave of them.
const STEPS_MAX: usize = 2_000_000;
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
            let text = |rule: &Rule| {
                let mut parts: Vec<String> = program.conjuncts(rule.body).into_iter().map(|p| program.print(p)).collect();
                let principal = program.print_scope(Var::Principal, rule.principal);
                parts.insert(0, format!("{:?} {principal:?}", rule.effect));
                if !same_errors {
                    parts.insert(0, format!("{:?}", rules.compiled.errors));
                }
                Rc::from(parts.join(" && "))
            };
            program.rules.iter().map(text).collect()
        });
        Self { sides: [old, new], texts, known: BTreeMap::new(), steps: STEPS_MAX }
    }

    /// What changes for requests that are at these rows.
    pub(super) fn entries(&mut self, rows: [Option<&'a Row>; 2]) -> Rc<[Entry]> {
        let [old, new] = self.sides;
        let at = [(old, rows[0]), (new, rows[1])].map(|(rules, row)| row.map(|row| rules.at(row)).unwrap_or_default());
        let local = [old, new].iter().zip(&at).any(|(rules, at)| at.iter().any(|at| rules.is_local(*at)));
        if let Some(known) = self.known.get(&at).filter(|_| !local) {
            return Rc::clone(known);
        }
        let same_place = match rows {
            [Some(old_row), Some(new_row)] => old.reader(Some(old_row)).mark == new.reader(Some(new_row)).mark,
            _ => true,
        };
        let entries: Rc<[Entry]> = match self.differing(&at, same_place) {
            None => Rc::new([]),
            Some(own) => {
                let sides = [0, 1].map(|side| self.side(side, &at, &own, rows));
                let [old, new] = sides;
                let mut entries = BTreeSet::new();
                for (turn, from, to) in [(Turn::Allowed, &old, &new), (Turn::Denied, &new, &old)] {
                    for cube in self.gained(from, to) {
                        entries.extend(classes(&cube).into_iter().map(|(class, when)| (turn, class, when)));
                    }
                }
                entries.into_iter().collect()
            }
        };
        if !local {
            self.known.insert(at, Rc::clone(&entries));
        }
        entries
    }

    /// The policies of each side that the other does not have as they are; nothing when there are none.
    fn differing(&self, at: &[Vec<u32>; 2], same_place: bool) -> Option<[BTreeSet<u32>; 2]> {
        let texts = [0, 1].map(|side| {
            let (rules, text) = (self.sides[side], &self.texts[side]);
            let of = |at: &u32| text.get(*at as usize).filter(|_| same_place || !rules.is_local(*at)).cloned();
            at[side].iter().filter_map(of).collect::<BTreeSet<Rc<str>>>()
        });
        let own = [(0, 1), (1, 0)].map(|(side, other): (usize, usize)| {
            let has = |at: &&u32| self.texts[side].get(**at as usize).is_some_and(|text| texts[other].contains(text));
            at[side].iter().filter(|at| !has(at)).copied().collect::<BTreeSet<u32>>()
        });
        own.iter().any(|own| !own.is_empty()).then_some(own)
    }

    fn side(&self, side: usize, at: &[Vec<u32>; 2], own: &[BTreeSet<u32>; 2], rows: [Option<&'a Row>; 2]) -> Side {
        let (rules, row, own) = (self.sides[side], rows[side], &own[side]);
        let mut found = Side { own_permits: Vec::new(), all_permits: Vec::new(), own_forbids: Vec::new(), all_forbids: Vec::new() };
        for at in &at[side] {
            let cubes = if rules.is_permit(*at) { rules.outcome(*at, row).yes.clone() } else { rules.denied(*at, row) };
            let (all, of_own) = match rules.is_permit(*at) {
                true => (&mut found.all_permits, &mut found.own_permits),
                false => (&mut found.all_forbids, &mut found.own_forbids),
            };
            if own.contains(at) {
                of_own.extend_from_slice(&cubes);
            }
            all.extend(cubes);
        }
        found
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
        for cube in &from.own_forbids {
            for left in self.left(cube, &to.all_forbids) {
                if gained.len() > REGIONS_MAX {
                    // Everything that the permits have, whatever the forbids leave of it.
                    gained.extend(to.all_permits.iter().filter(|permit| permit.meets(&left)).cloned());
                    break;
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
        match self.steps.checked_sub(others.len()) {
            None => vec![cube.clone()],
            Some(steps) => {
                self.steps = steps;
                remainder(cube, others).unwrap_or_else(|| vec![cube.clone()])
            }
        }
    }
}
