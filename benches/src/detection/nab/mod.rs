//! Series over time, by the rules of the Numenta Anomaly Benchmark.

mod corpus;
mod detectors;
mod scorer;

use std::hint::black_box;
use std::time::Instant;

use zt_benches::figure::Figure;
use zt_core::anomaly::Series;

use self::corpus::Recorded;
use self::detectors::PEERS;
use self::scorer::{Judge, Profile};

/// The benchmark's, each with its title.
const PROFILES: [(&str, &str); 3] =
    [("standard", "standard"), ("reward_low_FP_rate", "low FP"), ("reward_low_FN_rate", "low FN")];
/// Of the first of them.
const TARGET: f64 = 58.0;
const UNIT: &str = "of 100";

/// The rows of series.
pub(super) fn figures() -> Vec<Figure> {
    measured().unwrap_or_else(|reason| vec![Figure::missing("NAB, a part: standard", UNIT, reason)])
}

fn measured() -> Result<Vec<Figure>, String> {
    let (series, profiles) = (corpus::load()?, corpus::json("profiles.json")?);
    let judge = Judge::new(&series);
    let start = Instant::now();
    let scores: Vec<Vec<f64>> = series.iter().map(|one| black_box(detectors::zt(one))).collect();
    let points: usize = series.iter().map(|one| one.times.len()).sum();
    let micros = start.elapsed().as_secs_f64() * 1e6 / points.max(1) as f64;
    let peers = PEERS.map(|(name, detector)| (name, of_each(&series, detector)));
    let mut figures = Vec::new();
    for (name, title) in PROFILES {
        let profile = Profile::of(&profiles, name).ok_or_else(|| format!("no profile `{name}`"))?;
        let best = judge.best(&scores, profile);
        let others = peers.iter().map(|(name, scores)| format!("{name}: {:.1}", judge.best(scores, profile).score));
        let figure = Figure::new(format!("NAB, a part: {title}"), best.score, UNIT).to_digits(1);
        let beside = others.collect::<Vec<_>>().join("; ");
        if name != "standard" {
            figures.push(figure.beside(beside));
            continue;
        }
        let told = format!(
            "{beside}; thresholds are the best on what is scored, as NAB has it ({:.3}); {} of NAB's 58 series",
            best.threshold,
            series.len()
        );
        figures.push(figure.at_least(TARGET).beside(told));
        let given = judge.at(Series::ALARM, &scores, profile);
        let title = format!("NAB, a part: standard at {:.1}", Series::ALARM);
        figures.push(
            Figure::new(title, given.score, UNIT).to_digits(1).beside("the threshold that zt has for all series"),
        );
    }
    let memory = format!("{} bytes a series", size_of::<Series>());
    figures.push(Figure::new("NAB, a part: to score and learn a point", micros, "us").beside(memory));
    Ok(figures)
}

fn of_each(series: &[Recorded], detector: fn(&Recorded) -> Vec<f64>) -> Vec<Vec<f64>> {
    series.iter().map(detector).collect()
}
