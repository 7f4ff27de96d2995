//! The published suites of request verification and a random one, as one file of cases for every runtime.
//!
//! `zt-conformance cases DATA FOLDER [--seed N] [--random N]` writes `cases.jsonl`, a line a case, and what Rust answers,
//! `rust.jsonl`. Each other runtime answers the same file through its own `op`. `zt-conformance report FOLDER NAME...`
//! prints a table and fails on any wrong answer.
//!
//! `zt-conformance policy ...` (feature `policy`) is the conformance of policy evaluation.
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod case;
mod deliberate;
mod dpop;
mod jose;
mod mutate;
#[cfg(feature = "policy")]
mod policy;
mod random;
mod report;
mod requests;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use zt_core::wire::{OPS, op};

use case::Expect;

const USAGE: &str = "zt-conformance cases DATA FOLDER [--seed N] [--random N] | report FOLDER RUNTIME... | policy ...";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.split_first() {
        Some((&"cases", [data, folder, options @ ..])) => write_cases(Path::new(data), Path::new(folder), options),
        Some((&"report", [folder, runtimes @ ..])) => report::print(Path::new(folder), runtimes),
        #[cfg(feature = "policy")]
        Some((&"policy", rest)) => policy::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write_cases(data: &Path, folder: &Path, options: &[&str]) -> Result<(), String> {
    let option = |name: &str, default: u64| match options.iter().position(|option| *option == name) {
        Some(at) => options.get(at + 1).and_then(|text| text.parse().ok()).ok_or(format!("{name} takes a number")),
        None => Ok(default),
    };
    let (seed, random) = (option("--seed", 20_260_101)?, option("--random", 400)?);
    let read = |name: &str| -> Option<Value> {
        let text = fs::read(data.join("verify").join(name)).ok();
        if text.is_none() {
            println!("without {name}: it is not in {}", data.join("verify").display());
        }
        serde_json::from_slice(&text?).ok()
    };
    let mut cases = Vec::new();
    cases.extend(
        read("wycheproof_json_web_signature_test.json").iter().flat_map(|d| jose::wycheproof(d, "wycheproof-jws")),
    );
    cases.extend(read("wycheproof_json_web_key_test.json").iter().flat_map(|d| jose::wycheproof(d, "wycheproof-jwk")));
    cases.extend(
        jose::COOKBOOK.iter().filter_map(|name| jose::cookbook(name, &read(&format!("jose-cookbook/{name}.json"))?)),
    );
    cases.extend(read("zt_jwt_attacks.json").iter().flat_map(jose::attacks));
    cases.extend(read("rfc9421_appendix_b.json").iter().flat_map(requests::signatures));
    cases.extend(read("aws_sigv4_suite.json").iter().flat_map(requests::sigv4));
    cases.extend(read("rfc9449_dpop_examples.json").iter().flat_map(dpop::proofs));
    cases.extend(random::cases(seed, random)?);
    println!("random suite: seed {seed}, {random} rounds");

    let mut missing: Vec<&str> = cases.iter().map(|case| case.op).filter(|op| !OPS.contains(op)).collect();
    missing.sort_unstable();
    missing.dedup();
    for op in &missing {
        let count = cases.iter().filter(|case| case.op == *op).count();
        println!("skipped: {count} cases of the operation `{op}`, which there is not yet");
    }
    cases.retain(|case| OPS.contains(&case.op));

    let (mut lines, mut answers) = (String::new(), String::new());
    for case in &mut cases {
        let answer = op(case.op, &case.document.to_string());
        if case.expect == Expect::AsRust {
            let accepted = answer.as_ref().is_ok_and(|answer| answer.contains("\"accepted\":true"));
            case.expect = if accepted { Expect::Accept } else { Expect::Reject };
        }
        lines += &format!("{}\n", serde_json::to_string(&case).map_err(|error| error.to_string())?);
        answers += &format!("{}\n", report::Line::of(&case.suite, &case.id, answer)?);
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let write = |name: &str, text: String| {
        fs::write(folder.join(name), text).map_err(|error| format!("{}: {error}", folder.join(name).display()))
    };
    write("cases.jsonl", lines)?;
    write("rust.jsonl", answers)?;
    println!("{} cases in {}", cases.len(), folder.join("cases.jsonl").display());
    Ok(())
}
