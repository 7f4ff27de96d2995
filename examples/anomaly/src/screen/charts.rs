//! Over the recording's time: how many requests, the most unusual of them, and how many were flagged.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Block, Chart, Dataset, GraphType};

use crate::date;
use crate::player::BUDGET;
use crate::story::Story;

/// Of normal requests, and of attacks.
pub(super) const COLOURS: [Color; 2] = [Color::Gray, Color::LightRed];
const NAMES: [&str; 2] = ["normal", "attacks"];
/// Powers of ten that risk is shown to.
const MOST: f64 = 6.0;

type Points = Vec<(f64, f64)>;

pub(super) fn rates(story: &Story) -> Points {
    let minutes = story.bucket as f64 / 60e3;
    points(story, |at| Some(story.buckets[at].requests as f64 / minutes))
}

pub(super) fn rate<'c>(story: &Story, rates: &'c Points) -> Chart<'c> {
    let line = Dataset::default().data(rates).graph_type(GraphType::Line).marker(Marker::Braille).cyan();
    let top = top(rates);
    chart(story, "requests a minute", vec![line], top, ["0".to_owned(), format!("{top:.0}")].into())
}

/// One in so many requests is as unusual as the most unusual one.
pub(super) fn render_risk(frame: &mut Frame<'_>, story: &Story, area: Rect) {
    let powers = |of: usize| {
        points(story, |at| {
            let risk = story.buckets[at].highest_risk[of];
            (risk > 0.0).then(|| (-(1.0 - risk).max(1e-9).log10()).min(MOST))
        })
    };
    let highest = [powers(0), powers(1)];
    let budget = -BUDGET.log10();
    let limit = [(0.0, budget), (story.buckets.len() as f64, budget)];
    let line = Dataset::default().name("budget").data(&limit).graph_type(GraphType::Line).marker(Marker::Braille);
    let mut sets = vec![line.yellow()];
    sets.extend(dots(&highest, GraphType::Scatter, Marker::Braille));
    let labels = ["1", "1 in 1,000", "1 in 1,000,000"].map(str::to_owned).into();
    frame.render_widget(chart(story, "highest risk, as one in so many requests", sets, MOST, labels), area);
}

pub(super) fn render_flagged(frame: &mut Frame<'_>, story: &Story, area: Rect) {
    let counts =
        |of: usize| points(story, |at| Some(story.buckets[at].flagged[of] as f64).filter(|count| *count > 0.0));
    let flagged = [counts(0), counts(1)];
    let top = top(&flagged.concat());
    let title = format!("not simply allowed, in {} minutes", story.bucket / 60_000);
    let labels = ["0".to_owned(), format!("{top:.0}")].into();
    let sets = dots(&flagged, GraphType::Bar, Marker::HalfBlock).collect();
    frame.render_widget(chart(story, &title, sets, top, labels), area);
}

fn dots(points: &[Points; 2], kind: GraphType, marker: Marker) -> impl Iterator<Item = Dataset<'_>> {
    let styled = points.iter().zip(NAMES).zip(COLOURS);
    styled.map(move |((points, name), colour)| {
        Dataset::default().name(name).data(points).graph_type(kind).marker(marker).style(colour)
    })
}

/// Of the buckets that the story has come to.
fn points(story: &Story, value: impl Fn(usize) -> Option<f64>) -> Points {
    let done = usize::try_from((story.now - story.first) / story.bucket).unwrap_or(0) + 1;
    (0..done.min(story.buckets.len())).filter_map(|at| Some((at as f64, value(at)?))).collect()
}

fn top(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(_, value)| *value).fold(1.0, f64::max)
}

fn chart<'c>(story: &Story, title: &str, sets: Vec<Dataset<'c>>, top: f64, labels: Vec<String>) -> Chart<'c> {
    let dim = Style::new().dim();
    let times = [story.first, story.first.midpoint(story.last), story.last].map(date::text);
    let time = Axis::default().style(dim).bounds([0.0, story.buckets.len().max(2) as f64 - 1.0]).labels(times);
    let value = Axis::default().style(dim).bounds([0.0, top]).labels(labels);
    Chart::new(sets).block(Block::bordered().border_style(dim).title(title.to_owned())).x_axis(time).y_axis(value)
}
