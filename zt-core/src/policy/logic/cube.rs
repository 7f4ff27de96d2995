//! Requests as products of sets of values: what is in both of two, and what one leaves of the other.
//!
//! Unknowns are taken for independent of each other. So what is called empty or covered here is so for every request;
//! what is not may still be.

use std::collections::BTreeMap;

use super::unknown::Unknown;
use super::values::Values;

/// Pieces that others may leave of a cube.
const PIECES_MAX: usize = 32;
/// Cubes that are met before a cube is taken for one of which something is left.
const STEPS_MAX: usize = 8_192;

/// All requests whose unknowns have one of these values each; what is not said can be anything. Never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cube(BTreeMap<Unknown, Values>);

impl Cube {
    /// Requests in which an unknown has one of these values; none where there is no value.
    pub(crate) fn of(unknown: Unknown, values: Values) -> Option<Self> {
        Self::default().with(&unknown, &values)
    }

    /// Those of them in which an unknown has one of these values.
    pub(crate) fn with(&self, unknown: &Unknown, values: &Values) -> Option<Self> {
        let values = self.values(unknown).and(values);
        if values.is_empty() {
            return None;
        }
        let mut cube = self.clone();
        if values == unknown.all() {
            cube.0.remove(unknown);
        } else {
            cube.0.insert(unknown.clone(), values);
        }
        Some(cube)
    }

    /// Values of an unknown in them.
    pub(crate) fn values(&self, unknown: &Unknown) -> Values {
        self.0.get(unknown).cloned().unwrap_or_else(|| unknown.all())
    }

    /// What is said of each unknown.
    pub(crate) fn said(&self) -> impl Iterator<Item = (&Unknown, &Values)> {
        self.0.iter()
    }

    /// Without a word of this unknown.
    pub(crate) fn forget(&mut self, unknown: &Unknown) {
        self.0.remove(unknown);
    }

    /// Requests in both.
    pub(crate) fn and(&self, other: &Self) -> Option<Self> {
        other.0.iter().try_fold(self.clone(), |cube, (unknown, values)| cube.with(unknown, values))
    }

    /// Whether a request is in both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        other.0.iter().all(|(unknown, values)| match self.0.get(unknown) {
            Some(own) => !own.and(values).is_empty(),
            None => true,
        })
    }

    /// Whether all of them are in the other.
    pub(crate) fn is_in(&self, other: &Self) -> bool {
        other.0.iter().all(|(unknown, values)| match self.0.get(unknown) {
            Some(own) => own.without(values).is_empty(),
            None => unknown.all().without(values).is_empty(),
        })
    }

    /// Those that are not in the other, in pieces that are apart.
    pub(crate) fn minus(&self, other: &Self) -> Vec<Self> {
        if !self.meets(other) {
            return vec![self.clone()];
        }
        let (mut rest, mut pieces) = (self.clone(), Vec::new());
        for (unknown, values) in &other.0 {
            pieces.extend(rest.with(unknown, &self.values(unknown).without(values)));
            match rest.with(unknown, values) {
                Some(smaller) => rest = smaller,
                None => return pieces,
            }
        }
        pieces
    }
}

/// What others leave of a cube, in pieces that are apart. Nothing is left where that is certain; others that would leave
/// too many pieces are passed over.
pub(crate) fn remainder(cube: &Cube, others: &[Cube], steps: &mut usize) -> Vec<Cube> {
    if !survives(cube, others, steps) {
        return Vec::new();
    }
    let mut pieces = vec![cube.clone()];
    for other in others {
        *steps = steps.saturating_sub(pieces.len());
        if *steps == 0 {
            break;
        }
        if pieces.iter().any(|piece| piece.meets(other)) {
            let smaller: Vec<Cube> = pieces.iter().flat_map(|piece| piece.minus(other)).collect();
            if smaller.len() <= PIECES_MAX {
                pieces = smaller;
            }
        }
    }
    pieces
}

/// Whether every request of these is in one of the others, for certain, in so many steps.
pub(crate) fn covered(cubes: &[Cube], others: &[Cube], steps: &mut usize) -> bool {
    cubes.iter().all(|cube| !survives(cube, others, steps))
}

/// Whether others leave something of a cube, as far as can be told in so many steps, which it takes off: one piece is
/// followed to its end before the next.
fn survives(cube: &Cube, others: &[Cube], in_all: &mut usize) -> bool {
    let mut take = |steps: usize| {
        let left = in_all.checked_sub(steps);
        *in_all = left.unwrap_or_default();
        left.is_some()
    };
    if !take(others.len().saturating_add(1)) {
        return true;
    }
    if others.iter().any(|other| cube.is_in(other)) {
        return false;
    }
    let mut open = vec![(cube.clone(), 0_usize)];
    let mut steps = STEPS_MAX;
    while let Some((piece, from)) = open.pop() {
        let rest = others.get(from..).unwrap_or_default();
        let met = rest.iter().position(|other| piece.meets(other));
        let Some((met, other)) = met.and_then(|met| Some((met, rest.get(met)?))) else { return true };
        let taken = met.saturating_add(1);
        match steps.checked_sub(taken).filter(|_| take(taken)) {
            Some(left) => steps = left,
            None => return true,
        }
        let next = from.saturating_add(taken);
        open.extend(piece.minus(other).into_iter().map(|piece| (piece, next)));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::unknown::{ANYONE, KINDS, kind};
    use super::*;
    use proptest::prelude::*;

    fn risk(low: i64, high: i64) -> Option<Cube> {
        Cube::of(Unknown::Fact("risk"), Values::Numbers { ranges: vec![(low, high)], absent: false })
    }

    /// A cube of risks and types, and every request of the two told apart.
    fn cube((low, length, kinds): (i64, i64, u8)) -> Option<Cube> {
        risk(low, low + length)?.with(&Unknown::Kind, &Values::States(kinds))
    }

    fn requests() -> Vec<Cube> {
        let at = |n: i64| KINDS.iter().filter_map(move |ty| cube((n, 0, kind(ty))));
        (0..12).flat_map(at).collect()
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_is_not_in_the_others(
            one in (0..8_i64, 0..5_i64, 1..16_u8), others in prop::collection::vec((0..8_i64, 0..5_i64, 1..16_u8), 0..5)
        ) {
            let one = cube(one).unwrap();
            let others: Vec<Cube> = others.into_iter().filter_map(cube).collect();
            let left = remainder(&one, &others, &mut usize::MAX.clone());
            for request in requests() {
                let wanted = request.is_in(&one) && !others.iter().any(|other| request.is_in(other));
                prop_assert_eq!(left.iter().filter(|piece| request.is_in(piece)).count(), usize::from(wanted));
            }
            prop_assert_eq!(covered(std::slice::from_ref(&one), &others, &mut usize::MAX.clone()), left.is_empty());
            prop_assert!(!covered(&[one], &others, &mut 0));
        }
    }

    #[test]
    fn all_values_say_nothing_and_none_is_no_cube() {
        assert_eq!(risk(i64::MIN, i64::MAX), Some(Cube::default()));
        assert_eq!(risk(1_001, 2_000), None);
        assert_eq!(Cube::of(Unknown::Kind, Values::States(ANYONE)), Some(Cube::default()));
        assert!(risk(5, 5).unwrap().and(&risk(6, 6).unwrap()).is_none());
    }
}
