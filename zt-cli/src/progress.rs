//! A progress bar on a terminal, and nothing in a pipe.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

const BYTES: &str = "{wide_bar} {bytes}/{total_bytes} {eta}";

/// A bar over the bytes of these files. Hidden unless people see it and nothing else: standard error is a terminal
/// and standard output, which holds the answers, is not.
pub(crate) fn bar(paths: &[PathBuf]) -> ProgressBar {
    if io::stdout().is_terminal() { ProgressBar::hidden() } else { bar_of_turns(paths, 1) }
}

/// A bar over the bytes of these files, read so many times, for commands that write nothing before they are done. Hidden
/// unless standard error is a terminal.
pub(crate) fn bar_of_turns(paths: &[PathBuf], turns: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes: Option<u64> =
        paths.iter().map(|path| fs::metadata(path).ok().filter(|m| m.is_file()).map(|m| m.len())).sum();
    match sizes.filter(|bytes| *bytes > 0) {
        Some(bytes) => {
            let bar = ProgressBar::new(bytes.saturating_mul(turns as u64));
            bar.set_style(ProgressStyle::with_template(BYTES).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        }
        None => ProgressBar::new_spinner(),
    }
}
