//! The benchmark's rules (A. Lavin and S. Ahmad, "Evaluating real-time anomaly detection algorithms", 2015): of each window
//! the best detection counts, the more the earlier it is; one outside counts against, the less the closer it is behind one; a
//! window without any counts against.

use std::collections::BTreeMap;

use serde_json::Value;

use super::corpus::Recorded;

/// What counts how much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    pub(super) true_positive: f64,
    pub(super) false_positive: f64,
    pub(super) false_negative: f64,
}

impl Profile {
    /// One of the benchmark's.
    pub(super) fn of(profiles: &Value, name: &str) -> Option<Self> {
        let weight = |weight: &str| profiles[name]["CostMatrix"][weight].as_f64();
        Some(Self {
            true_positive: weight("tpWeight")?,
            false_positive: weight("fpWeight")?,
            false_negative: weight("fnWeight")?,
        })
    }
}

/// Rows that are judged, of all series one after the other.
pub(super) struct Judge {
    rows: Vec<Row>,
    /// Rows of each series at its start that are not.
    probation: Vec<usize>,
    windows: usize,
}

/// What a detection here is worth, before its weight.
#[derive(Clone, Copy, Debug)]
struct Row {
    window: Option<usize>,
    worth: f64,
}

/// A threshold, and what it makes of 100: 0 for no detection at all, 100 for the first row of each window and no other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) threshold: f64,
    pub(super) score: f64,
}

impl Judge {
    pub(super) fn new(series: &[Recorded]) -> Self {
        let mut judge = Self { rows: Vec::new(), probation: Vec::new(), windows: 0 };
        for one in series {
            let skipped = probation(one.times.len());
            judge.rows.extend(rows(one, judge.windows).into_iter().skip(skipped));
            judge.probation.push(skipped);
            judge.windows += one.windows.len();
        }
        judge
    }

    /// The best of all thresholds, as the benchmark has it: it is found in what is scored.
    pub(super) fn best(&self, scores: &[Vec<f64>], profile: Profile) -> Outcome {
        let all = self.outcomes(scores, profile);
        all.into_iter().max_by(|a, b| a.score.total_cmp(&b.score)).unwrap_or(Outcome { threshold: 1.0, score: 0.0 })
    }

    /// Of a threshold that was given.
    pub(super) fn at(&self, threshold: f64, scores: &[Vec<f64>], profile: Profile) -> Outcome {
        let all = self.outcomes(scores, profile);
        let last = all.iter().take_while(|outcome| outcome.threshold >= threshold).last();
        Outcome { threshold, score: last.map_or(0.0, |outcome| outcome.score) }
    }

    /// Of every score that was given as a threshold, from the highest down; a score of 0 is no detection.
    fn outcomes(&self, scores: &[Vec<f64>], profile: Profile) -> Vec<Outcome> {
        let judged = scores.iter().zip(&self.probation).flat_map(|(scores, skipped)| scores.iter().skip(*skipped));
        let mut rows: Vec<(f64, Row)> = judged.copied().zip(self.rows.iter().copied()).collect();
        rows.retain(|(score, _)| *score > 0.0);
        rows.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let missed = -profile.false_negative;
        // What cannot be found is not missed.
        let reachable: BTreeMap<usize, f64> =
            self.rows.iter().filter_map(|row| row.window).map(|window| (window, missed)).collect();
        let (mut total, mut best) = (missed * reachable.len() as f64, reachable);
        let none = missed * self.windows as f64;
        let all = self.windows as f64 * profile.true_positive;
        let mut outcomes = Vec::new();
        for tied in rows.chunk_by(|(a, _), (b, _)| a == b) {
            for (_, row) in tied {
                match row.window.and_then(|window| best.get_mut(&window)) {
                    None => total += row.worth * profile.false_positive,
                    Some(best) => {
                        let better = best.max(row.worth * profile.true_positive);
                        total += better - *best;
                        *best = better;
                    }
                }
            }
            let threshold = tied.first().map_or(0.0, |(score, _)| *score);
            outcomes.push(Outcome { threshold, score: 100.0 * (total - none) / (all - none) });
        }
        outcomes
    }
}

/// Rows at the start of a series that are not judged.
pub(super) fn probation(rows: usize) -> usize {
    (rows * 15 / 100).min(750)
}

/// A window that a row is in or behind.
#[derive(Clone, Copy)]
struct Window {
    number: usize,
    /// Its last row.
    end: usize,
    rows: f64,
}

