//! What is reported: a table for people, JSON for tools.

use serde_json::{Value, json};

/// One measured figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What.
    pub figure: String,
    /// How much; nothing when it could not be measured.
    pub value: Option<f64>,
    /// Of what.
    pub unit: &'static str,
    /// What it should be at most.
    pub at_most: Option<f64>,
    /// The same by others, or what it is compared with.
    pub peer: String,
    /// Why there is no value.
    pub reason: Option<String>,
}

impl Figure {
    /// A measured figure with nothing to meet.
    pub fn new(figure: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let figure = figure.into();
        Self { figure, value: Some(value), unit, at_most: None, peer: String::new(), reason: None }
    }

    /// A figure that could not be measured.
    pub fn missing(figure: impl Into<String>, unit: &'static str, reason: impl Into<String>) -> Self {
        Self { value: None, reason: Some(reason.into()), ..Self::new(figure, 0.0, unit) }
    }

    /// With its target.
    pub fn at_most(mut self, target: f64) -> Self {
        self.at_most = Some(target);
        self
    }

    /// With what it is compared with.
    pub fn beside(mut self, peer: impl Into<String>) -> Self {
        self.peer = peer.into();
        self
    }

    /// Whether it meets its target.
    pub fn met(&self) -> Option<bool> {
        Some(self.value? <= self.at_most?)
    }

    fn to_json(&self) -> Value {
        json!({
            "figure": self.figure, "value": self.value, "unit": self.unit,
            "target": self.at_most.map(|target| format!("<= {target:.2}")), "met": self.met(),
            "peer": self.peer, "reason": self.reason,
        })
    }
}

/// The table.
pub fn table(figures: &[Figure]) -> String {
    let rows = figures.iter().map(|figure| {
        let value = figure
            .value
            .map_or_else(|| figure.reason.clone().unwrap_or_default(), |v| format!("{v:.2} {}", figure.unit));
        let target = figure.at_most.map_or_else(String::new, |target| format!("<= {target:.2}"));
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
