//! The decision log on documents.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::ops::input;
use super::{Instance, guard, text};
use crate::engine::log::{self, Anchor, Chain, Key, Proof};
use crate::engine::{Laps, Timer};
use crate::model::{Decision, Event, Request};

/// How a log starts.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Start {
    /// The last line of the log that is there.
    after: Option<String>,
    key: Option<String>,
    inputs_key: Option<String>,
}

/// A log to be proven.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// The lines, with line breaks.
    log: String,
    key: Option<String>,
    after: Option<String>,
    holding: Option<String>,
}

/// A request, to be compared with `inputs` of a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    event: Event,
    key: Option<String>,
}

/// A decision and its line.
#[derive(Serialize)]
struct Logged<'a> {
    decision: &'a Decision,
    line: String,
}

/// What was proven of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Whether all of it holds.
    pub ok: bool,
    /// Lines that hold, from the first on.
    pub records: u64,
    /// The last of them, `SEQ:DIGEST`: kept elsewhere, it shows later that the log still holds it.
    pub last: Option<String>,
    /// The first line that does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<BrokenLine>,
}

/// Where a log does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenLine {
    /// The line, from 1.
    pub line: u64,
    /// A word for what is wrong, stable for ever.
    pub problem: &'static str,
    /// The same for people.
    pub message: String,
}

impl LogReport {
    /// Of a proof that has taken every line up to the end or to the one that does not hold.
    pub fn new(proof: Proof, taken: Result<(), log::Broken>) -> Self {
        let (records, last) = (proof.records(), proof.last().map(Anchor::to_string));
        let broken = taken.and_then(|()| proof.finish().map(drop)).err();
        let broken = broken.map(|broken| BrokenLine {
            line: broken.line,
            problem: broken.why.as_str(),
            message: broken.why.to_string(),
        });
        Self { ok: broken.is_none(), records, last, broken }
    }
}

impl Instance {
    /// Starts the log: `{"after": the last line of one that is there, "key": text, "inputs_key": text}`, each of them optional.
    /// A log that was never started starts with its first line, without keys.
    ///
    /// # Errors
    /// When the text is not such a document, a key is shorter than 16 bytes, or the line is not a whole record under it.
    pub fn log_start(&self, options: &str) -> Result<(), String> {
        let Start { after, key, inputs_key } = input(options)?;
        let mut chain = Chain::new();
        if let Some(key) = self::key(key)? {
            chain = chain.with_key(key);
        }
        if let Some(key) = self::key(inputs_key)? {
            chain = chain.with_inputs_key(key);
        }
        if let Some(line) = after {
            chain = chain.after(&line).map_err(|why| format!("the log cannot go on after this line: {why}"))?;
        }
        *self.log.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Ok(())
    }

    /// Event and its decision -> the line of the log, without a line break. Write the lines in the order in which they are
    /// made.
    ///
    /// # Errors
    /// When a text is not what it should be.
    pub fn log_record(&self, event: &str, decision: &str) -> Result<String, String> {
        let event: Event = serde_json::from_str(event).map_err(|error| format!("not an event: {error}"))?;
        let decision: Decision = serde_json::from_str(decision).map_err(|error| format!("not a decision: {error}"))?;
        Ok(self.record(&decision, &event.into_request(), None))
    }

    /// Event -> `{"decision", "line"}`. With a clock, which tells nanoseconds since any moment, the line has the time of each
    /// stage.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn decide_logged<C: FnMut() -> u64>(&self, event: &str, clock: Option<C>) -> Result<String, String> {
        let event: Event = serde_json::from_str(event).map_err(|error| format!("not an event: {error}"))?;
        let now = event.time_ms;
        let request = event.into_request();
        let mut timer = clock.map(Timer::new);
        let decide = || match &mut timer {
            Some(timer) => self.engine().decide_timed(&self.state, &request, now, timer),
            None => self.engine().decide(&self.state, &request, now),
        };
        let decision = guard::or_refuse(request.id.as_deref().unwrap_or_default(), now, decide);
        let laps = timer.map(|timer| timer.laps());
        let line = self.record(&decision, &request, laps.as_ref());
        text(&Logged { decision: &decision, line })
    }

    fn record(&self, decision: &Decision, request: &Request<'_>, laps: Option<&Laps>) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).record(decision, request, laps)
    }
}

