//! What was told of somebody is not told again, until it is more or long ago.

use super::signal::Signal;
use crate::base::generations::Generations;
use crate::model::Millis;

/// After so long half is forgotten.
const HALF_LIFE: Millis = 16 * 3_600_000;
/// What was told is told again when it is so much higher, 8 bits behind the point.
const AGAIN: u32 = 1 << 8;

#[derive(Clone, Copy, Debug, Default)]
struct Last {
    period: u32,
    raw: [u16; Signal::ALL.len()],
}

/// What was told of whom.
#[derive(Debug)]
pub(super) struct Told(Generations<Last>);

impl Told {
    pub(super) fn new(clients: usize) -> Self {
        Self(Generations::new(clients))
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

    pub(super) fn memory(&self) -> usize {
        self.0.memory()
    }
}
