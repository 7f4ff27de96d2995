//! `cargo xtask demo`: the main job, on screen.

use crate::process::{self, cargo};
use crate::runtimes;

/// Attacks the example API and replays recorded traffic; with `--runtimes`, in every runtime.
///
/// # Errors
/// When a request was decided otherwise than expected, or runtimes differ.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !matches!(arguments, [] | ["--runtimes"]) {
        return Err(format!("demo takes `--runtimes` or nothing, not {arguments:?}"));
    }
    println!("building the example API and the demo (a cold build takes a few minutes) ...");
    process::run("demo", cargo(&["run", "--profile", "demo", "--package", "zt-demo"]))?;
    if arguments.is_empty() { Ok(()) } else { runtimes::run(&[]) }
}
