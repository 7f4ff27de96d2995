//! `zt diff`: what policies newly allow and newly deny from one configuration to another.

use zt_core::policy::{Change, Difference, Place, Redacted, Turn};

use crate::args::Diff;
use crate::configuration::Configuration;
use crate::output::Output;
use crate::{Ending, Failure};

/// Widest column of the table before the last.
const WIDTH_MAX: usize = 48;

pub(crate) fn run(arguments: &Diff) -> Result<Ending, Failure> {
    let old = Configuration::read(Some(&arguments.old))?.engine()?;
    let new = Configuration::read(Some(&arguments.new))?.engine()?;
    let difference = old.policy_difference(&new).map_err(|invalid| Failure(invalid.to_string()))?;
    let mut output = Output::new();
    if arguments.common.json {
        output.json(&difference)?;
    } else {
        write(&difference, &mut output)?;
    }
    output.finish()?;
    Ok(if difference.is_empty() { Ending::Clean } else { Ending::Findings })
}

fn write(difference: &Difference, output: &mut Output) -> Result<(), Failure> {
    let mut rows: Vec<[String; 4]> = difference.changes.iter().map(row).collect();
    rows.extend(difference.anonymous.iter().map(|of| {
        [sign(of.turn), "without a credential".to_owned(), of.endpoint.clone(), "where no policy forbids it".to_owned()]
    }));
    rows.extend(difference.redactions.iter().flat_map(redaction));
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.max().unwrap_or_default().min(WIDTH_MAX)
    };
    let (who, place) = (width(1), width(2));
    for [turn, principal, places, condition] in &rows {
        output.line(&format!("{turn}  {principal:who$}  {places:place$}  {condition}"))?;
    }
    match (rows.len(), difference.left_out) {
        (0, _) => output.line("no difference"),
        (1, 0) => output.line("1 difference"),
        (count, 0) => output.line(&format!("{count} differences")),
        (count, more) => output.line(&format!("{count} differences, and {more} more that are not listed")),
    }
}

/// Turn, who, where, when.
fn row(change: &Change) -> [String; 4] {
    let segments = change.segments.iter().map(|segment| format!("segment {segment}"));
    let places: Vec<String> = segments.chain(change.endpoints.iter().map(place)).collect();
    [sign(change.turn), change.principal.clone(), places.join(", "), change.condition.clone()]
}

fn sign(turn: Turn) -> String {
    match turn {
        Turn::Allowed => "+ allowed",
        Turn::Denied => "- denied ",
    }
    .to_owned()
}

/// What a policy shows and hides.
fn redaction(of: &Redacted) -> impl Iterator<Item = [String; 4]> {
    let policy = format!("policy {}", of.policy);
    let row = move |turn: &str, fields: &[String], what: &str| {
        (!fields.is_empty()).then(|| [turn.to_owned(), policy.clone(), fields.join(", "), what.to_owned()])
    };
    [row("+ shown  ", &of.shown, "no longer hidden"), row("- hidden ", &of.hidden, "newly hidden")]
        .into_iter()
        .flatten()
}

fn place(place: &Place) -> String {
    let method = place.method.as_deref().map(|method| if method.is_empty() { "other methods" } else { method });
    let segment = place.segment.as_ref().map(|segment| format!("in segment {segment}"));
    let parts: Vec<&str> = method.into_iter().chain(segment.as_deref()).collect();
    if parts.is_empty() { place.id.clone() } else { format!("{} ({})", place.id, parts.join(" ")) }
}
