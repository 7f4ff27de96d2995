//! Whether what is said of an attack names the place where it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, share};
use super::inject::{Family, Planted};
use crate::anomaly::{Explanation, Target};

/// Attacks of one family whose place is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The family, or `all`.
    pub family: String,
    /// Attacks that were planted.
    pub planted: usize,
    /// Those that were detected.
    pub detected: usize,
    /// Of those, where the first explanation names the place.
    pub named: usize,
}

impl Explained {
    /// Of those that were detected, the share where the place is named.
    pub fn share(&self) -> Option<Estimate> {
        share(self.named, self.detected)
    }

    fn add(&mut self, other: &Self) {
        self.planted = self.planted.saturating_add(other.planted);
        self.detected = self.detected.saturating_add(other.detected);
        self.named = self.named.saturating_add(other.named);
    }
}

/// Counts by family.
#[derive(Clone, Debug, Default)]
pub struct Explanations(BTreeMap<Family, Explained>);

impl Explanations {
    /// Attacks of a family that were counted.
    pub fn planted(&self, family: Family) -> usize {
        self.0.get(&family).map_or(0, |explained| explained.planted)
    }

    /// Counts an attack, with what was said of it where it was detected.
    pub fn add(&mut self, planted: &Planted, target: &Target<'_>, told: Option<&[Explanation]>) {
        let first = told.and_then(<[_]>::first);
        let named = first.is_some_and(|first| planted.is_named_by(first, target));
        let one = Explained {
            family: String::new(),
            planted: 1,
            detected: usize::from(told.is_some()),
            named: usize::from(named),
        };
        self.0.entry(planted.family).or_default().add(&one);
    }

    /// One of each family, and `all` behind them.
    pub fn list(&self) -> Vec<Explained> {
        let named = |(family, explained): (&Family, &Explained)| Explained {
            family: family.as_str().to_owned(),
            ..explained.clone()
        };
        let mut all = Explained { family: "all".to_owned(), ..Explained::default() };
        self.0.values().for_each(|explained| all.add(explained));
        let last = (!self.0.is_empty()).then_some(all);
        self.0.iter().map(named).chain(last).collect()
    }
}
