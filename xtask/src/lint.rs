//! Formatting, clippy, documentation, feature combinations.

use crate::process::{cargo, run};

/// # Errors
/// At the first that is not clean.
pub(crate) fn run_all() -> Result<(), String> {
    run("formatting", cargo(&["fmt", "--all", "--check"]))?;
    let strict = ["clippy", "--workspace", "--all-targets", "--features", "zt-core/tower", "--", "-D", "warnings"];
    run("clippy", cargo(&strict))?;
    let edge = ["clippy", "-p", "zt-core", "--no-default-features", "--lib", "--", "-D", "warnings"];
    run("clippy without `compile`", cargo(&edge))?;
    let edge = ["clippy", "-p", "zt-wasm", "--no-default-features", "--lib", "--", "-D", "warnings"];
    run("clippy of the edge build", cargo(&edge))?;
    let mut docs = cargo(&["doc", "--no-deps", "-p", "zt-core", "-p", "zt-cli", "--features", "zt-core/tower"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    run("documentation", docs)
}
