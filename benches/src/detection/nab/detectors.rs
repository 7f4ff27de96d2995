//! What scores each point of a series in its order: zt, and what it is compared with.

use std::collections::{BTreeMap, VecDeque};

use zt_core::anomaly::Series;

use super::corpus::Recorded;
use super::scorer::probation;
use crate::detection::forest::Forest;

const DAY: i64 = 86_400_000;
/// Of the windowed Gaussian, as the benchmark has it: points it knows, and how many it learns at once.
const WINDOW: usize = 6_400;
const STEP: usize = 100;

/// By its name.
pub(super) type Detector = (&'static str, fn(&Recorded) -> Vec<f64>);

pub(super) const PEERS: [Detector; 3] =
    [(Forest::NAME, forest), ("seasonal EWMA", seasonal), ("windowed Gaussian", gaussian)];

pub(super) fn zt(recorded: &Recorded) -> Vec<f64> {
    let mut series = Series::new();
    let points = recorded.times.iter().zip(&recorded.values);
    points.map(|(time, value)| series.push(*time, *value).score).collect()
}

/// On the last eight points.
fn forest(recorded: &Recorded) -> Vec<f64> {
    let (mut forest, mut refractory) = (Forest::of_series(), Refractory::new(recorded));
    recorded.values.iter().map(|value| refractory.push(forest.push(&[*value]))).collect()
}

/// Deviations from a mean of each quarter of an hour of the day, which moves by a tenth at least.
fn seasonal(recorded: &Recorded) -> Vec<f64> {
    let (mut bins, mut refractory) = (BTreeMap::new(), Refractory::new(recorded));
    let points = recorded.times.iter().zip(&recorded.values);
    let score = points.map(|(time, value)| {
        let (seen, mean) = bins.entry(time.rem_euclid(DAY) / 900_000).or_insert((0.0, *value));
        *seen += 1.0;
        let residual = value - *mean;
        *mean += residual * f64::max(1.0 / *seen, 0.1);
        refractory.push(residual.abs())
    });
    score.collect()
}

/// Deviations from the mean of a window, without an end where the benchmark's own end at a probability of 1.
fn gaussian(recorded: &Recorded) -> Vec<f64> {
    let (mut window, mut step): (VecDeque<f64>, Vec<f64>) = (VecDeque::new(), Vec::new());
    let (mut sum, mut squares) = (0.0, 0.0);
    let score = recorded.values.iter().map(|value| {
        let count = window.len().max(1) as f64;
        let mean = sum / count;
        let deviation = (squares / count - mean * mean).max(0.0).sqrt();
        let score = if window.is_empty() { 0.0 } else { (value - mean).abs() / deviation.max(1e-6) };
        step.push(*value);
        if window.len() < WINDOW || step.len() == STEP {
            for new in step.drain(..) {
                window.push_back(new);
                let old = if window.len() > WINDOW { window.pop_front().unwrap_or_default() } else { 0.0 };
                sum += new - old;
                squares += new * new - old * old;
            }
        }
        score
    });
    score.collect()
}

/// Makes alarms of scores that go on: how far a score is from their running mean, where that is more than of the last alarm.
struct Refractory {
    quiet: usize,
    seen: usize,
    mean: f64,
    variance: f64,
    bar: f64,
}

impl Refractory {
    fn new(recorded: &Recorded) -> Self {
        let quiet = probation(recorded.times.len()) / 2;
        Self { quiet, seen: 0, mean: 0.0, variance: 0.0, bar: 0.0 }
    }

    fn push(&mut self, score: f64) -> f64 {
        let distance = score - self.mean;
        let deviations = if self.variance > 0.0 { distance / self.variance.sqrt() } else { 0.0 };
        let part = f64::max(1.0 / (self.seen as f64 + 1.0), 1e-3);
        self.seen += 1;
        self.mean += part * distance;
        self.variance += part * (distance * distance - self.variance);
        self.bar = f64::max(0.995 * self.bar, 2.0);
        if self.seen <= self.quiet || deviations <= 1.05 * self.bar {
            return 0.0;
        }
        self.bar = deviations;
        deviations / (deviations + 6.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four weeks of half hours, with one far point.
    fn recorded() -> Recorded {
        let times: Vec<i64> = (0..1_344).map(|number| number * DAY / 48).collect();
        let noise = |number: usize| (number * 7_919 % 101) as f64 / 100.0;
        let mut values: Vec<f64> = (0..times.len()).map(noise).collect();
        values[1_000] = 60.0;
        Recorded { times, values, windows: Vec::new() }
    }

    #[test]
    fn each_finds_what_is_far_and_tells_it_highest() {
        let recorded = recorded();
        for (name, detector) in PEERS.into_iter().chain([("zt", zt as fn(&Recorded) -> Vec<f64>)]) {
            let scores = detector(&recorded);
            assert_eq!(scores.len(), recorded.times.len(), "{name}");
            assert!(scores.iter().all(|score| score.is_finite() && *score >= 0.0), "{name}");
            let judged = probation(scores.len())..scores.len();
            let highest = judged.max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
            assert_eq!(highest, Some(1_000), "{name}");
        }
    }

    #[test]
    fn what_goes_on_is_one_alarm() {
        let mut refractory = Refractory::new(&recorded());
        let noise = |number: usize| (number % 10) as f64;
        assert!((0..500).all(|number| refractory.push(noise(number)) == 0.0));
        assert!(refractory.push(100.0) > 0.5);
        assert_eq!(refractory.push(100.0), 0.0);
    }
}
