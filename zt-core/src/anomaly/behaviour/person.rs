//! What is known of one identity: where it was, and what it does.

use smallvec::SmallVec;

use super::facts::{ATTRIBUTES, Facts};
use super::known::Known;
use super::place::News;
use crate::base::bytes::Reader;
use crate::base::generations::Kept;
use crate::base::geo;
use crate::base::keyed::join;
use crate::model::Millis;

/// Unusual places of one identity that are remembered.
const MOST_DOUBTFUL: usize = 3;
const HOUR: Millis = 3_600_000;
/// From a place to the same on another day.
const ANOTHER_DAY: u32 = 20;
/// Endpoints of one session that are remembered.
const MOST_SEEN: usize = 24;

/// What is known of one identity.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub(super) place: u64,
    pub(super) point: Option<geo::Point>,
    pub(super) last: Millis,
    pub(super) known: [Known; ATTRIBUTES],
    /// Unusual places, and the hour since when.
    doubtful: SmallVec<[(u32, u32); MOST_DOUBTFUL]>,
    pub(super) now: Session,
}

/// What goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Session {
    /// How unusual its place is, and what it does there.
    pub(super) place: i32,
    pub(super) deeds: i32,
    /// Endpoints.
    pub(super) seen: SmallVec<[u32; 8]>,
}

impl Session {
    /// Goes on at an endpoint, and says whether it does so for the first time.
    pub(super) fn reaches(&mut self, endpoint: u64) -> bool {
        let endpoint = (endpoint >> 32) as u32;
        let first = !self.seen.contains(&endpoint);
        if first && self.seen.len() < MOST_SEEN {
            self.seen.push(endpoint);
        }
        first
    }
}

impl Person {
    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        let seen = &self.now.seen;
        if seen.spilled() { seen.capacity().saturating_mul(size_of::<u32>()) } else { 0 }
    }

    pub(super) fn is_experienced(&self) -> bool {
        self.known.iter().any(|known| !known.is_empty())
    }

    /// What of where a session is from is new.
    pub(super) fn news(&self, facts: &Facts) -> News {
        News::of(facts, &self.known, self.point)
    }

    /// Whether it was at this unusual place before, on another day.
    pub(super) fn returns(&mut self, facts: &Facts) -> bool {
        let place = facts.attributes.iter().flatten().fold(0, |place, value| join(place, u64::from(*value)));
        let (place, hour) = ((place >> 32) as u32, u32::try_from(facts.now / HOUR).unwrap_or(0));
        match self.doubtful.iter().find(|(known, _)| *known == place) {
            Some((_, since)) => since.saturating_add(ANOTHER_DAY) <= hour,
            None => {
                if self.doubtful.len() >= MOST_DOUBTFUL {
                    self.doubtful.remove(0);
                }
                self.doubtful.push((place, hour));
                false
            }
        }
    }

    /// It was here.
    pub(super) fn learn(&mut self, facts: &Facts) {
        for (known, value) in self.known.iter_mut().zip(facts.attributes) {
            value.into_iter().for_each(|value| known.learn(value));
        }
    }
}

impl Kept for Person {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.place.to_le_bytes());
        geo::Point::write(self.point, out);
        out.extend_from_slice(&self.last.to_le_bytes());
        self.known.iter().for_each(|known| known.write(out));
        list(&self.doubtful, out, |(place, since), out| {
            out.extend_from_slice(&place.to_le_bytes());
            out.extend_from_slice(&since.to_le_bytes());
        });
        out.extend_from_slice(&self.now.place.to_le_bytes());
        out.extend_from_slice(&self.now.deeds.to_le_bytes());
        list(&self.now.seen, out, |seen, out| out.extend_from_slice(&seen.to_le_bytes()));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut person =
            Self { place: reader.u64()?, point: geo::Point::read(reader)?, last: reader.i64()?, ..Self::default() };
        for known in &mut person.known {
            *known = Known::read(reader)?;
        }
        person.doubtful = listed(reader, MOST_DOUBTFUL, |reader| Some((reader.u32()?, reader.u32()?)))?.into();
        person.now.place = i32::from_le_bytes(reader.take()?);
        person.now.deeds = i32::from_le_bytes(reader.take()?);
        person.now.seen = listed(reader, MOST_SEEN, |reader| reader.u32())?.into();
        Some(person)
    }

    /// What goes on is what went on last.
    fn join(&mut self, other: &Self) {
        let order =
            |person: &Self| (person.last, person.place, person.point, person.now.clone(), person.doubtful.clone());
        if order(other) > order(self) {
            (self.last, self.place, self.point, self.now, self.doubtful) = order(other);
        }
        self.known.iter_mut().zip(&other.known).for_each(|(own, other)| own.join(other));
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
