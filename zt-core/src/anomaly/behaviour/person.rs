//! What is known of one identity: where it was, and what it does.

use smallvec::SmallVec;

use super::facts::{ATTRIBUTES, Facts};
use super::steps::join_counts;
use crate::base::bytes::Reader;
use crate::base::fixed;
use crate::base::generations::Kept;
use crate::base::keyed::join;
use crate::model::Millis;

/// Values of one attribute that are remembered.
const MOST_VALUES: usize = 4;
/// Unusual places of one identity that are remembered.
const MOST_DOUBTFUL: usize = 3;
const DAY: Millis = 24 * 3_600_000;
/// Endpoints of one identity that are remembered.
const MOST_OWN: usize = 24;
/// Endpoints of one session that are remembered.
pub(super) const MOST_SEEN: usize = 24;
/// Sessions of others that weigh as much as an identity's own do.
const OTHERS: u32 = 5;

/// Of each attribute, by how well it is known: how often there was a value, and a new one.
pub(super) type Novelty = [[[u32; 2]; 4]; ATTRIBUTES];

/// What is known of one identity.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub(super) place: u64,
    pub(super) last: Millis,
    pub(super) known: [SmallVec<[(u32, u32); MOST_VALUES]>; ATTRIBUTES],
    /// Endpoints, in how many of its sessions.
    pub(super) own: SmallVec<[(u32, u32); 8]>,
    pub(super) sessions: u32,
    /// Unusual places, and the day since when.
    doubtful: SmallVec<[(u32, u32); MOST_DOUBTFUL]>,
    pub(super) now: Session,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Session {
    /// How unusual its place is, and what it does there.
    pub(super) place: i32,
    pub(super) deeds: i32,
    pub(super) seen: SmallVec<[u32; 8]>,
}

impl Person {
    pub(super) fn is_experienced(&self) -> bool {
        self.known.iter().any(|known| !known.is_empty())
    }

    /// A session is over: what was called in it is its identity's own.
    pub(super) fn end(&mut self, session: &Session) {
        self.sessions = self.sessions.saturating_add(1);
        for endpoint in &session.seen {
            if let Some((_, times)) = self.own.iter_mut().find(|(own, _)| own == endpoint) {
                *times = times.saturating_add(1);
            } else if self.own.len() < MOST_OWN {
                self.own.push((*endpoint, 1));
            }
        }
    }

    /// How surprising it is that a session is from here.
    pub(super) fn strangeness(&self, facts: &Facts, novelty: &Novelty) -> i32 {
        let (mut sum, mut new) = (0_u32, false);
        for ((known, novelty), value) in self.known.iter().zip(novelty).zip(&facts.attributes) {
            if let Some(value) = value
                && known.iter().all(|(one, _)| one != value)
            {
                let [number, times] = novelty.get(experience(known)).copied().unwrap_or_default();
                new = true;
                sum = sum.saturating_add(fixed::surprise(
                    u64::from(times).saturating_mul(2).saturating_add(1),
                    u64::from(number).saturating_mul(2).saturating_add(2),
                ));
            }
        }
        if new && self.is_experienced() { i32::try_from(sum).unwrap_or(i32::MAX).max(1) } else { 0 }
    }

    /// How surprising an endpoint is in a session of this identity: -ln((own + 5 p) / (sessions + 5)), p that of all.
    pub(super) fn surprise(&self, endpoint: u32, others: u32, sessions: u32) -> i32 {
        let own = self.own.iter().find(|(own, _)| *own == endpoint).map_or(0, |(_, times)| u64::from(*times));
        // Both in parts of twice the sessions of all, and one more.
        let whole = u64::from(sessions).saturating_add(1).saturating_mul(2);
        let common = u64::from(others).saturating_mul(2).saturating_add(1).saturating_mul(OTHERS.into());
        let part = own.saturating_mul(whole).saturating_add(common);
        let all = u64::from(self.sessions).saturating_add(OTHERS.into()).saturating_mul(whole);
        i32::try_from(fixed::surprise(part, all)).unwrap_or(i32::MAX)
    }

