//! The findings of one request.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::Inspector;
use crate::model::{Code, Finding, Mode, Outcome};

pub(super) struct Report {
    unclean: Outcome,
    overrides: Outcome,
    mode: Mode,
    findings: SmallVec<[Finding; 2]>,
}

impl Report {
    pub(super) fn new(inspector: &Inspector) -> Self {
        let Inspector { unclean, overrides, mode, .. } = *inspector;
        Self { unclean, overrides, mode, findings: SmallVec::new() }
    }

    /// What no server should accept.
    pub(super) fn refuse(&mut self, code: Code, detail: impl Into<Cow<'static, str>>) {
        self.push(Finding::new(code, detail));
    }

    /// What breaks a standard but real clients also send.
    pub(super) fn unclean(&mut self, code: Code, detail: impl Into<Cow<'static, str>>) {
        self.graded(self.unclean, code, detail);
    }

    /// What puts another method or target in the request's place.
    pub(super) fn overridden(&mut self, code: Code, detail: impl Into<Cow<'static, str>>) {
        self.graded(self.overrides, code, detail);
    }

    fn graded(&mut self, outcome: Outcome, code: Code, detail: impl Into<Cow<'static, str>>) {
        if outcome != Outcome::Allow {
            self.push(Finding::new(code, detail).calling_for(outcome));
        }
    }

    pub(super) fn into_findings(self) -> SmallVec<[Finding; 2]> {
        self.findings
    }

    fn push(&mut self, mut finding: Finding) {
        finding.monitor = self.mode == Mode::Monitor;
        self.findings.push(finding);
    }
}
