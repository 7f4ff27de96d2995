//! What is said of nearly every request, and what is said of the others.

use std::sync::Arc;

use super::plain::Plain;
use super::{Details, Standing};

/// What the limits of one phase say of a request.
///
/// Most are within the only count that there is for them: no more is worked out than that, until somebody asks for it.
#[derive(Clone, Debug)]
pub struct Check<'l>(Answer<'l>);

#[derive(Clone, Debug)]
enum Answer<'l> {
    Within {
        limit: &'l Plain,
        ahead_ns: u64,
    },
    /// Without details where no limit is for the request. Not in a box: to see that there is nothing to let go of takes
    /// fewer instructions so.
    Otherwise(Option<Arc<Details<'l>>>),
}

impl<'l> Check<'l> {
    /// Within the only count that there is: the arrival time lies so far ahead now.
    #[inline(always)]
    pub(super) const fn within(limit: &'l Plain, ahead_ns: u64) -> Self {
        Self(Answer::Within { limit, ahead_ns })
    }

    /// No limit is for the request.
    pub(super) const fn none() -> Self {
        Self(Answer::Otherwise(None))
    }

    /// Whether a limit that is enforced refuses.
    #[inline]
    pub fn refuses(&self) -> bool {
        match &self.0 {
            Answer::Within { .. } => false,
            Answer::Otherwise(details) => details.as_ref().is_some_and(|details| details.refuses()),
        }
    }

    /// Where the request stands with the tightest count of the tightest limit that is enforced.
    pub fn standing(&self) -> Option<Standing<'l>> {
        match &self.0 {
            Answer::Within { limit, ahead_ns } => Some(limit.standing(*ahead_ns)),
            Answer::Otherwise(details) => details.as_ref()?.standing(),
        }
    }

    /// All of it.
    pub fn details(self) -> Details<'l> {
        match self.0 {
            Answer::Otherwise(details) => details.map_or_else(Details::default, Arc::unwrap_or_clone),
            Answer::Within { .. } => Details { standings: self.standing().into_iter().collect(), ..Details::default() },
        }
    }
}

impl<'l> From<Details<'l>> for Check<'l> {
    fn from(details: Details<'l>) -> Self {
        Self(Answer::Otherwise(Some(Arc::new(details))))
    }
}
