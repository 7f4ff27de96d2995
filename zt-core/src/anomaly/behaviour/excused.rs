//! What somebody has said to be normal of a client, or of an endpoint where many do it: it is told again only when it is
//! clearly more.

use super::Looked;
use super::facts::Facts;
use super::signal::Signal;
use crate::base::bytes::Reader;
use crate::base::fixed::ONE;
use crate::base::generations::{Generations, Kept};

/// Clients and endpoints that are remembered.
const MOST: usize = 7 << 8;

/// By signal the most that is normal, 8 bits behind the point.
#[derive(Clone, Copy, Debug, Default)]
struct Most([u16; Signal::ALL.len()]);

impl Kept for Most {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|raw| out.extend_from_slice(&raw.to_le_bytes()));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut most = Self::default();
        most.0.iter_mut().try_for_each(|raw| reader.take().map(|bytes| *raw = u16::from_le_bytes(bytes)))?;
        Some(most)
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own = other.max(*own));
    }
}

/// What is excused of whom.
#[derive(Clone, Debug)]
pub(super) struct Excused(Generations<Most>);

/// Of what many do the endpoint, else the client.
const fn whose(signal: Signal, facts: &Facts) -> u64 {
    match (signal, facts.client) {
        (Signal::Spread | Signal::Failures, _) => facts.endpoint,
        (_, Some(client)) => client,
        (_, None) => facts.seat,
    }
}

impl Excused {
    pub(super) fn new() -> Self {
        Self(Generations::new(MOST))
    }

    /// From now on as much as was seen is normal.
    pub(super) fn add(&mut self, facts: &Facts, looked: &Looked, unusual: &[Signal]) {
        for signal in unusual {
            let raw = looked.raw.get(*signal as usize).copied().unwrap_or_default();
            let Most(most) = self.0.entry(whose(*signal, facts));
            most.get_mut(*signal as usize)
                .into_iter()
                .for_each(|most| *most = u16::try_from(raw).unwrap_or(u16::MAX).max(*most));
        }
    }

    /// Leaves what is not excused. What is, teaches nothing of how much is usual: it is of this one alone.
    pub(super) fn excuse(&self, facts: &Facts, looked: &mut Looked) {
        if self.0.is_empty() {
            return;
        }
        let Looked { raw, levels, .. } = looked;
        for (signal, raw) in Signal::ALL.into_iter().zip(raw).filter(|(_, raw)| **raw > 0) {
            let most = self.0.get(whose(signal, facts)).and_then(|Most(most)| most.get(signal as usize).copied());
            if let Some(most @ 1..) = most
                && *raw <= u32::from(most).saturating_add(ONE)
            {
                *raw = 0;
                levels.clear();
            }
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Generations::read(MOST, reader).map(Self)
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.0.join(&other.0);
    }

    pub(super) fn resize(&mut self) {
        self.0.resize(MOST);
    }

    pub(super) fn memory(&self) -> usize {
        self.0.memory()
    }
}
