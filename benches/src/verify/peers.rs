//! The programs under `benches/peers`: what others do with the same tokens, and zt's bindings beside them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use zt_benches::figure::Figure;

use super::payload::Payload;
use super::{Row, Rows};

/// The interpreter that has zt and its peers, and the folder of what was built; `cargo xtask bench` sets them.
const PYTHON: &str = "ZT_BENCH_PYTHON";
const BUILT: &str = "ZT_BENCH_PEERS";

const ALGORITHMS: [&str; 5] = ["HS256", "RS256", "PS256", "ES256", "EdDSA"];

/// A program that measures itself and judges the attack suite.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    program: PathBuf,
    script: Option<&'static str>,
}

/// Every one.
pub(crate) fn programs() -> Vec<Program> {
    let built = std::env::var_os(BUILT).map_or_else(|| root().join("target/peers"), PathBuf::from);
    let backend = |name| built.join(name).join("release/zt-peer-jsonwebtoken");
    let python = std::env::var_os(PYTHON).map_or_else(|| "python3".into(), PathBuf::from);
    vec![
        Program { name: "jsonwebtoken aws_lc_rs", program: backend("aws_lc_rs"), script: None },
        Program { name: "jsonwebtoken rust_crypto", program: backend("rust_crypto"), script: None },
        Program { name: "Python", program: python, script: Some("benches/peers/python/verify.py") },
        Program { name: "Node", program: "node".into(), script: Some("benches/peers/node/verify.mjs") },
    ]
}

impl Program {
    /// What it prints on `mode FILE`.
    ///
    /// # Errors
    /// When it cannot start, fails, or prints something else.
    pub(crate) fn run(&self, mode: &str, file: &Path) -> Result<Value, String> {
        let mut command = Command::new(&self.program);
        command.args(self.script.map(|script| root().join(script))).arg(mode).arg(file);
        let output = command.output().map_err(|error| format!("{}: {error}", self.program.display()))?;
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let told = String::from_utf8_lossy(&output.stderr);
            format!("{}: {}", self.name, told.lines().last().unwrap_or("no answer"))
        })
    }
}

/// Figures beside the peers in other programs, and what a hit of fast-jwt's cache takes.
pub(crate) fn figures(payload: &Payload, in_rust: &Rows) -> Result<(Vec<Figure>, Option<f64>), String> {
    let folder = root().join("target/bench");
    let file = folder.join("verify.json");
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, payload.document().to_string()));
    written.map_err(|error| format!("{}: {error}", file.display()))?;
    let (mut figures, mut fast_jwt) = (Vec::new(), None);
    for program in programs() {
        match program.name {
            // Measured in this process already.
            "jsonwebtoken aws_lc_rs" => continue,
            name => match program.run("measure", &file).map(rows) {
                Err(reason) => figures.push(Figure::missing(name, "ratio", reason)),
                Ok(rows) if name == "jsonwebtoken rust_crypto" => figures.extend(by_rust_crypto(&rows, in_rust)),
                Ok(rows) => {
                    fast_jwt = fast_jwt.or_else(|| rows.of("fast-jwt", "ES256", "repeated"));
                    figures.extend(beside_binding(name, &rows));
                }
            },
        }
    }
    Ok((figures, fast_jwt))
}

fn by_rust_crypto(rows: &Rows, in_rust: &Rows) -> Vec<Figure> {
    let one = |alg| {
        let (peer, zt) = (rows.of("jsonwebtoken", alg, "each")?, in_rust.of("zt", alg, "cold")?);
        let figure = Figure::new(format!("{alg} jsonwebtoken rust_crypto / zt cold"), peer / zt, "ratio");
        Some(figure.beside(format!("jsonwebtoken 11.1 {:.2} us", peer / 1e3)))
    };
    ALGORITHMS.into_iter().filter_map(one).collect()
}

/// The quickest peer by zt, for each algorithm; the first time and again.
fn beside_binding(runtime: &str, rows: &Rows) -> Vec<Figure> {
    let mut figures = Vec::new();
    for alg in ALGORITHMS {
        let is_peer = |row: &&Row| row.alg == alg && !row.verifier.starts_with("zt ");
        let quickest = |rows: &mut dyn Iterator<Item = &Row>| rows.min_by(|a, b| a.ns.total_cmp(&b.ns)).cloned();
        let cold = quickest(&mut rows.0.iter().filter(is_peer).filter(|row| row.way == "each"));
        let any = quickest(&mut rows.0.iter().filter(is_peer));
        for (way, peer, target) in [("cold", cold, 2.0), ("repeated", any, 10.0)] {
            let name = format!("{runtime} {alg} {way}: quickest peer / zt");
            let ours = rows.of("zt ", alg, way);
            let read = rows.0.iter().find(|r| r.verifier.ends_with("claims read") && r.alg == alg && r.way == way);
            figures.push(match (peer, ours) {
                (Some(peer), Some(zt)) => {
                    let read = read.map(|row| format!(", claims read {:.2}", row.ns / 1e3)).unwrap_or_default();
                    let beside = format!("{} {:.2} us, zt {:.2}{read}", peer.verifier, peer.ns / 1e3, zt / 1e3);
                    Figure::new(name, peer.ns / zt, "ratio").at_least(target).beside(beside)
                }
                _ => Figure::missing(name, "ratio", "not measured"),
            });
        }
    }
    figures
}

fn rows(answer: Value) -> Rows {
    let mut rows = Rows::default();
    for row in answer["rows"].as_array().into_iter().flatten() {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        if let Some(ns) = row["ns"].as_f64() {
            rows.add(text("verifier"), text("alg"), text("way"), ns);
        }
    }
    rows
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Recorded data, which is not part of the project: `$ZT_DATA`, or `shared/data` beside it.
pub(crate) fn data() -> PathBuf {
    std::env::var_os("ZT_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from)
}
