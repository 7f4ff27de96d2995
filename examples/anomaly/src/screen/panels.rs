//! Below the charts: outcomes and codes, campaigns, and the latest requests that were flagged.

use ratatui::style::{Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

use super::charts::COLOURS;
use crate::date;
use crate::story::Story;

pub(super) fn codes(story: &Story) -> Paragraph<'static> {
    let row = |name: &str, [normal, attack]: [u64; 2]| {
        let [of_normal, of_attacks] =
            [(normal, 0), (attack, 1)].map(|(count, of)| (format!("{count:>8}"), COLOURS[of]));
        Line::from(vec![format!("{name:<20}").into(), of_normal.0.fg(of_normal.1), of_attacks.0.fg(of_attacks.1)])
    };
    let head = Line::from(format!("{:<20}{:>8}{:>8}", "", "normal", "attack")).dim();
    let outcomes = story.outcomes.iter().map(|(outcome, counts)| row(outcome.as_str(), *counts));
    let mut codes: Vec<(&str, [u64; 2])> = story.codes.iter().map(|(code, counts)| (*code, *counts)).collect();
    codes.sort_by_key(|(_, [normal, attack])| std::cmp::Reverse(normal + attack));
    let codes = codes.into_iter().map(|(code, counts)| row(code, counts));
    panel("outcomes, first reasons", std::iter::once(head).chain(outcomes).chain(codes).collect())
}

/// A dot for each campaign that has begun, filled where it was found.
pub(super) fn campaigns(story: &Story) -> Paragraph<'static> {
    let row = |(kind, campaigns): (&str, Vec<bool>)| {
        let found = campaigns.iter().filter(|found| **found).count();
        let dots = campaigns.iter().map(|found| if *found { "●".light_green() } else { "○".light_red() });
        let start = Span::from(format!("{kind:<15}{found:>2}/{:<3}", campaigns.len()));
        Line::from_iter(std::iter::once(start).chain(dots))
    };
    let kinds = story.kinds();
    if kinds.is_empty() {
        return panel("campaigns", vec![Line::from("none labelled so far").dim()]);
    }
    panel("campaigns found", kinds.into_iter().map(row).collect())
}

pub(super) fn list(story: &Story) -> Paragraph<'static> {
    let row = |flagged: &crate::story::Flagged| {
        let colour = COLOURS[usize::from(flagged.label.is_some())];
        let label = flagged.label.clone().unwrap_or_default();
        let time = date::text(flagged.time);
        let start = format!("{} {:<20} ", time.get(5..).unwrap_or_default(), flagged.code);
        let rest = format!("{label:<15} {} {}", flagged.who, flagged.what);
        Line::from(vec![start.into(), rest.fg(colour)])
    };
    panel("flagged, the latest first", story.flagged.iter().map(row).collect())
}

fn panel(title: &'static str, lines: Vec<Line<'static>>) -> Paragraph<'static> {
    Paragraph::new(lines).block(Block::bordered().border_style(Style::new().dim()).title(title))
}
