//! JSON Lines in, documents out; what is malformed is reported with its line and counted.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use serde::de::DeserializeOwned;

use crate::input::{LONGEST_LINE, Line, Lines};
use crate::{Failure, output};

/// What is done about a malformed line, beside reporting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It is counted, and the next line read.
    Counted,
    /// Reading stops there.
    Fatal,
}

impl Malformed {
    pub(crate) fn strict(strict: bool) -> Self {
        if strict { Self::Fatal } else { Self::Counted }
    }
}

/// Reads every line of the inputs, or of standard input when there is none, and hands over what it says.
/// Returns how many lines were malformed.
pub(crate) fn each<T: DeserializeOwned>(
    paths: &[PathBuf],
    malformed: Malformed,
    bar: &ProgressBar,
    mut take: impl FnMut(Place<'_>, T) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let standard_input = [PathBuf::from("-")];
    let paths = if paths.is_empty() { &standard_input } else { paths };
    let mut count: u64 = 0;
    for path in paths {
        let unreadable = |error| Failure(format!("cannot read `{}`: {error}", name(path)));
        let mut lines = Lines::open(path, bar).map_err(unreadable)?;
        while let Some((number, line)) = lines.next().map_err(unreadable)? {
            let place = Place { path, number };
            match parsed(&line) {
                Ok(document) => take(place, document)?,
                Err(message) => {
                    bar.suspend(|| place.tell(&message));
                    count = count.saturating_add(1);
                    if malformed == Malformed::Fatal {
                        return Err(Failure(format!("stopped at a malformed line ({})", place.text())));
                    }
                }
            }
        }
    }
    Ok(count)
}

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a Path,
    pub(crate) number: u64,
}

impl Place<'_> {
    /// `FILE:LINE`.
    pub(crate) fn text(self) -> String {
        format!("{}:{}", name(self.path), self.number)
    }

    /// Reports what is wrong with the line.
    pub(crate) fn tell(self, message: &str) {
        output::tell(&format!("{}: {message}", self.text()));
    }
}

/// What people call an input.
pub(crate) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// What a line says, or why it says nothing, without its values.
pub(crate) fn parsed<T: DeserializeOwned>(line: &Line<'_>) -> Result<T, String> {
    match line {
        Line::TooLong => Err(format!("malformed: longer than {LONGEST_LINE} bytes")),
        Line::Whole(bytes) => {
            serde_json::from_slice(bytes).map_err(|error| format!("malformed: {}", without_values(&error)))
        }
    }
}

/// What serde says, without the strings of the line that it quotes: they may be secrets.
fn without_values(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message);
    let message = match (message.find('"'), message.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}…{}", message.get(..=first).unwrap_or_default(), message.get(last..).unwrap_or_default())
        }
        _ => message.to_owned(),
    };
    format!("{message} (column {})", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_quotes_no_value() {
        let report = parsed::<u32>(&Line::Whole(br#""Bearer \" secret""#)).unwrap_err();
        assert!(!report.contains("secret") && report.contains("expected u32"), "{report}");
        assert!(parsed::<serde_json::Value>(&Line::Whole(b"{")).unwrap_err().contains("column 1"));
        assert!(parsed::<u32>(&Line::TooLong).unwrap_err().contains("longer"));
    }
}
