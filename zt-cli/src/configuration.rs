//! Reads a configuration and the files that it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zt_core::anomaly::Baseline;
use zt_core::engine::{Bundle, File, Invalid, named_files};
use zt_core::model::{Mode, Problem};
use zt_core::policy::analysis::Finding;
use zt_core::route::EndpointConfig;
use zt_core::{Config, Engine};

use crate::{Failure, output};

/// What a configuration is called mostly.
const USUAL: &str = "zt.toml";

/// A configuration's text and the files it names, as far as they can be read.
pub(crate) struct Configuration {
    path: Option<PathBuf>,
    text: String,
    files: Vec<File>,
    /// Names that could not be read, and why.
    unread: Vec<(String, String)>,
}

impl Configuration {
    /// Reads the configuration, or takes the safe defaults when there is none.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let mut read =
            Self { path: path.map(Path::to_owned), text: String::new(), files: Vec::new(), unread: Vec::new() };
        let Some(path) = path else {
            if Path::new(USUAL).exists() {
                output::tell(&format!(
                    "note: no configuration is given: `--config {USUAL}` reads the one that is here"
                ));
            }
            return Ok(read);
        };
        read.text = text(path)?;
        for name in named_files(&read.text) {
            match read_named(read.directory(), &name) {
                Ok(files) => read.files.extend(files),
                Err(message) => read.unread.push((name, message)),
            }
        }
        Ok(read)
    }

    /// Compiles it, or tells every mistake with the path of the file that it is in.
    pub(crate) fn compile(&self) -> Result<Engine, Vec<Problem>> {
        let compiled = match self.path {
            Some(_) => Engine::from_toml(&self.text, &self.files),
            None => Engine::new(&Config::default()),
        };
        compiled.map_err(|invalid| self.all_seen_from_here(invalid))
    }

    /// The same for commands that need an engine: mistakes in the configuration are bad input.
    pub(crate) fn engine(&self) -> Result<Engine, Failure> {
        self.compile().map_err(|problems| unsound(&problems))
    }

    /// The same with this baseline in the place of its own. Where there is no configuration every path is an endpoint that
    /// is open to anybody, and nothing is enforced.
    pub(crate) fn scoring(&self, baseline: &Baseline) -> Result<Engine, Failure> {
        let mut config = match self.path {
            Some(_) => Config::from_toml(&self.text)
                .map_err(|invalid| unsound(&self.all_seen_from_here(invalid)))?
                .with_files(self.files.iter().cloned()),
            None => open_to_anybody(),
        };
        let anomaly = config.anomaly.get_or_insert_default();
        (anomaly.baseline_file, anomaly.baseline) = (None, Some(baseline.to_text()));
        Engine::new(&config).map_err(|invalid| unsound(&self.all_seen_from_here(invalid)))
    }

    /// All of it as one file.
    pub(crate) fn bundle(&self) -> Result<Bundle, Failure> {
        let compiled = Bundle::from_toml(&self.text, &self.files);
        compiled.map_err(|invalid| unsound(&self.all_seen_from_here(invalid)))
    }

    /// What it says, when all of it can be read.
    pub(crate) fn config(&self) -> Config {
        match self.path {
            Some(_) => Config::from_toml(&self.text).unwrap_or_default(),
            None => Config::default(),
        }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> String {
        self.path
            .as_ref()
            .map_or_else(|| "safe defaults (no `--config` given)".to_owned(), |path| path.display().to_string())
    }

    /// Where the files are that it names.
    pub(crate) fn directory(&self) -> &Path {
        self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    /// What is odd about its policies, each with the path of the file that it is in.
    pub(crate) fn all_findings(&self, engine: &Engine) -> Vec<Finding> {
        let mut findings = engine.policy_findings(&self.config());
        for finding in findings.iter_mut().filter(|finding| finding.line.is_some()) {
            finding.file = Some(self.path_of(finding.file.as_deref()));
        }
        findings
    }

    /// A file that the configuration names, or itself.
    fn path_of(&self, file: Option<&str>) -> String {
        file.map_or_else(|| self.name(), |file| self.directory().join(file).display().to_string())
    }

    fn all_seen_from_here(&self, invalid: Invalid) -> Vec<Problem> {
        invalid.0.into_iter().map(|problem| self.seen_from_here(problem)).collect()
    }

    fn seen_from_here(&self, mut problem: Problem) -> Problem {
        let unread = |(name, _): &&(String, String)| problem.message == format!("no file `{name}` was handed over");
        if let Some((_, reason)) = self.unread.iter().find(unread) {
            problem.message.clone_from(reason);
            problem.mend = None;
        }
        problem.file = Some(self.path_of(problem.file.as_deref()));
        problem
    }
}

/// For traffic of which nothing but the recording is known.
fn open_to_anybody() -> Config {
    let endpoint =
        EndpointConfig { method: "*".into(), path: "/**".into(), anonymous: true, ..EndpointConfig::default() };
    let mut config = Config::default();
    (config.mode, config.endpoint) = (Mode::Monitor, vec![endpoint]);
    config
}

fn unsound(problems: &[Problem]) -> Failure {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Failure(format!("the configuration does not compile\n{}", lines.join("\n")))
}

/// The text of a file that the command line names.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure(cannot_read(path, &error)))
}

fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!("cannot read `{}`: {error}", path.display())
}

/// The file of this name, or all that fit when it has a `*`, in order of their names.
fn read_named(directory: &Path, name: &str) -> Result<Vec<File>, String> {
    let mut names = vec![String::new()];
    for segment in name.split('/') {
        names = if segment.contains('*') {
            names.iter().flat_map(|parent| fitting(directory, parent, segment)).collect()
        } else {
            names.iter().map(|parent| format!("{parent}{segment}/")).collect()
        };
    }
    if names.is_empty() {
        return Err(format!("no file fits `{}`", directory.join(name).display()));
    }
    let file = |name: &String| {
        let name = name.trim_end_matches('/').to_owned();
        let path = directory.join(&name);
        let text = fs::read_to_string(&path).map_err(|error| cannot_read(&path, &error))?;
        Ok(File { name, text })
    };
    names.iter().map(file).collect()
}

/// Entries of a directory that fit a pattern, each with a slash behind; hidden ones only when the pattern starts
/// with a dot.
fn fitting(directory: &Path, parent: &str, pattern: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory.join(if parent.is_empty() { "." } else { parent })) else {
        return Vec::new();
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let wanted = names.filter(|name| name.starts_with('.') == pattern.starts_with('.') && fits(pattern, name));
    let mut names: Vec<String> = wanted.map(|name| format!("{parent}{name}/")).collect();
    names.sort();
    names
}

/// Whether a name fits a pattern in which `*` stands for any run of characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| rest.get(at..).is_some_and(|rest| fits(tail, rest)))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        assert!(fits("*.cedar", "orders.cedar") && fits("a*b*", "acbd") && fits("*", "x"));
        assert!(!fits("*.cedar", "orders.cedar.bak") && !fits("a*b", "acbd"));
    }
}
