//! Is this unusual for who does it? Over many requests: how much, how many, what after what, and from where.
//!
//! What is going on is counted for every request; what is usual is learned from those that were let pass.

mod excused;
mod facts;
mod flow;
mod known;
mod meter;
mod person;
mod place;
mod room;
mod session;
mod signal;
mod steps;
mod tide;
mod told;

use smallvec::SmallVec;

pub(super) use facts::{Asked, Facts};
pub(super) use room::Room;
pub use signal::Signal;

use self::excused::Excused;
use self::flow::{Flow, Step};
use self::meter::{Level, Meter, Meters};
use self::session::{Sessions, Visit};
use self::steps::Steps;
use self::tide::{Swell, Tides};
use self::told::Told;
use crate::base::bytes::Reader;
use crate::base::fixed::ONE;
use crate::base::generations::Generations;
use crate::base::keyed::join;
use crate::model::Millis;

/// Pairs that have met, and requests whose response is awaited.
const MET: usize = 7 << 13;
const ASKED: usize = 7 << 9;
/// In the place of a user agent: all of them.
const ALL: u64 = 0;
const SEAT: u64 = 1;

/// What was seen of a request, to be learned when it is let pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// By signal, 8 bits behind the point.
    pub(super) raw: [u32; Signal::ALL.len()],
    levels: SmallVec<[Level; 6]>,
    visit: Option<Visit>,
    step: Option<Step>,
    swell: Swell,
    /// The client sent just these headers before.
    pub(super) knows_headers: bool,
    /// And this user agent.
    pub(super) knows_agent: bool,
}

/// What goes on, and what is usual.
#[derive(Clone, Debug)]
pub(super) struct Behaviour {
    meters: Meters,
    /// Who was at an endpoint with a user agent; identities of a device.
    met: Generations<()>,
    steps: Steps,
    sessions: Sessions,
    flow: Flow,
    tides: Tides,
    excused: Excused,
    told: Told,
    /// Requests whose response is awaited.
    asked: Generations<Option<Asked>>,
}

impl Looked {
    fn see(&mut self, signal: Signal, raw: u32) {
        if let Some(slot) = self.raw.get_mut(signal as usize) {
            *slot = raw.max(*slot);
        }
    }
}

impl Facts {
    /// Whom something unusual is of: an endpoint where many clients do it, else the client.
    pub(super) fn whose(&self, looked: &Looked) -> u64 {
        let of = |signal: Signal| looked.raw.get(signal as usize).copied().unwrap_or_default();
        let many = of(Signal::Spread).max(of(Signal::Failures)).max(of(Signal::Surge));
        if many > 0 { self.endpoint } else { self.client.unwrap_or_default() }
    }
}

impl Behaviour {
    pub(super) fn new() -> Self {
        Self {
            meters: Meters::new(),
            met: Generations::new(MET),
            steps: Steps::new(),
            sessions: Sessions::new(),
            flow: Flow::new(),
            tides: Tides::new(),
            excused: Excused::new(),
            told: Told::new(),
            asked: Generations::new(ASKED),
        }
    }

    /// Counts a request, and says how unusual that is.
    pub(super) fn look(&mut self, facts: &Facts) -> Looked {
        let [knows_headers, knows_agent] = facts.own().map(|own| self.met.get(own).is_some());
        let mut looked = Looked { knows_headers, knows_agent, ..Looked::default() };
        let endpoint = facts.endpoint;
        // Behind one address many may go their ways.
        if let Some(identity) = facts.identity {
            let (step, raw) = self.flow.look(identity, facts);
            let visit = self.sessions.look(identity, facts, &step);
            looked.see(Signal::Flow, raw);
            looked.see(Signal::Session, visit.unusual);
            (looked.step, looked.visit) = (Some(step), Some(visit));
        }
        let at_home = looked.visit.is_some_and(|visit| visit.at_home);
        if let Some(client) = facts.client {
            self.meter(Meter::HourlyUse, client, endpoint, 1, facts, &mut looked);
            self.meter(Meter::DailyUse, client, endpoint, 1, facts, &mut looked);
            if self.meets(join(client, endpoint)) {
                self.clients(facts, at_home, &mut looked);
            }
            self.meter(Meter::Bytes, client, 0, 0, facts, &mut looked);
            if let Some((object, collection)) = facts.object {
                let trails = facts.trails(object);
                self.meter(Meter::Errors, client, collection, 0, facts, &mut looked);
                if !trails.iter().any(|trail| self.steps.knows(*trail)) {
                    self.meter(Meter::Objects, client, collection, 1, facts, &mut looked);
                }
                if facts.identity.is_some() {
                    looked.see(Signal::Sequence, self.steps.surprise(trails, endpoint));
                }
            }
        }
        // Where somebody has been let in, others' failures say nothing.
        let seat = join(facts.seat, SEAT);
        if facts.identity.is_some() {
            self.meets(seat);
        } else if self.met.get(seat).is_none() {
            self.meter(Meter::Failures, facts.device, endpoint, 0, facts, &mut looked);
        }
        if let Some(identity) = facts.identity
            && self.meets(join(identity, facts.device))
        {
            self.shared(facts, at_home, &mut looked);
        }
        self.excused.excuse(facts, &mut looked);
        self.told.news(facts.client.unwrap_or(facts.seat), &mut looked.raw, facts.now);
        let (swell, raw) = self.tides.look(endpoint, facts.now);
        looked.see(Signal::Surge, raw);
        looked.swell = swell;
        looked
    }

