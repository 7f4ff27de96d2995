//! What is new in the traffic and no attack.

use std::collections::BTreeSet;

use zt_benches::figure::Figure;

use super::replay::{Replayed, Row};

/// Something new in the traffic that is no attack.
pub(super) struct Change {
    pub(super) name: &'static str,
    /// By the hour since the recording's first midnight, and the path.
    pub(super) holds: fn(i64, &str) -> bool,
    /// Clients with alarms from which on it looks like a campaign.
    clients: usize,
}

/// As they were found in the recording. A job is one client, a crowd is many.
pub(super) const CHANGES: [Change; 3] = [
    Change { name: "promotion", holds: |hour, _| (7 * 24 + 18..7 * 24 + 21).contains(&hour), clients: 3 },
    Change { name: "batch jobs", holds: |_, path| path.contains("/integrations/"), clients: 1 },
    Change { name: "new endpoint", holds: |_, path| path.ends_with("/bundle"), clients: 3 },
];
/// Alarms from which on a change looks like a campaign, where they are more than the budget's share, too.
const ALARMS: usize = 5;

/// Whether alarms on normal events of a change look like a campaign.
pub(super) fn raised(
    replayed: &Replayed,
    change: &Change,
    title: String,
    budget: f64,
    part: impl Fn(&Row) -> bool,
    alarm: impl Fn(&Row) -> bool,
) -> Figure {
    let rows: Vec<&Row> = replayed.normal().filter(|row| part(row)).collect();
    let alarms: Vec<&Row> = rows.iter().copied().filter(|row| alarm(row)).collect();
    let clients: BTreeSet<usize> = alarms.iter().map(|row| row.client).collect();
    let is_raised =
        alarms.len() >= ALARMS && alarms.len() as f64 > rows.len() as f64 * budget && clients.len() >= change.clients;
    let beside = format!(
        "{} alarms of {} clients on {} events; one from {ALARMS} alarms of {} on and more than the budget",
        alarms.len(),
        clients.len(),
        rows.len(),
        change.clients
    );
    let value = if is_raised { 1.0 } else { 0.0 };
    Figure::new(title, value, "raised").to_digits(0).at_most(0.0).beside(beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::shop::replay::{Of, row};

    #[test]
    fn a_change_looks_like_a_campaign_from_some_alarms_of_some_clients_on() {
        let [crowd, job, _] = &CHANGES;
        let of = |change: &Change, alarms: usize, clients: usize, quiet: usize| {
            let loud = (0..alarms).map(|number| row(Of::Normal, number % clients, 1.0));
            let rows = loud.chain((0..quiet).map(|_| row(Of::Normal, 9, 0.0))).collect();
            let figure = raised(
                &Replayed { rows, ..Replayed::default() },
                change,
                String::new(),
                0.01,
                |_| true,
                |row| row.zt[0].risk > 0.5,
            );
            figure.value == Some(1.0)
        };
        assert!(of(crowd, 5, 3, 100) && of(job, 5, 1, 100));
        assert!(!of(crowd, 5, 2, 100), "two clients are no crowd");
        assert!(!of(job, 4, 1, 100), "too few alarms");
        assert!(!of(job, 5, 1, 495), "within the budget");
    }
}
