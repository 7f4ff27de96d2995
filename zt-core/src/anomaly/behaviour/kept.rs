//! What goes on elsewhere or later: as bytes, joined, and within a memory.

use super::excused::Excused;
use super::flow::Flow;
use super::meter::Meters;
use super::room::Room;
use super::session::Sessions;
use super::steps::Steps;
use super::tide::Tides;
use super::told::Told;
use super::{ASKED, Behaviour, MET};
use crate::base::bytes::Reader;
use crate::base::generations::Generations;

impl Behaviour {
    /// As bytes, without what is under way.
    pub(in super::super) fn write(&self, out: &mut Vec<u8>) {
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
    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
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
    pub(in super::super) fn join(&mut self, other: &Self) {
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
    pub(in super::super) fn resize(&mut self, room: Room) {
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
    pub(in super::super) fn identities(&self) -> usize {
        self.sessions.identities()
    }

    pub(in super::super) fn memory(&self) -> usize {
        let parts = [self.meters.memory(), self.met.memory(), self.steps.memory(), self.sessions.memory()];
        let more = [self.flow.memory(), self.tides.memory(), self.excused.memory()];
        let last = [self.told.memory(), self.asked.memory()];
        parts.into_iter().chain(more).chain(last).fold(0, usize::saturating_add)
    }
}
