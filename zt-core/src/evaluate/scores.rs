//! Measures of a whole ranking.

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Z, share};

/// Scores of normal requests and of attacks, each from the lowest up.
#[derive(Clone, Debug)]
pub struct Scores {
    normal: Vec<f64>,
    attacks: Vec<f64>,
}

/// Requests of one score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tie {
    pub(super) score: f64,
    pub(super) normal: usize,
    pub(super) attacks: usize,
}

/// Attacks above all but a share of the normal requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Share of normal requests that may be above, too.
    pub false_alarms: f64,
    /// How many that are; where it is 0 there are too few to tell.
    pub allowed: usize,
    /// What scores strictly more than the first one that may not.
    pub threshold: f64,
    /// Share of attacks that do, in Wilson's interval, which takes the threshold as given.
    pub found: Estimate,
    /// The same interval with the threshold as uncertain as it is, by resampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resampled: Option<(f64, f64)>,
}

impl Scores {
    /// Whether it is an attack, and its score.
    pub fn new(scores: impl Iterator<Item = (bool, f64)>) -> Self {
        let (attacks, normal): (Vec<_>, Vec<_>) = scores.partition(|(is_attack, _)| *is_attack);
        let sorted = |scores: Vec<(bool, f64)>| {
            let mut scores: Vec<f64> = scores.into_iter().map(|(_, score)| score).collect();
            scores.sort_by(f64::total_cmp);
            scores
        };
        Self { normal: sorted(normal), attacks: sorted(attacks) }
    }

    /// Normal requests.
    pub const fn normal(&self) -> usize {
        self.normal.len()
    }

    /// Attacks.
    pub const fn attacks(&self) -> usize {
        self.attacks.len()
    }

    /// From the highest score down.
    pub(super) fn ties(&self) -> Vec<Tie> {
        let labelled = |scores: &[f64], is_attack| scores.iter().map(|score| (*score, is_attack)).collect::<Vec<_>>();
        let mut all = [labelled(&self.attacks, true), labelled(&self.normal, false)].concat();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let tie = |tied: &[(f64, bool)]| {
            let attacks = tied.iter().filter(|(_, is_attack)| *is_attack).count();
            let score = tied.first().map_or(0.0, |(score, _)| *score);
            Tie { score, normal: tied.len().saturating_sub(attacks), attacks }
        };
        all.chunk_by(|a, b| a.0 == b.0).map(tie).collect()
    }

    /// How likely an attack scores above a normal request, where a tie counts half; its interval is that of DeLong,
    /// DeLong and Clarke-Pearson (1988), none where nothing varies.
    pub fn auc(&self) -> Option<Estimate> {
        let above: Vec<f64> = self.attacks.iter().map(|score| placed(*score, &self.normal)).collect();
        let below: Vec<f64> = self.normal.iter().map(|score| 1.0 - placed(*score, &self.attacks)).collect();
        let (value, of_attacks) = mean_and_variance(&above)?;
        let (_, of_normal) = mean_and_variance(&below)?;
        let half = Z * (of_attacks / above.len() as f64 + of_normal / below.len() as f64).sqrt();
        let interval = (half > 0.0).then(|| ((value - half).max(0.0), (value + half).min(1.0)));
        Some(Estimate { value, interval })
    }

    /// Precision at each attack found, as if this share of the requests were attacks, or as many as are where it is none;
    /// requests of one score come together.
    pub fn average_precision(&self, prevalence: Option<f64>) -> Option<Estimate> {
        let some = !self.attacks.is_empty() && !self.normal.is_empty();
        let prevalence = prevalence.unwrap_or_else(|| self.prevalence());
        some.then(|| Estimate { value: average_precision(&self.ties(), prevalence), interval: None })
    }

    /// Share of attacks among all.
    pub(super) fn prevalence(&self) -> f64 {
        self.attacks.len() as f64 / self.attacks.len().saturating_add(self.normal.len()).max(1) as f64
    }

    /// Normal requests that are a share of them, rounded down.
    pub fn false_alarms(&self, share: f64) -> usize {
        // What is a whole number but for its last bits is that number.
        ((self.normal.len() as f64 * share) * (1.0 + 1e-12)) as usize
    }

    /// Share of normal requests that score more.
    pub(super) fn above(&self, threshold: f64) -> f64 {
        let not_above = self.normal.partition_point(|score| *score <= threshold);
        self.normal.len().saturating_sub(not_above) as f64 / self.normal.len().max(1) as f64
    }

    /// Attacks above all but this share of the normal requests; none where there are none of either.
    pub fn found(&self, false_alarms: f64) -> Option<Found> {
        let allowed = self.false_alarms(false_alarms);
        let threshold = *self.normal.iter().rev().nth(allowed)?;
        let missed = self.attacks.partition_point(|score| *score <= threshold);
        let found = share(self.attacks.len().saturating_sub(missed), self.attacks.len())?;
        Some(Found { false_alarms, allowed, threshold, found, resampled: None })
    }
}

/// Of ties from the highest down; 0 where there are no attacks.
pub(super) fn average_precision(ties: &[Tie], prevalence: f64) -> f64 {
    let all_attacks = ties.iter().map(|tie| tie.attacks).sum::<usize>() as f64;
    let all_normal = ties.iter().map(|tie| tie.normal).sum::<usize>() as f64;
    let (mut recall, mut alarms, mut value) = (0.0, 0.0, 0.0);
    for tie in ties.iter().filter(|tie| tie.attacks > 0 || tie.normal > 0) {
        let found = tie.attacks as f64 / all_attacks.max(1.0);
        recall += found;
        alarms += tie.normal as f64 / all_normal.max(1.0);
        value += found * precision(recall, alarms, prevalence);
    }
    value
}

