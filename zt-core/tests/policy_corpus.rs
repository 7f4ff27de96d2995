//! Cedar's public conformance corpus, answered by zt's evaluator.
//!
//! The data is not part of the project: it is looked for in `../shared/data/policy` beside the project's root, or in
//! `$ZT_DATA/policy`.
#![cfg(feature = "compile")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zt_core::policy::raw;

fn data() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    std::env::var_os("ZT_DATA").map_or(beside, PathBuf::from).join("policy")
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[derive(Default, Debug)]
struct Report {
    tests: usize,
    requests: usize,
    agreed: usize,
    disagreed: Vec<String>,
    refused: BTreeMap<String, usize>,
}

impl Report {
    /// One test file, whose paths are relative to `root`.
    fn run(&mut self, root: &Path, file: &Path) {
        let test: Value = serde_json::from_str(&read(file).expect("a test")).expect("JSON");
        let text = |key: &str| read(&root.join(test[key].as_str().expect("a path"))).expect("a file");
        let requests: Vec<Value> = test["requests"].as_array().expect("requests").clone();
        let asked: Vec<Value> = requests.iter().map(|r| json!({"principal": r["principal"], "action": r["action"], "resource": r["resource"], "context": r["context"]})).collect();
        let entities: Value = serde_json::from_str(&text("entities")).expect("JSON");
        let document =
            json!({"policies": text("policies"), "schema": text("schema"), "entities": entities, "requests": asked});
        let document: raw::Document = serde_json::from_value(document).expect("a document");
        self.tests += 1;
        self.requests += requests.len();
        let answers = match raw::evaluate(&document) {
            Ok(answers) => answers,
            Err(problems) => {
                *self.refused.entry(problems[0].message.chars().take(90).collect()).or_default() += 1;
                return;
            }
        };
        for (request, answer) in requests.iter().zip(&answers.responses) {
            let mut answer = serde_json::to_value(answer).expect("JSON");
            let mut expected =
                json!({"decision": request["decision"], "reasons": request["reason"], "errors": request["errors"]});
            for names in [&mut answer, &mut expected].into_iter().flat_map(|v| v.as_object_mut().unwrap().values_mut())
            {
                if let Some(names) = names.as_array_mut() {
                    names.sort_by_key(ToString::to_string);
                }
            }
            if answer == expected {
                self.agreed += 1;
            } else {
                self.disagreed.push(format!("{}: {expected} but {answer}", file.display()));
            }
        }
    }

    fn check(&self) {
        eprintln!(
            "{} tests, {} requests, {} agree, refused: {:?}",
            self.tests, self.requests, self.agreed, self.refused
        );
        assert!(self.disagreed.is_empty(), "{:#?}", &self.disagreed[..self.disagreed.len().min(10)]);
    }
}

fn tests_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.retain(|p| {
        let name = p.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.ends_with(".json") && !name.ends_with(".entities.json")
    });
    paths.sort();
    paths
}

#[test]
fn written_tests() {
    let root = data();
    let mut report = Report::default();
    for folder in ["decimal", "example_use_cases", "ip", "multi"] {
        for file in tests_in(&root.join("tests").join(folder)) {
            report.run(&root, &file);
        }
    }
    if report.tests == 0 {
        eprintln!("no data in {}: nothing was compared", root.display());
    }
    report.check();
    assert!(report.refused.is_empty());
}

/// Every thirtieth test, or all of them with `ZT_LONG=1 cargo test --release -p zt-core --test policy_corpus`.
#[test]
fn corpus() {
    let archive = data().join("corpus-tests.tar.gz");
    if !archive.exists() {
        eprintln!("no {}: nothing was compared", archive.display());
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("policy-corpus");
    if !folder.join("corpus-tests").exists() {
        std::fs::create_dir_all(&folder).expect("a folder");
        let unpacked = std::process::Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(&folder).status();
        assert!(unpacked.expect("tar").success());
    }
    let mut report = Report::default();
    let stride = if std::env::var_os("ZT_LONG").is_some() { 1 } else { 30 };
    for file in tests_in(&folder.join("corpus-tests")).iter().step_by(stride) {
        report.run(&folder, file);
    }
    report.check();
}
