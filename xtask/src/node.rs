//! The Node binding: the library built by cargo, its test tools by npm.

use std::fs;

use crate::process::{cargo, need, program, root, run, target};

/// Builds the library and puts it beside its loader.
///
/// # Errors
/// When Node is missing or a step fails.
pub(crate) fn install() -> Result<(), String> {
    need("node")?;
    need("npm")?;
    run("Node: build the library", cargo(&["build", "--release", "--package", "zt-node"]))?;
    let library = ["libzt_node.so", "libzt_node.dylib", "zt_node.dll"].map(|name| target().join("release").join(name));
    let built = library.iter().find(|path| path.exists()).ok_or("zt-node built no library")?;
    fs::copy(built, root().join("zt-node/zt.node"))
        .map_err(|error| format!("cannot copy {}: {error}", built.display()))?;
    run("Node: test tools", program("npm", "zt-node", &["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
}

/// # Errors
/// When a test fails.
pub(crate) fn test() -> Result<(), String> {
    install()?;
    run("Node: node --test", program("npm", "zt-node", &["test"]))
}
