//! `cargo xtask wasm`: zt-wasm compiled, bound and made small, into `zt-wasm/pkg`; and once more without the compiler of
//! configurations, into `zt-wasm/edge`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process::{cargo, need, program, root, run as step, target};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN: &str = "rustc-web cargo-web rust-web-src lld-19";
const RUSTUP_PATIENCE: Duration = Duration::from_secs(60);

/// Builds the package.
///
/// # Errors
/// When no toolchain can build for wasm32-unknown-unknown, or a step fails.
pub(crate) fn run() -> Result<(), String> {
    let toolchain = toolchain(&target().join("wasm"))?;
    build(&toolchain, "WASM", &[], &root().join("zt-wasm/pkg"))?;
    let edge = root().join("zt-wasm/edge");
    build(&toolchain, "WASM for the edge", &["--no-default-features"], &edge.join("pkg"))?;
    // The same face on both.
    for file in ["engine.js", "index.d.ts", "worker.js"] {
        let (from, to) = (root().join("zt-wasm").join(file), edge.join(file));
        fs::copy(&from, &to).map_err(|e| format!("cannot copy {} to {}: {e}", from.display(), to.display()))?;
    }
    Ok(())
}

fn build(toolchain: &Toolchain, name: &str, features: &[&str], package: &Path) -> Result<(), String> {
    let target_dir = target().join("wasm");
    let mut build = toolchain.cargo();
    build.args(["build", "--package", "zt-wasm", "--profile", "edge", "--target", TARGET, "--target-dir"]);
    build.arg(&target_dir).args(features).current_dir(root());
    step(&format!("{name}: compile"), build)?;

    let compiled = target_dir.join(TARGET).join("edge/zt_wasm.wasm");
    let mut bind = cargo(&["run", "--quiet", "--package", "xtask-wasm", "--"]);
    bind.arg(&compiled).arg(package);
    step(&format!("{name}: bind"), bind)?;

    let bound = package.join("zt_wasm_bg.wasm");
    optimise(&bound)?;
    let bytes = fs::metadata(&bound).map_err(|e| format!("{}: {e}", bound.display()))?.len();
    println!(
        "{}: {bytes} bytes{}",
        bound.display(),
        gzipped(&bound).map_or_else(String::new, |n| format!(", {n} gzipped"))
    );
    Ok(())
}

