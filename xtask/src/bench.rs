//! Measurements with peers in the same run, and the hot call of each binding.

use crate::process::{cargo, run};
use crate::{node, peers, python};

/// `bench [NAME] [--json FILE]`: `decide` (the default), `bindings`, `detection`, `series` and `shop` (its rows of numbers and
/// of campaigns, without the Python peers), `policy`, `scoring`, `state`, `verify`, or `criterion` for a distribution of every stage; `flood [--keys N] [--plot FILE]` draws memory under hostile keys; `verify-peers` prints who accepts what of the attack suite, with `--record` after running every peer anew.
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
        ["detection", ..] => {
            // zt is measured all the same.
            if let Err(reason) = peers::install_detection() {
                println!("{reason}");
            }
            measure(arguments)
        }
        ["policy", ..] => {
            python::install()?;
            node::install()?;
            peers::install_policy()?;
            // Counts allocations for the other, which is slower for being counted itself.
            run(
                "bench",
                cargo(&["build", "--profile", "bench", "--package", "zt-benches", "--bin", "zt-allocations"]),
            )?;
            measure(arguments)
        }
        ["verify", ..] => {
            python::install()?;
            node::install()?;
            peers::install()?;
            measure(arguments)
        }
        ["verify-peers", "--record"] => {
            peers::install()?;
            measure(arguments)?;
            measure(&["verify-peers"])
        }
        // Known before minutes of building.
        [name, ..]
            if !matches!(
                *name,
                "decide" | "flood" | "scoring" | "series" | "shop" | "state" | "verify-peers" | "--json"
            ) =>
        {
            Err(format!(
                "`{name}` is no bench; there are `decide`, `bindings`, `detection`, `flood`, `policy`, `scoring`, `series`, `shop`, `state`, `verify`, `verify-peers` and `criterion`"
            ))
        }
        _ => measure(arguments),
    }
}

/// `soak [--minutes N]`: threads decide at full speed while engines are swapped and states told of each other.
///
/// # Errors
/// When a count was lost, memory grew or a thread panicked.
pub(crate) fn soak(arguments: &[&str]) -> Result<(), String> {
    measure(&[&["soak"], arguments].concat())
}

fn measure(arguments: &[&str]) -> Result<(), String> {
    let mut all = vec!["run", "--profile", "bench", "--package", "zt-benches", "--bin", "zt-bench", "--"];
    all.extend(arguments);
    let mut bench = cargo(&all);
    bench.env("ZT_BENCH_PYTHON", python::interpreter()).env("ZT_BENCH_PEERS", peers::folder());
    run("bench", bench)
}
