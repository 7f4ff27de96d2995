//! Rust tests.

use crate::process::{cargo, run};

/// Everything but the two bindings that only their hosts can load.
pub(crate) fn test() -> Result<(), String> {
    let arguments = [
        "test",
        "--workspace",
        "--exclude",
        "zt-python",
        "--exclude",
        "zt-wasm",
        "--exclude",
        "xtask-wasm",
        "--features",
        "zt-core/tower",
    ];
    run("Rust: unit, property, vector, layering and surface tests", cargo(&arguments))
}
