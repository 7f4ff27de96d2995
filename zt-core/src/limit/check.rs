//! What is said of nearly every request, and what is said of the others.

use super::fast_path::FastPath;
use super::{Details, Standing};

/// What the limits of one phase say of a request.
///
/// Most are within the only count that there is for them: no more is worked out than that, until somebody asks for it.
#[derive(Clone, Debug)]
pub struct Check<'l>(Answer<'l>);

#[derive(Clone, Debug)]
enum Answer<'l> {
    Within { limit: &'l FastPath, ahead_ns: u64 },
    Otherwise(Details<'l>),
}

impl<'l> Check<'l> {
    /// Within the only count that there is: the arrival time lies so far ahead now.
    #[inline(always)]
    pub(super) const fn within(limit: &'l FastPath, ahead_ns: u64) -> Self {
        Self(Answer::Within { limit, ahead_ns })
    }

    /// Whether a limit that is enforced refuses: for who asks nothing else.
    #[inline(always)]
    pub fn refuses(self) -> bool {
        match self.0 {
            Answer::Within { .. } => false,
            Answer::Otherwise(details) => refused(&details),
        }
    }

    /// Where the request stands with the tightest count of the tightest limit that is enforced.
    pub fn standing(&self) -> Option<Standing<'l>> {
        match &self.0 {
            Answer::Within { limit, ahead_ns } => Some(limit.standing(*ahead_ns)),
            Answer::Otherwise(details) => details.standing(),
        }
    }

    /// All of it.
    pub fn details(self) -> Details<'l> {
        match self.0 {
            Answer::Otherwise(details) => details,
            Answer::Within { .. } => Details { standings: self.standing().into_iter().collect(), ..Details::default() },
        }
    }
}

impl<'l> From<Details<'l>> for Check<'l> {
    fn from(details: Details<'l>) -> Self {
        Self(Answer::Otherwise(details))
    }
}

#[cold]
#[inline(never)]
fn refused(details: &Details<'_>) -> bool {
    details.refuses()
}
