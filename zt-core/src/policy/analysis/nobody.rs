//! Endpoints that nobody may call, and segments in which there are no others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Kind, Surroundings, some_of};
use crate::policy::logic::{Cube, Rules};

/// Permits and forbids of an endpoint that are looked at before it is taken for one that somebody may call.
const PERMITS_MAX: usize = 128;
/// See [`PERMITS_MAX`].
const FORBIDS_MAX: usize = 64;

pub(super) fn find(rules: &Rules<'_>, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let anonymous: BTreeSet<&str> = surroundings.anonymous.iter().copied().collect();
    let rows = &rules.compiled.index.rows;
    let (mut endpoints, mut segments) = (BTreeMap::<&str, bool>::new(), BTreeMap::<&str, bool>::new());
    for row in rows {
        let open = anonymous.contains(&*row.id) || somebody(rules, row);
        *endpoints.entry(&row.id).or_default() |= open;
        if let Some(segment) = &row.segment {
            *segments.entry(segment).or_default() |= open;
        }
    }
    let mut found = Vec::new();
    let closed: Vec<&str> = segments.iter().filter(|(_, open)| !**open).map(|(segment, _)| *segment).collect();
    for segment in &closed {
        let inside = rows.iter().filter(|row| row.segment.as_deref() == Some(segment)).map(|row| (*row.id).to_owned());
        let names: Vec<String> = inside.collect::<BTreeSet<String>>().into_iter().collect();
        let message = format!("nobody may call anything in the segment `{segment}`: {}", some_of(&names));
        let mend = "permit something there, or take its endpoints out";
        found.push(Finding { endpoints: names, ..Finding::new(Kind::SegmentNotUsed, message, mend) });
    }
    for (endpoint, _) in endpoints.iter().filter(|(_, open)| !**open) {
        let told =
            |row: &crate::policy::index::Row| row.segment.as_deref().is_some_and(|segment| closed.contains(&segment));
        if !rows.iter().filter(|row| *row.id == **endpoint).all(told) {
            let message = format!("nobody may call `{endpoint}`");
            let finding = Finding::new(Kind::EndpointNobodyMayCall, message, "permit it to somebody, or take it out");
            found.push(Finding { endpoints: vec![(*endpoint).to_owned()], ..finding });
        }
    }
    found
}

/// Whether somebody may call an endpoint at a row, as far as can be told.
fn somebody(rules: &Rules<'_>, row: &crate::policy::index::Row) -> bool {
    let mut at = rules.at(row);
    // What asks for nothing is quickest to look at.
    at.sort_by_key(|at| rules.rule(*at).is_some_and(|rule| rule.body.is_some()));
    let row = rules.compiled.index.rows.iter().find(|known| std::ptr::eq(*known, row));
    let forbids = at.iter().filter(|at| !rules.is_permit(**at)).take(FORBIDS_MAX);
    let denied: Vec<Cube> = forbids.flat_map(|at| rules.denied(*at, row)).collect();
    let mut permits = at.iter().filter(|at| rules.is_permit(**at));
    let open = permits.by_ref().take(PERMITS_MAX).any(|at| {
        let yes = &rules.outcome(*at, row).yes;
        yes.iter().any(|cube| rules.survives(cube, &denied))
    });
    open || permits.next().is_some()
}
