//! Steps that come before others on the same object: what is paid was put into a cart.

use std::cmp::Reverse;

use smallvec::{Array, SmallVec};

use super::room::Room;
use crate::base::bytes::Reader;
use crate::base::fixed;
use crate::base::generations::{Generations, Kept};

/// Objects of a client, and endpoints, that are remembered.
const TRAILS: usize = 7 << 13;
const STEPS: usize = 7 << 8;
/// Steps that are remembered of one object and client.
const MOST_SEEN: usize = 8;
/// Predecessors that are counted of one step.
const MOST_BEFORE: usize = 16;
/// Times that a step was seen before anything is required of it.
const FEW: u32 = 30;

/// What a client has done with an object: steps by a hash that is not 0, the latest first.
#[derive(Clone, Copy, Debug, Default)]
struct Trail([u16; MOST_SEEN]);

/// How often a step was seen, and others before it.
#[derive(Clone, Debug, Default)]
struct Step {
    number: u32,
    before: SmallVec<[(u16, u32); 4]>,
}

impl Kept for Trail {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|step| out.extend_from_slice(&step.to_le_bytes()));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut steps = [0; MOST_SEEN];
        steps.iter_mut().try_for_each(|step| reader.take().map(|bytes| *step = u16::from_le_bytes(bytes)))?;
        Some(Self(steps))
    }

    /// As many as there is room for, the largest hashes.
    fn join(&mut self, other: &Self) {
        let mut all: SmallVec<[u16; 2 * MOST_SEEN]> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.dedup();
        all.resize(MOST_SEEN, 0);
        self.0.iter_mut().zip(all).for_each(|(slot, step)| *slot = step);
    }
}

impl Kept for Step {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_le_bytes());
        out.push(u8::try_from(self.before.len()).unwrap_or(u8::MAX));
        for (step, times) in &self.before {
            out.extend_from_slice(&step.to_le_bytes());
            out.extend_from_slice(&times.to_le_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let number = reader.u32()?;
        let [length] = reader.take()?;
        let one = |_| Some((u16::from_le_bytes(reader.take()?), reader.u32()?));
        let before: Option<SmallVec<[(u16, u32); 4]>> = (0..length).map(one).collect();
        Some(Self { number, before: before.filter(|before| before.len() <= MOST_BEFORE)? })
    }

    fn join(&mut self, other: &Self) {
        self.number = self.number.saturating_add(other.number);
        join_counts(&mut self.before, &other.before, MOST_BEFORE);
    }
}

/// Adds counts by what they are of; of too many the highest are left.
pub(super) fn join_counts<K: Copy + Ord, A: Array<Item = (K, u32)>>(
    own: &mut SmallVec<A>,
    others: &[(K, u32)],
    most: usize,
) {
    for (of, times) in others {
        match own.iter_mut().find(|(own, _)| own == of) {
            Some((_, own)) => *own = own.saturating_add(*times),
            None => own.push((*of, *times)),
        }
    }
    own.sort_unstable_by_key(|(of, times)| (Reverse(*times), *of));
    own.truncate(most);
}

/// What was done before what.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    trails: Generations<Trail>,
    steps: Generations<Step>,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self { trails: Generations::new(TRAILS), steps: Generations::new(STEPS) }
    }

    /// How surprising it is that a step is done on a trail as it is, nats with 8 bits behind the point: of what came before it in nine of ten
    /// cases, the surest that did not.
    pub(super) fn surprise(&self, trails: [u64; 2], endpoint: u64) -> u32 {
        let Some(step) = self.steps.get(endpoint).filter(|step| step.number >= FEW) else { return 0 };
        let seen = self.seen(trails);
        let missing = |before: u16| !seen.contains(&before);
        let usual = step.before.iter().filter(|(_, times)| u64::from(*times) * 10 >= u64::from(step.number) * 9);
        // -ln((without + 1/2) / (number + 1))
        let surprise = |times: u32| {
            let without = u64::from(step.number.saturating_sub(times));
            fixed::surprise(without * 2 + 1, u64::from(step.number) * 2 + 2)
        };
        usual.filter(|(before, _)| missing(*before)).map(|(_, times)| surprise(*times)).fold(0, u32::saturating_add)
    }

    /// Every step of two trails, once.
    fn seen(&self, trails: [u64; 2]) -> SmallVec<[u16; 2 * MOST_SEEN]> {
        let mut seen = SmallVec::new();
        for step in trails.iter().filter_map(|trail| self.trails.get(*trail)).flat_map(|trail| trail.0) {
            if step != 0 && !seen.contains(&step) {
                seen.push(step);
            }
        }
        seen
    }

    /// Learns what was before a step.
    pub(super) fn learn(&mut self, trails: [u64; 2], endpoint: u64) {
        let done = self.seen(trails);
        let step = self.steps.entry(endpoint);
        step.number = step.number.saturating_add(1);
        for seen in &done {
            if let Some((_, times)) = step.before.iter_mut().find(|(before, _)| before == seen) {
                *times = times.saturating_add(1);
            } else if step.before.len() < MOST_BEFORE {
                step.before.push((*seen, 1));
            } else {
                // The rarest gives its place when it is no rarer than a newcomer.
                let rarest = step.before.iter_mut().min_by_key(|(_, times)| *times);
                rarest.into_iter().filter(|(_, times)| *times <= 1).for_each(|slot| *slot = (*seen, 1));
            }
        }
    }

    /// A step was done.
    pub(super) fn done(&mut self, trail: u64, endpoint: u64) {
        let (Trail(done), step) = (self.trails.entry(trail), short(endpoint));
        if !done.contains(&step) {
            done.rotate_right(1);
            done[0] = step;
        }
    }

    /// Whether anything was done on a trail.
    pub(super) fn knows(&self, trail: u64) -> bool {
        self.trails.get(trail).is_some()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.trails.write(out);
        self.steps.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { trails: Generations::read(TRAILS, reader)?, steps: Generations::read(STEPS, reader)? })
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.trails.join(&other.trails);
        self.steps.join(&other.steps);
    }

    pub(super) fn resize(&mut self, room: Room) {
        self.trails.resize(room.of(TRAILS));
        self.steps.resize(room.of(STEPS));
    }

    pub(super) fn memory(&self) -> usize {
        let spilled = self.steps.values().filter(|step| step.before.spilled());
        let lists = spilled.map(|step| step.before.capacity().saturating_mul(size_of::<(u16, u32)>()));
        lists.fold(self.trails.memory().saturating_add(self.steps.memory()), usize::saturating_add)
    }
}

fn short(endpoint: u64) -> u16 {
    ((endpoint >> 48) as u16).max(1)
}
