//! `cargo xtask test`: everything, in every runtime.

use crate::{demo, node, python, runtimes, rust, wasm};

/// # Errors
/// At the first part that fails.
pub(crate) fn run_all() -> Result<(), String> {
    rust::test()?;
    demo::run(&[])?;
    python::test()?;
    node::test()?;
    wasm::test()?;
    runtimes::compare(Some(2_000))?;
    println!("\nall tests passed: Rust, the demo, Python, Node, WASM in workerd, and the same decisions in all four");
    Ok(())
}
