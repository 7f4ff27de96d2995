//! What others are written against: reason codes, operations, and the JSON Schemas of the contract.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test may read files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use zt_core::model::{Code, schemas};
use zt_core::wire::{OPS, op};

#[test]
fn codes_are_unique_well_formed_and_explained() {
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let (family, problem) = code.as_str().split_once('.').expect("family.problem");
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(word(family) && word(problem), "{code}");
        assert!(seen.insert(code.as_str()), "{code} stands twice");
        let stage = serde_json::to_value(code.stage()).expect("stage");
        assert_eq!(stage, family, "{code} is of another stage");
        assert!(code.sentence().ends_with('.') && code.sentence().len() > 20, "{code} needs a sentence");
        assert!([200, 400, 401, 403, 404, 405, 413, 415, 429].contains(&code.status()), "{code}");
    }
}

#[test]
fn the_operations_are_those_that_others_call() {
    let operations = [
        "access_log",
        "check",
        "codes",
        "compile",
        "dpop_verify",
        "evaluate",
        "har",
        "jws_verify",
        "limits",
        "log_inputs",
        "log_verify",
        "named_files",
        "policy_analyse",
        "policy_diff",
        "policy_evaluate",
        "policy_explain",
        "problem",
        "request_verify",
        "schemas",
        "security_events",
    ];
    assert_eq!(OPS, operations);
    for name in OPS {
        // Nonsense is an error or an answer, never a panic.
        let _ = op(name, "[]");
    }
}

/// `ZT_UPDATE_SCHEMAS=1 cargo test -p zt-core --test surface` writes them anew.
#[test]
fn the_schemas_on_disk_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (name, schema) in schemas() {
        let path = folder.join(format!("{name}.json"));
        let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if std::env::var_os("ZT_UPDATE_SCHEMAS").is_some() {
            fs::create_dir_all(&folder).expect("folder");
            fs::write(&path, &text).expect("write");
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(stored, text, "{} is stale; run with ZT_UPDATE_SCHEMAS=1", path.display());
    }
}
