//! Campaigns that are found.

use std::collections::BTreeSet;

use zt_benches::figure::Figure;

use super::replay::{Of, Replayed, Row};

/// Campaigns of which at least one core event is an alarm.
pub(super) struct Found {
    /// The kind of each campaign, and whether it is found.
    campaigns: Vec<(String, bool)>,
}

impl Found {
    pub(super) fn of(replayed: &Replayed, alarm: impl Fn(&Row) -> bool) -> Self {
        let mut campaigns: Vec<(String, bool)> = replayed.campaigns.iter().map(|kind| (kind.clone(), false)).collect();
        for row in replayed.rows.iter().filter(|row| alarm(row)) {
            if let Of::Core(number) = row.of {
                campaigns[number].1 = true;
            }
        }
        Self { campaigns }
    }

    pub(super) fn kinds(&self) -> BTreeSet<&str> {
        self.campaigns.iter().map(|(kind, _)| kind.as_str()).collect()
    }

    /// How many of how many, of a kind or of all.
    pub(super) fn counts(&self, kind: Option<&str>) -> (usize, usize) {
        let wanted = self.campaigns.iter().filter(|(of, _)| kind.is_none_or(|kind| kind == of));
        wanted.fold((0, 0), |(hits, all), (_, found)| (hits + usize::from(*found), all + 1))
    }

    pub(super) fn share(&self, kind: Option<&str>) -> f64 {
        let (hits, all) = self.counts(kind);
        hits as f64 / all.max(1) as f64
    }

    pub(super) fn told(&self, kind: Option<&str>) -> String {
        let (hits, all) = self.counts(kind);
        format!("{hits} of {all}")
    }

    pub(super) fn figure(&self, title: String, kind: Option<&str>) -> Figure {
        Figure::new(title, self.share(kind), "share").to_digits(3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::shop::replay::row;

    fn replayed(rows: Vec<Row>) -> Replayed {
        let campaigns = ["scraper", "scraper", "spray_low"].map(str::to_owned).into();
        Replayed { rows, campaigns, ..Replayed::default() }
    }

    #[test]
    fn a_campaign_is_found_by_a_core_event_alone() {
        let rows =
            vec![row(Of::Core(1), 1, 0.9), row(Of::Core(1), 1, 0.1), row(Of::Cover, 2, 0.9), row(Of::Core(2), 2, 0.8)];
        let found = Found::of(&replayed(rows), |row| row.zt[0].risk > 0.85);
        assert_eq!((found.told(None), found.told(Some("scraper"))), ("1 of 3".to_owned(), "1 of 2".to_owned()));
        assert_eq!((found.share(Some("spray_low")), found.kinds().len()), (0.0, 2));
    }
}
