//! The published suites of request verification in every runtime.

use std::path::PathBuf;

use crate::process::{cargo, program, root, run as step, target};
use crate::{node, python, wasm};

const USAGE: &str =
    "conformance takes `--seed N`, `--random N` (rounds) and `--installed` (nothing is built anew), not";

/// `conformance [--seed N] [--random N] [--installed]`.
///
/// # Errors
/// When a runtime cannot be built, or any answer is wrong.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let (mut options, mut installed) = (Vec::new(), false);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--installed" => installed = true,
            "--seed" | "--random" => options.extend([*word, rest.next().ok_or(format!("{USAGE} `{word}` alone"))?]),
            other => return Err(format!("{USAGE} `{other}`")),
        }
    }
    if !installed {
        python::install()?;
        node::install()?;
        wasm::install()?;
    }
    let data = std::env::var_os("ZT_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let folder = target().join("conformance");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (data, cases) = (data.to_string_lossy().into_owned(), path("cases.jsonl"));
    let tool = |arguments: &[&str]| {
        let mut all = vec!["run", "--quiet", "--package", "zt-conformance", "--"];
        all.extend(arguments);
        cargo(&all)
    };

    let folder_name = folder.to_string_lossy();
    let mut write = vec!["cases", &data, &folder_name];
    write.extend(options);
    step("cases, and Rust", tool(&write))?;
    let (by_python, by_node, by_wasm) = (path("python.jsonl"), path("node.jsonl"), path("wasm.jsonl"));
    let script = ["zt-python/tests/conformance.py", &cases, &by_python];
    step("Python", program(python::interpreter(), "", &script))?;
    step("Node", program("node", "zt-node", &["test/conformance.mjs", &cases, &by_node]))?;
    step("WASM in workerd", program("node", "zt-wasm", &["test/conformance.mjs", &cases, &by_wasm]))?;
    step("conformance", tool(&["report", &folder_name, "python", "node", "wasm"]))
}
