//! A session from elsewhere: new to its identity, without a login, and doing what that identity does not do.

use smallvec::SmallVec;

use super::facts::{ATTRIBUTES, Facts};
use crate::base::fixed::{self, ONE};
use crate::base::generations::Generations;
use crate::base::keyed::Map;
use crate::model::Millis;

/// A pause that ends a session.
const PAUSE: Millis = 30 * 60_000;
/// Values of one attribute that are remembered.
const MOST_VALUES: usize = 4;
/// Endpoints of one identity that are remembered.
const MOST_OWN: usize = 24;
/// Endpoints of one session that are remembered.
const MOST_SEEN: usize = 24;
/// Endpoints that are counted.
const MOST_ENDPOINTS: usize = 4_096;
/// A session more unusual than this is watched, nats.
const ODD: i32 = 2 * ONE as i32;
/// Sessions of all that weigh as much as those that begin at one endpoint.
const OF_ALL: u64 = 20;
/// What an endpoint is expected to surprise, and the most it adds or takes off.
const EXPECTED: i32 = 2 * ONE as i32;
const MOST_ADDED: i32 = 3 * ONE as i32;
const MOST_TAKEN: i32 = ONE as i32;
/// Sessions of others that weigh as much as an identity's own do.
const OTHERS: u32 = 5;

/// What is known of one identity.
#[derive(Clone, Debug, Default)]
struct Person {
    place: u64,
    last: Millis,
    known: [SmallVec<[(u32, u8); MOST_VALUES]>; ATTRIBUTES],
    /// Endpoints, in how many of its sessions.
    own: SmallVec<[(u32, u8); 8]>,
    sessions: u32,
    now: Session,
}

#[derive(Clone, Debug, Default)]
struct Session {
    /// How unusual its place is, and what it does there.
    place: i32,
    deeds: i32,
    seen: SmallVec<[u32; 8]>,
}

/// Identities and what sessions have in common.
#[derive(Debug)]
pub(super) struct Sessions {
    people: Generations<Person>,
    /// By attribute and logarithm of what is known: how often there was a value, and a new one.
    novelty: [[[u32; 2]; 4]; ATTRIBUTES],
    /// By the endpoint they begin at, and of all: sessions, and those from a new place.
    begun: Map<[u32; 2]>,
    all: [u32; 2],
    /// Sessions, and in how many an endpoint was called.
    number: u32,
    with: Map<u32>,
}

impl Sessions {
    pub(super) fn new(people: usize) -> Self {
        Self {
            people: Generations::new(people),
            novelty: Default::default(),
            begun: Map::default(),
            all: [0; 2],
            number: 0,
            with: Map::default(),
        }
    }

    /// How unusual the session is with this request, where that is news, nats with 8 bits behind the point; and whether it
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
                    let full = with.len() >= MOST_ENDPOINTS;
                    if let Some(times) = with.get_mut(&u64::from(*endpoint)) {
                        *times = times.saturating_add(1);
                    } else if !full {
                        with.insert(u64::from(*endpoint), 1);
                    }
                }
                let place = person.strangeness(facts, novelty);
                let begun = begun.get(&facts.endpoint).copied().unwrap_or_default();
                person.now.place = if place > 0 { place.saturating_add(than_usual(begun, *all)) } else { 0 };
            }
        }
        (person.last, person.place) = (facts.now.max(person.last), facts.place);
        let endpoint = short(facts.endpoint);
        let seen = person.now.seen.contains(&endpoint);
        if !seen {
            if person.now.place > ODD {
                let others = with.get(&u64::from(endpoint)).copied().unwrap_or_default();
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
        let experienced = person.is_experienced();
        if experienced {
            let new = person.strangeness(facts, novelty) > 0;
            let full = begun.len() >= MOST_ENDPOINTS && !begun.contains_key(&facts.endpoint);
            let own = if full { None } else { Some(begun.entry(facts.endpoint).or_default()) };
            for [number, times] in own.into_iter().chain([all]) {
                *number = number.saturating_add(1);
                *times = times.saturating_add(new.into());
            }
        }
        for ((known, novelty), value) in person.known.iter_mut().zip(novelty).zip(&facts.attributes) {
            let Some(value) = value else { continue };
            let at = known.iter().position(|(one, _)| one == value);
            if experienced && let Some([number, new]) = novelty.get_mut(experience(known)) {
                *number = number.saturating_add(1);
                *new = new.saturating_add(u32::from(at.is_none()));
            }
            match at.and_then(|at| known.get_mut(at)) {
                Some((_, times)) => *times = times.saturating_add(1),
                None => {
                    if known.len() >= MOST_VALUES {
                        let rarest = (0..known.len()).min_by_key(|at| known.get(*at).map(|(_, times)| *times));
                        if let Some(at) = rarest {
                            known.remove(at);
                        }
                    }
                    known.push((*value, 1));
                }
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.people.memory()
    }
}

impl Person {
    fn is_experienced(&self) -> bool {
        self.known.iter().any(|known| !known.is_empty())
    }

    /// A session is over: what was called in it is its identity's own.
    fn end(&mut self, session: &Session) {
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
    fn strangeness(&self, facts: &Facts, novelty: &[[[u32; 2]; 4]; ATTRIBUTES]) -> i32 {
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
    fn surprise(&self, endpoint: u32, others: u32, sessions: u32) -> i32 {
        let own = self.own.iter().find(|(own, _)| *own == endpoint).map_or(0, |(_, times)| u64::from(*times));
        // Both in parts of twice the sessions of all, and one more.
        let whole = u64::from(sessions).saturating_add(1).saturating_mul(2);
        let common = u64::from(others).saturating_mul(2).saturating_add(1).saturating_mul(OTHERS.into());
        let part = own.saturating_mul(whole).saturating_add(common);
        let all = u64::from(self.sessions).saturating_add(OTHERS.into()).saturating_mul(whole);
        i32::try_from(fixed::surprise(part, all)).unwrap_or(i32::MAX)
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

/// How well an attribute is known: by powers of two of times.
fn experience(known: &[(u32, u8)]) -> usize {
    let times: u32 = known.iter().map(|(_, times)| u32::from(*times)).sum();
    times.saturating_add(1).ilog2().min(3) as usize
}

fn short(endpoint: u64) -> u32 {
    (endpoint >> 32) as u32
}
