//! Cedar's published corpus and its hand-written tests: decision, reasons and errors of every request.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use zt_core::wire::op;

use super::case::{Case, differences, read};
use crate::report::{Line, lines};

/// Requests that the other runtimes answer too.
const SAMPLE: usize = 10_000;
const THREADS: usize = 2;
/// How many differences are shown.
const SHOWN: usize = 10;

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

    let written = written(&data);
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

/// The tests that Cedar's authors wrote by hand.
fn written(data: &Path) -> Vec<PathBuf> {
    let folders = ["decimal", "example_use_cases", "ip", "multi"].map(|name| data.join("tests").join(name));
    folders.iter().flat_map(|folder| tests_in(folder)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// All that was written by hand and every thirtieth of the corpus; all is `cargo xtask conformance policy`.
    ///
    /// The data is not part of the project: `$ZT_DATA`, or `shared/data` beside it.
    #[test]
    fn answers_as_published() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let data = std::env::var_os("ZT_DATA").map_or(root.join("../shared/data"), PathBuf::from).join("policy");
        let archive = data.join("corpus-tests.tar.gz");
        if !archive.exists() {
            eprintln!("no {}: nothing was compared", archive.display());
            return;
        }
        let folder = std::env::temp_dir().join(format!("zt-policy-corpus-{}", std::process::id()));
        unpack(&archive, &folder).unwrap();
        let corpus: Vec<PathBuf> = tests_in(&folder.join("corpus-tests")).into_iter().step_by(30).collect();
        let ran = [("written", &data, written(&data)), ("corpus", &folder, corpus)]
            .map(|(suite, root, files)| (files.len(), answer_all(suite, root, &files)));
        fs::remove_dir_all(&folder).unwrap();
        for (files, result) in ran {
            let (asked, differ) = result.unwrap();
            assert!(files > 0 && asked >= files, "{asked} requests of {files} tests");
            assert_eq!(differ, Vec::<String>::new());
        }
    }
}
