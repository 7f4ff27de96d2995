//! Public OpenAPI documents: each compiles or is refused for a stated reason, and every operation is found again.
//!
//! The documents are not part of the project: `../shared/data` beside it, or where `ZT_DATA` says.
#![cfg(feature = "compile")]
#![allow(clippy::disallowed_methods, reason = "a test may read files and the environment")]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use zt_core::model::Source;
use zt_core::model::{Problem, Request};
use zt_core::route::{Config, Router};

#[test]
fn full_documents() {
    let Some(data) = data() else { return };
    let mut tally = Tally::default();
    for entry in std::fs::read_dir(data.join("openapi/full")).expect("openapi/full") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        tally.take(&path.display().to_string(), &text);
        // The same document as YAML: every JSON document is one, and this one does not start with `{`.
        let read =
            |text: &str| operations(&compile(text).unwrap_or_else(|_| compile("{\"openapi\":\"3.1.0\"}").unwrap()));
        assert_eq!(read(&format!("# YAML\n{text}")), read(&text), "{}", path.display());
    }
    tally.print("full documents");
}

#[test]
fn skeletons() {
    let Some(data) = data() else { return };
    let mut tally = Tally::default();
    for line in gunzip(&data.join("openapi/skeletons.jsonl.gz")).lines() {
        let skeleton: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
        let mut paths: BTreeMap<&str, BTreeMap<&str, serde_json::Value>> = BTreeMap::new();
        for operation in skeleton["ops"].as_array().expect("operations") {
            let (method, path) = (operation[0].as_str().expect("a method"), operation[1].as_str().expect("a path"));
            paths.entry(path).or_default().insert(method, serde_json::json!({}));
        }
        let version = skeleton["version"].as_str().expect("a version");
        let key = if version.starts_with('2') { "swagger" } else { "openapi" };
        let document = serde_json::json!({key: version, "basePath": skeleton["basePath"], "paths": paths});
        tally.take(skeleton["file"].as_str().expect("a file"), &document.to_string());
    }
    tally.print("skeletons");
}

#[derive(Default)]
struct Tally {
    documents: usize,
    operations: usize,
    refused: BTreeMap<String, usize>,
}

impl Tally {
    fn take(&mut self, name: &str, text: &str) {
        self.documents += 1;
        match compile(text) {
            Ok(router) => {
                self.operations += router.endpoints().len();
                every_operation_is_found_again(name, &router);
            }
            Err(problems) => *self.refused.entry(reason(name, &problems[0])).or_default() += 1,
        }
    }

    fn print(&self, kind: &str) {
        let refused: usize = self.refused.values().sum();
        let compiled = self.documents - refused;
        eprintln!(
            "{kind}: {compiled} of {} compiled, {} operations found again, refused {refused}: {:?}",
            self.documents, self.operations, self.refused
        );
        assert!(compiled * 2 > self.documents, "more than half of public documents compile");
    }
}

/// The known reasons to refuse a document; any other fails the test.
fn reason(name: &str, problem: &Problem) -> String {
    let known = ["holds a query or a fragment", "declared twice", "is already in"];
    let known = known.into_iter().find(|known| problem.message.contains(known));
    known.unwrap_or_else(|| panic!("{name}: {problem}")).to_owned()
}

fn every_operation_is_found_again(name: &str, router: &Router) {
    for endpoint in router.endpoints() {
        let mut path = String::new();
        let mut rest = &*endpoint.template;
        while let Some((literal, after)) = rest.split_once('{') {
            let (_, after) = after.split_once('}').expect("a closed brace");
            path.push_str(literal);
            // Adjacent variables are one.
            if !(path.ends_with("~7")) || !literal.is_empty() {
                path.push_str("~7");
            }
            rest = after;
        }
        path.push_str(rest);
        let request = Request { method: (&*endpoint.method).into(), path: path.as_str().into(), ..Default::default() };
        match router.route(&request) {
            Ok(found) => assert_eq!(found.endpoint.id, endpoint.id, "{name}: {path}"),
            Err(miss) => panic!("{name}: {} {path}: {miss:?}", endpoint.method),
        }
    }
}

fn operations(router: &Router) -> Vec<String> {
    router.endpoints().iter().map(|endpoint| format!("{} {}", endpoint.id, endpoint.template)).collect()
}

fn compile(text: &str) -> Result<Router, Vec<Problem>> {
    let document = Source { key: "openapi[0]".to_owned(), name: None, text };
    Router::compile(&Config::default(), &[], &[], &[document])
}

fn data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("ZT_DATA").map_or_else(beside, PathBuf::from);
    let here = data.join("openapi/full").is_dir();
    if !here {
        eprintln!("not run: no data in {} (set ZT_DATA)", data.display());
    }
    here.then_some(data)
}

fn gunzip(path: &std::path::Path) -> String {
    let mut child = Command::new("gzip").arg("-dc").arg(path).stdout(Stdio::piped()).spawn().expect("gzip");
    let mut text = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut text).expect("UTF-8");
    assert!(child.wait().expect("gzip ends").success());
    text
}
