//! Sets of values of one unknown, exactly: what is in both, what is in one and not in the other.

use std::collections::BTreeSet;

/// Values that an unknown of a request may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Values {
    /// Some of at most eight states, a bit each.
    States(u8),
    /// Numbers in ranges that are sorted and apart; and whether it may be absent.
    Numbers { ranges: Vec<(i64, i64)>, absent: bool },
    /// These words, or with `others` all but these; and whether it may be absent.
    Words { words: BTreeSet<Box<str>>, others: bool, absent: bool },
}

impl Values {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::States(states) => *states == 0,
            Self::Numbers { ranges, absent } => ranges.is_empty() && !absent,
            Self::Words { words, others, absent } => words.is_empty() && !others && !absent,
        }
    }

    /// What is in both. Values of another sort say nothing; no unknown has two.
    pub(crate) fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::States(a), Self::States(b)) => Self::States(a & b),
            (Self::Numbers { ranges: a, absent: x }, Self::Numbers { ranges: b, absent: y }) => {
                Self::Numbers { ranges: both(a, b), absent: *x && *y }
            }
            (Self::Words { words: a, others: in_a, absent: x }, Self::Words { words: b, others: in_b, absent: y }) => {
                let words: BTreeSet<Box<str>> = match (in_a, in_b) {
                    (false, false) => a.intersection(b).cloned().collect(),
                    (false, true) => a.difference(b).cloned().collect(),
                    (true, false) => b.difference(a).cloned().collect(),
                    (true, true) => a.union(b).cloned().collect(),
                };
                Self::Words { words, others: *in_a && *in_b, absent: *x && *y }
            }
            _ => self.clone(),
        }
    }

    /// What is in this and not in the other.
    pub(crate) fn without(&self, other: &Self) -> Self {
        match other {
            Self::States(states) => self.and(&Self::States(!states)),
            Self::Numbers { ranges, absent } => self.and(&Self::Numbers { ranges: gaps(ranges), absent: !absent }),
            Self::Words { words, others, absent } => {
                self.and(&Self::Words { words: words.clone(), others: !others, absent: !absent })
            }
        }
    }
}

fn both(a: &[(i64, i64)], b: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    let mut out = Vec::new();
    while let (Some((a_low, a_high)), Some((b_low, b_high))) = (a.peek(), b.peek()) {
        let (low, high) = (*a_low.max(b_low), *a_high.min(b_high));
        if low <= high {
            out.push((low, high));
        }
        if a_high < b_high {
            a.next();
        } else {
            b.next();
        }
    }
    out
}

/// The numbers that no range has.
fn gaps(ranges: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut out = Vec::new();
    let mut next = Some(i64::MIN);
    for (low, high) in ranges {
        if let (Some(from), Some(to)) = (next, low.checked_sub(1))
            && from <= to
        {
            out.push((from, to));
        }
        next = high.checked_add(1);
    }
    out.extend(next.map(|from| (from, i64::MAX)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbers(of: Vec<(i64, i64)>, absent: bool) -> Values {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        let mut sorted = of;
        sorted.sort_unstable();
        for (low, length) in sorted {
            if ranges.last().is_none_or(|(_, high)| *high < low - 1) {
                ranges.push((low, low + length));
            }
        }
        Values::Numbers { ranges, absent }
    }

    fn words(of: &BTreeSet<u8>, others: bool, absent: bool) -> Values {
        Values::Words { words: of.iter().map(|n| n.to_string().into()).collect(), others, absent }
    }

    /// Whether a number is in it; nothing is the absent one.
    fn has(values: &Values, n: Option<i64>) -> bool {
        match (values, n) {
            (Values::States(states), Some(n)) => (0..8).contains(&n) && states & (1 << n) != 0,
            (Values::States(_), None) => false,
            (Values::Numbers { absent, .. } | Values::Words { absent, .. }, None) => *absent,
            (Values::Numbers { ranges, .. }, Some(n)) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&n)),
            (Values::Words { words, others, .. }, Some(n)) => words.contains(n.to_string().as_str()) != *others,
        }
    }

    fn check(a: &Values, b: &Values) {
        let (and, without) = (a.and(b), a.without(b));
        for n in (-1..40).map(Some).chain([None, Some(i64::MIN), Some(i64::MAX)]) {
            assert_eq!(has(&and, n), has(a, n) && has(b, n), "{a:?} and {b:?} at {n:?}");
            assert_eq!(has(&without, n), has(a, n) && !has(b, n), "{a:?} without {b:?} at {n:?}");
        }
    }

    proptest! {
        #[test]
        fn sets_behave_as_sets(
            a in prop::collection::vec((0..30_i64, 0..6_i64), 0..4), b in prop::collection::vec((0..30_i64, 0..6_i64), 0..4),
            x in any::<bool>(), y in any::<bool>(), v in any::<u8>(), w in any::<u8>(),
            p in prop::collection::btree_set(0..6_u8, 0..4), q in prop::collection::btree_set(0..6_u8, 0..4),
            i in any::<bool>(), j in any::<bool>(),
        ) {
            check(&numbers(a, x), &numbers(b, y));
            check(&words(&p, i, x), &words(&q, j, y));
            check(&Values::States(v), &Values::States(w));
        }
    }

    #[test]
    fn the_ends_of_the_numbers() {
        let all = Values::Numbers { ranges: vec![(i64::MIN, i64::MAX)], absent: false };
        let ends = Values::Numbers { ranges: vec![(i64::MIN, 0), (5, i64::MAX)], absent: true };
        check(&all, &ends);
        check(&ends, &all);
        assert!(all.without(&all).is_empty() && !ends.without(&all).is_empty());
    }
}
