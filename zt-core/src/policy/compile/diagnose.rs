//! Cedar's errors, and ours, as problems with a file, a line and a column.

use std::ops::Range;

use cedar_policy::ffi::DetailedError;

use crate::model::{Problem, Source};
use crate::policy::program::Origin;

use super::scan::{Broken, find, position};

/// Most characters of a text or a message that are shown.
const SHOWN_MAX: usize = 160;

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

/// Where a text that is past a limit is so.
pub(super) fn past(source: &Source<'_>, broken: &Broken) -> Problem {
    let (message, mend) = broken.cap.says();
    let offending = cut(source.text.get(broken.at..).unwrap_or_default());
    located(source, Some(broken.at), format!("{message}: `{offending}`")).mend(mend)
}

/// One of Cedar's errors, in the part of the source that starts at this offset.
pub(super) fn cedar(source: &Source<'_>, start: usize, error: &DetailedError) -> Problem {
    let whole = |offset: usize| offset.saturating_add(start);
    let range = error.source_locations.first().map(|label| whole(label.loc.start)..whole(label.loc.end));
    let mut message = match error.message.strip_prefix("for policy `policy").and_then(|rest| rest.split_once("`, ")) {
        Some((_, rest)) => cut(rest),
        None => cut(&error.message),
    };
    // Every action has the same context: one mistake is not one for each.
    if let Some((head, tail)) =
        message.split_once(" for Action::").and_then(|(head, rest)| Some((head, rest.rsplit_once("\" ")?.1)))
        && head.ends_with("context")
    {
        message = format!("{head} {tail}");
    }
    let offending = range.clone().and_then(|range| source.text.get(range)).map(|text| cut(text.trim()));
    if let Some(text) = offending.filter(|text| !text.is_empty() && !message.contains(&**text)) {
        message = format!("{message}: `{text}`");
    }
    let problem = located(source, range.map(|range| range.start), message);
    match &error.help {
        Some(help) => problem.mend(cut(help)),
        None => problem,
    }
}

/// Text for people: short, and on one line.
pub(super) fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.len() < text.len() {
        shown.push('\u{2026}');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters_and_says_so() {
        assert_eq!(cut("a\nb"), "a b");
        let long = "\u{e9}".repeat(SHOWN_MAX + 1);
        assert_eq!(cut(&long).chars().count(), SHOWN_MAX + 1);
        assert!(cut(&long).ends_with('\u{2026}'));
        assert_eq!(cut(&"x".repeat(SHOWN_MAX)), "x".repeat(SHOWN_MAX));
    }
}
