//! How well scores tell attacks from normal requests.

/// Share of attacks that average precision is told for.
const PREVALENCE: f64 = 0.01;
/// 97.5 % of a normal distribution is below.
const Z: f64 = 1.959_963_984_540_054;

/// Scores of normal requests and of attacks, each from the lowest up.
pub(super) struct Scores {
    normal: Vec<f64>,
    attacks: Vec<f64>,
}

/// A value, and where it is with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) interval: Option<(f64, f64)>,
}

impl Estimate {
    pub(super) fn interval(self) -> Option<String> {
        self.interval.map(|(low, high)| format!("95 %: {low:.4}..{high:.4}"))
    }
}

/// So many of so many, in Wilson's interval.
pub(super) fn share(hits: usize, of: usize) -> Option<Estimate> {
    let (hits, n) = (hits as f64, of as f64);
    let value = hits / n;
    let middle = (hits + Z * Z / 2.0) / (n + Z * Z);
    let half = Z / (n + Z * Z) * (hits * (1.0 - value) + Z * Z / 4.0).sqrt();
    let interval = ((middle - half).max(0.0), (middle + half).min(1.0));
    (of > 0).then_some(Estimate { value, interval: Some(interval) })
}

impl Scores {
    /// Whether it is an attack, and its score.
    pub(super) fn new(scores: impl Iterator<Item = (bool, f64)>) -> Self {
        let (attacks, normal): (Vec<_>, Vec<_>) = scores.partition(|(is_attack, _)| *is_attack);
        let sorted = |scores: Vec<(bool, f64)>| {
            let mut scores: Vec<f64> = scores.into_iter().map(|(_, score)| score).collect();
            scores.sort_by(f64::total_cmp);
            scores
        };
        Self { normal: sorted(normal), attacks: sorted(attacks) }
    }

    /// Normal requests.
    pub(super) fn normal(&self) -> usize {
        self.normal.len()
    }

    /// How likely an attack scores above a normal request, where a tie counts half; its interval is that of DeLong,
    /// DeLong and Clarke-Pearson (1988), none where nothing varies.
    pub(super) fn auc(&self) -> Option<Estimate> {
        let above: Vec<f64> = self.attacks.iter().map(|score| placed(*score, &self.normal)).collect();
        let below: Vec<f64> = self.normal.iter().map(|score| 1.0 - placed(*score, &self.attacks)).collect();
        let (value, of_attacks) = mean_and_variance(&above)?;
        let (_, of_normal) = mean_and_variance(&below)?;
        let half = Z * (of_attacks / above.len() as f64 + of_normal / below.len() as f64).sqrt();
        let interval = (half > 0.0).then(|| ((value - half).max(0.0), (value + half).min(1.0)));
        Some(Estimate { value, interval })
    }

    /// Precision at each attack found, as if one request of a hundred were one; requests of one score come together.
    pub(super) fn average_precision(&self) -> Option<Estimate> {
        if self.attacks.is_empty() || self.normal.is_empty() {
            return None;
        }
        let labelled = |scores: &[f64], is_attack| scores.iter().map(|score| (*score, is_attack)).collect::<Vec<_>>();
        let mut all = [labelled(&self.attacks, true), labelled(&self.normal, false)].concat();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut recall, mut alarms, mut value) = (0.0, 0.0, 0.0);
        for tied in all.chunk_by(|a, b| a.0 == b.0) {
            let attacks = tied.iter().filter(|(_, is_attack)| *is_attack).count();
            let found = attacks as f64 / self.attacks.len() as f64;
            recall += found;
            alarms += (tied.len() - attacks) as f64 / self.normal.len() as f64;
            value += found * PREVALENCE * recall / (PREVALENCE * recall + (1.0 - PREVALENCE) * alarms);
        }
        Some(Estimate { value, interval: None })
    }

    /// Normal requests that are so many of a thousand.
    pub(super) fn false_alarms(&self, per_mille: u64) -> usize {
        (self.normal.len() as u64 * per_mille / 1_000) as usize
    }

    /// Share of attacks above all but so many of a thousand normal requests. The interval takes that threshold as given.
    pub(super) fn found(&self, per_mille: u64) -> Option<Estimate> {
        let threshold = self.normal.iter().rev().nth(self.false_alarms(per_mille))?;
        let missed = self.attacks.partition_point(|score| score <= threshold);
        share(self.attacks.len() - missed, self.attacks.len())
    }
}

