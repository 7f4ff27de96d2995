//! Is this unusual for who does it? Over many requests: how much, how many, what after what, and from where.
//!
//! What is going on is counted for every request; what is usual is learned from those that were let pass.

mod crowd;
mod excused;
mod facts;
mod flow;
mod kept;
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
mod why;

use std::num::NonZeroU64;

use smallvec::SmallVec;

pub(super) use facts::{Asked, Facts, client};
pub(super) use room::Room;
pub use signal::Signal;

use self::excused::Excused;
use self::flow::{Flow, Step};
use self::meter::{Level, Meter, Meters};
use self::session::{Sessions, Visit};
use self::steps::Steps;
use self::tide::{Swell, Tides};
use self::told::Told;
use crate::base::fixed::FRACTION;
use crate::base::generations::Generations;
use crate::base::keyed::join;
use crate::model::Millis;

/// Pairs that have met, and requests whose response is awaited.
const MET: usize = 7 << 13;
const ASKED: usize = 7 << 9;
/// In the place of a user agent: all of them.
const ALL: u64 = 0;
const SEAT: u64 = 1;
/// More than those who were let in somewhere mistype there within an hour.
const MANY_FAILURES: u32 = 32 << FRACTION;

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

    /// Whose it may be.
    pub(super) fn all_whose(&self) -> [u64; 2] {
        [self.client.unwrap_or_default(), self.endpoint]
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
        // Where somebody has been let in, some failures of others say nothing.
        let seat = join(facts.seat, SEAT);
        if facts.identity.is_some() {
            self.meets(seat);
        } else if self.met.get(seat).is_none()
            || self.meters.sum(Meter::Failures, facts.device, endpoint, facts.now) >= MANY_FAILURES
        {
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
        let Some(client) = asked.client.map(NonZeroU64::get) else { return Some(asked) };
        self.meters.count(Meter::Bytes, client, 0, u32::try_from(bytes / 64).unwrap_or(u32::MAX), now);
        if let Some((trail, collection)) = asked.object {
            if matches!(status, 403 | 404) {
                self.meters.count(Meter::Errors, client, collection, 1, now);
            }
            // What failed on the server was tried.
            if !(400..500).contains(&status) {
                self.steps.done(trail, asked.endpoint);
            }
        }
        Some(asked)
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
}

#[cfg(test)]
mod tests;
