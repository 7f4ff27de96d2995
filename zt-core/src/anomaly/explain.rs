//! Why a request is strange, for people: names of fields, classes of characters and counts, never a value.

use std::fmt;

use super::baseline::{Baseline, Scored};
use super::item::Event;
use super::kind::{Channel, Kind};
use super::request::{At, Target};
use super::score::{Strange, Strangest};
use super::symbol;
use super::value::MOST_BYTES;
use crate::base::fixed;
use crate::base::leaves::Leaf;
use crate::model::Request;

/// Characters of a name that are shown.
const MOST_NAME: usize = 64;

/// One of the strangest things about a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The channel it speaks in.
    pub channel: Channel,
    /// Where it is: "query parameter `id`".
    pub place: String,
    /// What is strange there: "first quote there".
    pub what: String,
    /// How often that was seen.
    pub count: u32,
    /// Among how many.
    pub among: u32,
    /// How many deviations stranger than its likes are.
    pub deviations: f64,
}

impl Explanation {
    /// What a value's [`place`](Self::place) is called.
    pub fn place_of(leaf: &Leaf<'_>) -> String {
        let Leaf { place, name, .. } = leaf;
        if name.is_empty() {
            return place.as_str().to_owned();
        }
        let name = String::from_utf8_lossy(name);
        let shown = name.chars().take(MOST_NAME).flat_map(char::escape_debug).collect::<String>();
        format!("{} `{shown}`", place.as_str())
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what, count, among, .. } = self;
        match (count, among) {
            (_, 0) => write!(f, "{place}: {what}, never seen before"),
            (0, among) => write!(f, "{place}: {what}, for the first time in {among}"),
            (count, among) => write!(f, "{place}: {what}, seen {count} times in {among}"),
        }
    }
}

impl Baseline {
    /// The strangest things about a request that was scored, at most three.
    pub fn explain(&self, request: &Request<'_>, target: &Target<'_>, scored: &Scored) -> Vec<Explanation> {
        self.explained(request, target, &scored.strangest)
    }

    /// The same of a request whose strangest elements these are.
    pub(super) fn explained(
        &self,
        request: &Request<'_>,
        target: &Target<'_>,
        strangest: &Strangest,
    ) -> Vec<Explanation> {
        let (mut told, mut events, mut number) = (Vec::new(), Vec::new(), 0);
        let reader = self.reader();
        reader.read(request, target, &mut |found| {
            for strange in strangest.top().filter(|strange| strange.item == number) {
                events.clear();
                reader.events(found, &mut |sight| events.push(sight.event(self.service)));
                told.push(self.explanation(&found.at, &events, strange));
            }
            number += 1;
        });
        told.sort_by(|a, b| b.deviations.total_cmp(&a.deviations));
        told
    }

    fn explanation(&self, at: &At<'_>, events: &[Event], strange: &Strange) -> Explanation {
        let of_kind = || events.iter().filter(|event| event.kind == strange.kind);
        let most = of_kind().map(|event| self.model.counts.surprise(event)).max().unwrap_or_default();
        let known = |event: &Event| self.model.counts.surprise(event) == most;
        let (position, event) = of_kind().enumerate().find(|(_, event)| known(event)).unzip();
        let (count, among) = event.map_or((0, 0), |event| self.model.counts.known(event));
        Explanation {
            channel: strange.kind.channel(),
            place: place(at),
            what: what(strange.kind, at, position.unwrap_or_default()),
            count,
            among,
            deviations: f64::from(strange.deviations) / f64::from(fixed::ONE),
        }
    }
}

fn place(at: &At<'_>) -> String {
    match at {
        At::Path(_) => "path".to_owned(),
        At::Structure(..) => "request".to_owned(),
        At::Leaf(leaf, _) => Explanation::place_of(leaf),
    }
}

fn what(kind: Kind, at: &At<'_>, position: usize) -> String {
    match kind {
        Kind::Endpoint => "an endpoint".to_owned(),
        Kind::Names => "these parameters together".to_owned(),
        Kind::Name => "a parameter".to_owned(),
        Kind::Headers => "these headers together".to_owned(),
        Kind::Body => "such a body with this method".to_owned(),
        Kind::Shape => "a value of this shape".to_owned(),
        Kind::Length => "a value of this length".to_owned(),
        Kind::Whole => "this value".to_owned(),
        Kind::Steps | Kind::Symbols => match at {
            At::Leaf(leaf, _) => step(leaf.value, position),
            At::Path(path) => step(path, position),
            At::Structure(..) => String::new(),
        },
    }
}

/// The step at this position of a value: from one class of characters to the next.
fn step(value: &[u8], position: usize) -> String {
    let classes = value.get(..MOST_BYTES).unwrap_or(value).iter().map(|byte| symbol::of(*byte).0);
    let mut runs: Vec<symbol::Class> = classes.collect();
    runs.dedup();
    let before = position.checked_sub(1).and_then(|before| runs.get(before));
    match (before, runs.get(position)) {
        (None, Some(class)) => format!("a {} at the start", class.as_str()),
        (Some(before), Some(class)) => format!("a {} behind a {}", class.as_str(), before.as_str()),
        (Some(before), None) => format!("the end behind a {}", before.as_str()),
        (None, None) => "an empty value".to_owned(),
    }
}
