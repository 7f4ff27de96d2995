//! Keys in contexts.

use hashbrown::hash_map::Entry;
use smallvec::SmallVec;

use super::super::item::Event;
use super::bound::{self, Bound};
use super::odds::{Odds, UNKNOWN};
use super::support::Support;
use crate::base::keyed::Map;

/// Keys of one context; with more it is open: anything may come.
pub(super) const MOST_KEYS: u16 = 64;
/// Keys that are proposed at a time.
const MOST_PROPOSED: u32 = 4_096;
/// What a context weighs beside its keys.
const CONTEXT: usize = 2;

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
    /// The endpoint whose room it takes.
    pub(super) owner: u32,
    /// Different keys; [`u16::MAX`] where there were too many.
    pub(super) keys: u16,
    /// Who they are of.
    pub(super) support: Support,
    /// Whether what follows does not yet follow.
    stale: bool,
    /// Keys that were seen once, or are not known; follows from the others.
    once: u16,
    /// Follows from the others.
    odds: Odds,
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

/// How often something was seen, of which clients, and the endpoint whose room it takes.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Seen {
    pub(in super::super) owner: u32,
    pub(in super::super) times: u32,
    pub(in super::super) support: Support,
}

impl Context {
    /// Without what follows from the counts.
    pub(super) const fn new(owner: u32, events: u32, keys: u16, support: Support) -> Self {
        Self { events, owner, keys, support, stale: true, once: 0, odds: Odds::UNKNOWN }
    }
}

impl Key {
    /// Without what follows from the counts: as if it had never been seen.
    pub(super) const fn new(context: u64, count: u32, support: Support, novel: u16) -> Self {
        Self { context, count, support, surprise: novel }
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
        self.surprise_of(event.key).unwrap_or_else(|| self.novel(event.context))
    }

    /// How surprising a key is that was seen.
    #[inline]
    pub(super) fn surprise_of(&self, key: u64) -> Option<u16> {
        self.keys.get(&key).map(|key| key.surprise)
    }

    /// How surprising a key is that was never seen.
    #[inline]
    fn novel(&self, context: u64) -> u16 {
        self.novel_in(context).unwrap_or(UNKNOWN)
    }