/// The share of sorted scores below this one, a tie as a half.
fn placed(score: f64, sorted: &[f64]) -> f64 {
    let below = sorted.partition_point(|other| *other < score);
    let not_above = sorted.partition_point(|other| *other <= score);
    (below + not_above) as f64 / 2.0 / sorted.len() as f64
}

/// The variance is 0 of a single value.
fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (!values.is_empty() && mean.is_finite()).then_some((mean, squares / (n - 1.0).max(1.0)))
}

#[cfg(test)]
mod tests {
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
        let variance = (2.0 * (1.0_f64 / 12.0).powi(2)) / 2.0 + (2.0 * 0.0625 + 0.25) / 2.0 / 3.0;
        near(some.interval.unwrap().0, 0.75 - Z * variance.sqrt());
        near(some.interval.unwrap().1, 1.0);
        assert_eq!(scores(&[1.0; 4], &[1.0; 3]).auc(), Some(Estimate { value: 0.5, interval: None }));
        assert_eq!(scores(&[1.0, 2.0], &[3.0]).auc(), Some(Estimate { value: 1.0, interval: None }));
        assert_eq!(scores(&[3.0], &[1.0]).auc(), Some(Estimate { value: 0.0, interval: None }));
        assert_eq!((scores(&[], &[1.0]).auc(), scores(&[1.0], &[]).auc()), (None, None));
    }

    #[test]
    fn precision_is_of_one_attack_in_a_hundred_requests() {
        let precision = |normal: &[f64], attacks: &[f64]| scores(normal, attacks).average_precision().unwrap().value;
        near(precision(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        // Whatever the order within a tie, what is tied is found at once.
        near(precision(&[1.0, 1.0, 1.0], &[1.0]), 0.01);
        // The first attack alone; the second behind one of two normal requests, which are 99 of 100.
        near(precision(&[1.0, 3.0], &[4.0, 2.0]), 0.5 + 0.5 * 0.01 / (0.01 + 0.99 * 0.5));
        assert_eq!(scores(&[1.0], &[]).average_precision(), None);
    }

    #[test]
    fn attacks_are_found_strictly_above_the_threshold() {
        let normal: Vec<f64> = (0..1_000).map(f64::from).collect();
        let some = scores(&normal, &[997.0, 998.0, 998.5, 2_000.0]);
        assert_eq!((some.false_alarms(1), some.false_alarms(10)), (1, 10));
        // The second highest normal request has 998.
        near(some.found(1).unwrap().value, 0.5);
        near(some.found(10).unwrap().value, 1.0);
        // Of 999, none may be above: the highest is the threshold.
        assert_eq!(scores(&normal[..999], &[]).false_alarms(1), 0);
        near(scores(&normal[..999], &[998.0, 999.0]).found(1).unwrap().value, 0.5);
        assert_eq!(scores(&normal, &[]).found(1), None);
        assert_eq!(scores(&[], &[1.0]).found(1), None);
    }

    #[test]
    fn a_share_is_in_wilsons_interval() {
        let interval = |hits, of| share(hits, of).unwrap().interval.unwrap();
        // E. B. Wilson (1927), as in R: binom::binom.wilson.
        near(interval(5, 10).0, 0.236_6);
        near(interval(5, 10).1, 0.763_4);
        near(interval(0, 10).0, 0.0);
        near(interval(0, 10).1, 0.277_5);
        near(interval(10, 10).0, 0.722_5);
        assert_eq!(share(0, 0), None);
    }
}
