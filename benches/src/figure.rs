//! What is reported: a table for people, JSON for tools.

use std::fmt;

use serde_json::{Value, json};

/// Digits behind the point, unless a figure says otherwise.
const DIGITS: usize = 2;

/// One measured figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What.
    pub figure: String,
    /// How much; nothing when it could not be measured.
    pub value: Option<f64>,
    /// Of what.
    pub unit: &'static str,
    /// Digits behind the point that the table shows.
    pub digits: usize,
    /// What it should be.
    pub target: Option<Target>,
    /// The same by others, or what it is compared with.
    pub peer: String,
    /// Why there is no value.
    pub reason: Option<String>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(DIGITS);
        match self {
            Self::AtMost(bound) => write!(f, "<= {bound:.digits$}"),
            Self::AtLeast(bound) => write!(f, ">= {bound:.digits$}"),
        }
    }
}

impl Figure {
    /// A measured figure with nothing to meet.
    pub fn new(figure: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let figure = figure.into();
        Self { figure, value: Some(value), unit, digits: DIGITS, target: None, peer: String::new(), reason: None }
    }

    /// A figure that could not be measured.
    pub fn missing(figure: impl Into<String>, unit: &'static str, reason: impl Into<String>) -> Self {
        Self { value: None, reason: Some(reason.into()), ..Self::new(figure, 0.0, unit) }
    }

    /// With the most it should be.
    pub fn at_most(self, bound: f64) -> Self {
        Self { target: Some(Target::AtMost(bound)), ..self }
    }

    /// With the least it should be.
    pub fn at_least(self, bound: f64) -> Self {
        Self { target: Some(Target::AtLeast(bound)), ..self }
    }

    /// Shown with so many digits behind the point.
    pub fn to_digits(self, digits: usize) -> Self {
        Self { digits, ..self }
    }

    /// With what it is compared with.
    pub fn beside(mut self, peer: impl Into<String>) -> Self {
        self.peer = peer.into();
        self
    }

    /// Whether it meets its target.
    pub fn met(&self) -> Option<bool> {
        let value = self.value?;
        Some(match self.target? {
            Target::AtMost(bound) => value <= bound,
            Target::AtLeast(bound) => value >= bound,
        })
    }

    /// The target, as it is shown.
    fn bound(&self) -> Option<String> {
        self.target.map(|target| format!("{target:.0$}", self.digits))
    }

    fn to_json(&self) -> Value {
        json!({
            "figure": self.figure, "value": self.value, "unit": self.unit,
            "target": self.bound(), "met": self.met(),
            "peer": self.peer, "reason": self.reason,
        })
    }
}

/// The table.
pub fn table(figures: &[Figure]) -> String {
    let rows = figures.iter().map(|figure| {
        let shown = |value: f64| format!("{value:.0$} {1}", figure.digits, figure.unit);
        let value = figure.value.map_or_else(|| figure.reason.clone().unwrap_or_default(), shown);
        let target = figure.bound().unwrap_or_default();
        let met = match figure.met() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        format!("{:<46} {value:>14} {target:>10} {met:<7} {}", figure.figure, figure.peer)
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// The document of `--json`.
pub fn document(name: &str, machine: &str, date: &str, figures: &[Figure]) -> Value {
    let figures: Vec<Value> = figures.iter().map(Figure::to_json).collect();
    json!({"name": name, "machine": machine, "date": date, "figures": figures})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_at_its_bound() {
        let figure = Figure::new("x", 2.0, "ratio");
        assert_eq!(figure.met(), None);
        assert_eq!(figure.clone().at_most(2.0).met(), Some(true));
        assert_eq!(figure.clone().at_least(2.0).met(), Some(true));
        assert_eq!(figure.clone().at_most(1.9).met(), Some(false));
        assert_eq!(figure.at_least(2.1).met(), Some(false));
        assert_eq!(Figure::missing("x", "us", "why").at_least(0.0).met(), None);
    }

    #[test]
    fn a_figure_and_its_target_are_shown_alike() {
        let figure = Figure::new("x", 0.9991, "share").at_least(0.998);
        assert_eq!(figure.bound().as_deref(), Some(">= 1.00"));
        let figure = figure.to_digits(4);
        assert_eq!(figure.bound().as_deref(), Some(">= 0.9980"));
        assert!(table(&[figure]).contains("0.9991 share  >= 0.9980 met"));
    }
}