/// `{"log", "key", "after", "holding"}` -> whether the log holds. `after` and `holding` are records by number and digest.
pub(super) fn log_verify(document: &str) -> Result<String, String> {
    let Shown { log, key, after, holding } = input(document)?;
    let mut proof = Proof::new(self::key(key)?);
    let anchor = |text: String| text.parse::<Anchor>().map_err(|error| error.to_string());
    if let Some(record) = after.map(anchor).transpose()? {
        proof = proof.after(record);
    }
    if let Some(record) = holding.map(anchor).transpose()? {
        proof = proof.holding(record);
    }
    let mut lines = (1..).zip(log.lines()).filter(|(_, line)| !line.trim_ascii().is_empty());
    let taken = lines.try_for_each(|(number, line)| proof.line(number, line.as_bytes()));
    text(&LogReport::new(proof, taken))
}

/// `{"event", "key"}` -> `{"inputs"}`, as it stands in the line of a decision about this event.
pub(super) fn log_inputs(document: &str) -> Result<String, String> {
    let Asked { event, key } = input(document)?;
    let inputs = log::inputs(&event.into_request(), self::key(key)?);
    text(&serde_json::json!({ "inputs": inputs }))
}

fn key(text: Option<String>) -> Result<Option<Key>, String> {
    text.map(|text| Key::new(text.as_bytes())).transpose().map_err(|error| error.to_string())
}

#[cfg(test)]
#[cfg(feature = "compile")]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const EVENT: &str = r#"{"id":"e-1","time_ms":7,"request":{"method":"GET","path":"/a","body":"b"}}"#;
    const KEY: &str = "a key of this test";

    fn parsed(text: Result<String, String>) -> Value {
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    #[test]
    fn a_log_by_documents() {
        let instance = Instance::from_toml("version = 1", &[]).unwrap();
        let options = json!({"key": KEY, "inputs_key": "another key of the test"});
        instance.log_start(&options.to_string()).unwrap();
        let mut ticks = 0;
        let clock = || {
            ticks += 1_000;
            ticks
        };
        let first = parsed(instance.decide_logged(EVENT, Some(clock)));
        assert_eq!(first["decision"], parsed(instance.decide_event(EVENT)));
        let line = first["line"].as_str().unwrap();
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["stages_us"], json!({"route": 1.0, "limit": 1.0, "respond": 2.0}));
        let asked = json!({"event": serde_json::from_str::<Value>(EVENT).unwrap(), "key": options["inputs_key"]});
        assert_eq!(parsed(log_inputs(&asked.to_string()))["inputs"], record["inputs"]);

        // Another process goes on.
        let next = Instance::from_toml("version = 1", &[]).unwrap();
        next.log_start(&json!({"key": KEY, "after": line}).to_string()).unwrap();
        let second = next.log_record(EVENT, &first["decision"].to_string()).unwrap();
        let third = parsed(next.decide_logged(EVENT, None::<fn() -> u64>));
        assert_eq!(serde_json::from_str::<Value>(third["line"].as_str().unwrap()).unwrap().get("stages_us"), None);
        let log = format!("{line}\n{second}\n\n{}\n", third["line"].as_str().unwrap());
        let report = parsed(log_verify(&json!({"log": log, "key": KEY}).to_string()));
        assert_eq!((&report["ok"], &report["records"], report.get("broken")), (&json!(true), &json!(3), None));
        assert!(report["last"].as_str().unwrap().starts_with("2:hmac-sha256:"), "{report}");

        let put_in = json!({"log": format!("{line}\n\u{2028}\n{second}\n"), "key": KEY});
        assert_eq!(parsed(log_verify(&put_in.to_string()))["broken"]["problem"], "not_a_record", "not a blank line");

        let cut = json!({"log": format!("{line}\n{second}\n"), "key": KEY, "holding": report["last"]});
        let broken = json!({"line": 3, "problem": "tail_missing", "message": "the log ends before record 2, which was there: its tail was cut"});
        assert_eq!(parsed(log_verify(&cut.to_string()))["broken"], broken);
        let report = parsed(log_verify(&json!({"log": log}).to_string()));
        assert_eq!((&report["broken"]["problem"], &report["last"]), (&json!("key_wanted"), &json!(null)));
    }

    #[test]
    fn what_is_no_start_of_a_log_changes_nothing() {
        let instance = Instance::from_toml("version = 1", &[]).unwrap();
        for wrong in [json!({"key": "short"}), json!({"after": "{}"}), json!({"secret": KEY}), json!(7)] {
            assert!(instance.log_start(&wrong.to_string()).is_err(), "{wrong}");
        }
        let logged = parsed(instance.decide_logged(EVENT, None::<fn() -> u64>));
        let line: Value = serde_json::from_str(logged["line"].as_str().unwrap()).unwrap();
        assert_eq!((&line["seq"], &line["prev"]), (&json!(0), &json!("")));
        assert!(log_verify("{}").is_err() && log_inputs("{}").is_err());
    }
}
