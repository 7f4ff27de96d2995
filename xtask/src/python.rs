//! The Python binding: a virtual environment of its own, the wheel, pytest.

use std::path::PathBuf;

use crate::process::{need, program, run, target};

/// The environment's interpreter.
pub(crate) fn interpreter() -> PathBuf {
    target().join("venv/bin/python")
}

/// Makes the environment and installs the package with its test tools.
///
/// # Errors
/// When Python is missing or a step fails.
pub(crate) fn install() -> Result<(), String> {
    environment()?;
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "./zt-python[test]"];
    run("Python: build and install the wheel", program(interpreter(), "", &arguments))
}

/// Makes the environment, empty.
///
/// # Errors
/// When Python is missing or cannot make it.
pub(crate) fn environment() -> Result<(), String> {
    need("python3")?;
    let venv = target().join("venv");
    if interpreter().exists() {
        return Ok(());
    }
    run("Python: environment", program("python3", "", &["-m", "venv", &venv.to_string_lossy()]))
}

/// # Errors
/// When a test fails.
pub(crate) fn test() -> Result<(), String> {
    install()?;
    run("Python: pytest", program(interpreter(), "", &["-m", "pytest", "-q", "zt-python/tests"]))
}
