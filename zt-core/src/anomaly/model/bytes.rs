//! Counts and norms as bytes, in rising order of their ids.

use super::counts::{Context, Counts, Key, MOST_KEYS, OPEN};
use super::moments::{Moments, Norm, Norms};
use super::odds::UNKNOWN;
use super::support::Support;
use crate::base::bytes::Reader;
use crate::base::keyed::Map;

impl Counts {
    pub(in super::super) fn write(&self, out: &mut Vec<u8>) {
        list(self.contexts.iter(), out, |context, out| {
            out.extend_from_slice(&context.owner.to_le_bytes());
            out.extend_from_slice(&context.events.to_le_bytes());
            out.extend_from_slice(&context.keys.to_le_bytes());
            out.push(context.support.0);
        });
        // Proposals stay where they were made.
        list(self.keys.iter().filter(|(_, key)| key.count > 0), out, |key, out| {
            out.extend_from_slice(&key.context.to_le_bytes());
            out.extend_from_slice(&key.count.to_le_bytes());
            out.push(key.support.0);
        });
    }

    /// `None` where they contradict each other: each key is of a context that is not open and has as many, and the counts of
    /// its keys add up to its events, as far as they can be written. What follows is not yet [derived](Self::derive).
    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let support = |reader: &mut Reader<'_>| reader.take().map(u8::from_le_bytes).map(Support);
        let contexts = read(reader, |reader| {
            let (owner, events, keys) = (reader.u32()?, reader.u32()?, u16::from_le_bytes(reader.take()?));
            Some(Context::new(owner, events, keys, support(reader)?))
        })?;
        let keys = read(reader, |reader| Some(Key::new(reader.u64()?, reader.u32()?, support(reader)?, UNKNOWN)))?;
        let counts = Self { contexts, keys, ..Self::default() };
        let mut sums: Map<(u16, u32)> = Map::default();
        for key in counts.keys.values().filter(|key| key.count > 0) {
            let (number, events) = sums.entry(key.context).or_default();
            *number = number.saturating_add(1);
            *events = events.saturating_add(key.count);
        }
        let zero = counts.keys.values().any(|key| key.count == 0);
        let sound = |id: &u64, context: &Context| match (context.keys, sums.get(id)) {
            (OPEN, sum) => sum.is_none(),
            (keys, sum) => keys <= MOST_KEYS && sum.copied().unwrap_or_default() == (keys, context.events),
        };
        let all = counts.contexts.iter().all(|(id, context)| sound(id, context));
        let owned = sums.keys().all(|id| counts.contexts.contains_key(id));
        (!zero && all && owned).then_some(counts)
    }
}

impl Norms {
    pub(in super::super) fn write(&self, out: &mut Vec<u8>) {
        list(self.0.iter(), out, |norm, out| {
            let Moments { number, sum, squares } = norm.moments;
            out.extend_from_slice(&norm.owner.to_le_bytes());
            [number, sum, squares].iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        });
    }

    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let one = |reader: &mut Reader<'_>| {
            let owner = reader.u32()?;
            let moments = Moments { number: reader.u64()?, sum: reader.u64()?, squares: reader.u64()? };
            Some(Norm::new(owner, moments))
        };
        read(reader, one).map(Self)
    }
}

fn list<'v, V: 'v>(
    entries: impl Iterator<Item = (&'v u64, &'v V)>,
    out: &mut Vec<u8>,
    write: impl Fn(&V, &mut Vec<u8>),
) {
    let mut sorted: Vec<(&u64, &V)> = entries.collect();
    sorted.sort_unstable_by_key(|(id, _)| **id);
    out.extend_from_slice(&(sorted.len() as u64).to_le_bytes());
    for (id, value) in sorted {
        out.extend_from_slice(&id.to_le_bytes());
        write(value, out);
    }
}

/// `None` where a list is longer than what is left, or not in rising order.
fn read<V>(reader: &mut Reader<'_>, one: impl Fn(&mut Reader<'_>) -> Option<V>) -> Option<Map<V>> {
    let number = usize::try_from(reader.u64()?).ok().filter(|number| *number <= reader.left() / 8)?;
    let mut map = Map::with_capacity_and_hasher(number, Default::default());
    let mut last = None;
    for _ in 0..number {
        let id = reader.u64()?;
        if last.is_some_and(|last| last >= id) {
            return None;
        }
        last = Some(id);
        map.insert(id, one(reader)?);
    }
    Some(map)
}
