//! A report for people.

use std::fmt::Write as _;

use super::alarms::{Alarms, Budgeted};
use super::estimate::Estimate;
use super::report::{Part, Report, Step};
use super::scores::Found;

/// Where nothing can be said.
const NOTHING: &str = "-";

impl Report {
    /// As Markdown: what a reader has to know first, then tables.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("# Evaluation\n\n");
        for note in &self.notes {
            line(&mut text, &format!("> **{}**\n", cell(note)));
        }
        let mut counted = vec![format!("{} normal requests, {} attacks", self.normal, self.attacks)];
        if self.without_label > 0 {
            counted.push(format!("{} without a label, in no measure", self.without_label));
        }
        if self.without_score > 0 {
            counted.push(format!("{} without a score, in no measure", self.without_score));
        }
        if let Some(number) = self.calibrated_on {
            counted.push(format!("the baseline's scores are those of {number} requests"));
        }
        line(&mut text, &format!("{}. Intervals are of 95 %.\n", counted.join("; ")));
        self.ranking(&mut text);
        self.thresholds(&mut text);
        parts(&mut text, "Families of attacks", &self.families);
        parts(&mut text, "Inputs", &self.sources);
        self.explained(&mut text);
        text
    }

    fn ranking(&self, text: &mut String) {
        heading(text, "Ranking", &["measure", "value", "interval"]);
        let measures = &self.measures;
        let rows = [
            ("ROC-AUC (DeLong)", measures.auc),
            ("average precision", measures.average_precision),
            ("average precision, 1 % attacks", measures.average_precision_at_1_percent),
        ];
        for (name, estimate) in rows {
            row(text, &[name.to_owned(), value(estimate), interval(estimate.and_then(|estimate| estimate.interval))]);
        }
        for found in &measures.found {
            let name = format!("TPR at {} FPR", percent(found.false_alarms));
            let few = if found.allowed == 0 { " (too few normal requests)" } else { "" };
            let resampled = found.resampled.map(|range| format!("; resampled {}", interval(Some(range))));
            let ends = format!("{}{}{few}", interval(found.found.interval), resampled.unwrap_or_default());
            row(text, &[name, value(Some(found.found)), ends]);
        }
    }

    fn thresholds(&self, text: &mut String) {
        heading(
            text,
            &format!("At the budget of {}", percent(self.budget)),
            &["", "precision", "recall", "F1", "FPR", "found", "missed", "false alarms", "passed"],
        );
        alarms(text, "risk", &self.at_budget);
        self.refused.iter().for_each(|refused| alarms(text, "decision refuses", refused));

        heading(text, "Budgets", &["asked", "FPR kept", "interval", "TPR", ""]);
        for Budgeted { budget, kept, found, calibrated, holds } in &self.calibration {
            let verdict = match (calibrated, holds) {
                (Some(false), _) => "not calibrated: too few requests were learned from",
                (_, Some(true)) => "kept, as far as can be told",
                (_, Some(false)) => "**not kept**",
                (_, None) => NOTHING,
            };
            row(
                text,
                &[
                    percent(*budget),
                    value(*kept),
                    interval(kept.and_then(|kept| kept.interval)),
                    value(*found),
                    verdict.to_owned(),
                ],
            );
        }

        heading(text, "Thresholds", &["score above", "FPR", "TPR", "precision", "F1", "precision, 1 % attacks"]);
        for Step { threshold, false_alarm_rate, recall, precision, f1, precision_at_1_percent } in &self.sweep {
            let numbers =
                [false_alarm_rate, recall, precision, f1, precision_at_1_percent].map(|number| format!("{number:.4}"));
            row(text, &[&[format!("{threshold:.2}")][..], &numbers[..]].concat());
        }
    }

    fn explained(&self, text: &mut String) {
        if self.explanations.is_empty() {
            return;
        }
        heading(
            text,
            "Explanations of planted attacks",
            &["family", "planted", "detected", "first explanation names the place"],
        );
        for explained in &self.explanations {
            let named = format!("{} ({})", explained.named, value(explained.share()));
            row(
                text,
                &[explained.family.clone(), explained.planted.to_string(), explained.detected.to_string(), named],
            );
        }
    }
}

