//! The program under `benches/peers/detection`: what others say of the same requests.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use zt_core::anomaly::Baseline;
use zt_core::model::Event;

use super::data::{Split, label};
use super::judged::Judged;
use crate::verify::{data, root};

/// The interpreter that has the peers; `cargo xtask bench` sets it.
const PYTHON: &str = "ZT_BENCH_PYTHON";

/// A peer on a split.
pub(super) struct Row {
    pub(super) split: &'static str,
    /// With its version, and of how many requests where not of all.
    pub(super) detector: String,
    /// Or why it could not be measured.
    pub(super) judged: Result<Judged, String>,
}

/// Runs every peer, which tells how far it is.
///
/// # Errors
/// When the program cannot be run, or cuts other splits.
pub(super) fn run(splits: &[&Split]) -> Result<Vec<Row>, String> {
    let python = std::env::var_os(PYTHON).map_or_else(|| "python3".into(), PathBuf::from);
    let mut command = Command::new(&python);
    command.arg(root().join("benches/peers/detection/detect.py")).arg(data().join("traffic"));
    command.args(splits.iter().map(|split| split.name)).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("{}: {error}", python.display()))?;
    let answer: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{}, {error}", output.status))?;
    let mut rows = Vec::new();
    for split in splits {
        let answer = &answer[split.name];
        if !is_cut_alike(split, answer) {
            return Err(format!("{}: the peers learned or tested other requests", split.name));
        }
        let one = |row: &Value| Row {
            split: split.name,
            detector: row["detector"].as_str().unwrap_or_default().to_owned(),
            judged: judged(split, row),
        };
        rows.extend(answer["rows"].as_array().into_iter().flatten().map(one));
    }
    Ok(rows)
}

/// Whether the ids of all requests are those of the split.
fn is_cut_alike(split: &Split, answer: &Value) -> bool {
    let same = |events: &[Event], ids: &Value| {
        let ids = ids.as_array().into_iter().flatten().map(Value::as_str);
        events.iter().map(|event| event.id.as_deref()).eq(ids)
    };
    same(&split.learned, &answer["learned"]) && same(&split.tested, &answer["tested"])
}

/// Scores, of the requests `at` some positions where not of all.
fn judged(split: &Split, row: &Value) -> Result<Judged, String> {
    let wrong = || row["reason"].as_str().unwrap_or("its scores cannot be read").to_owned();
    let scores: Option<Vec<f64>> = row["scores"].as_array().and_then(|all| all.iter().map(Value::as_f64).collect());
    let scores = scores.ok_or_else(wrong)?;
    let tested: Option<Vec<&Event>> = match row["at"].as_array() {
        None => Some(split.tested.iter().collect()),
        Some(at) => at.iter().map(|at| split.tested.get(usize::try_from(at.as_u64()?).ok()?)).collect(),
    };
    let tested = tested.filter(|tested| tested.len() == scores.len()).ok_or_else(wrong)?;
    Ok(Judged {
        labels: tested.into_iter().map(|event| label(event).to_owned()).collect(),
        scores,
        shares: Vec::new(),
        learned: Baseline::new(0),
        learn_us: row["learn_us"].as_f64().unwrap_or(f64::NAN),
        score_us: row["score_us"].as_f64().unwrap_or(f64::NAN),
    })
}
