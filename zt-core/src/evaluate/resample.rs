//! Confidence intervals by resampling (Efron 1979): normal requests and attacks each drawn anew from those there are.

use super::random::Random;
use super::scores::{Scores, Tie, average_precision};

/// Numbers drawn in all, which bounds the time; and the fewest and most samples that they make.
const DRAWS: usize = 20_000_000;
const FEWEST: usize = 100;
const MOST: usize = 1_000;

/// What one sample says.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    pub(super) average_precision: Vec<f64>,
    pub(super) average_precision_at_1_percent: Vec<f64>,
    /// For each share of false alarms that was asked.
    pub(super) found: Vec<Vec<f64>>,
}

impl Samples {
    /// None where there are none of either.
    pub(super) fn of(scores: &Scores, false_alarms: &[f64], seed: u64) -> Option<Self> {
        if scores.normal() == 0 || scores.attacks() == 0 {
            return None;
        }
        let ties = scores.ties();
        let each = |number: fn(&Tie) -> usize| -> Vec<usize> {
            let numbered = ties.iter().enumerate();
            numbered.flat_map(|(at, tie)| std::iter::repeat_n(at, number(tie))).collect()
        };
        let (normal, attacks) = (each(|tie| tie.normal), each(|tie| tie.attacks));
        let allowed: Vec<usize> = false_alarms.iter().map(|share| scores.false_alarms(*share)).collect();
        let number = (DRAWS / normal.len().saturating_add(attacks.len()).max(1)).clamp(FEWEST, MOST);
        let mut random = Random::new(seed);
        let mut samples = Self { found: vec![Vec::new(); false_alarms.len()], ..Self::default() };
        let mut drawn = ties.clone();
        for _ in 0..number {
            drawn.iter_mut().for_each(|tie| (tie.normal, tie.attacks) = (0, 0));
            for _ in 0..normal.len() {
                let tie = random.pick(&normal).and_then(|at| drawn.get_mut(*at));
                tie.into_iter().for_each(|tie| tie.normal = tie.normal.saturating_add(1));
            }
            for _ in 0..attacks.len() {
                let tie = random.pick(&attacks).and_then(|at| drawn.get_mut(*at));
                tie.into_iter().for_each(|tie| tie.attacks = tie.attacks.saturating_add(1));
            }
            samples.average_precision.push(average_precision(&drawn, scores.prevalence()));
            samples.average_precision_at_1_percent.push(average_precision(&drawn, 0.01));
            for (found, allowed) in samples.found.iter_mut().zip(&allowed) {
                found.push(above(&drawn, *allowed) as f64 / attacks.len() as f64);
            }
        }
        Some(samples)
    }

    /// How many there are.
    pub(super) fn number(&self) -> usize {
        self.average_precision.len()
    }
}

/// Attacks strictly above all but so many normal requests.
fn above(ties: &[Tie], allowed: usize) -> usize {
    let (mut normal, mut attacks) = (0_usize, 0_usize);
    for tie in ties {
        normal = normal.saturating_add(tie.normal);
        if normal > allowed {
            break;
        }
        attacks = attacks.saturating_add(tie.attacks);
    }
    attacks
}

/// Where the middle 95 % of some values are.
pub(super) fn middle(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let at = |parts: usize| values.get(last.saturating_mul(parts).saturating_add(500) / 1_000).copied();
    at(25).zip(at(975))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_drawn_is_counted_as_the_scores_are(
            rows in proptest::collection::vec((any::<bool>(), (0_u8..9).prop_map(f64::from)), 1..60),
        ) {
            let scores = Scores::new(rows.into_iter());
            for budget in [0.0, 0.1, 0.4] {
                if let Some(found) = scores.found(budget) {
                    let above = above(&scores.ties(), scores.false_alarms(budget));
                    prop_assert!((found.found.value - above as f64 / scores.attacks() as f64).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn intervals_hold_the_value_and_are_the_same_for_a_seed() {
        let mut random = Random::new(3);
        let mut noise = || random.below(1_000) as f64 / 100.0;
        let rows: Vec<(bool, f64)> =
            (0..2_000).map(|n| (n % 4 == 0, noise() + if n % 4 == 0 { 4.0 } else { 0.0 })).collect();
        let scores = Scores::new(rows.into_iter());
        let samples = Samples::of(&scores, &[0.01], 1).unwrap();
        assert_eq!(samples.number(), MOST);
        let (low, high) = middle(samples.average_precision.clone()).unwrap();
        let value = scores.average_precision(None).unwrap().value;
        assert!(low < value && value < high && high - low < 0.1, "{low} {value} {high}");
        let (low, high) = middle(samples.found[0].clone()).unwrap();
        let found = scores.found(0.01).unwrap().found.value;
        assert!(low <= found && found <= high && low < high, "{low} {found} {high}");
        assert_eq!(samples.found, Samples::of(&scores, &[0.01], 1).unwrap().found);
        assert_ne!(samples.found, Samples::of(&scores, &[0.01], 2).unwrap().found);
        assert!(Samples::of(&Scores::new([(true, 1.0)].into_iter()), &[0.01], 1).is_none());
        assert_eq!(middle(Vec::new()), None);
        assert_eq!(middle((0..=1_000).map(f64::from).collect()), Some((25.0, 975.0)));
    }
}