    /// Learns from a request that was let pass.
    pub(super) fn learn(&mut self, facts: &Facts, looked: &Looked) {
        for own in facts.own() {
            self.meets(own);
        }
        looked.levels.iter().for_each(|level| self.meters.learn(*level));
        looked.step.into_iter().for_each(|step| self.flow.learn(step));
        self.tides.learn(facts.endpoint, &looked.swell);
        if let Some((object, _)) = facts.object.filter(|_| facts.identity.is_some()) {
            self.steps.learn(facts.trails(object), facts.endpoint);
        }
        if let Some((identity, visit)) = facts.identity.zip(looked.visit) {
            self.sessions.learn(identity, facts, &visit);
        }
    }

    /// An unusual request: its headers are unusual once, and a place that comes again on another day is taken for its
    /// identity's own.
    pub(super) fn doubt(&mut self, facts: &Facts, looked: &Looked) {
        for own in facts.own() {
            self.meets(own);
        }
        if let Some((identity, visit)) = facts.identity.zip(looked.visit) {
            self.sessions.doubt(identity, facts, &visit);
        }
    }

    /// Somebody is told of these.
    pub(super) fn told(&mut self, facts: &Facts, looked: &Looked, signals: &[Signal]) {
        if signals.contains(&Signal::Surge) {
            self.tides.alarm(facts.endpoint, &looked.swell, facts.now);
        }
        if !signals.is_empty() {
            self.told.raise(facts.client.unwrap_or(facts.seat), signals);
        }
    }

    /// A request that was unusual by some signals is normal: it is learned from, and as much as this is told no more.
    pub(super) fn accept(&mut self, facts: &Facts, looked: &Looked, unusual: &[Signal]) {
        self.learn(facts, looked);
        self.excused.add(facts, looked, unusual);
    }

    /// A request goes on to the handler under an id.
    pub(super) fn asks(&mut self, id: u64, asked: Asked) {
        *self.asked.entry(id) = Some(asked);
    }

    /// What came of the request of an id, which is handed back. A second time, and where there was none, nothing.
    pub(super) fn answered(&mut self, id: u64, status: u16, bytes: u64, now: Millis) -> Option<Asked> {
        let asked = self.asked.get(id).copied().flatten()?;
        *self.asked.entry(id) = None;
        if status == 401 {
            self.meters.count(Meter::Failures, asked.device, asked.endpoint, 1, now);
        }
        let Some(client) = asked.client else { return Some(asked) };
        self.meters.count(Meter::Bytes, client, 0, u32::try_from(bytes / 64).unwrap_or(u32::MAX), now);
        if let Some((object, collection)) = asked.object {
            if matches!(status, 403 | 404) {
                self.meters.count(Meter::Errors, client, collection, 1, now);
            }
            // What failed on the server was tried.
            if !(400..500).contains(&status) {
                self.steps.done(join(asked.actor, object), asked.endpoint);
            }
        }
        Some(asked)
    }

    /// A client that is new to an endpoint: how many more there are than the endpoint's usual part of all new ones, and than
    /// the user agent has elsewhere. So neither a promotion nor a new browser is unusual.
    fn clients(&mut self, facts: &Facts, at_home: bool, looked: &mut Looked) {
        let Facts { now, endpoint, agent, .. } = *facts;
        let pair = join(endpoint, agent);
        for owner in [ALL, endpoint, agent, pair] {
            self.meters.count(Meter::Clients, owner, ALL, 1, now);
        }
        for owner in [ALL, endpoint] {
            self.meters.count(Meter::DailyClients, owner, ALL, 1, now);
        }
        let sum = |meter, owner| u64::from(self.meters.sum(meter, owner, ALL, now));
        let all = sum(Meter::Clients, ALL);
        let of_endpoint = part(all, sum(Meter::DailyClients, endpoint), sum(Meter::DailyClients, ALL));
        let of_agent = part(sum(Meter::Clients, endpoint), sum(Meter::Clients, agent), all);
        self.spread(Meter::Clients, [endpoint, endpoint], of_endpoint, at_home, facts, looked);
        self.spread(Meter::Clients, [pair, ALL], of_agent, at_home, facts, looked);
    }

