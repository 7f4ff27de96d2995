//! A progress bar on a terminal, and nothing in a pipe.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

const BYTES: &str = "{wide_bar} {bytes}/{total_bytes} {eta}";

/// A bar over the bytes of these files. Hidden unless people see it and nothing else: standard error is a terminal
/// and standard output, which holds the answers, is not.
pub(crate) fn bar(paths: &[PathBuf]) -> ProgressBar {
    if !io::stderr().is_terminal() || io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let sizes: Option<u64> =
        paths.iter().map(|path| fs::metadata(path).ok().filter(|m| m.is_file()).map(|m| m.len())).sum();
    match sizes.filter(|bytes| *bytes > 0) {
        Some(bytes) => {
            let bar = ProgressBar::new(bytes);
            bar.set_style(ProgressStyle::with_template(BYTES).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        }
        None => ProgressBar::new_spinner(),
    }
}
