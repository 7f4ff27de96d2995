//! The programs under `benches/peers`: what others decide of the same requests, and zt's bindings beside them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use zt_benches::figure::Figure;
use zt_benches::workload::Workload;

use super::{BINDINGS, Rows, SIZES, beside};
use crate::verify::root;

/// The interpreter that has zt and its peers, and the folder of what was built; `cargo xtask bench` sets them.
const PYTHON: &str = "ZT_BENCH_PYTHON";
const BUILT: &str = "ZT_BENCH_PEERS";

/// An engine, and nanoseconds of one decision or why they are not known.
type Row = (String, Result<f64, String>);

/// Where peers of the bindings are held to the target.
const HELD_AT: usize = 100;

pub(crate) fn figures(in_rust: &Rows) -> Vec<Figure> {
    let built = std::env::var_os(BUILT).map_or_else(|| root().join("target/peers"), PathBuf::from);
    let python = std::env::var_os(PYTHON).map_or_else(|| "python3".into(), PathBuf::from);
    let rust = (built.join("policy/release/zt-peer-policy"), None);
    let python = (python, Some("benches/peers/python/authorize.py"));
    let node = ("node".into(), Some("benches/peers/node/authorize.mjs"));
    let mut figures = Vec::new();
    for (runtime, program, sizes) in
        [("Rust", rust, &SIZES[..]), ("Python", python, &SIZES[..3]), ("Node", node, &SIZES[..3])]
    {
        for policies in sizes {
            match run(&program.0, program.1, *policies) {
                Err(reason) => figures.push(Figure::missing(format!("{policies}: {runtime}"), "ratio", reason)),
                Ok(rows) if runtime == "Rust" => figures.extend(native(rows, *policies, in_rust)),
                Ok(rows) => figures.extend(bound(runtime, &rows, *policies)),
            }
        }
    }
    figures
}

/// What the program prints, `{"rows": [{"engine": ..., "ns": ...}]}`, once it agrees with the right answers.
fn run(program: &PathBuf, script: Option<&str>, policies: usize) -> Result<Vec<Row>, String> {
    let folder = root().join("target/bench");
    let file = folder.join(format!("policy-{policies}.json"));
    let document = Workload::new(policies).document().to_string();
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, document));
    written.map_err(|error| format!("{}: {error}", file.display()))?;
    let mut command = Command::new(program);
    command.args(script.map(|script| root().join(script))).arg(&file);
    let output = command.output().map_err(|error| format!("{}: {error}", program.display()))?;
    let answer: Value = serde_json::from_slice(&output.stdout)
        .ok()
        .filter(|_| output.status.success())
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no answer").to_owned())?;
    let row = |row: &Value| {
        let reason = || row["reason"].as_str().unwrap_or("not measured").to_owned();
        (row["engine"].as_str().unwrap_or_default().to_owned(), row["ns"].as_f64().ok_or_else(reason))
    };
    Ok(answer["rows"].as_array().into_iter().flatten().map(row).collect())
}

fn native(rows: Vec<Row>, policies: usize, in_rust: &Rows) -> Vec<Figure> {
    let one = |(engine, took): Row| match took {
        Err(reason) => Some(Figure::missing(format!("{policies}: {engine} / zt"), "ratio", reason)),
        Ok(ns) => {
            let zt = in_rust.of(super::zt::NAME, policies)?;
            let both = Rows([((engine.clone(), policies), ns), ((super::zt::NAME.to_owned(), policies), zt)].into());
            beside(&both, &engine, policies, None)
        }
    };
    rows.into_iter().filter_map(one).collect()
}

/// Every peer by zt's own call in the same process.
fn bound(runtime: &str, rows: &[Row], policies: usize) -> Vec<Figure> {
    let zt = rows.iter().find(|(engine, _)| engine.starts_with("zt ")).and_then(|(_, took)| took.as_ref().ok());
    let mut figures = Vec::new();
    for (engine, took) in rows.iter().filter(|(engine, _)| !engine.starts_with("zt ")) {
        let name = format!("{runtime} {policies}: {engine} / zt");
        figures.push(match (took, zt) {
            (Ok(peer), Some(zt)) => {
                let figure = Figure::new(name, peer / zt, "ratio");
                let figure = figure.beside(format!("{:.2} us, zt {:.2}", peer / 1e3, zt / 1e3));
                if policies == HELD_AT { figure.at_least(BINDINGS) } else { figure }
            }
            (Err(reason), _) => Figure::missing(name, "ratio", reason.clone()),
            (_, None) => Figure::missing(name, "ratio", "zt was not measured"),
        });
    }
    figures
}
