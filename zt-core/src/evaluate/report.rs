//! Rows in, a report out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alarms::{Alarms, Budgeted};
use super::curve::{self, Point};
use super::estimate::Estimate;
use super::explanations::Explained;
use super::resample::{Samples, middle};
use super::scores::{Found, Scores, precision};
use crate::model::Event;

/// Shares of false alarms that attacks are counted at.
const FALSE_ALARMS: [f64; 2] = [0.001, 0.01];
/// Budgets that are looked at beside the one that is asked.
const BUDGETS: [f64; 5] = [0.0001, 0.001, 0.005, 0.01, 0.05];
/// Shares of false alarms of the sweep.
const STEPS: [f64; 10] = [0.0, 0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];

/// One request that was scored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'r> {
    /// `normal`, or a family of attacks; without one the row is left out of every measure and counted.
    pub label: Option<&'r str>,
    /// How strange it is; one that is not a number is left out and counted.
    pub score: f64,
    /// As of a decision: 1 less the share of normal requests that would score as high.
    pub risk: f64,
    /// Whether the decision let it pass, where one was made.
    pub passes: Option<bool>,
    /// Which input it is of.
    pub source: Option<&'r str>,
}

impl Row<'_> {
    /// None without a label.
    pub(super) fn is_attack(&self) -> Option<bool> {
        self.label.map(|label| label != Event::NORMAL)
    }

    /// Whether its risk calls it an attack at a budget.
    pub(super) fn is_within(&self, budget: f64) -> bool {
        self.risk >= 1.0 - budget
    }
}

/// What is asked beside the rows.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Share of normal requests that may be called attacks.
    pub budget: f64,
    /// Requests that the baseline's scores were taken of, where it is known.
    pub calibrated_on: Option<u64>,
    /// Of the numbers that samples are drawn by.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { budget: 0.001, calibrated_on: None, seed: 1 }
    }
}

/// How well scores tell attacks from normal requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Normal requests.
    pub normal: usize,
    /// Attacks.
    pub attacks: usize,
    /// Rows without a label, which no measure counts.
    pub without_label: usize,
    /// Rows whose score is not a number, which no measure counts.
    pub without_score: usize,
    /// Share of normal requests that may be called attacks.
    pub budget: f64,
    /// Requests that the baseline's scores were taken of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrated_on: Option<u64>,
    /// What is called an attack at that budget.
    pub at_budget: Alarms,
    /// What the decisions refused, of rows that say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Alarms>,
    /// Measures of the whole ranking.
    pub measures: Measures,
    /// Each family of attacks against all normal requests.
    pub families: Vec<Part>,
    /// The requests of each input by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Part>,
    /// Thresholds by the false alarms that they make here.
    pub sweep: Vec<Step>,
    /// Budgets that were asked, and what became of them.
    pub calibration: Vec<Budgeted>,
    /// ROC and precision-recall curve.
    pub curve: Vec<Point>,
    /// Samples that intervals were made of; 0 where there was nothing to draw from.
    pub samples: usize,
    /// Of the numbers that they were drawn by.
    pub seed: u64,
    /// What is said of attacks whose place is known, where there are such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanations: Vec<Explained>,
    /// What a reader has to know before the figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Measures that need no threshold, or one that is made of the requests themselves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Area under the ROC curve, in DeLong's interval.
    pub auc: Option<Estimate>,
    /// Average precision of these rows, in an interval by resampling.
    pub average_precision: Option<Estimate>,
    /// The same where one request of a hundred is an attack.
    pub average_precision_at_1_percent: Option<Estimate>,
    /// Attacks found at 0.1 % and 1 % of false alarms.
    pub found: Vec<Found>,
}

/// Some of the requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The family or the input.
    pub name: String,
    /// Normal requests that its attacks are compared with.
    pub normal: usize,
    /// Attacks.
    pub attacks: usize,
    /// Share of its attacks that is found at the budget.
    pub recall: Option<Estimate>,
    /// Share of its normal requests that is called an attack at the budget.
    pub false_alarm_rate: Option<Estimate>,
    /// Measures of the ranking; without intervals by resampling.
    pub measures: Measures,
}

