//! Who accepts what of the attack suite: recorded runs of the peers, and zt now.

use std::path::PathBuf;

use serde_json::{Value, json};
use zt_benches::figure::Figure;

use super::peers::{data, programs, root};

/// Between `nbf` and `exp` of the sound tokens.
const NOW: i64 = 1_795_310_765_000;

/// Runs every peer anew and records what it accepts: ids and verdicts, nothing of the cases.
///
/// # Errors
/// When the suite is not there or a peer cannot be run.
pub(crate) fn record(machine: &str, date: &str) -> Result<PathBuf, String> {
    let suite = suite_file();
    let cases = suite_cases().ok_or_else(|| format!("{} is not there", suite.display()))?;
    let mut verifiers = Vec::new();
    for program in programs() {
        let answer = program.run("attacks", &suite)?;
        for row in answer["rows"].as_array().into_iter().flatten() {
            verifiers.push(judged(&cases, &answer["runtime"], row));
        }
    }
    let record = json!({
        "suite": "zt_jwt_attacks.json", "cases": cases.len(), "date": date, "machine": machine, "verifiers": verifiers,
    });
    let file = root().join(format!("benches/results/verify-peers-{date}.json"));
    std::fs::write(&file, format!("{record:#}\n")).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

fn judged(cases: &[Value], runtime: &Value, row: &Value) -> Value {
    let has = |list: &str, id: &Value| row[list].as_array().is_some_and(|ids| ids.contains(id));
    let ids = |wrong: &dyn Fn(&Value) -> bool| -> Vec<Value> {
        cases.iter().filter(|case| wrong(case)).map(|case| case["id"].clone()).collect()
    };
    let accepted = ids(&|case| case["expect"] == "reject" && has("accepted", &case["id"]));
    let refused = ids(&|case| case["expect"] == "accept" && !has("accepted", &case["id"]));
    let panicked = ids(&|case| has("panicked", &case["id"]));
    let wrong = accepted.len() + refused.len() + panicked.len();
    json!({
        "verifier": row["verifier"], "runtime": runtime, "right": cases.len() - wrong, "wrong": wrong,
        "wrongly_accepted": accepted, "wrongly_refused": refused, "panicked": panicked,
    })
}

/// The table of `verify-peers`: wrong verdicts of each, from the newest record, and zt's own.
pub(crate) fn figures() -> Vec<Figure> {
    let mut figures = vec![match suite_cases() {
        Some(cases) => {
            let wrong: Vec<&str> = cases.iter().filter(|case| !is_judged_rightly(case)).filter_map(id).collect();
            Figure::new("zt, now", wrong.len() as f64, "wrong").at_most(0.0).beside(told(cases.len(), &wrong))
        }
        None => Figure::missing("zt, now", "wrong", format!("{} is not there", suite_file().display())),
    }];
    let Some(record) = newest() else {
        figures.push(Figure::missing("peers", "wrong", "no record in benches/results"));
        return figures;
    };
    let cases = record["cases"].as_u64().and_then(|cases| usize::try_from(cases).ok()).unwrap_or_default();
    for row in record["verifiers"].as_array().into_iter().flatten() {
        let lists = ["wrongly_accepted", "wrongly_refused", "panicked"];
        let wrong: Vec<&str> =
            lists.iter().flat_map(|l| row[l].as_array()).flatten().filter_map(Value::as_str).collect();
        let name = format!("{}, {}", text(&row["verifier"]), text(&row["runtime"]));
        figures.push(Figure::new(name, wrong.len() as f64, "wrong").beside(told(cases, &wrong)));
    }
    figures
}

fn told(cases: usize, wrong: &[&str]) -> String {
    format!("right {} of {cases}; {}", cases - wrong.len().min(cases), wrong.join(" "))
}

/// As a host that trusts this one key would judge.
fn is_judged_rightly(case: &Value) -> bool {
    let config = format!(
        "version = 1\n[verify]\nclock_skew = \"30s\"\n[[verify.issuer]]\nissuer = \"https://auth.example.com/\"\n\
         audiences = [\"https://api.example.com\"]\nalgorithms = [{}]\ntoken_types = [\"at+jwt\"]\njwks = '{}'\n",
        case["alg"],
        json!({"keys": [case["jwk"]]}),
    );
    // A key that is not admitted verifies nothing.
    let accepted = super::verifier(&config).is_ok_and(|zt| zt.proves(text(&case["token"]), NOW));
    accepted == (case["expect"] == "accept")
}

fn newest() -> Option<Value> {
    let entries = std::fs::read_dir(root().join("benches/results")).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let newest = names.filter(|name| name.starts_with("verify-peers-") && name.ends_with(".json")).max()?;
    serde_json::from_slice(&std::fs::read(root().join("benches/results").join(newest)).ok()?).ok()
}

fn suite_file() -> PathBuf {
    data().join("verify/zt_jwt_attacks.json")
}

fn suite_cases() -> Option<Vec<Value>> {
    serde_json::from_slice(&std::fs::read(suite_file()).ok()?).ok()
}

fn id(case: &Value) -> Option<&str> {
    case["id"].as_str()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
