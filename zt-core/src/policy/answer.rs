//! The answer to one request, and how policies' results add up to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::ErrorMode;
use super::evaluate::Failed;
use super::program::Effect;

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// A policy permits, and none forbids.
    Allow,
    /// Anything else.
    Deny,
}

/// The answer to one request. Numbers are policies, for [`Policy::id`](super::Policy::id) and
/// [`Policy::annotation`](super::Policy::annotation); they are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Allow or deny.
    pub verdict: Verdict,
    /// The policies that made it so: forbids where one forbids, else permits.
    pub determining: SmallVec<[u32; 8]>,
    /// Policies that could not be evaluated.
    pub errors: SmallVec<[u32; 8]>,
    /// Whether any policy permits, whatever forbids.
    pub permitted: bool,
    /// The permits that forbids overrule; none where permits determine.
    pub overruled: SmallVec<[u32; 8]>,
}

impl Answer {
    /// The answer where no policy applies.
    pub(crate) fn nothing() -> Self {
        Self {
            verdict: Verdict::Deny,
            determining: SmallVec::new(),
            errors: SmallVec::new(),
            permitted: false,
            overruled: SmallVec::new(),
        }
    }
}

/// Adds up results of policies.
#[derive(Default)]
pub(crate) struct Tally {
    permits: SmallVec<[u32; 8]>,
    forbids: SmallVec<[u32; 8]>,
    errors: SmallVec<[u32; 8]>,
    forbid_failed: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, rule: u32, effect: Effect, result: Result<bool, Failed>) {
        match (result, effect) {
            (Ok(true), Effect::Permit) => self.permits.push(rule),
            (Ok(true), Effect::Forbid) => self.forbids.push(rule),
            (Ok(false), _) => {}
            (Err(Failed), _) => {
                self.errors.push(rule);
                self.forbid_failed |= effect == Effect::Forbid;
            }
        }
    }

    pub(crate) fn answer(mut self, mode: ErrorMode) -> Answer {
        self.permits.sort_unstable();
        self.forbids.sort_unstable();
        self.errors.sort_unstable();
        let permitted = !self.permits.is_empty();
        let failed = self.forbid_failed && mode == ErrorMode::Deny;
        let verdict = if permitted && self.forbids.is_empty() && !failed { Verdict::Allow } else { Verdict::Deny };
        let (determining, overruled) = match verdict {
            Verdict::Allow => (self.permits, SmallVec::new()),
            Verdict::Deny => (self.forbids, self.permits),
        };
        Answer { verdict, determining, errors: self.errors, permitted, overruled }
    }
}
