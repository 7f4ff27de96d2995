//! Keys in contexts.

use smallvec::SmallVec;

use super::super::item::Event;
use crate::base::fixed::{self, ONE};
use crate::base::keyed::Map;

/// Keys of one context; with more it is open: anything may come.
pub(super) const MOST_KEYS: u16 = 64;
/// Events of a context before it can be found to be open.
const FEW_EVENTS: u32 = 64;
/// No surprise is larger: one in a billion.
const MOST_SURPRISE: u32 = 5_305;
/// What a context that was never seen says: as likely as not.
const UNKNOWN: u16 = 177;

/// Keys that were seen once in a context, where one in so many events brings a new one: anything may come.
const OPEN_ONE_IN: u32 = 6;

/// Contexts and their keys, exact and bounded.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Counts {
    pub(super) contexts: Map<Context>,
    pub(super) keys: Map<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// Events.
    pub(super) events: u32,
    /// Different keys; [`u16::MAX`] where there were too many.
    pub(super) keys: u16,
    /// How surprising a key is that was never seen; follows from the others.
    novel: u16,
    /// Keys that were seen once; follows from the others.
    once: u16,
}

/// As a number of keys: too many.
pub(super) const OPEN: u16 = u16::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) context: u64,
    pub(super) count: u32,
    /// Follows from the counts.
    surprise: u16,
}

impl Context {
    /// Without what follows from the counts.
    pub(super) const fn read(events: u32, keys: u16) -> Self {
        Self { events, keys, novel: 0, once: 0 }
    }
}

impl Key {
    /// Without what follows from the counts.
    pub(super) const fn read(context: u64, count: u32) -> Self {
        Self { context, count, surprise: 0 }
    }
}

/// The events of one item, to be thought away: how often each context, and each key.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Own(SmallVec<[(Event, u32); 32]>);

impl Own {
    pub(in super::super) fn of(events: &[Event]) -> Self {
        let mut sorted: SmallVec<[Event; 32]> = events.into();
        sorted.sort_unstable();
        let mut own: SmallVec<[(Event, u32); 32]> = SmallVec::new();
        for event in sorted {
            match own.last_mut() {
                Some((last, times)) if *last == event => *times = times.saturating_add(1),
                _ => own.push((event, 1)),
            }
        }
        Self(own)
    }

    /// Keys of a context.
    fn keys(&self, context: u64) -> impl Iterator<Item = &(Event, u32)> {
        let from = self.0.partition_point(|(event, _)| event.context < context);
        self.0.get(from..).unwrap_or_default().iter().take_while(move |(event, _)| event.context == context)
    }
}

impl Counts {
    /// How surprising an event is.
    #[inline]
    pub(in super::super) fn surprise(&self, event: &Event) -> u16 {
        match self.keys.get(&event.key) {
            Some(key) => key.surprise,
            None => self.contexts.get(&event.context).map_or(UNKNOWN, |context| context.novel),
        }
    }

    /// How often it was seen, and how often anything in its context.
    pub(in super::super) fn known(&self, event: &Event) -> (u32, u32) {
        let among = self.contexts.get(&event.context).map_or(0, |context| context.events);
        (self.keys.get(&event.key).map_or(0, |key| key.count), among)
    }

    /// How surprising it would be had its own item not been counted.
    pub(in super::super) fn surprise_without(&self, event: &Event, own: &Own) -> u16 {
        let Some(context) = self.contexts.get(&event.context) else { return UNKNOWN };
        let count = |key: u64| self.keys.get(&key).map_or(0, |key| key.count);
        let (mut events, mut once, mut left) = (context.events, u32::from(context.once), count(event.key));
        if context.keys != OPEN {
            for (known, times) in own.keys(event.context) {
                let with = count(known.key);
                let without = with.saturating_sub(*times);
                events = events.saturating_sub(*times);
                once = once.saturating_sub(u32::from(with == 1)).saturating_add(u32::from(without == 1));
                if known.key == event.key {
                    left = without;
                }
            }
        }
        match events {
            0 => UNKNOWN,
            _ if context.keys == OPEN => 0,
            _ => Odds::of(events, once).surprise(left),
        }
    }

