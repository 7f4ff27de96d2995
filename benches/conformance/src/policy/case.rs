//! One test of Cedar's: what is asked of every runtime, and how an answer differs from what was published.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One test: a document, and what must be answered.
#[derive(Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) suite: String,
    pub(super) id: String,
    pub(super) op: String,
    /// The document, as text: JavaScript would round its numbers.
    pub(super) text: String,
    pub(super) expected: Vec<Value>,
}

/// A test, whose paths are relative to `root`.
pub(super) fn read(suite: &str, root: &Path, file: &Path) -> Result<Case, String> {
    let text = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let parse = |text: &str| -> Result<Value, String> {
        serde_json::from_str(text).map_err(|error| format!("{}: {error}", file.display()))
    };
    let test = parse(&text(file)?)?;
    let named = |key: &str| text(&root.join(test[key].as_str().unwrap_or_default()));
    let requests: Vec<&Value> = test["requests"].as_array().into_iter().flatten().collect();
    let asked: Vec<Value> = requests
        .iter()
        .map(|r| json!({"principal": r["principal"], "action": r["action"], "resource": r["resource"], "context": r["context"]}))
        .collect();
    let expected = requests
        .iter()
        .map(|r| sorted(json!({"decision": r["decision"], "reasons": r["reason"], "errors": r["errors"]})))
        .collect();
    let document = json!({
        "policies": named("policies")?, "schema": named("schema")?, "entities": parse(&named("entities")?)?, "requests": asked,
    });
    let id = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    Ok(Case { suite: suite.to_owned(), id, op: "policy_evaluate".to_owned(), text: document.to_string(), expected })
}

fn sorted(mut answer: Value) -> Value {
    for names in answer.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Some(names) = names.as_array_mut() {
            names.sort_by_key(ToString::to_string);
        }
    }
    answer
}

/// One line for each request that is answered otherwise than expected.
pub(super) fn differences(case: &Case, answer: Result<&Value, &str>) -> Vec<String> {
    let responses = answer.map(|answer| answer["responses"].as_array().cloned().unwrap_or_default());
    let each = case.expected.iter().enumerate();
    let differ = each.filter_map(|(at, expected)| {
        let found = match &responses {
            Ok(responses) => responses.get(at).map_or(Value::Null, |response| sorted(response.clone())),
            Err(error) => json!({"refused": error}),
        };
        (found != *expected)
            .then(|| format!("{} {}, request {at}: {expected} is due, got {found}", case.suite, case.id))
    });
    differ.collect()
}
