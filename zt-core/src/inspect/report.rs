//! The findings of one request.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::model::{Code, Finding, Mode, Outcome};

pub(super) struct Report {
    unclean: Outcome,
    mode: Mode,
    findings: SmallVec<[Finding; 2]>,
}

impl Report {
    pub(super) fn new(unclean: Outcome, mode: Mode) -> Self {
        Self { unclean, mode, findings: SmallVec::new() }
    }

    /// What no server should accept.
    pub(super) fn refuse(&mut self, code: Code, detail: impl Into<Cow<'static, str>>) {
        self.push(Finding::new(code, detail));
    }

    /// What breaks a standard but real clients also send.
    pub(super) fn unclean(&mut self, code: Code, detail: impl Into<Cow<'static, str>>) {
        if self.unclean != Outcome::Allow {
            self.push(Finding::new(code, detail).calling_for(self.unclean));
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
