//! What is looked at in one go: a value, or what a request is made of.

use smallvec::SmallVec;

use super::kind::Kind;
use crate::base::keyed::join;

/// A key that was seen in a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    /// Where: probabilities of one context add up to one.
    pub(super) context: u64,
    /// What, together with where.
    pub(super) key: u64,
    pub(super) kind: Kind,
}

impl Event {
    pub(super) const fn new(kind: Kind, context: u64, key: u64) -> Self {
        Self { context, key: join(context, key), kind }
    }
}

/// Where elements of a kind are compared with their likes: by the item's context; steps of any value with those of all.
pub(super) const fn norm(service: u64, context: u64, kind: Kind) -> u64 {
    match kind {
        Kind::Symbols => join(service, Kind::Symbols as u64),
        kind => join(context, kind as u64),
    }
}

/// An element: the most surprising of an item's events of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) kind: Kind,
    /// Nats, [`FRACTION`](crate::base::fixed::FRACTION) bits behind the point.
    pub(super) surprise: u16,
}

/// The elements of an item, in the order of their kinds.
pub(super) type Elements = SmallVec<[Element; 6]>;

/// The elements of an item's events.
pub(super) fn elements(events: &[Event], surprise: impl Fn(&Event) -> u16) -> Elements {
    let mut most = [None::<u16>; Kind::ALL.len()];
    for event in events {
        if let Some(slot) = most.get_mut(event.kind as usize) {
            *slot = (*slot).max(Some(surprise(event)));
        }
    }
    let found = Kind::ALL.iter().zip(most);
    found.filter_map(|(kind, surprise)| Some(Element { kind: *kind, surprise: surprise? })).collect()
}
