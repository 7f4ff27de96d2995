//! What follows what: a session whose steps are each a little unlikely after the ones before.
//!
//! Counts of endpoints by the one before, and by the one before that; the surprise of a step is the mean of both, with the
//! share of what is new from what was seen once (I. J. Good, "The population frequencies of species", 1953). What steps have
//! above what those after the same one usually have is added up, and never falls below nothing (E. S. Page, "Continuous inspection
//! schemes", 1954). It misses what goes the usual ways, and takes a handful of steps.

use smallvec::SmallVec;

use super::facts::Facts;
use super::room::Room;
use super::steps::join_counts;
use crate::base::bytes::Reader;
use crate::base::fixed::{self, ONE};
use crate::base::generations::{Generations, Kept};
use crate::base::keyed::join;
use crate::model::Millis;

/// A pause that ends a session.
const PAUSE: Millis = 30 * 60_000;
/// Steps, each as the one before and as the one before that, and sessions that are remembered.
const BEFORE: usize = 7 << 8;
const WALKS: usize = 7 << 10;
/// Steps that are counted after one.
const MOST_AFTER: usize = 48;
/// Before anything was seen after a step, so many were, each so surprising.
const FIRST: u64 = 2;
const FIRST_SURPRISE: u64 = ONE as u64;
/// What a step may have above the usual, and the most it adds or takes off.
const ALLOWED: i32 = ONE as i32;
const MOST_ADDED: i32 = 4 * ONE as i32;
const MOST_TAKEN: i32 = 2 * ONE as i32;
/// More is not counted, so that a session that goes the usual ways again is usual after a few steps.
const MOST: i32 = 16 * ONE as i32;
/// No step is likelier to be known than this, in parts of 20.
const LEAST_KNOWN: u64 = 1;

/// How often which step came after one.
#[derive(Clone, Debug, Default)]
struct After {
    number: u32,
    /// Of surprise.
    sum: u64,
    steps: SmallVec<[(u32, u32); 8]>,
}

impl After {
    /// How surprising a step is, nats with 8 bits behind the point, and how surprising they usually are.
    fn surprise(&self, step: u32) -> (u32, u32) {
        let number = u64::from(self.number);
        let (mut kept, mut once, mut times) = (0_u64, 0_u64, 0_u64);
        for (known, count) in &self.steps {
            let count = u64::from(*count);
            kept = kept.saturating_add(count);
            once = once.saturating_add(u64::from(count == 1));
            times = if *known == step { count } else { times };
        }
        // Both as parts of twice the number and two.
        let whole = number.saturating_add(1).saturating_mul(2);
        let new = once.saturating_add(number.saturating_sub(kept)).saturating_mul(2).saturating_add(1).min(whole);
        let surprise = if times == 0 {
            fixed::surprise(new, whole)
        } else {
            let known = whole.saturating_sub(new).max(whole.saturating_mul(LEAST_KNOWN) / 20);
            fixed::surprise(known.saturating_mul(times.min(number)), whole.saturating_mul(whole / 2))
        };
        let usual = self.sum.saturating_add(FIRST.saturating_mul(FIRST_SURPRISE)) / number.saturating_add(FIRST);
        (surprise, u32::try_from(usual).unwrap_or(u32::MAX))
    }

    fn learn(&mut self, step: u32, surprise: u32) {
        self.number = self.number.saturating_add(1);
        self.sum = self.sum.saturating_add(surprise.into());
        if let Some((_, times)) = self.steps.iter_mut().find(|(known, _)| *known == step) {
            *times = times.saturating_add(1);
        } else if self.steps.len() < MOST_AFTER {
            self.steps.push((step, 1));
        } else {
            // The rarest gives its place when it is no rarer than a newcomer.
            let rarest = self.steps.iter_mut().min_by_key(|(_, times)| *times);
            rarest.into_iter().filter(|(_, times)| *times <= 1).for_each(|slot| *slot = (step, 1));
        }
    }
}

