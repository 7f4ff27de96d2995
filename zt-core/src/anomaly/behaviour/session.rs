//! A session from elsewhere: new to its identity, without a login, and doing what that identity does not do.

use super::facts::{ATTRIBUTES, Facts};
use super::flow::Step;
use super::known::Known;
use super::person::{Person, Session};
use super::place::{News, Places};
use super::room::Room;
use crate::base::bytes::Reader;
use crate::base::fixed::{self, ONE};
use crate::base::generations::Generations;
use crate::model::Millis;

/// A pause that ends a session.
const PAUSE: Millis = 30 * 60_000;
/// Endpoints that sessions begin at, that are counted.
const MOST_ENDPOINTS: usize = 7 << 9;
/// Identities that are remembered.
const PEOPLE: usize = 7 << 10;
/// A session from a place more unusual than this is watched, nats.
const ODD: i32 = 2 * ONE as i32;
/// Sessions of all that weigh as much as those that begin at one endpoint.
const OF_ALL: u64 = 20;
/// What a step is expected to surprise, and the most it adds or takes off.
const EXPECTED: i32 = 2 * ONE as i32;
const MOST_ADDED: i32 = 5 * ONE as i32;
const MOST_TAKEN: i32 = ONE as i32;
/// A request in its session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    /// How unusual the session is with it, nats with 8 bits behind the point.
    pub(super) unusual: u32,
    /// From where its identity is known to be.
    pub(super) at_home: bool,
    /// Where the session begins, what is new about from where it is.
    news: Option<News>,
}

/// Identities and what sessions have in common.
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    people: Generations<Person>,
    places: Places,
    /// By the endpoint they begin at, and of all: sessions, and those from a new place.
    begun: Generations<[u32; 2]>,
    all: [u32; 2],
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            people: Generations::new(PEOPLE),
            places: Places::new(),
            begun: Generations::new(MOST_ENDPOINTS),
            all: [0; 2],
        }
    }

    /// From where an identity was.
    pub(super) fn known(&self, identity: u64) -> Option<&[Known; ATTRIBUTES]> {
        self.people.get(identity).map(|person| &person.known)
    }

    /// A session goes on, or begins, with a request.
    pub(super) fn look(&mut self, identity: u64, facts: &Facts, step: &Step) -> Visit {
        let Self { people, places, begun, all } = self;
        let person = people.entry(identity);
        let pause = facts.now.saturating_sub(person.last) > PAUSE;
        let begins = person.last == 0 || pause || person.place != facts.place;
        let news = begins.then(|| person.news(facts));
        if let Some(news) = &news {
            let strangeness = if person.is_experienced() { places.strangeness(news) } else { 0 };
            let begun = begun.get(facts.endpoint).copied().unwrap_or_default();
            let place = i32::try_from(strangeness).unwrap_or(i32::MAX);
            let place = if place > 0 { place.saturating_add(than_usual(begun, *all)) } else { 0 };
            person.now = Session { place, ..Session::default() };
            person.point = facts.point;
        }
        (person.last, person.place) = (facts.now.max(person.last), facts.place);
        if person.now.reaches(facts.endpoint) && person.now.place > ODD {
            let deed = step.surprise().saturating_sub(EXPECTED);
            person.now.deeds = person.now.deeds.saturating_add(deed.clamp(-MOST_TAKEN, MOST_ADDED));
        }
        let deeds = if person.now.place > ODD { person.now.deeds.max(0) } else { 0 };
        let unusual = u32::try_from(person.now.place.saturating_add(deeds)).unwrap_or(0);
        Visit { unusual, at_home: person.is_experienced() && person.now.place == 0, news }
    }

    /// Learns where a session is from.
    pub(super) fn learn(&mut self, identity: u64, facts: &Facts, visit: &Visit) {
        let Some(news) = &visit.news else { return };
        let person = self.people.entry(identity);
        if person.is_experienced() {
            self.places.learn(news);
            for [number, times] in [self.begun.entry(facts.endpoint), &mut self.all] {
                *number = number.saturating_add(1);
                *times = times.saturating_add(news.any().into());
            }
        }
        person.learn(facts);
    }

    /// A session that was unusual is from here: learned when one was before, on another day.
    pub(super) fn doubt(&mut self, identity: u64, facts: &Facts, visit: &Visit) {
        let person = self.people.entry(identity);
        if visit.news.is_some() && person.returns(facts) {
            person.learn(facts);
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.people.write(out);
        self.places.write(out);
        self.begun.write(out);
        self.all.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            people: Generations::read(PEOPLE, reader)?,
            places: Places::read(reader)?,
            begun: Generations::read(MOST_ENDPOINTS, reader)?,
            all: [reader.u32()?, reader.u32()?],
        })
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.people.join(&other.people);
        self.places.join(&other.places);
        self.begun.join(&other.begun);
        self.all.iter_mut().zip(other.all).for_each(|(own, other)| *own = own.saturating_add(other));
    }

    pub(super) fn resize(&mut self, room: Room) {
        self.people.resize(room.of(PEOPLE));
        self.begun.resize(room.of(MOST_ENDPOINTS));
    }

    pub(super) fn memory(&self) -> usize {
        let tables = [self.people.memory(), self.begun.memory()];
        let people = self.people.values().map(Person::memory);
        tables.into_iter().chain(people).fold(size_of::<Self>(), usize::saturating_add)
    }

    /// Identities that are remembered.
    pub(super) fn identities(&self) -> usize {
        self.people.len()
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
