//! What the tables say of measures, which are those of `zt eval`.

pub(super) use zt_core::evaluate::{Estimate, Scores, share};

/// For beside a figure.
pub(super) fn interval(estimate: Estimate) -> Option<String> {
    estimate.interval.map(|(low, high)| format!("95 %: {low:.4}..{high:.4}"))
}
