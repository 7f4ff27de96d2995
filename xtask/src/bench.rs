//! Measurements with peers in the same run, and the hot call of each binding.

use crate::process::{cargo, run};
use crate::{node, python};

/// `bench [NAME] [--json FILE]`: `decide` (the default), `bindings`, or `criterion` for a distribution of every stage.
///
/// # Errors
/// When it could not run; a target that was missed is printed, not an error.
pub(crate) fn run_bench(arguments: &[&str]) -> Result<(), String> {
    match arguments {
        ["criterion", rest @ ..] => {
            let mut all = vec!["bench", "--package", "zt-benches"];
            all.extend(rest);
            run("criterion", cargo(&all))
        }
        ["bindings", ..] => {
            python::install()?;
            node::install()?;
            measure(arguments)
        }
        // Known before minutes of building.
        [name, ..] if !matches!(*name, "decide" | "--json") => {
            Err(format!("`{name}` is no bench; there are `decide`, `bindings` and `criterion`"))
        }
        _ => measure(arguments),
    }
}

fn measure(arguments: &[&str]) -> Result<(), String> {
    let mut all = vec!["run", "--profile", "bench", "--package", "zt-benches", "--bin", "zt-bench", "--"];
    all.extend(arguments);
    let mut bench = cargo(&all);
    bench.env("ZT_BENCH_PYTHON", python::interpreter());
    run("bench", bench)
}
