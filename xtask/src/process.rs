//! Running other programs, loudly, from the project's root.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where builds and everything made by these commands goes.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `cargo` as the one that started this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// A program in a folder below the root.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>, folder: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root().join(folder));
    command
}

/// Runs it, saying what and for how long.
///
/// # Errors
/// When it cannot start or fails.
pub(crate) fn run(title: &str, mut command: Command) -> Result<(), String> {
    println!("\n== {title}");
    let start = Instant::now();
    let status = command.status().map_err(|error| {
        let name = command.get_program().to_string_lossy().into_owned();
        format!("{title}: `{name}` cannot start: {error}{}", mend(&name))
    })?;
    println!(
        "== {title}: {} in {:.0} s",
        if status.success() { "ok" } else { "FAILED" },
        start.elapsed().as_secs_f64()
    );
    if status.success() { Ok(()) } else { Err(format!("{title} failed ({status}): {command:?}")) }
}

/// Whether a program can be started at all.
pub(crate) fn exists(name: &str) -> bool {
    Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Names a missing prerequisite with the command that installs it.
///
/// # Errors
/// When it is missing.
pub(crate) fn need(name: &str) -> Result<(), String> {
    if exists(name) { Ok(()) } else { Err(format!("`{name}` is missing{}", mend(name))) }
}

fn mend(name: &str) -> &'static str {
    match name {
        "python3" => "; install Python 3.10 or newer: `apt-get install python3 python3-venv` (or python.org)",
        "node" | "npm" => "; install Node.js 20 or newer with npm: `apt-get install nodejs npm` (or nodejs.org)",
        "cc" => "; install a C compiler: `apt-get install build-essential`",
        _ => "",
    }
}
