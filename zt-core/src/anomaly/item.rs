//! What is looked at in one go: a value, or what a request is made of.

use super::kind::Kind;
use super::model::Model;
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

/// From one symbol to the next, in any value of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) last: u8,
    pub(super) symbol: u8,
}

impl Step {
    /// As an event.
    pub(super) const fn event(self, service: u64) -> Event {
        let context = join(join(service, Kind::Symbols as u64), self.last as u64);
        Event::new(Kind::Symbols, context, self.symbol as u64)
    }
}

/// What is seen of an item: an event, or a step whose event need not be worked out to know how surprising it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight {
    Event(Event),
    Step(Step),
}

impl Sight {
    /// As an event.
    pub(super) const fn event(self, service: u64) -> Event {
        match self {
            Self::Event(event) => event,
            Self::Step(step) => step.event(service),
        }
    }
}

/// Where elements of a kind are compared with their likes: by the item's context; steps of any value and bodies with those of all.
pub(super) const fn norm(service: u64, context: u64, kind: Kind) -> u64 {
    match kind {
        Kind::Symbols | Kind::Body => join(service, kind as u64),
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

/// The elements of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Elements {
    /// Of each kind the largest surprise.
    most: [u16; Kind::ALL.len()],
    /// One bit for each kind that there is.
    found: u16,
}

impl Elements {
    /// Of events, by how surprising each is.
    pub(super) fn of(events: &[Event], surprise: impl Fn(&Event) -> u16) -> Self {
        let mut elements = Self::default();
        events.iter().for_each(|event| elements.add(event.kind, surprise(event)));
        elements
    }

    /// As surprising as it is to a model.
    #[inline]
    pub(super) fn see(&mut self, sight: Sight, model: &Model) {
        match sight {
            Sight::Event(event) => self.add(event.kind, model.counts.surprise(&event)),
            Sight::Step(step) => self.add(Kind::Symbols, model.symbols.surprise(step)),
        }
    }

    #[inline]
    fn add(&mut self, kind: Kind, surprise: u16) {
        if let Some(most) = self.most.get_mut(kind as usize) {
            *most = surprise.max(*most);
            self.found |= 1 << kind as u8;
        }
    }

    /// In the order of their kinds.
    pub(super) fn each(self) -> impl Iterator<Item = Element> {
        let mut left = self.found;
        std::iter::from_fn(move || {
            let at = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            Some(Element { kind: *Kind::ALL.get(at)?, surprise: *self.most.get(at)? })
        })
    }
}
