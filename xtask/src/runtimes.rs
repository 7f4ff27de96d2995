//! The same events through Rust, Python, Node and WASM: every decision line must be the same bytes.

use std::fs;
use std::path::Path;

use crate::process::{cargo, program, run as step, target};
use crate::{node, python, wasm};

/// `runtimes [--sample N]`.
///
/// # Errors
/// When a runtime cannot be built or decides otherwise.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let sample = match arguments {
        [] => None,
        ["--sample", n] => Some(n.parse().map_err(|_| format!("`{n}` is not a number"))?),
        other => return Err(format!("runtimes takes `--sample N` or nothing, not {other:?}")),
    };
    python::install()?;
    node::install()?;
    wasm::install()?;
    compare(sample)
}

/// Replays the events, all or a sample, in every runtime that is installed already.
///
/// # Errors
/// When a runtime fails or decides otherwise.
pub(crate) fn compare(sample: Option<u32>) -> Result<(), String> {
    let folder = target().join("replay");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (config, events, rust) = (path("zt.toml"), path("events.jsonl"), path("rust.jsonl"));

    let sample = sample.map(|n| n.to_string());
    let mut arguments = vec!["run", "--quiet", "--profile", "demo", "--package", "zt-demo", "--", "replay"];
    arguments.extend(["--write-config", &config, "--write-events", &events, "--out", &rust]);
    if let Some(sample) = &sample {
        arguments.extend(["--sample", sample]);
    }
    step("replay in Rust", cargo(&arguments))?;

    let replay = |runtime: &str| path(&format!("{runtime}.jsonl"));
    let (by_python, by_node, by_wasm) = (replay("python"), replay("node"), replay("wasm"));
    let python = program(python::interpreter(), "", &["zt-python/tests/replay.py", &config, &events, &by_python]);
    step("replay in Python", python)?;
    step("replay in Node", program("node", "zt-node", &["test/replay.mjs", &config, &events, &by_node]))?;
    step("replay in WASM", program("node", "zt-wasm", &["test/replay.mjs", &config, &events, &by_wasm]))?;

    let expected = read(&rust)?;
    for (runtime, file) in [("Python", by_python), ("Node", by_node), ("WASM", by_wasm)] {
        same(runtime, &expected, &read(&file)?)?;
    }
    let lines = expected.iter().filter(|byte| **byte == b'\n').count();
    println!("\n{lines} decisions are byte-identical in Rust, Python, Node and WASM");
    Ok(())
}

fn same(runtime: &str, expected: &[u8], found: &[u8]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let pairs = expected.split(|b| *b == b'\n').zip(found.split(|b| *b == b'\n'));
    let (number, (rust, other)) = pairs.enumerate().find(|(_, (a, b))| a != b).unwrap_or_default();
    let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    Err(format!(
        "{runtime} decides otherwise, first at event {}:\n  Rust    {}\n  {runtime}  {}",
        number + 1,
        text(rust),
        text(other)
    ))
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(Path::new(path)).map_err(|error| format!("cannot read {path}: {error}"))
}