/// The package and what its tests need: workerd, by npm.
///
/// # Errors
/// When Node is missing or a step fails.
pub(crate) fn install() -> Result<(), String> {
    need("node")?;
    need("npm")?;
    step("WASM: test tools", program("npm", "zt-wasm", &["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    run()
}

/// # Errors
/// When a test fails.
pub(crate) fn test() -> Result<(), String> {
    install()?;
    step("WASM: node --test", program("npm", "zt-wasm", &["test"]))
}

/// A Rust toolchain that has the standard library of wasm32-unknown-unknown.
enum Toolchain {
    /// The one on the path.
    Own,
    /// Debian's packages beside it, with a sysroot built from their source.
    Debian { sysroot: PathBuf },
}

impl Toolchain {
    fn cargo(&self) -> Command {
        match self {
            Self::Own => cargo(&[]),
            Self::Debian { sysroot } => {
                let mut flags = OsString::from("--sysroot=");
                flags.push(sysroot);
                let mut cargo = debian_cargo();
                cargo
                    .env("CARGO_ENCODED_RUSTFLAGS", flags)
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19");
                cargo
            }
        }
    }
}

/// The first of: the target is there; rustup adds it; Debian's packages are or can be there.
fn toolchain(target_dir: &Path) -> Result<Toolchain, String> {
    if has_target() || (rustup_adds_target() && has_target()) {
        return Ok(Toolchain::Own);
    }
    if !has_debian() && is_root() {
        println!("rustup has no {TARGET}; installing Debian's {DEBIAN}");
        let mut apt = Command::new("apt-get");
        let _ = apt.args(["install", "-y", "--no-install-recommends"]).args(DEBIAN.split(' ')).status();
    }
    if has_debian() {
        return Ok(Toolchain::Debian { sysroot: debian_sysroot(target_dir)? });
    }
    Err(format!(
        "no Rust standard library for {TARGET}; run `rustup target add {TARGET}`, or on Debian 12 `apt-get install --no-install-recommends {DEBIAN}`"
    ))
}

fn has_target() -> bool {
    output(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]))
        .and_then(|dir| fs::read_dir(dir).ok())
        .is_some_and(|mut files| files.next().is_some())
}

/// rustup without a network may wait for ever: bounded.
fn rustup_adds_target() -> bool {
    let mut rustup = Command::new("rustup");
    let Ok(mut child) = rustup.args(["target", "add", TARGET]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    else {
        return false;
    };
    let start = Instant::now();
    while start.elapsed() < RUSTUP_PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => sleep(Duration::from_millis(200)),
            Err(_) => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

fn has_debian() -> bool {
    ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/bin/wasm-ld-19"].iter().all(|file| Path::new(file).exists())
        && output(Command::new("/usr/bin/rustc").args(["--print", "sysroot"]))
            .is_some_and(|root| Path::new(&root).join("lib/rustlib/src/rust/library/std").exists())
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_some_and(|id| id == "0")
}

/// Debian ships the library's source only. It is built once per compiler version, apart from our crates: with
/// `-Zbuild-std` in one build, hashbrown's optional `rustc-std-workspace-alloc` clashes with the `alloc` being built.
fn debian_sysroot(target_dir: &Path) -> Result<PathBuf, String> {
    let version = output(Command::new("/usr/bin/rustc").arg("--version")).ok_or("/usr/bin/rustc does not run")?;
    let version = version.split(' ').nth(1).unwrap_or("unknown").to_owned();
    let sysroot = target_dir.join(format!("sysroot-{version}"));
    let libraries = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    if libraries.exists() {
        return Ok(sysroot);
    }
    let std = target_dir.join(format!("std-{version}"));
    let io = |e: std::io::Error| format!("{}: {e}", std.display());
    fs::create_dir_all(std.join("src")).map_err(io)?;
    fs::write(std.join("src/lib.rs"), "#![no_std]\n").map_err(io)?;
    fs::write(std.join("Cargo.toml"), STD_MANIFEST).map_err(io)?;
    let mut build = debian_cargo();
    // `-Zbuild-std` needs the bootstrap switch; bitcode is what link-time optimisation reads.
    build.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", "-Cembed-bitcode=yes").current_dir(&std);
    build.args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", TARGET, "--target-dir", "target"]);
    step("WASM: standard library", build)?;
    // Moved into place only when complete.
    let partial = target_dir.join(format!("partial-{version}"));
    let _ = fs::remove_dir_all(&partial);
    let partial_libraries = partial.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&partial_libraries).map_err(io)?;
    for entry in fs::read_dir(std.join("target").join(TARGET).join("release/deps")).map_err(io)? {
        let file = entry.map_err(io)?.path();
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".rlib") && !name.starts_with("libempty-") {
            fs::copy(&file, partial_libraries.join(name)).map_err(io)?;
        }
    }
    fs::rename(&partial, &sysroot).map_err(io)?;
    Ok(sysroot)
}

const STD_MANIFEST: &str = r#"[package]
name = "empty"
version = "0.0.0"
edition = "2024"

[workspace]

[profile.release]
panic = "abort"
"#;

/// Debian's cargo and compiler, undisturbed by a rustup that may have started us.
fn debian_cargo() -> Command {
    let mut path = OsString::from("/usr/bin:");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo.env("PATH", path).env("RUSTC", "/usr/bin/rustc").env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTFLAGS");
    cargo
}

/// What the compiler uses by default. Named one by one: with all that Binaryen knows it writes what no runtime reads yet.
const FEATURES: [&str; 7] = [
    "bulk-memory",
    "bulk-memory-opt",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
];

/// Binaryen's optimiser, where npm put it; the package is correct without it.
fn optimise(wasm: &Path) -> Result<(), String> {
    let wasm_opt = root().join("zt-wasm/node_modules/.bin/wasm-opt");
    if !wasm_opt.exists() {
        println!("without wasm-opt (`npm ci` in zt-wasm brings it)");
        return Ok(());
    }
    let mut command = Command::new(wasm_opt);
    command.arg("-Os").args(FEATURES.map(|feature| format!("--enable-{feature}"))).arg(wasm).arg("-o").arg(wasm);
    step("WASM: optimise", command)
}

fn gzipped(file: &Path) -> Option<usize> {
    let run = Command::new("gzip").arg("-9c").arg(file).output().ok()?;
    run.status.success().then_some(run.stdout.len())
}

fn output(command: &mut Command) -> Option<String> {
    let run = command.stderr(Stdio::null()).output().ok().filter(|run| run.status.success())?;
    Some(String::from_utf8_lossy(&run.stdout).trim().to_owned())
}
