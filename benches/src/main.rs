//! `zt-bench NAME [--json FILE]`: prints a table, writes the document. `zt-bench verify-peers --record` runs the peers
//! through the attack suite and records what they accept. `zt-bench flood [--keys N] [--plot FILE]` also draws memory;
//! `zt-bench soak [--minutes N]` fails where a count is lost or memory grows. `cargo xtask bench` calls it.
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod bindings;
mod decide;
mod detection;
mod flood;
mod machine;
mod policy;
mod scoring;
mod soak;
mod state;
mod verify;

use std::process::ExitCode;

use zt_benches::figure::{Figure, document, table};

type Bench = fn() -> Vec<Figure>;

const BENCHES: &[(&str, Bench)] = &[
    ("decide", decide::figures),
    ("bindings", bindings::figures),
    ("detection", detection::figures),
    ("policy", policy::figures),
    ("scoring", scoring::figures),
    ("series", detection::series),
    ("shop", detection::shop),
    ("state", state::figures),
    ("verify", verify::figures),
    ("verify-peers", verify::attacks),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.split_first() {
        Some((&"soak", rest)) => return soak::run(rest),
        Some((&"flood", rest)) => {
            return match flood::Options::read(rest) {
                Some(options) => print("flood", options.json, || flood::figures(&options)),
                None => usage(),
            };
        }
        _ => {}
    }
    let (name, file) = match words.as_slice() {
        [] => ("decide", None),
        ["--json", file] => ("decide", Some(*file)),
        ["verify-peers", "--record"] => return record(),
        [name] => (*name, None),
        [name, "--json", file] => (*name, Some(*file)),
        _ => return usage(),
    };
    let Some((_, bench)) = BENCHES.iter().find(|(known, _)| *known == name) else { return usage() };
    print(name, file, bench)
}

fn print(name: &str, file: Option<&str>, bench: impl FnOnce() -> Vec<Figure>) -> ExitCode {
    let (machine, date) = (machine::name(), machine::date());
    println!("{name} on {machine}, {date}\n");
    let figures = bench();
    println!("{}", table(&figures));
    let Some(file) = file else { return ExitCode::SUCCESS };
    let text = format!("{:#}\n", document(name, &machine, &date, &figures));
    match std::fs::write(file, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cannot write {file}: {error}");
            ExitCode::from(2)
        }
    }
}

fn record() -> ExitCode {
    match verify::record(&machine::name(), &machine::date()) {
        Ok(file) => {
            println!("wrote {}", file.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}

fn usage() -> ExitCode {
    let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
    println!("zt-bench [{}] [--json FILE]", names.join(" | "));
    println!("zt-bench flood [--keys N] [--plot FILE] [--json FILE]\nzt-bench soak [--minutes N]");
    ExitCode::from(2)
}
