//! What a binding's hot call costs over the core, on the same request.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use zt_benches::figure::Figure;
use zt_benches::fixture::{Fixture, NOW};
use zt_benches::measure::medians;

/// The folder that configuration and request are handed over in, and the two interpreters; `cargo xtask bench` sets them.
const PYTHON: &str = "ZT_BENCH_PYTHON";

pub(crate) fn figures() -> Vec<Figure> {
    let fixture = Fixture::new();
    let request = Fixture::request(("X-API-Key", &fixture.api_key));
    let [core] = medians([&mut || {
        black_box(fixture.engine.decide(&fixture.state, black_box(&request), NOW));
    }]);

    let folder = root().join("target/bench");
    let asked = json!({"time_ms": NOW, "request": request});
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("zt.toml"), &fixture.config))
        .and_then(|()| std::fs::write(folder.join("event.json"), asked.to_string()));
    if let Err(error) = written {
        return vec![Figure::missing("bindings", "us", error.to_string())];
    }
    let python = std::env::var(PYTHON).unwrap_or_else(|_| "python3".to_owned());
    let mut figures = vec![Figure::new("decide in the core, API key", core / 1e3, "us")];
    figures.push(over_core(
        "ASGI hot call over the core",
        core,
        2.0,
        &python,
        "zt-python/benches/hot_call.py",
        &folder,
    ));
    figures.push(over_core("Node hot call over the core", core, 3.0, "node", "zt-node/bench/hot-call.mjs", &folder));
    figures
}

/// Runs a script that prints `{"ns": median nanoseconds of one call}`.
fn over_core(name: &str, core: f64, target: f64, program: &str, script: &str, folder: &Path) -> Figure {
    let mut command = Command::new(program);
    command.arg(root().join(script)).arg(folder.join("zt.toml")).arg(folder.join("event.json"));
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return Figure::missing(name, "us", format!("{program}: {error}")),
    };
    let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    match answer.and_then(|answer| answer["ns"].as_f64()) {
        Some(ns) => {
            Figure::new(name, (ns - core) / 1e3, "us").at_most(target).beside(format!("whole call {:.2} us", ns / 1e3))
        }
        None => {
            Figure::missing(name, "us", String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no answer"))
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
