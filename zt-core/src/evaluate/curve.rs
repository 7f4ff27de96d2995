//! Curves over all thresholds, thinned to what can be drawn.

use serde::{Deserialize, Serialize};

use super::scores::{Scores, precision};

/// Steps of the share of attacks found that are kept, and how much larger a share of false alarms is at the next point.
const STEP: f64 = 0.0025;
const GROWTH: f64 = 1.02;

/// What is called an attack from a score on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The score, itself included.
    pub threshold: f64,
    /// Share of normal requests.
    pub false_alarms: f64,
    /// Share of attacks: recall.
    pub found: f64,
    /// Of all that is, the share that are attacks, of those here.
    pub precision: f64,
    /// The same where one request of a hundred is an attack.
    pub precision_at_1_percent: f64,
}

/// From the highest threshold to the lowest: at most some thousand points, more of them where there are few false alarms. Empty
/// where there are no attacks or no normal requests.
pub(super) fn points(scores: &Scores) -> Vec<Point> {
    let (normal, attacks) = (scores.normal() as f64, scores.attacks() as f64);
    if scores.normal() == 0 || scores.attacks() == 0 {
        return Vec::new();
    }
    let (mut above, mut found) = (0_usize, 0_usize);
    let mut kept: Vec<Point> = Vec::new();
    let ties = scores.ties();
    let last = ties.len().saturating_sub(1);
    for (at, tie) in ties.iter().enumerate() {
        above = above.saturating_add(tie.normal);
        found = found.saturating_add(tie.attacks);
        let (false_alarms, found) = (above as f64 / normal, found as f64 / attacks);
        let is_far = kept.last().is_none_or(|before| {
            found - before.found >= STEP
                || false_alarms > (before.false_alarms * GROWTH).max(before.false_alarms + 1e-5)
        });
        if is_far || at == last {
            kept.push(Point {
                threshold: tie.score,
                false_alarms,
                found,
                precision: precision(found, false_alarms, scores.prevalence()),
                precision_at_1_percent: precision(found, false_alarms, 0.01),
            });
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn points_are_what_their_threshold_says(rows in proptest::collection::vec((any::<bool>(), (0_u8..9).prop_map(f64::from)), 1..60)) {
            let scores = Scores::new(rows.clone().into_iter());
            let points = points(&scores);
            let of = |attack: bool, least: f64| {
                let all = rows.iter().filter(|(is_attack, _)| *is_attack == attack);
                let above = all.clone().filter(|(_, score)| *score >= least).count();
                (above as f64, all.count() as f64)
            };
            for point in &points {
                let ((found, attacks), (alarms, normal)) = (of(true, point.threshold), of(false, point.threshold));
                prop_assert_eq!((point.found, point.false_alarms), (found / attacks, alarms / normal));
                prop_assert!((point.precision - found / (found + alarms)).abs() < 1e-9);
            }
            if let Some(last) = points.last() {
                prop_assert_eq!((last.found, last.false_alarms), (1.0, 1.0));
            }
        }
    }

    #[test]
    fn many_scores_are_few_points() {
        let rows = (0..200_000).map(|at| (at % 3 == 0, f64::from(at * 7_919 % 200_003)));
        let points = points(&Scores::new(rows));
        assert!((300..2_000).contains(&points.len()), "{}", points.len());
    }
}
