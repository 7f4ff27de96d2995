//! Keys in contexts.

use hashbrown::hash_map::Entry;
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

/// Different clients that make a key known.
const ENOUGH: u32 = 3;
/// Keys that are proposed at a time.
const MOST_PROPOSED: u32 = 4_096;

/// Which clients: one bit of eight for each, so two may look like one, and one never like two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Support(pub(super) u8);

impl Support {
    /// One client, by a hash of it.
    pub(in super::super) const fn of(client: u64) -> Self {
        Self(1 << (client >> 61))
    }

    pub(in super::super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn number(self) -> u32 {
        self.0.count_ones()
    }
}

/// Contexts and their keys, exact and bounded.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Counts {
    pub(super) contexts: Map<Context>,
    pub(super) keys: Map<Key>,
    pub(super) proposed: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    /// Events.
    pub(super) events: u32,
    /// Different keys; [`u16::MAX`] where there were too many.
    pub(super) keys: u16,
    /// Who they are of.
    pub(super) support: Support,
    /// How surprising a key is that was never seen; follows from the others.
    novel: u16,
    /// Keys that were seen once, or are not known; follows from the others.
    once: u16,
}

/// As a number of keys: too many.
pub(super) const OPEN: u16 = u16::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) context: u64,
    /// 0 while it is only proposed.
    pub(super) count: u32,
    pub(super) support: Support,
    /// Follows from the counts.
    surprise: u16,
}

impl Context {
    /// Without what follows from the counts.
    pub(super) const fn new(events: u32, keys: u16, support: Support) -> Self {
        Self { events, keys, support, novel: 0, once: 0 }
    }

    /// Whether a key of this support is known: to as many as make it so, or to all there are.
    const fn knows(&self, support: Support) -> bool {
        support.number() >= ENOUGH || support.number() >= self.support.number()
    }
}

impl Key {
    /// Without what follows from the counts.
    pub(super) const fn new(context: u64, count: u32, support: Support) -> Self {
        Self { context, count, support, surprise: 0 }
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
        let is_known = |key: u64| self.keys.get(&key).is_some_and(|key| context.knows(key.support));
        let (mut events, mut once, mut left) = (context.events, u32::from(context.once), count(event.key));
        if context.keys != OPEN {
            for (known, times) in own.keys(event.context) {
                let with = count(known.key);
                let without = with.saturating_sub(*times);
                let rare = |count: u32| count == 1 || count > 0 && !is_known(known.key);
                events = events.saturating_sub(*times);
                once = once.saturating_sub(u32::from(rare(with))).saturating_add(u32::from(rare(without)));
                if known.key == event.key {
                    left = without;
                }
            }
        }
        match events {
            0 => UNKNOWN,
            _ if context.keys == OPEN => 0,
            _ if !is_known(event.key) => Odds::of(events, once).surprise(0),
            _ => Odds::of(events, once).surprise(left),
        }
    }

    /// Adds one event so many times; what follows from the counts is not yet [derived](Self::derive).
    pub(in super::super) fn add(&mut self, context: u64, key: u64, times: u32, support: Support) {
        let of = self.contexts.entry(context).or_insert(Context::new(0, 0, support));
        of.events = of.events.saturating_add(times);
        of.support = of.support.or(support);
        if of.keys == OPEN {
            return;
        }
        let entry = self.keys.entry(key).or_insert(Key::new(context, 0, support));
        if entry.count == 0 {
            of.keys = of.keys.saturating_add(1);
        }
        entry.count = entry.count.saturating_add(times);
        entry.support = entry.support.or(support);
        if of.keys > MOST_KEYS {
            of.keys = OPEN;
        }
    }

    /// Proposes an event that is too strange to be counted: it is from the moment on that enough clients have had it.
    pub(in super::super) fn propose(&mut self, context: u64, key: u64, times: u32, support: Support) {
        let full = self.proposed >= MOST_PROPOSED;
        let entry = match self.keys.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => return,
            Entry::Vacant(entry) => {
                self.proposed = self.proposed.saturating_add(1);
                entry.insert(Key::new(context, 0, support))
            }
        };
        entry.support = entry.support.or(support);
        if entry.support.number() >= ENOUGH {
            self.add(context, key, times, support);
        }
    }

    /// Adds all of another's; what follows is not yet [derived](Self::derive).
    pub(in super::super) fn join(&mut self, other: &Self) {
        for (id, context) in other.contexts.iter().filter(|(_, context)| context.keys == OPEN) {
            let of = self.contexts.entry(*id).or_insert(Context::new(0, OPEN, context.support));
            of.keys = OPEN;
            of.support = of.support.or(context.support);
            of.events = of.events.saturating_add(context.events);
        }
        // Events of the others are those of their keys; an open one may have keys until it is derived.
        let counts = |key: &Key| other.contexts.get(&key.context).is_some_and(|context| context.keys != OPEN);
        for (key, entry) in other.keys.iter().filter(|(_, key)| key.count > 0 && counts(key)) {
            self.add(entry.context, *key, entry.count, entry.support);
        }
    }

    /// Works out what follows from the counts: once after they have changed.
    pub(in super::super) fn derive(&mut self) {
        let Self { contexts, keys, proposed } = self;
        // When there is no more room for proposals all begin anew.
        let full = *proposed >= MOST_PROPOSED;
        keys.retain(|_, key| match contexts.get(&key.context) {
            Some(context) => context.keys != OPEN && (key.count > 0 || !full),
            None => !full,
        });
        *proposed = 0;
        contexts.values_mut().for_each(|context| context.once = 0);
        for key in keys.values() {
            *proposed = proposed.saturating_add(u32::from(key.count == 0));
            let Some(context) = contexts.get_mut(&key.context) else { continue };
            if key.count == 1 || key.count > 0 && !context.knows(key.support) {
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
            key.surprise = match contexts.get(&key.context) {
                Some(context) if key.count > 0 && context.knows(key.support) => {
                    Odds::of(context.events, context.once.into()).surprise(key.count)
                }
                Some(context) => context.novel,
                None => UNKNOWN,
            };
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