/// Of what is found, the share that are attacks: from the shares of attacks and of normal requests that are found.
pub(super) fn precision(recall: f64, alarms: f64, prevalence: f64) -> f64 {
    let (right, wrong) = (prevalence * recall, (1.0 - prevalence) * alarms);
    if right > 0.0 { right / (right + wrong) } else { 0.0 }
}

/// The share of sorted scores below this one, a tie as a half.
fn placed(score: f64, sorted: &[f64]) -> f64 {
    let below = sorted.partition_point(|other| *other < score);
    let not_above = sorted.partition_point(|other| *other <= score);
    below.saturating_add(not_above) as f64 / 2.0 / sorted.len() as f64
}

/// The variance is 0 of a single value.
fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (!values.is_empty() && mean.is_finite()).then_some((mean, squares / (n - 1.0).max(1.0)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scores(normal: &[f64], attacks: &[f64]) -> Scores {
        let of = |is_attack| move |score: &f64| (is_attack, *score);
        Scores::new(normal.iter().map(of(false)).chain(attacks.iter().map(of(true))))
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
    }

    #[test]
    fn a_tie_counts_half() {
        // Of six pairs four are right, one is tied.
        let some = scores(&[1.0, 2.0, 3.0], &[3.0, 2.5]).auc().unwrap();
        near(some.value, 4.5 / 6.0);
        // Attacks are above 5/6 and 2/3 of the normal, which are below 1, 1 and 1/4 of the attacks.
        let variance: f64 = (2.0 * (1.0 / 144.0)) / 2.0 + (2.0 * 0.0625 + 0.25) / 2.0 / 3.0;
        near(some.interval.unwrap().0, 0.75 - Z * variance.sqrt());
        near(some.interval.unwrap().1, 1.0);
        assert_eq!(scores(&[1.0; 4], &[1.0; 3]).auc(), Some(Estimate { value: 0.5, interval: None }));
        assert_eq!(scores(&[1.0, 2.0], &[3.0]).auc(), Some(Estimate { value: 1.0, interval: None }));
        assert_eq!(scores(&[3.0], &[1.0]).auc(), Some(Estimate { value: 0.0, interval: None }));
        assert_eq!((scores(&[], &[1.0]).auc(), scores(&[1.0], &[]).auc()), (None, None));
    }

    #[test]
    fn precision_is_of_one_attack_in_a_hundred_requests() {
        let precision =
            |normal: &[f64], attacks: &[f64]| scores(normal, attacks).average_precision(Some(0.01)).unwrap().value;
        near(precision(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        // Whatever the order within a tie, what is tied is found at once.
        near(precision(&[1.0, 1.0, 1.0], &[1.0]), 0.01);
        // The first attack alone; the second behind one of two normal requests, which are 99 of 100.
        near(precision(&[1.0, 3.0], &[4.0, 2.0]), 0.5 + 0.5 * 0.01 / (0.01 + 0.99 * 0.5));
        assert_eq!(scores(&[1.0], &[]).average_precision(None), None);
    }

    #[test]
    fn attacks_are_found_strictly_above_the_threshold() {
        let normal: Vec<f64> = (0..1_000).map(f64::from).collect();
        let some = scores(&normal, &[997.0, 998.0, 998.5, 2_000.0]);
        assert_eq!((some.false_alarms(0.001), some.false_alarms(0.01)), (1, 10));
        // The second highest normal request has 998.
        near(some.found(0.001).unwrap().found.value, 0.5);
        near(some.found(0.01).unwrap().found.value, 1.0);
        // Of 999, none may be above: the highest is the threshold.
        assert_eq!(scores(&normal[..999], &[]).false_alarms(0.001), 0);
        near(scores(&normal[..999], &[998.0, 999.0]).found(0.001).unwrap().found.value, 0.5);
        assert_eq!(scores(&normal, &[]).found(0.001), None);
        assert_eq!(scores(&[], &[1.0]).found(0.001), None);
    }

    fn few() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec((0_u8..12).prop_map(f64::from), 1..30)
    }

    proptest! {
        /// All measures from their definitions, pair by pair and threshold by threshold.
        #[test]
        fn measures_are_what_their_definitions_say(normal in few(), attacks in few()) {
            let some = scores(&normal, &attacks);
            let pairs = attacks.iter().flat_map(|attack| normal.iter().map(move |normal| (attack, normal)));
            let wins: f64 = pairs.map(|(a, n)| if a > n { 1.0 } else if a == n { 0.5 } else { 0.0 }).sum();
            near(some.auc().unwrap().value, wins / (attacks.len() * normal.len()) as f64);

            let at_least = |scores: &[f64], least: f64| scores.iter().filter(|score| **score >= least).count() as f64;
            let precision: f64 = attacks.iter().map(|least| {
                let found = at_least(&attacks, *least);
                found / (found + at_least(&normal, *least)) / attacks.len() as f64
            }).sum();
            near(some.average_precision(None).unwrap().value, precision);

            for budget in [0.0, 0.1, 0.25, 0.5] {
                let allowed = (normal.len() as f64 * budget).floor() as usize;
                // The best of all thresholds that keep it.
                let keeps = |above: &f64| normal.iter().filter(|score| *score > above).count() <= allowed;
                let best = (0..12).map(f64::from).filter(keeps).map(|above| attacks.iter().filter(|score| **score > above).count()).max().unwrap();
                let found = some.found(budget).unwrap();
                prop_assert_eq!(found.allowed, allowed);
                near(found.found.value, best as f64 / attacks.len() as f64);
            }
        }
    }
}
