//! The guide to graded responses: every request of its table is decided as it says.
#![cfg(feature = "compile")]

mod hs256;

use zt_core::model::{IdentityKind, Request, Text};
use zt_core::respond::SuspensionError;
use zt_core::{Engine, State};

const GUIDE: &str = include_str!("../../docs/response.md");
const NOW: i64 = 1_772_446_530_000;

fn block(language: &str) -> &'static str {
    let (_, rest) = GUIDE.split_once(&format!("```{language}\n")).expect("a block");
    rest.split_once("```").expect("its end").0
}

/// `1h15m1s` in milliseconds.
fn millis(moment: &str) -> i64 {
    let (mut total, mut digits) = (0, String::new());
    for letter in moment.chars() {
        let unit = match letter {
            'h' => 3_600_000,
            'm' => 60_000,
            's' => 1_000,
            digit => {
                digits.push(digit);
                continue;
            }
        };
        total += digits.parse::<i64>().expect("a number") * unit;
        digits.clear();
    }
    total
}

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = GUIDE.lines().filter(|line| line.starts_with('|'));
    let rows = lines.map(|line| line.trim_start_matches('|').trim_end_matches('|').split('|').map(str::trim).collect());
    rows.filter(|row: &Vec<&str>| row.len() == 7 && !matches!(row[0], "at" | "---"))
}

#[test]
fn every_request_is_decided_as_the_guide_says() {
    let engine = Engine::from_toml(block("toml"), &[]).unwrap_or_else(|invalid| panic!("{invalid}"));
    let state = State::new(&engine);
    let mut outcomes = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for row in rows() {
        let [at, from, key, target, outcome, status, first] = row[..] else { unreachable!("seven cells") };
        let (path, query) = Request::split_target(target.as_bytes());
        let mut request = Request { method: "GET".into(), path, query, ..Request::default() };
        request.headers.push(("x-api-key".into(), Text::from(format!("zt_test_key_of_{key}_0123456789"))));
        request.peer.ip = Some(from.parse().expect("an address"));
        let decision = engine.decide(&state, &request, NOW + millis(at));
        let reason = decision.reasons.first().map_or("", |reason| reason.code.as_str());
        let decided = (decision.outcome.as_str(), decision.status.to_string(), reason);
        outcomes.insert(decided.0);
        if decided != (outcome, status.to_owned(), first) {
            wrong.push(format!("{row:?}: {decided:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["allow", "deny", "flag", "suspend", "throttle"]);
}

#[test]
fn a_person_suspends_whom_the_guide_names() {
    let engine =
        Engine::from_toml(&(block("toml").to_owned() + &hs256::issuer_table()), &[]).unwrap_or_else(|e| panic!("{e}"));
    let state = State::new(&engine);
    let documents: Vec<&str> = block("json").lines().collect();
    assert_eq!(documents.len(), 3);
    for document in documents {
        let suspension = serde_json::from_str(document).unwrap_or_else(|error| panic!("{document}: {error}"));
        engine.suspend(&state, &suspension, NOW).unwrap_or_else(|error| panic!("{document}: {error}"));
        engine.unsuspend(&state, &suspension, NOW).unwrap_or_else(|error| panic!("{document}: {error}"));
    }
}

#[test]
fn a_name_that_nobody_can_have_is_an_error() {
    let engine = Engine::from_toml(block("toml"), &[]).unwrap_or_else(|invalid| panic!("{invalid}"));
    let state = State::new(&engine);
    let refused = |kind: &str, issuer: &str| {
        let document =
            format!(r#"{{"subject": "identity", "kind": "{kind}"{issuer}, "id": "user-17", "until_ms": {NOW}}}"#);
        let suspension = serde_json::from_str(&document).expect("its shape");
        let lifted = engine.unsuspend(&state, &suspension, NOW);
        (engine.suspend(&state, &suspension, NOW).err(), lifted.err())
    };
    let issuer = r#", "issuer": "https://nope.example""#;
    assert_eq!(refused("jwt", ""), (Some(SuspensionError::NoIssuer), Some(SuspensionError::NoIssuer)));
    let of_none = Some(SuspensionError::OfNoIssuer(IdentityKind::ApiKey));
    assert_eq!(refused("api_key", issuer), (of_none, of_none));
    // A snapshot may hold it from when the issuer was configured.
    assert_eq!(refused("jwt", issuer), (Some(SuspensionError::UnknownIssuer), None));
    assert_eq!(refused("api_key", ""), (None, None));
    assert_eq!(refused("asserted", issuer), (None, None), "the host's word");
}

#[test]
fn every_key_of_the_guide_is_one_and_takes_its_default() {
    let table: Vec<Vec<&str>> = GUIDE
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let mut text =
        "version = 1\n[[respond.ladder]]\nsubject = \"peer\"\ncodes = [\"inspect.*\"]\nthrottle = 1\nsuspend = 2\n"
            .to_owned();
    for row in &table {
        let key = row[0].trim_matches('`');
        let default = row[2].trim_matches('`');
        let value = match key {
            "name" => "x",
            "subject" | "codes" | "flag" | "step_up" | "throttle" | "suspend" => continue,
            _ => default,
        };
        let quoted = if value.parse::<u32>().is_ok() { value.to_owned() } else { format!("\"{value}\"") };
        text += &format!("{key} = {quoted}\n");
    }
    assert_eq!(table.len(), 14);
    Engine::from_toml(&text, &[]).unwrap_or_else(|invalid| panic!("{text}{invalid}"));
}
