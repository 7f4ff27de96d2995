//! zt's own evaluator, from what routing and verification hand to it: strings, numbers, and the number of the endpoint.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use zt_benches::authorize::Authorization;
use zt_benches::figure::Figure;
use zt_benches::workload::Workload;
use zt_core::policy::Verdict;

use super::SIZES;

/// A decision: evaluation, and the findings and obligations that an engine makes of it.
pub(crate) const NAME: &str = "zt";

pub(crate) struct Subject(Authorization);

impl Subject {
    pub(crate) fn new(workload: &Workload) -> Result<Self, String> {
        Authorization::new(workload).map(Self)
    }

    /// Every answer must be the right one, with the policies that determine it.
    pub(crate) fn check(&self, workload: &Workload) -> Result<(), String> {
        for (at, asked) in workload.requests.iter().enumerate() {
            let (allowed, determining) = workload.answer(asked);
            let answer = self.0.answer(at);
            let same = answer.determining.iter().map(|policy| *policy as usize).eq(determining.iter().copied());
            if !same || (answer.verdict == Verdict::Allow) != allowed || !answer.errors.is_empty() {
                return Err(format!("zt answers request {at} wrongly: {answer:?}, not {allowed} by {determining:?}"));
            }
        }
        Ok(())
    }

    /// Evaluation alone.
    pub(crate) fn decides(&self, at: usize) {
        black_box(self.0.answer(black_box(at)));
    }

    pub(crate) fn decides_and_says(&self, at: usize) {
        black_box(self.0.effect(black_box(at)));
    }
}

/// Counted by a program of its own, so that nothing here is slower for being counted.
pub(crate) fn allocations() -> Vec<Figure> {
    let counted = std::env::current_exe()
        .map(|path| path.with_file_name(format!("zt-allocations{}", std::env::consts::EXE_SUFFIX)))
        .and_then(|path: PathBuf| Command::new(path).output())
        .map_err(|error| error.to_string())
        .and_then(|output| serde_json::from_slice::<Value>(&output.stdout).map_err(|error| error.to_string()));
    let figure = |policies: usize| {
        let name = format!("allocations of a decision, {policies} policies");
        match &counted {
            Ok(counted) => match counted[policies.to_string()].as_f64() {
                Some(count) => Figure::new(name, count, "each").at_most(0.0),
                None => Figure::missing(name, "each", "not counted"),
            },
            Err(error) => Figure::missing(name, "each", error.clone()),
        }
    };
    SIZES.into_iter().map(figure).collect()
}