impl Kept for After {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.sum.to_le_bytes());
        out.push(u8::try_from(self.steps.len()).unwrap_or(u8::MAX));
        for (step, times) in &self.steps {
            out.extend_from_slice(&step.to_le_bytes());
            out.extend_from_slice(&times.to_le_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (number, sum) = (reader.u32()?, reader.u64()?);
        let [length] = reader.take()?;
        let steps: Option<SmallVec<_>> = (0..length).map(|_| Some((reader.u32()?, reader.u32()?))).collect();
        Some(Self { number, sum, steps: steps.filter(|steps| steps.len() <= MOST_AFTER)? })
    }

    fn join(&mut self, other: &Self) {
        self.number = self.number.saturating_add(other.number);
        self.sum = self.sum.saturating_add(other.sum);
        join_counts(&mut self.steps, &other.steps, MOST_AFTER);
    }
}

/// A session: when it was seen last, its last two steps, and what it has above the usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Walk {
    last: Millis,
    before: [u64; 2],
    excess: i32,
}

impl Kept for Walk {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.last.to_le_bytes());
        self.before.iter().for_each(|step| out.extend_from_slice(&step.to_le_bytes()));
        out.extend_from_slice(&self.excess.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (last, before) = (reader.i64()?, [reader.u64()?, reader.u64()?]);
        Some(Self { last, before, excess: i32::from_le_bytes(reader.take()?) })
    }

    /// What goes on is what went on last.
    fn join(&mut self, other: &Self) {
        *self = (*self).max(*other);
    }
}

/// A step of a session, to be [learned](Flow::learn).
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// What it comes after, and how surprising it is there.
    after: [(u64, u32); 2],
    step: u32,
}

impl Step {
    /// How surprising it is after the step before, nats with 8 bits behind the point.
    pub(super) fn surprise(&self) -> i32 {
        let [(_, surprise), _] = self.after;
        i32::try_from(surprise).unwrap_or(i32::MAX)
    }
}

/// What follows what, and where sessions are.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    after: Generations<After>,
    walks: Generations<Walk>,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self { after: Generations::new(2 * BEFORE), walks: Generations::new(WALKS) }
    }

    /// What a session has above the usual with this step, nats with 8 bits behind the point.
    pub(super) fn look(&mut self, identity: u64, facts: &Facts) -> (Step, u32) {
        let walk = self.walks.entry(identity);
        if facts.now.saturating_sub(walk.last) > PAUSE {
            *walk = Walk::default();
        }
        let step = short(facts.endpoint);
        let [one, two] = walk.before;
        let keys = [join(1, one), join(2, two)];
        let looked = keys.map(|key| {
            self.after.get(key).map_or_else(|| After::default().surprise(step), |after| after.surprise(step))
        });
        let above: i64 = looked.iter().map(|(surprise, usual)| i64::from(*surprise) - i64::from(*usual)).sum();
        let above = i32::try_from(above / 2).unwrap_or(MOST_ADDED).saturating_sub(ALLOWED);
        walk.excess = walk.excess.saturating_add(above.clamp(-MOST_TAKEN, MOST_ADDED)).clamp(0, MOST);
        walk.last = facts.now.max(walk.last);
        walk.before = [facts.endpoint, one];
        let [first, second] = looked.map(|(surprise, _)| surprise);
        let [one, two] = keys;
        (Step { after: [(one, first), (two, second)], step }, u32::try_from(walk.excess).unwrap_or(0))
    }

    pub(super) fn learn(&mut self, Step { after, step }: Step) {
        after.into_iter().for_each(|(key, surprise)| self.after.entry(key).learn(step, surprise));
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.after.write(out);
        self.walks.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { after: Generations::read(2 * BEFORE, reader)?, walks: Generations::read(WALKS, reader)? })
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.after.join(&other.after);
        self.walks.join(&other.walks);
    }

    pub(super) fn resize(&mut self, room: Room) {
        self.after.resize(room.of(2 * BEFORE));
        self.walks.resize(room.of(WALKS));
    }

    pub(super) fn memory(&self) -> usize {
        let heap =
            |after: &After| if after.steps.spilled() { after.steps.capacity() * size_of::<(u32, u32)>() } else { 0 };
        let heaps = self.after.values().map(heap).fold(0, usize::saturating_add);
        self.after.memory().saturating_add(self.walks.memory()).saturating_add(heaps)
    }
}

