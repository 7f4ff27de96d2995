//! `zt.toml` -> configuration, and in one go -> engine.

use super::compile::{entry, in_order};
use super::zt_toml::ZtToml;
use super::{Config, Engine, File, Invalid};
use crate::model::Problem;

impl Config {
    /// Reads the text of a `zt.toml`.
    ///
    /// # Errors
    /// Every key that is unknown, missing or of a wrong type, with its line and how to mend it.
    pub fn from_toml(text: &str) -> Result<Self, Invalid> {
        let (config, problems) = read(text);
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Invalid(problems)),
        }
    }
}

impl Engine {
    /// Reads and compiles in one go, so that mistakes of both kinds are told at once.
    ///
    /// # Errors
    /// Every mistake in the text and in the documents it names.
    pub fn from_toml(text: &str, files: &[File]) -> Result<Self, Invalid> {
        compile(text, files, Self::new)
    }
}

/// Reads a text, and makes of it what `make` does, with the mistakes of both at once.
pub(super) fn compile<T>(
    text: &str,
    files: &[File],
    make: impl FnOnce(&Config) -> Result<T, Invalid>,
) -> Result<T, Invalid> {
    let (config, mut problems) = read(text);
    match config.map(|config| make(&config.with_files(files.iter().cloned()))) {
        Some(Ok(made)) if problems.is_empty() => Ok(made),
        Some(Err(Invalid(more))) => {
            let spoiled: Vec<String> = problems.iter().map(|problem| entry(&problem.key).to_owned()).collect();
            let spoils = |entry_of: &String, key: &str| *entry_of == entry(key) || *entry_of == key;
            problems.extend(more.into_iter().filter(|problem| !spoiled.iter().any(|s| spoils(s, &problem.key))));
            Err(Invalid(in_order(problems)))
        }
        _ => Err(Invalid(problems)),
    }
}

/// The files that a configuration's text names, as far as it can be read.
pub fn named_files(text: &str) -> Vec<String> {
    let (config, _) = read(text);
    config.iter().flat_map(Config::named_files).collect()
}

fn read(text: &str) -> (Option<Config>, Vec<Problem>) {
    let source = match ZtToml::parse(text) {
        Ok(source) => source,
        Err(problems) => return (None, problems),
    };
    let read = source.read();
    let mut problems = read.problems;
    let config = read.config.map(|mut config| {
        config.text = Some(text.into());
        config
    });
    if let Some(version) = config.as_ref().map(|config| config.version).filter(|version| *version != 1) {
        let problem = Problem::new("version", format!("version {version} is not known")).mend("write `version = 1`");
        problems.push(problem);
        source.locate(&mut problems);
    }
    (config, problems)
}
