//! Development commands: `cargo xtask demo | test | lint | bench | soak | conformance | fuzz | wasm | runtimes`.
//!
//! Nothing but std here, so that the first command of a fresh clone starts at once.
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod bench;
mod conformance;
mod demo;
mod fuzz;
mod lint;
mod node;
mod peers;
mod process;
mod python;
mod runtimes;
mod rust;
mod test;
mod wasm;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  demo [--runtimes]    protect a real API on loopback, attack it, then replay recorded traffic
  demo anomaly [--file F] [--speed N]   play recorded traffic through an engine that learns as it goes: a live chart on a
                       terminal, a summary in a pipe; N seconds of the recording in a second, else as fast as it goes
  test                 every test in every runtime; does its own set-up
  lint                 formatting, clippy, documentation, feature combinations
  runtimes [--sample N]  the same events through Rust, Python, Node and WASM: decisions must be byte-identical
  conformance [--seed N] [--random N] [--installed]   published suites of verification in Rust, Python, Node and WASM
  conformance policy [--seed N] [--requests N] [--installed]   Cedar's corpus in four runtimes, a million random requests
                       against Cedar itself, and stacks that are too shallow for Cedar
  bench [NAME] [--json FILE]   measure: decide (the default), bindings, detection, policy, scoring, series, shop,
                       state, verify, criterion
  bench flood [--keys N] [--plot FILE]   memory and limits under 50,000,000 hostile keys
  bench verify-peers [--record]   who accepts what of the attack suite
  soak [--minutes N]   decide at full speed beside swaps and snapshots (default 10): no growth, no lost count
  fuzz [SECONDS]       run every fuzz target (default 60 s each)
  wasm                 build zt-wasm/pkg, and zt-wasm/edge without a compiler";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.split_first() {
        Some((&"demo", ["anomaly", rest @ ..])) => return demo::anomaly(rest),
        Some((&"demo", rest)) => demo::run(rest),
        Some((&"test", [])) => test::run_all(),
        Some((&"lint", [])) => lint::run_all(),
        Some((&"runtimes", rest)) => runtimes::run(rest),
        Some((&"conformance", rest)) => conformance::run(rest),
        Some((&"bench", rest)) => bench::run_bench(rest),
        Some((&"soak", rest)) => bench::soak(rest),
        Some((&"fuzz", rest)) => fuzz::run_targets(rest),
        Some((&"wasm", [])) => wasm::run(),
        _ => {
            println!("{USAGE}");
            return if words.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) };
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}