fn short(endpoint: u64) -> u32 {
    (endpoint >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::super::facts::ATTRIBUTES;
    use super::*;

    fn facts(actor: u64, endpoint: u64, now: Millis) -> Facts {
        Facts {
            now,
            endpoint: endpoint << 40,
            object: None,
            identity: None,
            client: Some(actor),
            actor,
            seat: actor,
            device: 0,
            agent: 0,
            place: 0,
            headers: 0,
            attributes: [None; ATTRIBUTES],
            point: None,
        }
    }

    /// One session's excess, by step.
    fn session(flow: &mut Flow, actor: u64, start: Millis, steps: &[u64]) -> Vec<u32> {
        let one = |(at, endpoint): (usize, &u64)| {
            let (step, excess) = flow.look(actor, &facts(actor, *endpoint, start + at as Millis * 20_000));
            flow.learn(step);
            excess
        };
        steps.iter().enumerate().map(one).collect()
    }

    /// The way of a usual session: from each step mostly to the next, sometimes two on, seldom three.
    fn usual(number: u64) -> Vec<u64> {
        let mut step = 1;
        (0..12)
            .map(|at| {
                let now = step;
                let chance = join(number, at) >> 32;
                step =
                    (step + [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3][(chance % 20) as usize]) % 10;
                now
            })
            .collect()
    }

    fn known() -> (Flow, u32) {
        let (mut flow, mut most) = (Flow::new(), 0);
        for number in 0..2_000_u64 {
            let highest = session(&mut flow, number % 300, number as Millis * 3_600_000, &usual(number));
            most = highest.into_iter().max().unwrap().max(if number < 1_000 { 0 } else { most });
        }
        (flow, most)
    }

    const LATER: Millis = 3_000 * 3_600_000;

    #[test]
    fn a_session_whose_steps_are_each_a_little_unusual() {
        let (mut flow, most) = known();
        // Each step is one of twenty.
        let found = session(&mut flow, 7, LATER, &[1, 4, 7, 0, 3, 6, 9, 2, 5, 8, 1]);
        assert!(*found.last().unwrap() > 2 * most, "{found:?} {most}");
        // One of them alone is not.
        let one = session(&mut flow, 8, LATER, &[1, 2, 3, 6, 7, 8, 9, 0, 1]);
        assert!(one.iter().all(|excess| *excess <= most), "{one:?} {most}");
        assert_eq!(one.last(), Some(&0));
        // Nor are they over several sessions.
        for at in 0..4 {
            let apart = session(&mut flow, 9, LATER + at * 3_600_000, &[1, 4]);
            assert!(apart.iter().all(|excess| *excess <= most), "{apart:?} {most}");
        }
    }

    #[test]
    fn a_new_endpoint_soon_is_none() {
        let (mut flow, most) = known();
        let mut steps = usual(1);
        steps.insert(4, 77);
        for actor in 0..5 {
            let found = session(&mut flow, actor, LATER, &steps);
            assert!(found.iter().all(|excess| *excess < 2 * most.max(ONE * 3)), "{found:?} {most}");
        }
    }

    #[test]
    fn it_is_bounded_goes_on_from_its_bytes_and_joins_in_any_order() {
        let (mut flow, _) = known();
        for number in 0..60_000_u64 {
            session(&mut flow, number, LATER, &[number % 5_000, number, number % 7]);
        }
        assert!(flow.memory() < 3 << 20, "{}", flow.memory());
        assert!(flow.after.values().all(|after| after.steps.len() <= MOST_AFTER));
        let bytes = |flow: &Flow| {
            let mut bytes = Vec::new();
            flow.write(&mut bytes);
            bytes
        };
        let mut again = Flow::read(&mut Reader::new(&bytes(&flow))).unwrap();
        assert_eq!(bytes(&again), bytes(&flow));
        let next = [3, 1, 2, 9, 4];
        assert_eq!(session(&mut again, 3, LATER + 1, &next), session(&mut flow, 3, LATER + 1, &next));
        let (one, other) = (known().0, {
            let mut other = Flow::new();
            session(&mut other, 3, LATER, &next);
            other
        });
        let [mut left, mut right] = [one.clone(), other.clone()];
        left.join(&other);
        right.join(&one);
        for key in [join(1, 3 << 40), join(2, 1 << 40), join(1, 9 << 40)] {
            let of = |flow: &Flow| flow.after.get(key).map(|after| (after.number, after.sum, after.steps.clone()));
            assert_eq!(of(&left), of(&right));
        }
        assert_eq!(left.walks.get(3), right.walks.get(3));
    }
}