/// All rows of a series, whose first window has this number.
fn rows(series: &Recorded, first: usize) -> Vec<Row> {
    let at = |time| series.times.iter().position(|other| *other == time);
    let mut windows = series.windows.iter().enumerate().peekable();
    let (mut within, mut behind): (Option<Window>, Option<Window>) = (None, None);
    let mut rows = Vec::with_capacity(series.times.len());
    for (row, time) in series.times.iter().enumerate() {
        if let Some((number, (start, end))) = windows.next_if(|(_, (start, _))| start == time) {
            let (start, end) = (at(*start).unwrap_or(row), at(*end).unwrap_or(row));
            within = Some(Window { number, end, rows: (end + 1 - start.min(end)) as f64 });
        }
        let Some(window) = within else {
            let distance = |window: Window| (row - window.end) as f64 / (window.rows - 1.0);
            let worth = behind.map_or(-1.0, |window| sigmoid(distance(window)));
            rows.push(Row { window: None, worth });
            continue;
        };
        let early = window.end as f64 - row as f64 + 1.0;
        let worth = sigmoid(-early / window.rows) / sigmoid(-1.0);
        rows.push(Row { window: Some(first + window.number), worth });
        if series.windows.get(window.number).is_some_and(|(_, end)| end == time) {
            (within, behind) = (None, Some(Window { end: row, ..window }));
        }
    }
    rows
}

/// From 1 far before to -1 far behind the end of a window; its length is 1.
fn sigmoid(distance: f64) -> f64 {
    if distance > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * distance).exp()) - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: Profile = Profile { true_positive: 1.0, false_positive: 0.1, false_negative: 1.0 };

    /// A hundred rows, of which 50 to 59 and 80 to 84 are windows.
    fn recorded() -> Recorded {
        Recorded { times: (0..100).collect(), values: vec![0.0; 100], windows: vec![(50, 59), (80, 84)] }
    }

    fn outcome(detections: &[(usize, f64)]) -> Outcome {
        let mut scores = vec![0.0; 100];
        detections.iter().for_each(|(row, score)| scores[*row] = *score);
        Judge::new(&[recorded()]).best(&[scores], EVEN)
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn the_first_rows_of_all_windows_are_all_there_is() {
        near(outcome(&[(50, 0.7), (80, 0.7)]).score, 100.0);
        near(outcome(&[(50, 0.7)]).score, 50.0);
        near(outcome(&[]).score, 0.0);
        // Only the best of a window counts.
        near(outcome(&[(50, 0.7), (53, 0.9), (59, 0.7), (80, 0.7)]).score, 100.0);
    }

    #[test]
    fn later_is_less_and_outside_counts_against() {
        let late = 2.0 / (1.0 + (-0.5_f64).exp()) - 1.0;
        let first = 2.0 / (1.0 + (-5.0_f64).exp()) - 1.0;
        near(outcome(&[(59, 0.7)]).score, 100.0 * (1.0 + late / first) / 4.0);
        near(outcome(&[(20, 0.7), (50, 0.7)]).score, 100.0 * (2.0 - 0.1) / 4.0);
        let behind = 2.0 / (1.0 + (5.0 / 9.0_f64).exp()) - 1.0;
        near(outcome(&[(50, 0.7), (60, 0.7)]).score, 100.0 * (2.0 + 0.1 * behind) / 4.0);
        // What is on probation does not count at all.
        near(outcome(&[(14, 0.9), (50, 0.7)]).score, 50.0);
        near(outcome(&[(15, 0.7), (50, 0.7)]).score, 47.5);
    }

    #[test]
    fn the_best_threshold_or_a_given_one() {
        let found = outcome(&[(50, 0.7), (20, 0.6), (80, 0.5)]);
        near(found.score, 97.5);
        assert_eq!(found.threshold, 0.5);
        assert_eq!(outcome(&[(20, 0.6), (50, 0.7)]).threshold, 0.7);
        let mut scores = vec![0.0; 100];
        (scores[50], scores[20]) = (0.7, 0.6);
        let judge = Judge::new(&[recorded()]);
        near(judge.at(0.65, &[scores.clone()], EVEN).score, 50.0);
        near(judge.at(0.6, &[scores.clone()], EVEN).score, 47.5);
        near(judge.at(0.8, &[scores], EVEN).score, 0.0);
    }

    #[test]
    fn a_window_on_probation_cannot_be_missed() {
        let series = Recorded { windows: vec![(5, 9), (50, 59)], ..recorded() };
        let mut scores = vec![0.0; 100];
        scores[50] = 1.0;
        // Normalised as if it could be found, as the benchmark has it.
        near(Judge::new(&[series]).best(&[scores], EVEN).score, 75.0);
        assert_eq!((probation(99), probation(100_000)), (14, 750));
    }
}
