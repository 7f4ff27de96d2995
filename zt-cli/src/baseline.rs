//! Baselines in files.

use std::path::Path;

use zt_core::anomaly::Baseline;
use zt_core::learn::least_budget;

use crate::{Failure, configuration};

/// Reads one.
pub(crate) fn read(path: &Path) -> Result<Baseline, Failure> {
    Baseline::from_text(&configuration::text(path)?).map_err(|error| Failure(format!("`{}`: {error}", path.display())))
}

/// For people: what its scores were taken of, and what they can keep.
pub(crate) fn calibration(baseline: &Baseline) -> String {
    match baseline.calibrated_on() {
        0 => "not calibrated: `zt learn --baseline FILE --calibrate IN... --out FILE` takes what its scores mean"
            .to_owned(),
        number => {
            let least = least_budget(baseline) * 100.0;
            format!("calibrated on {number} requests: it can keep a budget of {least:.4} % and more")
        }
    }
}
