//! Every fuzz target, each for a while.

use std::fs;

use crate::process::{cargo, need, root, run};

/// `fuzz [SECONDS]`.
///
/// # Errors
/// When cargo-fuzz is missing or a target finds something.
pub(crate) fn run_targets(arguments: &[&str]) -> Result<(), String> {
    let seconds: u32 = match arguments {
        [] => 60,
        [n] => n.parse().map_err(|_| format!("`{n}` is not a number of seconds"))?,
        other => return Err(format!("fuzz takes a number of seconds, not {other:?}")),
    };
    need("cargo-fuzz")
        .map_err(|missing| format!("{missing}; install it: `cargo install cargo-fuzz --version 0.13.2`"))?;
    let folder = root().join("zt-core/fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut targets: Vec<String> =
        entries.flatten().filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned())).collect();
    targets.sort();
    for target in &targets {
        let limit = format!("-max_total_time={seconds}");
        // What is found goes to the first folder; the seeds are only read.
        let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
        for folder in [&corpus, &seeds] {
            let made = fs::create_dir_all(root().join("zt-core").join(folder));
            made.map_err(|error| format!("cannot make {folder}: {error}"))?;
        }
        let mut fuzz = cargo(&["fuzz", "run", target, &corpus, &seeds, "--", &limit]);
        fuzz.args(["-max_len=65536", "-rss_limit_mb=2048", "-timeout=10"]);
        // The address sanitizer wants a nightly flag; this lets a stable toolchain take it.
        fuzz.env("RUSTC_BOOTSTRAP", "1").current_dir(root().join("zt-core"));
        run(&format!("fuzz {target} for {seconds} s"), fuzz)?;
    }
    println!("\n{} targets, {seconds} s each, no finding", targets.len());
    Ok(())
}