fn parts(text: &mut String, title: &str, parts: &[Part]) {
    if parts.is_empty() {
        return;
    }
    heading(
        text,
        title,
        &[
            "",
            "normal",
            "attacks",
            "TPR at the budget",
            "FPR at the budget",
            "ROC-AUC",
            "TPR at 0.1 % FPR",
            "TPR at 1 % FPR",
        ],
    );
    for part in parts {
        let mut found = part.measures.found.iter().map(|Found { found, .. }| value(Some(*found)));
        let mut next = || found.next().unwrap_or(NOTHING.to_owned());
        row(
            text,
            &[
                cell(&part.name),
                part.normal.to_string(),
                part.attacks.to_string(),
                value(part.recall),
                value(part.false_alarm_rate),
                value(part.measures.auc),
                next(),
                next(),
            ],
        );
    }
}

fn alarms(text: &mut String, name: &str, alarms: &Alarms) {
    let Alarms { found, missed, false_alarms, passed, precision, recall, f1, false_alarm_rate } = alarms;
    let estimates = [*precision, *recall].map(with_interval);
    let f1 = f1.map_or(NOTHING.to_owned(), |f1| format!("{f1:.4}"));
    let counts = [found, missed, false_alarms, passed].map(usize::to_string);
    row(
        text,
        &[&[name.to_owned()][..], &estimates[..], &[f1, with_interval(*false_alarm_rate)][..], &counts[..]].concat(),
    );
}

fn heading(text: &mut String, title: &str, columns: &[&str]) {
    line(text, &format!("## {title}\n"));
    line(text, &format!("| {} |", columns.join(" | ")));
    line(text, &format!("|{}", "---|".repeat(columns.len())));
}

/// A blank line follows the last row of a table when the next heading comes.
fn row(text: &mut String, cells: &[String]) {
    line(text, &format!("| {} |", cells.join(" | ")));
}

fn line(text: &mut String, line: &str) {
    if line.starts_with('#') && !text.ends_with("\n\n") {
        text.push('\n');
    }
    // Writing to a string never fails.
    let _ = writeln!(text, "{line}");
}

fn value(estimate: Option<Estimate>) -> String {
    estimate.map_or(NOTHING.to_owned(), |estimate| format!("{:.4}", estimate.value))
}

fn interval(ends: Option<(f64, f64)>) -> String {
    ends.map_or(NOTHING.to_owned(), |(low, high)| format!("{low:.4}..{high:.4}"))
}

fn with_interval(estimate: Option<Estimate>) -> String {
    let ends = estimate.and_then(|estimate| estimate.interval).map(|ends| format!(" ({})", interval(Some(ends))));
    format!("{}{}", value(estimate), ends.unwrap_or_default())
}

/// `0.1 %`.
fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Names come from files: no cell ends early, and nothing is markup.
fn cell(text: &str) -> String {
    let one = |c: char| match c {
        '|' | '<' | '>' | '`' | '*' | '[' | ']' | '\\' | '#' => format!("\\{c}"),
        c if c.is_control() => " ".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Row, evaluate};
    use super::*;

    #[test]
    fn names_from_files_are_no_markup() {
        let row = |label, source| Row { label: Some(label), score: 1.0, risk: 0.0, passes: None, source: Some(source) };
        let mut report = evaluate(&[row("a|b\n# c", "x"), row("<b>", "y"), row("normal", "x")], &Options::default());
        report.notes.push("two\nlines".to_owned());
        let text = report.to_markdown();
        assert!(
            text.contains("| a\\|b \\# c |") && text.contains("| \\<b\\> |") && text.contains("**two lines**"),
            "{text}"
        );
        assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 7, "{text}");
    }

    #[test]
    fn shares_are_told_in_percent() {
        assert_eq!([0.001, 0.01, 0.0001, 0.5, 0.0].map(percent), ["0.1 %", "1 %", "0.01 %", "50 %", "0 %"]);
    }
}