    /// An identity that is new to a device in its network: how many more there are than its usual part of all.
    fn shared(&mut self, facts: &Facts, at_home: bool, looked: &mut Looked) {
        for owner in [ALL, facts.device] {
            self.meters.count(Meter::Identities, owner, ALL, 1, facts.now);
            self.meters.count(Meter::DailyIdentities, owner, ALL, 1, facts.now);
        }
        let sum = |meter, owner| u64::from(self.meters.sum(meter, owner, ALL, facts.now));
        let of_device = part(
            sum(Meter::Identities, ALL),
            sum(Meter::DailyIdentities, facts.device),
            sum(Meter::DailyIdentities, ALL),
        );
        self.spread(Meter::Identities, [facts.device, ALL], of_device, at_home, facts, looked);
    }

    /// How many more there are of an owner and its likes than is expected. Who is at home is none of a crowd.
    fn spread(&mut self, meter: Meter, of: [u64; 2], expected: u32, at_home: bool, facts: &Facts, looked: &mut Looked) {
        let [owner, likes] = of;
        let (level, raw) = self.meters.look_beside(meter, owner, ALL, likes, expected, facts.now);
        looked.see(Signal::Spread, if at_home { 0 } else { raw });
        looked.levels.push(level);
    }

    fn meter(&mut self, meter: Meter, owner: u64, group: u64, amount: u32, facts: &Facts, looked: &mut Looked) {
        if amount > 0 {
            self.meters.count(meter, owner, group, amount, facts.now);
        }
        let (level, raw) = self.meters.look(meter, owner, group, facts.now);
        looked.see(meter.signal(), raw);
        looked.levels.push(level);
    }

    /// Whether this is the first time.
    fn meets(&mut self, pair: u64) -> bool {
        let first = self.met.get(pair).is_none();
        self.met.entry(pair);
        first
    }

    /// As bytes, without what is under way.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.meters.write(out);
        self.met.write(out);
        self.steps.write(out);
        self.sessions.write(out);
        self.flow.write(out);
        self.tides.write(out);
        self.excused.write(out);
        self.told.write(out);
    }

    /// From bytes; `None` where they are none of these.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            meters: Meters::read(reader)?,
            met: Generations::read(MET, reader)?,
            steps: Steps::read(reader)?,
            sessions: Sessions::read(reader)?,
            flow: Flow::read(reader)?,
            tides: Tides::read(reader)?,
            excused: Excused::read(reader)?,
            told: Told::read(reader)?,
            ..Self::new()
        })
    }

    /// Adds what went on elsewhere, and what is usual there. The order never matters.
    pub(super) fn join(&mut self, other: &Self) {
        self.meters.join(&other.meters);
        self.met.join(&other.met);
        self.steps.join(&other.steps);
        self.sessions.join(&other.sessions);
        self.flow.join(&other.flow);
        self.tides.join(&other.tides);
        self.excused.join(&other.excused);
        self.told.join(&other.told);
    }

    /// For so much from now on; what is too much goes.
    pub(super) fn resize(&mut self, room: Room) {
        self.meters.resize(room);
        self.met.resize(room.of(MET));
        self.steps.resize(room);
        self.sessions.resize(room);
        self.flow.resize(room);
        self.tides.resize(room);
        self.excused.resize();
        self.told.resize(room);
        self.asked.resize(room.of(ASKED));
    }

    /// Identities that are remembered.
    pub(super) fn identities(&self) -> usize {
        self.sessions.identities()
    }

    pub(super) fn memory(&self) -> usize {
        let parts = [self.meters.memory(), self.met.memory(), self.steps.memory(), self.sessions.memory()];
        let more = [self.flow.memory(), self.tides.memory(), self.excused.memory()];
        let last = [self.told.memory(), self.asked.memory()];
        parts.into_iter().chain(more).chain(last).fold(0, usize::saturating_add)
    }
}

/// A part of a whole that is as large as a part of another one, 8 bits behind the point, and one more.
fn part(whole: u64, part: u64, of: u64) -> u32 {
    let expected = whole.saturating_mul(part) / of.max(1);
    u32::try_from(expected).unwrap_or(u32::MAX).saturating_add(ONE)
}
