//! The shared vectors, run in Rust. The same files run in Python, Node and WASM.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test may read files")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zt_core::engine::Bundle;
use zt_core::wire::Instance;

#[test]
fn every_vector_decides_as_expected() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"));
    assert!(files.len() >= 20, "only {} vector files", files.len());
    let (mut steps, mut wrong) = (0, Vec::new());
    for file in &files {
        let vector: Value = serde_json::from_str(&fs::read_to_string(file).expect("file")).expect("JSON");
        let name = file.file_name().expect("name").to_string_lossy().into_owned();
        let config = vector["config"].as_str().expect("config");
        let instance = Instance::from_toml(config, &[]).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        let bundle = Bundle::from_toml(config, &[]).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        let bundled = Instance::from_bundle(bundle.bytes(), None, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(bundled.engine().notices(), instance.engine().notices(), "{name}");
        for (number, step) in vector["steps"].as_array().expect("steps").iter().enumerate() {
            steps += 1;
            if step.get("event").is_none() {
                let refused = step.get("refused").is_some_and(|refused| refused == true);
                let ended = operation(&instance, step);
                assert_eq!(operation(&bundled, step), ended, "{name}, step {number}, from a bundle");
                match ended {
                    Ok(()) if refused => wrong.push(format!("{name}, step {number}: it was to be refused")),
                    Err(error) if !refused => wrong.push(format!("{name}, step {number}: {error}")),
                    _ => {}
                }
                continue;
            }
            let event = step["event"].to_string();
            // Explained first: it must not change what is decided.
            if let Some(expect) = step.get("explain") {
                let explanation = instance.explain_event(&event).expect("an event");
                let explanation: Value = serde_json::from_str(&explanation).expect("an explanation");
                let differences = unexplained(expect, &explanation);
                wrong.extend(differences.map(|difference| format!("{name}, step {number}: {difference}")));
            }
            let text = instance.decide_event(&event).expect("an event");
            let again = bundled.decide_event(&event).expect("an event");
            assert_eq!(again, text, "{name}, step {number}, from a bundle");
            let decision: Value = serde_json::from_str(&text).expect("a decision");
            if let Some(difference) = differs(&step["expect"], &decision) {
                wrong.push(format!("{name}, step {number}: {difference}"));
            }
            if let Some(expect) = step.get("expect_response") {
                let observed = instance.observe_event(&event, &text).expect("an event with a response");
                let again = bundled.observe_event(&event, &text).expect("an event with a response");
                assert_eq!(again, observed, "{name}, step {number}, response, from a bundle");
                let observed: Value = serde_json::from_str(&observed).expect("a response decision");
                if let Some(difference) = differs(expect, &observed) {
                    wrong.push(format!("{name}, step {number}, response: {difference}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {steps} steps differ:\n{}", wrong.len(), wrong.join("\n"));
    eprintln!("{steps} steps of {} vectors", files.len());
}

#[test]
fn every_code_has_a_vector() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"));
    let text: String = files.iter().map(|file| fs::read_to_string(file).expect("file")).collect();
    let without: Vec<&str> = zt_core::model::Code::ALL
        .iter()
        .map(|code| code.as_str())
        // A panic cannot be called for by a request; each binding tests its own guard.
        .filter(|code| *code != "internal.panic" && !text.contains(&format!("\"{code}\"")))
        .collect();
    assert!(without.is_empty(), "codes without a vector: {without:?}");
}

/// A step between requests: `{"replace_keys": {"issuer", "jwks"}}`, `{"revoke": {...}}`, `{"suspend": {...}}` or
/// `{"unsuspend": {...}}`; with `"refused": true` it fails. Or `{"receive": "a Security Event Token", "expect": {...}}`, whose
/// answer holds at least what is expected.
fn operation(instance: &Instance, step: &Value) -> Result<(), String> {
    if let Some(keys) = step.get("replace_keys") {
        let text = |name: &str| keys[name].as_str().expect("a string");
        return instance.replace_keys(text("issuer"), text("jwks"));
    }
    let time_ms = || step["time_ms"].as_i64().expect("a time");
    if let Some(suspension) = step.get("suspend") {
        return instance.suspend(&suspension.to_string(), time_ms()).map(drop);
    }
    if let Some(suspension) = step.get("unsuspend") {
        return instance.unsuspend(&suspension.to_string(), time_ms()).map(drop);
    }
    if let Some(set) = step.get("receive") {
        let received = instance.receive(set.as_str().expect("a token").as_bytes(), time_ms())?;
        let received: Value = serde_json::from_str(&received).expect("an answer");
        let expect = &step["expect"];
        return if within(expect, &received) { Ok(()) } else { Err(format!("should be {expect}, is {received}")) };
    }
    let revocation = step.get("revoke").ok_or("not a step")?;
    instance.revoke(&revocation.to_string(), time_ms())
}

/// What an explanation does not say: values by JSON pointer (RFC 6901); `null` for what is absent.
fn unexplained<'v>(expect: &'v Value, explanation: &'v Value) -> impl Iterator<Item = String> + 'v {
    expect.as_object().expect("explain is an object").iter().filter_map(|(pointer, wanted)| {
        let found = explanation.pointer(pointer).unwrap_or(&Value::Null);
        (!within(wanted, found)).then(|| format!("`{pointer}` should be {wanted}, is {found}"))
    })
}

/// The first difference between what is expected and the decision; `expect` names only what matters.
fn differs(expect: &Value, decision: &Value) -> Option<String> {
    for (key, wanted) in expect.as_object().expect("expect is an object") {
        let matches = match key.as_str() {
            "codes" => {
                let codes: Vec<&Value> =
                    decision["reasons"].as_array().into_iter().flatten().map(|r| &r["code"]).collect();
                wanted.as_array().is_some_and(|wanted| wanted.iter().eq(codes))
            }
            "response_headers" => {
                let headers = decision["response_headers"].as_array();
                wanted.as_array().is_some_and(|w| w.iter().all(|pair| headers.is_some_and(|h| h.contains(pair))))
            }
            _ => within(wanted, &decision[key]),
        };
        if !matches {
            return Some(format!("`{key}` should be {wanted}, decision is {decision}"));
        }
    }
    None
}

/// Objects by subset, everything else exactly.
fn within(wanted: &Value, found: &Value) -> bool {
    match wanted {
        Value::Object(members) => members.iter().all(|(key, value)| within(value, &found[key])),
        _ => wanted == found,
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}
