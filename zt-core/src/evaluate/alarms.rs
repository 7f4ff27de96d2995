//! What is called an attack, at one threshold.

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, share};
use super::report::Row;
use crate::base::math::upper_bound;

/// Requests by what they are and what they are called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarms {
    /// Attacks that are called attacks.
    pub found: usize,
    /// Attacks that are not.
    pub missed: usize,
    /// Normal requests that are called attacks.
    pub false_alarms: usize,
    /// Normal requests that are not.
    pub passed: usize,
    /// Of what is called an attack, the share that are.
    pub precision: Option<Estimate>,
    /// Of the attacks, the share that is found.
    pub recall: Option<Estimate>,
    /// Harmonic mean of the two; none where nothing is called an attack and nothing is one.
    pub f1: Option<f64>,
    /// Of the normal requests, the share that is called an attack.
    pub false_alarm_rate: Option<Estimate>,
}

impl Alarms {
    /// Whether each is an attack, and is called one.
    pub(super) fn of(rows: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut alarms = Self::default();
        for (is_attack, is_called) in rows {
            let counter = match (is_attack, is_called) {
                (true, true) => &mut alarms.found,
                (true, false) => &mut alarms.missed,
                (false, true) => &mut alarms.false_alarms,
                (false, false) => &mut alarms.passed,
            };
            *counter = counter.saturating_add(1);
        }
        let Self { found, missed, false_alarms, passed, .. } = alarms;
        let wrong = missed.saturating_add(false_alarms);
        let either = found.saturating_mul(2).saturating_add(wrong);
        Self {
            precision: share(found, found.saturating_add(false_alarms)),
            recall: share(found, found.saturating_add(missed)),
            f1: (either > 0).then(|| found.saturating_mul(2) as f64 / either as f64),
            false_alarm_rate: share(false_alarms, false_alarms.saturating_add(passed)),
            ..alarms
        }
    }
}

/// A budget of false alarms that was asked for, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budgeted {
    /// Share of normal requests that may be called attacks.
    pub budget: f64,
    /// Share of the normal requests here that is.
    pub kept: Option<Estimate>,
    /// Share of the attacks that is found.
    pub found: Option<Estimate>,
    /// Whether the baseline was taken of enough requests to keep it: about 3 divided by the budget; none where that is not known.
    pub calibrated: Option<bool>,
    /// Whether it is kept as far as these requests can tell: false where even the lower end of the interval is above.
    pub holds: Option<bool>,
}

impl Budgeted {
    pub(super) fn of(rows: &[Row<'_>], budget: f64, calibrated_on: Option<u64>) -> Self {
        let alarms = Alarms::of(rows.iter().filter_map(|row| Some((row.is_attack()?, row.is_within(budget)))));
        let kept = alarms.false_alarm_rate;
        let calibrated = calibrated_on.map(|number| upper_bound(0, number) <= budget);
        let lower = kept.and_then(|kept| kept.interval).map(|(low, _)| low);
        let holds = lower.filter(|_| calibrated != Some(false)).map(|low| low <= budget);
        Self { budget, kept, found: alarms.recall, calibrated, holds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_cells_and_what_follows() {
        let cells = [((true, true), 6), ((true, false), 2), ((false, true), 4), ((false, false), 88)];
        let alarms = Alarms::of(cells.into_iter().flat_map(|(cell, times)| std::iter::repeat_n(cell, times)));
        let value = |estimate: Option<Estimate>| estimate.unwrap().value;
        assert_eq!((value(alarms.precision), value(alarms.recall)), (0.6, 0.75));
        assert!((alarms.f1.unwrap() - 2.0 * 0.6 * 0.75 / 1.35).abs() < 1e-12);
        assert_eq!(value(alarms.false_alarm_rate), 4.0 / 92.0);
        let nothing = Alarms::of(std::iter::empty());
        assert_eq!((nothing.precision, nothing.recall, nothing.f1), (None, None, None));
        let quiet = Alarms::of([(true, false), (false, false)].into_iter());
        assert_eq!((quiet.precision, quiet.f1), (None, Some(0.0)));
    }

    #[test]
    fn a_budget_that_is_not_kept_is_told_where_there_is_enough_to_tell() {
        let rows = |alarms: usize| -> Vec<Row<'static>> {
            let risk = |at: usize| if at < alarms { 0.9995 } else { 0.5 };
            (0..1_000).map(|at| Row { label: Some("normal"), score: 1.0, risk: risk(at), ..Row::default() }).collect()
        };
        let of = |alarms, calibrated_on| Budgeted::of(&rows(alarms), 0.001, calibrated_on);
        assert_eq!((of(1, Some(3_000)).calibrated, of(1, Some(3_000)).holds), (Some(true), Some(true)));
        assert_eq!((of(1, Some(2_900)).calibrated, of(1, Some(2_900)).holds), (Some(false), None));
        assert_eq!(of(9, None).holds, Some(false));
        assert_eq!(of(2, None).holds, Some(true));
    }
}
