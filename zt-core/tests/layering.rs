//! The floors of the design, kept by reading the sources: a module imports only from floors below its own.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test may read files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of the crate with its floor.
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("base", 0),
    ("anomaly", 1),
    ("route", 1),
    ("verify", 1),
    ("policy", 1),
    ("limit", 1),
    ("inspect", 1),
    ("respond", 1),
    ("engine", 2),
    ("evaluate", 3),
    ("learn", 3),
    ("wire", 5),
    ("tower", 6),
];

#[test]
fn every_module_has_a_floor_and_every_floor_a_module() {
    let source = root();
    let mut found: Vec<String> = fs::read_dir(&source)
        .expect("sources")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name != "lib.rs"))
        .map(|path| path.file_stem().expect("name").to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut listed: Vec<String> = FLOORS.iter().map(|(name, _)| (*name).to_owned()).collect();
    listed.sort();
    assert_eq!(found, listed);
}

#[test]
fn imports_go_down() {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, floor) in &floors {
        for file in files_of(module) {
            let text = fs::read_to_string(&file).expect("source");
            for (number, line) in text.lines().enumerate() {
                for imported in imports(line) {
                    let allowed =
                        imported == *module || floors.get(imported.as_str()).is_none_or(|below| below < floor);
                    let of_tests = text
                        .find("#[cfg(test)]")
                        .is_some_and(|at| text.lines().take(number).map(|l| l.len() + 1).sum::<usize>() > at);
                    if !allowed && !of_tests {
                        wrong.push(format!("{}:{}: {module} imports {imported}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Module names behind `crate::` on a line: `crate::a::b`, `crate::{a, b::c}`.
fn imports(line: &str) -> Vec<String> {
    let line = line.split("//").next().unwrap_or("");
    let mut found = Vec::new();
    for part in line.split("crate::").skip(1) {
        let names: Vec<&str> = match part.strip_prefix('{') {
            Some(list) => top_level(list),
            None => vec![part],
        };
        for name in names {
            let word: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let module = match word.as_str() {
                "Config" | "Engine" | "State" => "engine".to_owned(),
                other => other.to_owned(),
            };
            found.push(module);
        }
    }
    found
}

/// The parts of a brace list, not looking into inner braces.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&list[start..at]);
                return parts;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_of(module: &str) -> Vec<PathBuf> {
    let (single, folder) = (root().join(format!("{module}.rs")), root().join(module));
    let mut files = if single.exists() { vec![single] } else { Vec::new() };
    let mut folders = if folder.exists() { vec![folder] } else { Vec::new() };
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

#[test]
fn the_reader_of_imports_sees_them() {
    assert_eq!(imports("use crate::{limit, policy::{self, Policy}, Engine};"), ["limit", "policy", "engine"]);
    assert_eq!(imports("    crate::wire::text(x) // crate::not"), ["wire"]);
}