    /// Whether it was at this unusual place before, on another day.
    pub(super) fn returns(&mut self, facts: &Facts) -> bool {
        let place = facts.attributes.iter().flatten().fold(0, |place, value| join(place, u64::from(*value)));
        let (place, day) = ((place >> 32) as u32, u32::try_from(facts.now / DAY).unwrap_or(0));
        match self.doubtful.iter().find(|(known, _)| *known == place) {
            Some((_, since)) => *since < day,
            None => {
                if self.doubtful.len() >= MOST_DOUBTFUL {
                    self.doubtful.remove(0);
                }
                self.doubtful.push((place, day));
                false
            }
        }
    }

    /// It was here.
    pub(super) fn learn(&mut self, facts: &Facts, novelty: &mut Novelty) {
        let experienced = self.is_experienced();
        for ((known, novelty), value) in self.known.iter_mut().zip(novelty).zip(&facts.attributes) {
            let Some(value) = value else { continue };
            let found = known.iter().any(|(one, _)| one == value);
            if experienced && let Some([number, new]) = novelty.get_mut(experience(known)) {
                *number = number.saturating_add(1);
                *new = new.saturating_add(u32::from(!found));
            }
            if !found && known.len() >= MOST_VALUES {
                known.pop();
            }
            join_counts(known, &[(*value, 1)], MOST_VALUES);
        }
    }
}

/// How well an attribute is known: by powers of two of times.
fn experience(known: &[(u32, u32)]) -> usize {
    let times: u32 = known.iter().map(|(_, times)| *times).sum();
    times.saturating_add(1).ilog2().min(3) as usize
}

impl Kept for Person {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.place.to_le_bytes());
        out.extend_from_slice(&self.last.to_le_bytes());
        out.extend_from_slice(&self.sessions.to_le_bytes());
        for counts in self.known.iter().map(SmallVec::as_slice).chain([self.own.as_slice(), self.doubtful.as_slice()]) {
            list(counts, out, |(of, times), out| {
                out.extend_from_slice(&of.to_le_bytes());
                out.extend_from_slice(&times.to_le_bytes());
            });
        }
        out.extend_from_slice(&self.now.place.to_le_bytes());
        out.extend_from_slice(&self.now.deeds.to_le_bytes());
        list(&self.now.seen, out, |seen, out| out.extend_from_slice(&seen.to_le_bytes()));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut person = Self { place: reader.u64()?, last: reader.i64()?, sessions: reader.u32()?, ..Self::default() };
        let count = |reader: &mut Reader<'_>| Some((reader.u32()?, reader.u32()?));
        for known in &mut person.known {
            *known = listed(reader, MOST_VALUES, count)?.into();
        }
        person.own = listed(reader, MOST_OWN, count)?.into();
        person.doubtful = listed(reader, MOST_DOUBTFUL, count)?.into();
        person.now.place = i32::from_le_bytes(reader.take()?);
        person.now.deeds = i32::from_le_bytes(reader.take()?);
        person.now.seen = listed(reader, MOST_SEEN, |reader| reader.u32())?.into();
        Some(person)
    }

    /// What goes on is what went on last.
    fn join(&mut self, other: &Self) {
        let order = |person: &Self| (person.last, person.place, person.now.clone());
        if order(other) > order(self) {
            (self.last, self.place, self.now) = order(other);
            self.doubtful.clone_from(&other.doubtful);
        }
        self.sessions = self.sessions.saturating_add(other.sessions);
        self.known.iter_mut().zip(&other.known).for_each(|(own, other)| join_counts(own, other, MOST_VALUES));
        join_counts(&mut self.own, &other.own, MOST_OWN);
    }
}

fn list<T>(values: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(u8::try_from(values.len()).unwrap_or(u8::MAX));
    values.iter().for_each(|value| write(value, out));
}

fn listed<T>(reader: &mut Reader<'_>, most: usize, one: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<Vec<T>> {
    let [length] = reader.take()?;
    (usize::from(length) <= most).then(|| (0..length).map(|_| one(reader)).collect())?
}
