//! Values with confidence intervals.

use serde::{Deserialize, Serialize};

/// 97.5 % of a normal distribution is below.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// A value, and where it is with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower and upper end; none where nothing varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

/// So many of so many, in Wilson's interval; none of none.
pub fn share(hits: usize, of: usize) -> Option<Estimate> {
    let (none, all) = (hits == 0, hits == of);
    let (hits, n) = (hits as f64, of as f64);
    let value = hits / n;
    let middle = (hits + Z * Z / 2.0) / (n + Z * Z);
    let half = Z / (n + Z * Z) * (hits * (1.0 - value) + Z * Z / 4.0).sqrt();
    let interval = (if none { 0.0 } else { middle - half }, if all { 1.0 } else { middle + half });
    (of > 0).then_some(Estimate { value, interval: Some(interval) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
    }

    #[test]
    fn a_share_is_in_wilsons_interval() {
        let interval = |hits, of| share(hits, of).unwrap().interval.unwrap();
        // E. B. Wilson (1927), as in R: binom::binom.wilson.
        near(interval(5, 10).0, 0.236_6);
        near(interval(5, 10).1, 0.763_4);
        near(interval(0, 10).0, 0.0);
        near(interval(0, 10).1, 0.277_5);
        near(interval(10, 10).0, 0.722_5);
        assert_eq!(share(0, 0), None);
    }
}