/// One threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What scores more is called an attack.
    pub threshold: f64,
    /// Share of normal requests.
    pub false_alarm_rate: f64,
    /// Share of attacks.
    pub recall: f64,
    /// Of these rows.
    pub precision: f64,
    /// Of these rows.
    pub f1: f64,
    /// Where one request of a hundred is an attack.
    pub precision_at_1_percent: f64,
}

/// Measures rows. The same rows in the same order and the same options give the same report, bit for bit.
pub fn evaluate(rows: &[Row<'_>], options: &Options) -> Report {
    let measured: Vec<Row<'_>> =
        rows.iter().filter(|row| row.label.is_some() && row.score.is_finite()).copied().collect();
    let Options { budget, calibrated_on, seed } = *options;
    let scores = scores(measured.iter());
    let samples = Samples::of(&scores, &FALSE_ALARMS, seed).unwrap_or_default();
    let number = samples.number();
    let called = |row: &Row<'_>| Some((row.is_attack()?, row.is_within(budget)));
    let refused = |row: &Row<'_>| Some((row.is_attack()?, !row.passes?));
    let decided = measured.iter().any(|row| row.passes.is_some());
    let mut budgets: Vec<f64> = BUDGETS.iter().copied().chain([budget]).collect();
    budgets.sort_by(f64::total_cmp);
    budgets.dedup();
    let mut sweep: Vec<Step> = STEPS.iter().filter_map(|share| Step::of(&scores, *share)).collect();
    sweep.dedup_by(|next, before| next.threshold == before.threshold);
    Report {
        normal: scores.normal(),
        attacks: scores.attacks(),
        without_label: rows.iter().filter(|row| row.label.is_none()).count(),
        without_score: rows.iter().filter(|row| row.label.is_some() && !row.score.is_finite()).count(),
        budget,
        calibrated_on,
        at_budget: Alarms::of(measured.iter().filter_map(called)),
        refused: decided.then(|| Alarms::of(measured.iter().filter_map(refused))),
        measures: Measures::of(&scores, samples),
        families: families(&measured, budget),
        sources: sources(&measured, budget),
        sweep,
        calibration: budgets.into_iter().map(|budget| Budgeted::of(&measured, budget, calibrated_on)).collect(),
        curve: curve::points(&scores),
        samples: number,
        seed,
        explanations: Vec::new(),
        notes: Vec::new(),
    }
}

fn scores<'r>(rows: impl Iterator<Item = &'r Row<'r>>) -> Scores {
    Scores::new(rows.filter_map(|row| Some((row.is_attack()?, row.score))))
}

/// Those of one family come with all that is normal; a single family is the whole.
fn families(rows: &[Row<'_>], budget: f64) -> Vec<Part> {
    let mut by_family: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_attack() == Some(true)) {
        by_family.entry(row.label.unwrap_or_default()).or_default().push(*row);
    }
    let normal: Vec<Row<'_>> = rows.iter().filter(|row| row.is_attack() == Some(false)).copied().collect();
    let parts = by_family.into_iter().filter(|(_, own)| own.len() < rows.len().saturating_sub(normal.len()));
    parts.map(|(name, own)| Part::of(name, &[&own[..], &normal[..]].concat(), budget)).collect()
}

