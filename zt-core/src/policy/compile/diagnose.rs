//! Cedar's errors, and ours, as problems with a file, a line and a column.

use std::ops::Range;

use cedar_policy::ffi::DetailedError;

use crate::model::{Problem, Source};

use super::scan::{find, position};

/// One policy's place: its text and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) range: Range<usize>,
}

impl Place<'_> {
    /// A problem where this token first stands in the policy, or else at its start.
    pub(super) fn problem(&self, token: &str, message: impl Into<String>) -> Problem {
        let at = find(self.source.text, &self.range, token).map_or(self.range.start, |range| range.start);
        located(self.source, Some(at), message)
    }
}

/// A problem at an offset of a text.
pub(super) fn located(source: &Source<'_>, offset: Option<usize>, message: impl Into<String>) -> Problem {
    let (line, column) = offset.map(|offset| position(source.text, offset)).unzip();
    Problem::new(source.key.clone(), message).at(source.name.map(str::to_owned), line, column)
}

/// One of Cedar's errors.
pub(super) fn cedar(source: &Source<'_>, error: &DetailedError) -> Problem {
    let range = error.source_locations.first().map(|label| label.loc.start..label.loc.end);
    let mut message = match error.message.strip_prefix("for policy `policy").and_then(|rest| rest.split_once("`, ")) {
        Some((_, rest)) => rest.to_owned(),
        None => error.message.clone(),
    };
    let offending = range.clone().and_then(|range| source.text.get(range)).filter(|text| text.len() <= 80);
    if let Some(text) = offending.filter(|text| !text.is_empty() && !message.contains(*text)) {
        message = format!("{message}: `{text}`");
    }
    let problem = located(source, range.map(|range| range.start), message);
    match &error.help {
        Some(help) => problem.mend(help.clone()),
        None => problem,
    }
}
