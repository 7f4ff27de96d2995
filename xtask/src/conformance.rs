//! Conformance in every runtime: the published suites of request verification, and Cedar's of policy evaluation.

use std::path::PathBuf;

use crate::process::{cargo, program, root, run as step, target};
use crate::{node, python, wasm};

const USAGE: &str =
    "conformance takes `--seed N`, `--random N` (rounds) and `--installed` (nothing is built anew), not";

const POLICY_USAGE: &str = "conformance policy takes `--seed N`, `--requests N` (random ones) and `--installed`, not";

/// `conformance [--seed N] [--random N] [--installed]`, or `conformance policy ...`.
///
/// # Errors
/// When a runtime cannot be built, or any answer is wrong.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if let Some((&"policy", rest)) = arguments.split_first() {
        return policy(rest);
    }
    let options = options(arguments, USAGE, "--random")?;
    let (data, folder_name) = places();
    let path = |name: &str| format!("{folder_name}/{name}");
    let cases = path("cases.jsonl");
    // Without Cedar, which this does not need and takes minutes to build.
    let tool = |arguments: &[&str]| {
        let mut all = vec!["run", "--quiet", "--package", "zt-conformance", "--no-default-features", "--"];
        all.extend(arguments);
        cargo(&all)
    };

    let mut write = vec!["cases", &data, &folder_name];
    write.extend(&options);
    step("cases, and Rust", tool(&write))?;
    by_runtime(&cases, |runtime| path(&format!("{runtime}.jsonl")))?;
    step("conformance", tool(&["report", &folder_name, "python", "node", "wasm"]))
}

/// Policy evaluation: the corpus in every runtime, shallow stacks, and random policies against Cedar.
fn policy(arguments: &[&str]) -> Result<(), String> {
    let options = options(arguments, POLICY_USAGE, "--requests")?;
    let (data, folder) = places();
    let tool = |arguments: &[&str]| {
        let mut all = vec!["run", "--quiet", "--release", "--package", "zt-conformance", "--", "policy"];
        all.extend(arguments);
        cargo(&all)
    };
    step("shallow stacks", tool(&["shallow"]))?;
    step("Cedar's corpus in Rust", tool(&["corpus", &data, &folder]))?;
    by_runtime(&format!("{folder}/policy-cases.jsonl"), |runtime| format!("{folder}/policy-{runtime}.jsonl"))?;
    step("a sample of the corpus in Python, Node and WASM", tool(&["report", &folder, "python", "node", "wasm"]))?;
    let mut random = vec!["random"];
    random.extend(options);
    step("random policies", tool(&random))
}

/// What goes on to the tool, once every runtime is installed, unless `--installed` says that it is.
fn options<'a>(arguments: &[&'a str], usage: &str, count: &str) -> Result<Vec<&'a str>, String> {
    let (mut options, mut installed) = (Vec::new(), false);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--installed" => installed = true,
            "--seed" => options.extend([*word, rest.next().ok_or(format!("{usage} `{word}` alone"))?]),
            word if word == count => options.extend([word, rest.next().ok_or(format!("{usage} `{word}` alone"))?]),
            other => return Err(format!("{usage} `{other}`")),
        }
    }
    if !installed {
        python::install()?;
        node::install()?;
        wasm::install()?;
    }
    Ok(options)
}

/// Where the data is, and where cases and answers go.
fn places() -> (String, String) {
    let data = std::env::var_os("ZT_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    (text(data), text(target().join("conformance")))
}

/// Has the other runtimes answer a file of cases.
fn by_runtime(cases: &str, out: impl Fn(&str) -> String) -> Result<(), String> {
    let (by_python, by_node, by_wasm) = (out("python"), out("node"), out("wasm"));
    let script = ["zt-python/tests/conformance.py", cases, &by_python];
    step("Python", program(python::interpreter(), "", &script))?;
    step("Node", program("node", "zt-node", &["test/conformance.mjs", cases, &by_node]))?;
    step("WASM in workerd", program("node", "zt-wasm", &["test/conformance.mjs", cases, &by_wasm]))
}
