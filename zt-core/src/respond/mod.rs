//! What do we do about it? Evidence in, one outcome out; more evidence never makes it milder.
//!
//! Findings about one request are [concluded](conclude) into one outcome. Over many requests they are strikes against whom the
//! requests come from, who climbs a ladder by them ([`Responder`]): flagged, asked to authenticate again, slowed down, suspended.
//!
//! **Lock-out protection**: whoever can be told apart from others only by what it proved (a credential, a session, an identity)
//! is suspended by strikes of proof alone: bad signatures, hostile input, forbidden actions. Behaviour (`limit.*`), which others
//! can provoke, slows it down at most. Nobody is struck for an identity that was not proven; the address is.

mod climb;
mod config;
mod entry;
mod ladder;
mod problem;
mod redact;
mod snapshot;
mod state;
mod strikes;
mod subject;
mod suspension;
mod table;

pub use climb::Graded;
pub use config::{Config, LadderConfig};
pub use problem::{problem, response_problem, title};
pub(crate) use redact::SWITCHING_PROTOCOLS;
pub use redact::{Redaction, Redactor, STALE_HEADERS, Unreadable, redaction};
pub use snapshot::Snapshot;
pub use state::State;
pub use subject::Suspect;
pub use suspension::{Suspension, SuspensionError};

use self::ladder::Ladder;
use crate::base::units::Size;
use crate::model::{Finding, Outcome, Problem, Reason};

/// The configured ladders, compiled.
#[derive(Debug)]
pub struct Responder {
    ladders: Box<[Ladder]>,
    memory: Size,
}

impl Responder {
    /// Compiles `[respond]`. `memory` is what all of its tables may take together.
    ///
    /// # Errors
    /// Every mistake, under keys such as `respond.ladder[0].suspend`.
    pub fn compile(config: &Config, memory: Size) -> Result<Self, Vec<Problem>> {
        let ladders = config::compile(config)?;
        match state::shares(memory, ladders.len()) {
            Ok(_) => Ok(Self { ladders, memory }),
            Err(problem) => Err(vec![problem]),
        }
    }

    /// Whether a state was made for these ladders, or for more.
    pub(crate) fn knows(&self, state: &State) -> bool {
        self.ladders.iter().enumerate().all(|(at, ladder)| state.table(at, ladder).is_some())
    }
}

/// One outcome with its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The most severe outcome that an acting finding calls for.
    pub outcome: Outcome,
    /// HTTP status: 200 passes.
    pub status: u16,
    /// By weight, then code.
    pub reasons: Vec<Reason>,
}

/// The most severe outcome that any finding calls for. Findings of rules in monitor mode are reported with weight 0
/// and call for nothing.
pub fn conclude(findings: &[Finding]) -> Verdict {
    let acting = || findings.iter().filter(|finding| !finding.monitor);
    let outcome = acting().map(|finding| finding.outcome).max().unwrap_or(Outcome::Allow);
    let mut reasons: Vec<Reason> = findings.iter().map(reason).collect();
    reasons.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.code.as_str().cmp(b.code.as_str())));
    let cause = reasons.iter().find(|r| acting().any(|f| f.code == r.code && f.outcome == outcome));
    let status = match outcome {
        Outcome::Allow | Outcome::Flag => 200,
        Outcome::StepUp => 401,
        Outcome::Throttle => 429,
        Outcome::Suspend => 403,
        Outcome::Deny => cause.map_or(403, |reason| refusal_status(reason.code.status())),
    };
    Verdict { outcome, status, reasons }
}

/// Whether what was found ends the request here: nothing that follows could make it milder.
pub fn ends(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| !finding.monitor && finding.outcome >= Outcome::Throttle)
}

/// A code that calls for less than a refusal can be raised to one by a rule.
fn refusal_status(status: u16) -> u16 {
    if status >= 400 { status } else { 403 }
}

fn reason(finding: &Finding) -> Reason {
    let weight = if finding.monitor { 0.0 } else { weight(finding.outcome) };
    Reason { code: finding.code, stage: finding.code.stage(), weight, detail: finding.detail.clone() }
}

const fn weight(outcome: Outcome) -> f64 {
    match outcome {
        Outcome::Allow => 0.0,
        Outcome::Flag => 0.25,
        Outcome::StepUp => 0.5,
        Outcome::Throttle => 0.75,
        Outcome::Deny | Outcome::Suspend => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Code;
    use proptest::prelude::*;

    fn finding() -> impl Strategy<Value = Finding> {
        let outcomes = [Outcome::Allow, Outcome::Flag, Outcome::StepUp, Outcome::Throttle, Outcome::Deny];
        (0..Code::ALL.len(), 0..outcomes.len(), any::<bool>()).prop_map(move |(code, outcome, monitor)| Finding {
            monitor,
            ..Finding::new(Code::ALL[code], "x").calling_for(outcomes[outcome])
        })
    }

    proptest! {
        #[test]
        fn more_evidence_is_never_milder(mut findings in prop::collection::vec(finding(), 0..6), more in finding()) {
            let before = conclude(&findings);
            findings.push(more);
            let after = conclude(&findings);
            prop_assert!(after.outcome >= before.outcome);
            prop_assert_eq!(after.outcome.passes(), after.status == 200);
        }

        #[test]
        fn the_order_of_evidence_does_not_matter(findings in prop::collection::vec(finding(), 0..6)) {
            let forward = conclude(&findings);
            let backward = conclude(&findings.into_iter().rev().collect::<Vec<_>>());
            prop_assert_eq!((forward.outcome, forward.status), (backward.outcome, backward.status));
        }
    }

    #[test]
    fn a_rule_in_monitor_mode_is_reported_and_does_nothing() {
        let finding = Finding { monitor: true, ..Finding::new(Code::PolicyForbidden, "x") };
        let verdict = conclude(&[finding]);
        assert_eq!((verdict.outcome, verdict.status), (Outcome::Allow, 200));
        assert_eq!(verdict.reasons[0].weight, 0.0);
    }
}
