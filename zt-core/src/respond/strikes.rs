//! Which findings are a strike.

use super::ladder::Ladder;
use crate::model::{Finding, Outcome};

/// Strikes of one request on one ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Strikes {
    pub(super) all: u32,
    pub(super) by_proof: u32,
}

impl Strikes {
    /// Each finding is one. Those of rules in monitor mode, and those that call for nothing, are none.
    pub(super) fn of(ladder: &Ladder, findings: &[Finding]) -> Self {
        let mut strikes = Self::default();
        let acting = |finding: &&Finding| !finding.monitor && finding.outcome > Outcome::Allow;
        for finding in findings.iter().filter(acting).filter(|finding| ladder.counts(finding.code)) {
            strikes.all = strikes.all.saturating_add(1);
            strikes.by_proof = strikes.by_proof.saturating_add(u32::from(!finding.code.is_behaviour()));
        }
        strikes
    }
}
