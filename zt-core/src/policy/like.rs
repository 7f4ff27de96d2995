//! Cedar's `like`: a pattern of characters and `*`, which stands for any run of characters.

use serde::{Deserialize, Serialize};

/// A compiled pattern: the runs of characters between its wildcards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pattern {
    /// One run more than there are wildcards; a run may be empty.
    runs: Vec<Box<str>>,
}

impl Pattern {
    /// From its elements in order; `None` is a wildcard.
    #[cfg(feature = "compile")]
    pub(crate) fn new(elements: impl IntoIterator<Item = Option<char>>) -> Self {
        let mut runs = vec![String::new()];
        for element in elements {
            match (element, runs.last_mut()) {
                (Some(c), Some(run)) => run.push(c),
                _ => runs.push(String::new()),
            }
        }
        Self { runs: runs.into_iter().map(String::into_boxed_str).collect() }
    }

    /// The runs of characters, with a wildcard between two of them.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().map(|run| &**run)
    }

    /// Whether the whole text matches. Runs are found left to right, each as early as possible: linear in practice,
    /// and no worse than text times pattern.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.runs.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return text == &**first };
        let Some(mut text) = text.strip_prefix(&**first) else { return false };
        for run in middle {
            let Some(at) = memchr::memmem::find(text.as_bytes(), run.as_bytes()) else { return false };
            text = text.get(at.saturating_add(run.len())..).unwrap_or_default();
        }
        text.ends_with(&**last)
    }
}

#[cfg(all(test, feature = "compile"))]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text.chars().map(|c| (c != '*').then_some(c)))
    }

    #[test]
    fn wildcards() {
        for (yes, text) in [
            ("", ""),
            ("*", ""),
            ("*", "ab"),
            ("a*", "a"),
            ("*a*", "bab"),
            ("a*b*c", "a1b2c"),
            ("**", "x"),
            ("y*", "y\u{306}"),
        ] {
            assert!(pattern(yes).matches(text), "{yes} {text}");
        }
        for (no, text) in [("", "a"), ("a", ""), ("a*a", "a"), ("a*b*c", "a1c2b"), ("*ab", "abc"), ("ab*bc", "abc")] {
            assert!(!pattern(no).matches(text), "{no} {text}");
        }
    }
}
