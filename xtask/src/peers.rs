//! What zt is measured against, under `benches/peers`: each as its own program, with pinned versions.

use std::path::PathBuf;

use crate::process::{cargo, need, program, root, run, target};
use crate::python;

/// What was built of them.
pub(crate) fn folder() -> PathBuf {
    target().join("peers")
}

/// Installs the Python and the Node peers.
fn install_bound() -> Result<(), String> {
    python::environment()?;
    let file = "benches/peers/python/requirements.txt";
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", file];
    run("Python: peers", program(python::interpreter(), "", &arguments))?;
    need("node")?;
    need("npm")?;
    let arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    run("Node: peers", program("npm", "benches/peers/node", &arguments))
}

/// Installs the Python peers of detection one by one: what cannot be installed is said, and missing in the table.
///
/// # Errors
/// When Python is missing or a requirement cannot be read.
pub(crate) fn install_detection() -> Result<(), String> {
    python::environment()?;
    let file = "benches/peers/detection/requirements.txt";
    let text = std::fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    for requirement in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement];
        if let Err(reason) = run(&format!("Python: {requirement}"), program(python::interpreter(), "", &arguments)) {
            println!("{reason}");
        }
    }
    Ok(())
}

/// Installs the Python and the Node peers, and builds the Rust ones of authorization.
///
/// # Errors
/// When an interpreter is missing or a step fails.
pub(crate) fn install_policy() -> Result<(), String> {
    install_bound()?;
    let mut build = cargo(&["build", "--release", "--locked", "--manifest-path", "benches/peers/policy/Cargo.toml"]);
    build.arg("--target-dir").arg(folder().join("policy"));
    run("Rust: regorus and casbin", build)
}

/// Installs the Python and the Node peers, and builds the Rust one of verification with each of its backends.
///
/// # Errors
/// When an interpreter is missing or a step fails.
pub(crate) fn install() -> Result<(), String> {
    install_bound()?;
    for backend in ["aws_lc_rs", "rust_crypto"] {
        let mut build = cargo(&["build", "--release", "--locked", "--features", backend]);
        build.args(["--manifest-path", "benches/peers/jsonwebtoken/Cargo.toml", "--target-dir"]);
        run(&format!("Rust: jsonwebtoken with {backend}"), {
            build.arg(folder().join(backend));
            build
        })?;
    }
    Ok(())
}
