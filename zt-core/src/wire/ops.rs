//! The one list of operations.

use serde::Deserialize;
use serde_json::{Value, json};

use super::log::{log_inputs, log_verify};
use super::offline_ops::{access_log, evaluated, har, limits};
use super::signals::security_events;
use super::text;
use super::text_ops::{check, compile, named_files, policy_analyse, policy_diff, policy_evaluate, policy_explain};
use super::verify_ops::{dpop_verify, jws_verify, request_verify};
use crate::model::{Code, Decision, ResponseDecision, schemas};

type Operation = fn(&str) -> Result<String, String>;

const OPERATIONS: &[(&str, Operation)] = &[
    ("access_log", access_log),
    ("check", check),
    ("codes", codes),
    ("compile", compile),
    ("dpop_verify", dpop_verify),
    ("evaluate", evaluated),
    ("har", har),
    ("jws_verify", jws_verify),
    ("limits", limits),
    ("log_inputs", log_inputs),
    ("log_verify", log_verify),
    ("named_files", named_files),
    ("policy_analyse", policy_analyse),
    ("policy_diff", policy_diff),
    ("policy_evaluate", policy_evaluate),
    ("policy_explain", policy_explain),
    ("problem", problem),
    ("request_verify", request_verify),
    ("schemas", all_schemas),
    ("security_events", security_events),
];

/// Names of all operations.
pub const OPS: &[&str] = &names();

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "worked out by the compiler")]
const fn names() -> [&'static str; OPERATIONS.len()] {
    let mut names = [""; OPERATIONS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = OPERATIONS[at].0;
        at += 1;
    }
    names
}

/// Runs an operation on a JSON document.
///
/// # Errors
/// When there is no such operation, or the document is not what it takes.
pub fn op(name: &str, document: &str) -> Result<String, String> {
    match OPERATIONS.iter().find(|(known, _)| *known == name) {
        Some((_, run)) => run(document),
        None => Err(format!("no operation `{name}`; there are: {}", OPS.join(", "))),
    }
}

pub(super) fn input<'d, T: Deserialize<'d>>(document: &'d str) -> Result<T, String> {
    serde_json::from_str(document).map_err(|error| error.to_string())
}

/// Anything -> every reason code with its stage, outcome, status and sentence.
fn codes(_: &str) -> Result<String, String> {
    let row = |code: &Code| json!({"code": code, "stage": code.stage(), "outcome": code.outcome(), "status": code.status(), "sentence": code.sentence()});
    text(&Code::ALL.iter().map(row).collect::<Vec<Value>>())
}

/// Decision or response decision -> problem document.
fn problem(document: &str) -> Result<String, String> {
    match input::<Decision>(document) {
        Ok(decision) => Ok(super::problem_document(&decision)),
        Err(error) => match input::<ResponseDecision>(document) {
            Ok(decision) => Ok(super::response_problem_document(&decision)),
            Err(_) => Err(error),
        },
    }
}

/// Anything -> the JSON Schemas of the contract, by name.
fn all_schemas(_: &str) -> Result<String, String> {
    let by_name: serde_json::Map<String, Value> =
        schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema.to_value())).collect();
    text(&by_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_operation_names_those_there_are() {
        assert!(op("frobnicate", "{}").unwrap_err().contains("policy_evaluate"));
    }
}
