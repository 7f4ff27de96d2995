//! Cedar's published corpus and its hand-written tests: decision, reasons and errors of every request.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zt_core::wire::op;

use crate::report::{Line, lines};

/// Requests that the other runtimes answer too.
const SAMPLE: usize = 10_000;
const THREADS: usize = 2;
/// How many differences are shown.
const SHOWN: usize = 10;

/// One test: a document, and what must be answered.
#[derive(Serialize, Deserialize)]
struct Case {
    suite: String,
    id: String,
    op: String,
    /// The document, as text: JavaScript would round its numbers.
    text: String,
    expected: Vec<Value>,
}

/// Runs everything in Rust, and writes a sample for the other runtimes: `policy-cases.jsonl`.
///
/// # Errors
/// When data is missing or any answer differs.
pub(crate) fn run(data: &Path, folder: &Path) -> Result<(), String> {
    let data = data.join("policy");
    let io = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(io)?;
    let unpacked = folder.join("policy-corpus");
    unpack(&data.join("corpus-tests.tar.gz"), &unpacked)?;

    let written = ["decimal", "example_use_cases", "ip", "multi"].map(|name| data.join("tests").join(name));
    let written: Vec<PathBuf> = written.iter().flat_map(|folder| tests_in(folder)).collect();
    let corpus = tests_in(&unpacked.join("corpus-tests"));
    println!("\n{:16} {:>8} {:>10} {:>10} {:>8} {:>6}", "suite", "tests", "requests", "agree", "differ", "s");
    let mut wrong = Vec::new();
    let (mut requests, mut cases) = (0, Vec::new());
    for (suite, root, files) in [("written", &data, &written), ("corpus", &unpacked, &corpus)] {
        if files.is_empty() {
            return Err(format!("no tests of `{suite}` below {}", root.display()));
        }
        let start = Instant::now();
        let (asked, differ) = answer_all(suite, root, files)?;
        println!(
            "{suite:16} {:>8} {asked:>10} {:>10} {:>8} {:>6.0}",
            files.len(),
            asked - differ.len(),
            differ.len(),
            start.elapsed().as_secs_f64()
        );
        requests += asked;
        wrong.extend(differ);
        if suite == "corpus" {
            let stride = (asked / SAMPLE).max(1);
            for file in files.iter().step_by(stride) {
                if cases.iter().map(|case: &Case| case.expected.len()).sum::<usize>() >= SAMPLE {
                    break;
                }
                cases.push(read(suite, root, file)?);
            }
        }
    }
    let text: Result<Vec<String>, serde_json::Error> = cases.iter().map(serde_json::to_string).collect();
    let text = text.map_err(|error| error.to_string())?.join("\n");
    fs::write(folder.join("policy-cases.jsonl"), text + "\n").map_err(io)?;
    wrong.iter().take(SHOWN).for_each(|difference| println!("{difference}"));
    match wrong.len() {
        0 => {
            println!("all {requests} requests: decision, reasons and errors as published");
            Ok(())
        }
        some => Err(format!("{some} of {requests} answers differ")),
    }
}

fn unpack(archive: &Path, folder: &Path) -> Result<(), String> {
    if folder.join("corpus-tests").exists() {
        return Ok(());
    }
    let partial = folder.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    let done = Command::new("tar").arg("xzf").arg(archive).arg("-C").arg(&partial).status();
    match done {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("{} cannot be unpacked ({status})", archive.display())),
        Err(error) => return Err(format!("`tar` cannot start: {error}")),
    }
    let _ = fs::remove_dir_all(folder);
    fs::rename(&partial, folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn tests_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.ends_with(".json") && !name.ends_with(".entities.json")
    });
    paths.sort();
    paths
}

/// A test, whose paths are relative to `root`.
fn read(suite: &str, root: &Path, file: &Path) -> Result<Case, String> {
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

/// Number of requests, and every difference.
fn answer_all(suite: &str, root: &Path, files: &[PathBuf]) -> Result<(usize, Vec<String>), String> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<(usize, Vec<String>), String> {
        let (mut asked, mut differ) = (0, Vec::new());
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let case = read(suite, root, file)?;
            asked += case.expected.len();
            let answer = op(&case.op, &case.text);
            let answer = answer.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
            differ.extend(differences(&case, answer.as_ref().map_err(String::as_str)));
        }
        Ok((asked, differ))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let (mut asked, mut differ) = (0, Vec::new());
        for thread in threads {
            let (own, differs) = thread.join().map_err(|_| "a thread panicked".to_owned())??;
            asked += own;
            differ.extend(differs);
        }
        Ok((asked, differ))
    })
}

/// One line for each request that is answered otherwise than expected.
fn differences(case: &Case, answer: Result<&Value, &str>) -> Vec<String> {
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

/// Checks what other runtimes answered: `policy-NAME.jsonl`.
///
/// # Errors
/// When a file is missing or any answer differs.
pub(crate) fn report(folder: &Path, runtimes: &[&str]) -> Result<(), String> {
    let cases: Vec<Case> = lines(&folder.join("policy-cases.jsonl"))?;
    let requests: usize = cases.iter().map(|case| case.expected.len()).sum();
    println!("\n{:16} {:>10} {:>8}", "runtime", "requests", "differ");
    let mut wrong = 0;
    for runtime in runtimes {
        let answers: Vec<Line> = lines(&folder.join(format!("policy-{runtime}.jsonl")))?;
        let mut differ = Vec::new();
        for (at, case) in cases.iter().enumerate() {
            let line = answers.get(at).filter(|line| line.id == case.id);
            let answer = match line {
                None => Err("no answer"),
                Some(Line { answer: Some(answer), .. }) => Ok(answer),
                Some(line) => Err(line.error.as_deref().unwrap_or_default()),
            };
            differ.extend(differences(case, answer));
        }
        println!("{runtime:16} {requests:>10} {:>8}", differ.len());
        differ.iter().take(SHOWN).for_each(|difference| println!("{difference}"));
        wrong += differ.len();
    }
    match wrong {
        0 if requests > 0 => Ok(()),
        0 => Err("no request was asked".to_owned()),
        some => Err(format!("{some} answers differ")),
    }
}
