//! `cargo xtask demo`: the main job, on screen.

use std::process::ExitCode;

use crate::process::{self, cargo};
use crate::runtimes;

/// Attacks the example API and replays recorded traffic; with `--runtimes`, in every runtime.
///
/// # Errors
/// When a request was decided otherwise than expected, or runtimes differ.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !matches!(arguments, [] | ["--runtimes"]) {
        return Err(format!("demo takes `--runtimes`, `anomaly` or nothing, not {arguments:?}"));
    }
    println!("building the example API and the demo (a cold build takes a few minutes) ...");
    process::run("demo", cargo(&["run", "--profile", "demo", "--package", "zt-demo"]))?;
    if arguments.is_empty() { Ok(()) } else { runtimes::run(&[]) }
}

/// Plays recorded traffic through an engine that learns as it goes, with a live chart on a terminal; exits as the player
/// does.
pub(crate) fn anomaly(arguments: &[&str]) -> ExitCode {
    let mut all = vec!["run", "--quiet", "--profile", "demo", "--package", "zt-anomaly-demo", "--"];
    all.extend(arguments);
    eprintln!("building the player (a cold build takes a few minutes) ...");
    let mut player = cargo(&all);
    // Files are named from where the command was given.
    if let Ok(here) = std::env::current_dir() {
        player.current_dir(here);
    }
    match player.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => {
            println!("xtask: cargo cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
