//! Cedar's errors, and ours, as problems with a file, a line and a column.

use std::ops::Range;

use cedar_policy::ffi::DetailedError;

use crate::model::{Problem, Source};
use crate::policy::program::Origin;

use super::scan::{find, position};

/// One policy's place: its text and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) range: Range<usize>,
    /// Line and column, from 1.
    pub(super) start: (u32, u32),
}

impl Place<'_> {
    /// What is kept of it with the compiled policy.
    pub(super) fn origin(&self) -> Origin {
        let (line, column) = self.start;
        let text = self.source.text.get(self.range.clone()).unwrap_or_default();
        Origin { file: self.source.name.map(Box::from), line, column, text: text.into() }
    }

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
