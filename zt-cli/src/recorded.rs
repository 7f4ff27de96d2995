//! Recorded events of any format that is read: the contract's own, access logs and HTTP Archives.

use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use zt_core::learn::{access_log, har};
use zt_core::model::Event;

use crate::args::{Format, Recorded};
use crate::events::{Malformed, Place, name, parsed};
use crate::input::{LONGEST_LINE, Line, Lines};
use crate::{Failure, output};

/// Longest archive, bytes: it is read whole.
const LONGEST_ARCHIVE: u64 = 512 << 20;

/// Reads all inputs and hands over every event with the input that it is of. What is malformed is reported with its line or
/// entry when `told` says so, and counted.
pub(crate) fn each(
    recorded: &Recorded,
    told: Told,
    bar: &ProgressBar,
    mut take: impl FnMut(&Path, Event) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut reading = Reading { malformed: Malformed::strict(recorded.strict), told, bar, count: 0 };
    for path in paths(&recorded.files) {
        let unreadable = |error| Failure(format!("cannot read `{}`: {error}", name(path)));
        let mut lines = Lines::open(path, bar).map_err(unreadable)?;
        let format = match recorded.format {
            Format::Auto => guessed(&lines.head().map_err(unreadable)?),
            known => known,
        };
        if format == Format::Har {
            let whole = lines.whole(LONGEST_ARCHIVE).map_err(unreadable)?;
            let whole = whole.ok_or_else(|| {
                Failure(format!("cannot read `{}`: an archive of more than {LONGEST_ARCHIVE} bytes", name(path)))
            })?;
            reading.archive(path, &whole, &mut take)?;
            continue;
        }
        while let Some((number, line)) = lines.next().map_err(unreadable)? {
            let event = match (format, &line) {
                (Format::AccessLog, Line::Whole(bytes)) => access_log(bytes).map_err(|error| error.to_string()),
                (Format::AccessLog, Line::TooLong) => Err(format!("longer than {LONGEST_LINE} bytes")),
                _ => parsed(&line),
            };
            match event {
                Ok(event) => take(path, event)?,
                Err(message) => reading.malformed(&Place { path, number }.text(), &message)?,
            }
        }
    }
    Ok(reading.count)
}

/// Whether what is malformed is reported: once is enough where inputs are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is.
    Reported,
    /// It was.
    Before,
}

/// The inputs, or standard input when there is none.
fn paths(files: &[PathBuf]) -> Vec<&Path> {
    if files.is_empty() { vec![Path::new("-")] } else { files.iter().map(PathBuf::as_path).collect() }
}

/// By how it begins: an object with `log` is an archive, another object an event, anything else a line of an access log.
fn guessed(head: &[u8]) -> Format {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let Some(object) = text.strip_prefix(b"{") else { return Format::AccessLog };
    match object.trim_ascii_start().strip_prefix(b"\"log\"") {
        Some(rest) if rest.trim_ascii_start().starts_with(b":") => Format::Har,
        _ => Format::Events,
    }
}

struct Reading<'b> {
    malformed: Malformed,
    told: Told,
    bar: &'b ProgressBar,
    count: u64,
}

impl Reading<'_> {
    fn malformed(&mut self, place: &str, message: &str) -> Result<(), Failure> {
        if self.told == Told::Reported {
            self.bar.suspend(|| output::tell(&format!("{place}: {message}")));
        }
        self.count = self.count.saturating_add(1);
        match self.malformed {
            Malformed::Fatal => Err(Failure(format!("stopped at a malformed line ({place})"))),
            Malformed::Counted => Ok(()),
        }
    }

    fn archive(
        &mut self,
        path: &Path,
        document: &[u8],
        take: &mut impl FnMut(&Path, Event) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut number, mut failed) = (0_u64, Ok(()));
        let read = har(document, |entry| {
            number = number.saturating_add(1);
            if failed.is_ok() {
                failed = match entry {
                    Ok(event) => take(path, event),
                    Err(error) => self.malformed(&format!("{}: entry {number}", name(path)), &error.to_string()),
                };
            }
        });
        failed?;
        match read {
            Ok(()) => Ok(()),
            Err(error) => self.malformed(&name(path), &error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_how_it_begins() {
        for (head, format) in [
            ("{\"time_ms\": 1}", Format::Events),
            ("\u{feff} {\n  \"log\" : {", Format::Har),
            ("{\"log\"", Format::Events),
            ("::1 - - [", Format::AccessLog),
            ("", Format::AccessLog),
        ] {
            assert_eq!(guessed(head.as_bytes()), format, "{head}");
        }
    }
}
