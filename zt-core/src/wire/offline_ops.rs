//! Operations over recorded traffic: files of other formats as events, and measures of scores.

use serde::{Deserialize, Serialize};

use super::ops::input;
use super::text;
use crate::anomaly::{Baseline, LIMIT_BUDGET};
use crate::evaluate::{Options, Row, evaluate};
use crate::learn;
use crate::model::{Event, Identity};

/// Events, and what is none of the others.
#[derive(Debug, Default, Serialize)]
struct Events {
    events: Vec<Event>,
    malformed: Vec<Malformed>,
}

#[derive(Debug, Serialize)]
struct Malformed {
    /// Of the line or entry, from 1.
    number: usize,
    message: String,
}

impl Events {
    fn add(&mut self, number: usize, event: Result<Event, impl std::fmt::Display>) {
        match event {
            Ok(event) => self.events.push(event),
            Err(error) => self.malformed.push(Malformed { number, message: error.to_string() }),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessLog {
    /// The lines, with line breaks.
    log: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    rows: Vec<Scored>,
    #[serde(default)]
    options: Options,
}

/// As of [`Row`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scored {
    label: Option<String>,
    score: f64,
    #[serde(default)]
    risk: f64,
    passes: Option<bool>,
    source: Option<String>,
}

impl<'s> From<&'s Scored> for Row<'s> {
    fn from(row: &'s Scored) -> Self {
        let Scored { label, score, risk, passes, source } = row;
        Row { label: label.as_deref(), score: *score, risk: *risk, passes: *passes, source: source.as_deref() }
    }
}

/// `{"log": lines}` of an access log -> `{"events", "malformed": [{"number", "message"}]}`; blank lines are skipped.
pub(super) fn access_log(document: &str) -> Result<String, String> {
    let AccessLog { log } = input(document)?;
    let mut events = Events::default();
    for (number, line) in (1..).zip(log.split('\n')).filter(|(_, line)| !line.trim().is_empty()) {
        events.add(number, learn::access_log(line.as_bytes()));
    }
    text(&events)
}

/// An HTTP Archive -> `{"events", "malformed": [{"number", "message"}]}`.
pub(super) fn har(document: &str) -> Result<String, String> {
    let (mut events, mut number) = (Events::default(), 0);
    learn::har(document.as_bytes(), |event| {
        number += 1;
        events.add(number, event);
    })
    .map_err(|error| error.to_string())?;
    text(&events)
}

/// `{"rows": [{"label", "score", "risk", "passes", "source"}], "options": {"budget", "calibrated_on", "seed"}}` -> how well the
/// scores tell attacks from normal requests.
pub(super) fn evaluated(document: &str) -> Result<String, String> {
    let Measured { rows, options } = input(document)?;
    let rows: Vec<Row<'_>> = rows.iter().map(Row::from).collect();
    text(&evaluate(&rows, &options))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    /// The text of a baseline file.
    baseline: String,
    budget: Option<f64>,
    identity: Option<Who>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    principal: String,
    issuer: Option<String>,
}

/// `{"baseline": text, "budget", "identity": {"principal", "issuer"}}` -> the limits that follow from what a baseline learned of
/// all endpoints, or of one identity; `learned_limits.json` among the schemas.
pub(super) fn limits(document: &str) -> Result<String, String> {
    let Limits { baseline, budget, identity } = input(document)?;
    let budget = budget.unwrap_or(LIMIT_BUDGET);
    if !(budget > 0.0 && budget < 1.0) {
        return Err("`budget` is the share of the days of clients that a limit may touch, between 0 and 1".to_owned());
    }
    let baseline = Baseline::from_text(&baseline).map_err(|error| error.to_string())?;
    text(&match identity {
        Some(Who { principal, issuer }) => {
            let issuer = issuer.as_deref().map(Into::into);
            baseline.rates_of(&Identity { issuer, ..Identity::asserted(&principal) }, budget)
        }
        None => baseline.rates(budget),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(answer: Result<String, String>) -> Value {
        serde_json::from_str(&answer.unwrap()).unwrap()
    }

    #[test]
    fn lines_and_entries_are_events_or_are_named() {
        let log = "::1 - - [01/Jan/2024:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1\n\nnonsense\n";
        let answer = parsed(access_log(&json!({"log": log}).to_string()));
        assert_eq!(
            (&answer["events"][0]["request"]["path"], &answer["malformed"][0]["number"]),
            (&json!("/"), &json!(3))
        );
        let answer = parsed(har(&json!({"log": {"entries": [7]}}).to_string()));
        assert_eq!((&answer["events"], &answer["malformed"][0]["number"]), (&json!([]), &json!(1)));
        assert!(access_log("[]").is_err() && har("{}").is_err() && evaluated("{}").is_err());
    }

    #[test]
    fn limits_follow_from_a_baseline() {
        let baseline = Baseline::new(1).to_text();
        let answer = parsed(limits(&json!({"baseline": baseline}).to_string()));
        assert_eq!(answer, json!({"budget": 0.01, "limits": []}));
        let answer = parsed(limits(&json!({"baseline": baseline, "identity": {"principal": "anna"}}).to_string()));
        assert_eq!(answer["limits"], json!([]));
        for wrong in [json!({"baseline": baseline, "budget": 1.0}), json!({"baseline": "x"}), json!({})] {
            assert!(limits(&wrong.to_string()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rows_are_measured() {
        let row = |label: &str, score: f64| json!({"label": label, "score": score, "risk": score / 10.0});
        let rows = [row("normal", 1.0), row("a \"family\"", 9.995), row("normal", 2.0)];
        let report = parsed(evaluated(&json!({"rows": rows, "options": {"budget": 0.001}}).to_string()));
        assert_eq!((&report["measures"]["auc"]["value"], &report["at_budget"]["found"]), (&json!(1.0), &json!(1)));
    }
}
