//! What was told of somebody is not told again, until it is more or long ago.

use super::room::Room;
use super::signal::Signal;
use crate::base::bytes::Reader;
use crate::base::generations::{Generations, Kept};
use crate::model::Millis;

/// Clients that are remembered.
const CLIENTS: usize = 7 << 10;
/// After so long half is forgotten: what comes each night is told once.
const HALF_LIFE: Millis = 4 * 24 * 3_600_000;
/// What was told is told again when it is so much higher, 8 bits behind the point.
const AGAIN: u32 = 1 << 8;
/// And by so much more where somebody heard of it.
const FAR: u16 = 2 << 8;

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    period: u32,
    raw: [u16; Signal::ALL.len()],
}

impl Kept for Last {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.period.to_le_bytes());
        self.raw.iter().for_each(|raw| out.extend_from_slice(&raw.to_le_bytes()));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut last = Self { period: reader.u32()?, ..Self::default() };
        last.raw.iter_mut().try_for_each(|raw| reader.take().map(|bytes| *raw = u16::from_le_bytes(bytes)))?;
        Some(last)
    }

    fn join(&mut self, other: &Self) {
        self.period = self.period.max(other.period);
        self.raw.iter_mut().zip(other.raw).for_each(|(own, other)| *own = other.max(*own));
    }
}

/// What was told of whom.
#[derive(Clone, Debug)]
pub(super) struct Told(Generations<Last>);

impl Told {
    pub(super) fn new() -> Self {
        Self(Generations::new(CLIENTS))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Generations::read(CLIENTS, reader).map(Self)
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.0.join(&other.0);
    }

    /// Leaves what is news.
    pub(super) fn news(&mut self, client: u64, raw: &mut [u32; Signal::ALL.len()], now: Millis) {
        if raw.iter().all(|raw| *raw == 0) {
            return;
        }
        let period = u32::try_from(now / HALF_LIFE).unwrap_or(0);
        let last = self.0.entry(client);
        let passed = period.saturating_sub(last.period);
        last.period = period.max(last.period);
        for (told, raw) in last.raw.iter_mut().zip(raw) {
            *told = told.checked_shr(passed).unwrap_or(0);
            if *raw > u32::from(*told).saturating_add(if *told > 0 { AGAIN } else { 0 }) {
                *told = u16::try_from(*raw).unwrap_or(u16::MAX);
            } else {
                *raw = 0;
            }
        }
    }

    /// Somebody was told, and wants to hear of it again only when it is far more.
    pub(super) fn raise(&mut self, client: u64, signals: &[Signal]) {
        let last = self.0.entry(client);
        for signal in signals {
            if let Some(told) = last.raw.get_mut(*signal as usize) {
                *told = told.saturating_add(FAR);
            }
        }
    }

    pub(super) fn resize(&mut self, room: Room) {
        self.0.resize(room.of(CLIENTS));
    }

    pub(super) fn memory(&self) -> usize {
        self.0.memory()
    }
}
