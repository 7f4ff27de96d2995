//! Counts and norms as bytes, in rising order of their ids.

use super::counts::{Context, Counts, Key, MOST_KEYS, OPEN};
use super::moments::{Moments, Norms};
use crate::base::bytes::Reader;
use crate::base::keyed::Map;

impl Counts {
    pub(in super::super) fn write(&self, out: &mut Vec<u8>) {
        list(&self.contexts, out, |context, out| {
            out.extend_from_slice(&context.events.to_le_bytes());
            out.extend_from_slice(&context.keys.to_le_bytes());
        });
        list(&self.keys, out, |key, out| {
            out.extend_from_slice(&key.context.to_le_bytes());
            out.extend_from_slice(&key.count.to_le_bytes());
        });
    }

    /// `None` where they contradict each other: each key is of a context that is not open and has as many, and the counts of
    /// its keys add up to its events, as far as they can be written. What follows is not yet [derived](Self::derive).
    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let contexts = read(reader, |reader| Some(Context::read(reader.u32()?, u16::from_le_bytes(reader.take()?))))?;
        let keys = read(reader, |reader| Some(Key::read(reader.u64()?, reader.u32()?)))?;
        let counts = Self { contexts, keys };
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
        list(&self.0, out, |moments, out| {
            let Moments { number, sum, squares } = moments;
            [number, sum, squares].iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        });
    }

    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let one = |reader: &mut Reader<'_>| {
            Some(Moments { number: reader.u64()?, sum: reader.u64()?, squares: reader.u64()? })
        };
        read(reader, one).map(Self)
    }
}

fn list<V>(map: &Map<V>, out: &mut Vec<u8>, write: impl Fn(&V, &mut Vec<u8>)) {
    let mut sorted: Vec<(&u64, &V)> = map.iter().collect();
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
