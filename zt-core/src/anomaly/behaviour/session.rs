//! A session from elsewhere: new to its identity, without a login, and doing what that identity does not do.

use super::facts::Facts;
use super::person::{MOST_SEEN, Novelty, Person};
use crate::base::bytes::Reader;
use crate::base::fixed::{self, ONE};
use crate::base::generations::Generations;
use crate::model::Millis;

/// A pause that ends a session.
const PAUSE: Millis = 30 * 60_000;
/// Endpoints that are counted.
const MOST_ENDPOINTS: usize = 7 << 9;
/// Identities that are remembered.
const PEOPLE: usize = 7 << 10;
/// A session more unusual than this is watched, nats.
const ODD: i32 = 2 * ONE as i32;
/// Sessions of all that weigh as much as those that begin at one endpoint.
const OF_ALL: u64 = 20;
/// What an endpoint is expected to surprise, and the most it adds or takes off.
const EXPECTED: i32 = 2 * ONE as i32;
const MOST_ADDED: i32 = 3 * ONE as i32;
const MOST_TAKEN: i32 = ONE as i32;

/// Identities and what sessions have in common.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    people: Generations<Person>,
    /// By attribute and logarithm of what is known: how often there was a value, and a new one.
    novelty: Novelty,
    /// By the endpoint they begin at, and of all: sessions, and those from a new place.
    begun: Generations<[u32; 2]>,
    all: [u32; 2],
    /// Sessions, and in how many an endpoint was called.
    number: u32,
    with: Generations<u32>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            people: Generations::new(PEOPLE),
            novelty: Default::default(),
            begun: Generations::new(MOST_ENDPOINTS),
            all: [0; 2],
            number: 0,
            with: Generations::new(MOST_ENDPOINTS),
        }
    }

    /// How unusual the session is with this request, nats with 8 bits behind the point; and whether it
    /// begins with it.
    pub(super) fn look(&mut self, identity: u64, facts: &Facts) -> (u32, bool) {
        let Self { people, novelty, begun, all, number, with } = self;
        let person = people.entry(identity);
        let known = person.last > 0;
        let pause = facts.now.saturating_sub(person.last) > PAUSE;
        let begins = !known || pause || person.place != facts.place;
        if begins {
            let ended = std::mem::take(&mut person.now);
            if known {
                *number = number.saturating_add(1);
                person.end(&ended);
                for endpoint in &ended.seen {
                    let times = with.entry(u64::from(*endpoint));
                    *times = times.saturating_add(1);
                }
                let place = person.strangeness(facts, novelty);
                let begun = begun.get(facts.endpoint).copied().unwrap_or_default();
                person.now.place = if place > 0 { place.saturating_add(than_usual(begun, *all)) } else { 0 };
            }
        }
        (person.last, person.place) = (facts.now.max(person.last), facts.place);
        let endpoint = short(facts.endpoint);
        let seen = person.now.seen.contains(&endpoint);
        if !seen {
            if person.now.place > ODD {
                let others = with.get(endpoint.into()).copied().unwrap_or_default();
                let deed = person.surprise(endpoint, others, *number);
                person.now.deeds = person.now.deeds.saturating_add((deed - EXPECTED).clamp(-MOST_TAKEN, MOST_ADDED));
            }
            if person.now.seen.len() < MOST_SEEN {
                person.now.seen.push(endpoint);
            }
        }
        let deeds = if person.now.place > ODD { person.now.deeds.max(0) } else { 0 };
        let whole = person.now.place.saturating_add(deeds);
        (u32::try_from(whole).unwrap_or(0), begins)
    }

    /// Learns where a session is from.
    pub(super) fn learn(&mut self, identity: u64, facts: &Facts) {
        let Self { people, novelty, begun, all, .. } = self;
        let person = people.entry(identity);
        if person.is_experienced() {
            let new = person.strangeness(facts, novelty) > 0;
            for [number, times] in [begun.entry(facts.endpoint), all] {
                *number = number.saturating_add(1);
                *times = times.saturating_add(new.into());
            }
        }
        person.learn(facts, novelty);
    }

    /// A session that was unusual is from here: learned when one was before, on another day.
    pub(super) fn doubt(&mut self, identity: u64, facts: &Facts) {
        let Self { people, novelty, .. } = self;
        let person = people.entry(identity);
        if person.returns(facts) {
            person.learn(facts, novelty);
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.people.write(out);
        self.begun.write(out);
        self.with.write(out);
        let numbers = self.novelty.iter().flatten().chain([&self.all]).flatten().chain([&self.number]);
        numbers.for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self::new();
        read.people = Generations::read(PEOPLE, reader)?;
        read.begun = Generations::read(MOST_ENDPOINTS, reader)?;
        read.with = Generations::read(MOST_ENDPOINTS, reader)?;
        read.numbers_mut().try_for_each(|number| reader.u32().map(|read| *number = read))?;
        Some(read)
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.people.join(&other.people);
        self.begun.join(&other.begun);
        self.with.join(&other.with);
        let mut others = other.clone();
        self.numbers_mut().zip(others.numbers_mut()).for_each(|(own, other)| *own = own.saturating_add(*other));
    }

    fn numbers_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        self.novelty.iter_mut().flatten().chain([&mut self.all]).flatten().chain([&mut self.number])
    }

    pub(super) fn memory(&self) -> usize {
        self.people.memory()
    }
}

/// How much rarer than elsewhere new places are among sessions that begin at an endpoint, nats: where people log in they
/// are common.
fn than_usual([number, new]: [u32; 2], [all, all_new]: [u32; 2]) -> i32 {
    let [number, new, all, all_new] = [number, new, all, all_new].map(u64::from);
    let (all, all_new) = (all.saturating_add(1), all_new.saturating_add(1));
    // -ln((new + 20 p) / (number + 20)) + ln p, p = all_new / all.
    let own = fixed::surprise(
        new.saturating_mul(all).saturating_add(OF_ALL.saturating_mul(all_new)),
        number.saturating_add(OF_ALL).saturating_mul(all),
    );
    let usual = fixed::surprise(all_new, all);
    i32::try_from(own).unwrap_or(i32::MAX).saturating_sub(i32::try_from(usual).unwrap_or(i32::MAX))
}

fn short(endpoint: u64) -> u32 {
    (endpoint >> 32) as u32
}