    /// Adds one event so many times; what follows from the counts is not yet [derived](Self::derive).
    pub(in super::super) fn add(&mut self, context: u64, key: u64, times: u32) {
        let of = self.contexts.entry(context).or_insert(Context::read(0, 0));
        of.events = of.events.saturating_add(times);
        if of.keys == OPEN {
            return;
        }
        let entry = self.keys.entry(key).or_insert(Key::read(context, 0));
        if entry.count == 0 {
            of.keys = of.keys.saturating_add(1);
        }
        entry.count = entry.count.saturating_add(times);
        if of.keys > MOST_KEYS {
            of.keys = OPEN;
        }
    }

    /// Adds all of another's; what follows is not yet [derived](Self::derive).
    pub(in super::super) fn join(&mut self, other: &Self) {
        for (id, context) in other.contexts.iter().filter(|(_, context)| context.keys == OPEN) {
            let of = self.contexts.entry(*id).or_insert(Context::read(0, OPEN));
            of.keys = OPEN;
            of.events = of.events.saturating_add(context.events);
        }
        // Events of the others are those of their keys; an open one may have keys until it is derived.
        let open = |key: &Key| other.contexts.get(&key.context).is_none_or(|context| context.keys == OPEN);
        for (key, entry) in other.keys.iter().filter(|(_, key)| !open(key)) {
            self.add(entry.context, *key, entry.count);
        }
    }

    /// Works out what follows from the counts: once after they have changed.
    pub(in super::super) fn derive(&mut self) {
        let Self { contexts, keys } = self;
        keys.retain(|_, key| contexts.get(&key.context).is_some_and(|context| context.keys != OPEN));
        for context in contexts.values_mut() {
            context.once = 0;
        }
        for key in keys.values() {
            if let (1, Some(context)) = (key.count, contexts.get_mut(&key.context)) {
                context.once = context.once.saturating_add(1);
            }
        }
        for context in contexts.values_mut() {
            context.novel = match context.keys {
                OPEN => 0,
                _ => Odds::of(context.events, context.once.into()).surprise(0),
            };
        }
        for key in keys.values_mut() {
            if let Some(context) = contexts.get(&key.context) {
                key.surprise = Odds::of(context.events, context.once.into()).surprise(key.count);
            }
        }
    }

    /// Bytes that the tables take.
    pub(in super::super) fn memory(&self) -> usize {
        let tables = (self.contexts.allocation_size(), self.keys.allocation_size());
        tables.0.saturating_add(tables.1)
    }
}

/// Good and Turing: the share of keys that were seen once is the chance of one that was never seen.
struct Odds {
    events: u32,
    once: u32,
}

impl Odds {
    const fn of(events: u32, once: u32) -> Self {
        Self { events, once }
    }

    /// Surprise of a key with this count. One that was seen is never more surprising than one that was not.
    fn surprise(&self, count: u32) -> u16 {
        let (events, once) = (u64::from(self.events), u64::from(self.once));
        if self.events > FEW_EVENTS && once.saturating_mul(OPEN_ONE_IN.into()) > events {
            return 0;
        }
        // p_new = (once + 1/2) / (events + 1)
        let (whole, new) = (events.saturating_add(1).saturating_mul(2), once.saturating_mul(2).saturating_add(1));
        let novel = fixed::surprise(new, whole);
        let known = match count {
            0 => novel,
            // p = max(1 - p_new, 1/20) min(count, events) / (events + 1)
            _ => {
                let seen = whole.saturating_sub(new).max(whole / 20);
                let count = u64::from(count.min(self.events));
                let rest = fixed::surprise(seen, whole);
                rest.saturating_add(fixed::surprise(count, events.saturating_add(1))).min(novel)
            }
        };
        u16::try_from(known.min(MOST_SURPRISE)).unwrap_or(u16::MAX)
    }
}

const _: () = assert!(UNKNOWN as u32 * 1000 / ONE == 691, "ln 2");