/// A single one is the whole.
fn sources(rows: &[Row<'_>], budget: f64) -> Vec<Part> {
    let mut by_source: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for row in rows {
        by_source.entry(row.source.unwrap_or_default()).or_default().push(*row);
    }
    let parts = by_source.into_iter().filter(|(_, own)| own.len() < rows.len());
    parts.map(|(name, own)| Part::of(name, &own, budget)).collect()
}

impl Part {
    fn of(name: &str, rows: &[Row<'_>], budget: f64) -> Self {
        let scores = scores(rows.iter());
        let alarms = Alarms::of(rows.iter().filter_map(|row| Some((row.is_attack()?, row.is_within(budget)))));
        Self {
            name: name.to_owned(),
            normal: scores.normal(),
            attacks: scores.attacks(),
            recall: alarms.recall,
            false_alarm_rate: alarms.false_alarm_rate,
            measures: Measures::of(&scores, Samples::default()),
        }
    }
}

impl Measures {
    fn of(scores: &Scores, samples: Samples) -> Self {
        let within = |estimate: Option<Estimate>, samples| Some(Estimate { interval: middle(samples), ..estimate? });
        let mut resampled = samples.found.into_iter().map(middle);
        let found = FALSE_ALARMS.iter().filter_map(|share| {
            let resampled = resampled.next().flatten();
            Some(Found { resampled, ..scores.found(*share)? })
        });
        Self {
            auc: scores.auc(),
            found: found.collect(),
            average_precision: within(scores.average_precision(None), samples.average_precision),
            average_precision_at_1_percent: within(
                scores.average_precision(Some(0.01)),
                samples.average_precision_at_1_percent,
            ),
        }
    }
}

impl Step {
    fn of(scores: &Scores, share: f64) -> Option<Self> {
        let Found { threshold, found, .. } = scores.found(share)?;
        let (recall, false_alarm_rate) = (found.value, scores.above(threshold));
        let precise = |prevalence| precision(recall, false_alarm_rate, prevalence);
        let here = precise(scores.prevalence());
        let f1 = if here + recall > 0.0 { 2.0 * here * recall / (here + recall) } else { 0.0 };
        Some(Self { threshold, false_alarm_rate, recall, precision: here, f1, precision_at_1_percent: precise(0.01) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(label: &'static str, score: f64, source: &'static str) -> Row<'static> {
        Row { label: Some(label), score, risk: score / 100.0, passes: None, source: Some(source) }
    }

    fn rows() -> Vec<Row<'static>> {
        let normal = (0..2_000).map(|at| row("normal", f64::from(at % 90), "a.jsonl"));
        let sqli = (0..50).map(|at| row("sqli", 60.0 + f64::from(at), "a.jsonl"));
        let xss = (0..50).map(|at| row("xss", f64::from(at), "b.jsonl"));
        normal.chain(sqli).chain(xss).collect()
    }

    #[test]
    fn rows_are_counted_by_family_and_source() {
        let mut all = rows();
        all.push(Row { label: None, ..row("", 5.0, "b.jsonl") });
        all.push(row("xss", f64::NAN, "b.jsonl"));
        let report = evaluate(&all, &Options { budget: 0.05, calibrated_on: Some(5_000), seed: 7 });
        assert_eq!((report.normal, report.attacks, report.without_label, report.without_score), (2_000, 100, 1, 1));
        // Risks of 0.95 and above are those of scores of 95 and above.
        assert_eq!((report.at_budget.found, report.at_budget.false_alarms), (15, 0));
        assert_eq!(
            report.families.iter().map(|part| (&part.name[..], part.attacks, part.normal)).collect::<Vec<_>>(),
            [("sqli", 50, 2_000), ("xss", 50, 2_000)]
        );
        assert_eq!(
            report.sources.iter().map(|part| (&part.name[..], part.attacks, part.normal)).collect::<Vec<_>>(),
            [("a.jsonl", 50, 2_000), ("b.jsonl", 50, 0)]
        );
        assert!(report.families[0].measures.auc.unwrap().value > 0.9 && report.sources[1].measures.auc.is_none());
        assert_eq!(report.calibration.len(), 5);
        assert_eq!(report.calibration[0].calibrated, Some(false));
        assert_eq!(report.refused, None);
        assert_eq!(report, evaluate(&all, &Options { budget: 0.05, calibrated_on: Some(5_000), seed: 7 }));
        let auc = report.measures.auc.unwrap();
        assert!(auc.interval.unwrap().0 < auc.value && report.samples == 1_000);
    }

    #[test]
    fn a_report_reads_back_and_nothing_is_measured_of_nothing() {
        for rows in [rows(), Vec::new(), vec![row("normal", 1.0, "a")], vec![row("sqli", 1.0, "a")]] {
            let report = evaluate(&rows, &Options::default());
            let text = serde_json::to_string(&report).unwrap();
            let back: Report = serde_json::from_str(&text).unwrap();
            assert_eq!((back.at_budget.found, &back.families.len()), (report.at_budget.found, &report.families.len()));
            assert!(!report.to_markdown().contains("NaN"), "{}", report.to_markdown());
        }
    }

    #[test]
    fn decisions_are_measured_where_they_were_made() {
        let mut rows = rows();
        rows.iter_mut().for_each(|row| row.passes = Some(row.score < 95.0));
        let refused = evaluate(&rows, &Options::default()).refused.unwrap();
        assert_eq!((refused.found, refused.missed, refused.false_alarms), (15, 85, 0));
    }
}