    /// The same where anything was seen in the context.
    #[inline]
    pub(super) fn novel_in(&self, context: u64) -> Option<u16> {
        self.contexts.get(&context).map(|context| context.odds.novel)
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
        let is_known = |key: u64| self.keys.get(&key).is_some_and(|key| context.support.knows(key.support));
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
            _ if !is_known(event.key) => Odds::of(events, once).novel,
            _ => Odds::of(events, once).surprise(left),
        }
    }

    /// Adds an event; what follows from the counts is not yet [derived](Self::derive), and says what it said.
    pub(in super::super) fn add(&mut self, context: u64, key: u64, seen: Seen) {
        let Seen { owner, times, support } = seen;
        let of = self.contexts.entry(context).or_insert(Context::new(owner, 0, 0, support));
        of.events = of.events.saturating_add(times);
        of.support = of.support.or(support);
        of.stale = true;
        if of.keys == OPEN {
            return;
        }
        let entry = self.keys.entry(key).or_insert(Key::new(context, 0, support, of.odds.novel));
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
    pub(in super::super) fn propose(&mut self, context: u64, key: u64, seen: Seen) {
        let full = self.proposed >= MOST_PROPOSED;
        let novel = self.novel(context);
        let entry = match self.keys.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => return,
            Entry::Vacant(entry) => {
                self.proposed = self.proposed.saturating_add(1);
                entry.insert(Key::new(context, 0, seen.support, novel))
            }
        };
        entry.support = entry.support.or(seen.support);
        if entry.support.is_enough() {
            self.add(context, key, seen);
        }
    }

    /// Whom the keys of a context are of.
    pub(super) fn support(&self, context: u64) -> Support {
        self.contexts.get(&context).map_or(Support::default(), |context| context.support)
    }

    /// Whether a key can be added without making its context open.
    pub(super) fn has_room(&self, context: u64, key: u64) -> bool {
        let counted = || self.keys.get(&key).is_some_and(|key| key.count > 0);
        self.contexts.get(&context).is_none_or(|context| context.keys < MOST_KEYS) || counted()
    }

    /// Takes back an event that was added so many times, or forgets that it was proposed; who it was of stays. What follows is
    /// not yet [derived](Self::derive).
    pub(in super::super) fn take_back(&mut self, context: u64, key: u64, times: u32) {
        let Entry::Occupied(mut entry) = self.keys.entry(key) else { return };
        if entry.get().count == 0 {
            entry.remove();
            return;
        }
        let Some(of) = self.contexts.get_mut(&context) else { return };
        let own = entry.get_mut();
        let times = times.min(own.count);
        own.count = own.count.saturating_sub(times);
        of.events = of.events.saturating_sub(times);
        of.stale = true;
        if own.count == 0 {
            of.keys = if of.keys == OPEN { OPEN } else { of.keys.saturating_sub(1) };
            entry.remove();
        }
    }

    /// Is not surprised by a key, where that is counted, until what follows is [derived](Self::derive) anew.
    pub(super) fn trust(&mut self, key: u64) {
        self.keys.get_mut(&key).into_iter().for_each(|key| key.surprise = 0);
    }

    /// Adds all of another's; what follows is not yet [derived](Self::derive).
    pub(in super::super) fn join(&mut self, other: &Self) {
        // Also those whose keys were all taken back: who they were of stays.
        for (id, context) in &other.contexts {
            let of = self.contexts.entry(*id).or_insert(Context::new(context.owner, 0, 0, context.support));
            of.stale = true;
            of.support = of.support.or(context.support);
            if context.keys == OPEN {
                of.keys = OPEN;
                of.events = of.events.saturating_add(context.events);
            }
        }
        // Events of the others are those of their keys; an open one may have keys until it is derived.
        for (key, entry) in other.keys.iter().filter(|(_, key)| key.count > 0) {
            let Some(context) = other.contexts.get(&entry.context).filter(|context| context.keys != OPEN) else {
                continue;
            };
            let seen = Seen { owner: context.owner, times: entry.count, support: entry.support };
            self.add(entry.context, *key, seen);
        }
    }

    /// Lets go what is too much.
    pub(super) fn bound(&mut self, bound: &Bound) {
        if self.weight() <= bound.of_endpoint {
            return;
        }
        let weight = |context: &Context| match context.keys {
            OPEN => CONTEXT,
            keys => CONTEXT.saturating_add(keys.into()),
        };
        let entry = |(id, context): (&u64, &Context)| bound::Entry {
            events: context.events.into(),
            id: *id,
            owner: context.owner,
            weight: weight(context),
        };
        let surplus = bound.surplus(self.contexts.iter().map(entry));
        if !surplus.is_empty() {
            bound::without(&mut self.contexts, |id, _| surplus.contains_key(&id));
            bound::without(&mut self.keys, |_, key| surplus.contains_key(&key.context));
        }
    }

    /// Whether there may be [too much](Self::bound).
    pub(super) fn is_over(&self, bound: &Bound) -> bool {
        self.weight() > bound.in_all
    }

    fn weight(&self) -> usize {
        self.contexts.len().saturating_mul(CONTEXT).saturating_add(self.keys.len())
    }

    /// Whether nothing was counted.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.contexts.is_empty()
    }

    /// Works out what follows from the counts: once after they have changed.
    pub(in super::super) fn derive(&mut self) {
        let Self { contexts, keys, proposed } = self;
        // When there is no more room for proposals all begin anew.
        let full = *proposed >= MOST_PROPOSED;
        *proposed = 0;
        contexts.values_mut().filter(|context| context.stale).for_each(|context| context.once = 0);
        keys.retain(|_, key| {
            let context = contexts.get_mut(&key.context);
            let keeps = (key.count > 0 || !full) && context.as_ref().is_none_or(|context| context.keys != OPEN);
            *proposed = proposed.saturating_add(u32::from(keeps && key.count == 0));
            if let Some(context) = context.filter(|context| keeps && context.stale) {
                let is_rare = key.count == 1 || key.count > 0 && !context.support.knows(key.support);
                context.once = context.once.saturating_add(is_rare.into());
            }
            keeps
        });
        for context in contexts.values_mut().filter(|context| context.stale) {
            context.odds = match context.keys {
                OPEN => Odds::OPEN,
                _ => Odds::of(context.events, context.once.into()),
            };
        }
        for key in keys.values_mut() {
            match contexts.get(&key.context) {
                Some(context) if !context.stale => {}
                Some(context) if key.count > 0 && context.support.knows(key.support) => {
                    key.surprise = context.odds.surprise(key.count);
                }
                Some(context) => key.surprise = context.odds.novel,
                None => key.surprise = UNKNOWN,
            }
        }
        contexts.values_mut().for_each(|context| context.stale = false);
    }

    /// Bytes that the tables take.
    pub(in super::super) fn memory(&self) -> usize {
        let tables = (self.contexts.allocation_size(), self.keys.allocation_size());
        tables.0.saturating_add(tables.1)
    }
}
