//! Four ways in which a residual can be unusual.

use super::season::LONG;
use super::tail::Tail;
use super::{bounded, not_negative};
use crate::base::bytes::Reader;

/// Short means move at least so far with each point.
const SHORT: f64 = 1.0 / 8.0;

/// Residuals so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Panel {
    last: f64,
    /// Mean of the last few.
    short: f64,
    /// Mean size of the last few.
    unrest: f64,
    /// Mean size of many.
    long_unrest: f64,
    /// Of the point, of the last few, of the jump from the last, of unrest that is not the usual.
    tails: [Tail; 4],
}

impl Panel {
    /// Nats of the rarest deviation, where those below `least` are none; then it is learned. `part` is one part of all
    /// points, `weight` what the tails have learned.
    pub(super) fn push(&mut self, residual: f64, least: f64, part: f64, weight: f64) -> f64 {
        let size = residual.abs();
        let short = part.max(SHORT);
        self.short += short * (residual - self.short);
        self.unrest += short * (size - self.unrest);
        let jump = (residual - self.last).abs();
        let deviations = [size, self.short.abs(), jump, (self.unrest - self.long_unrest).abs()];
        self.long_unrest += part.max(LONG) * (size - self.long_unrest);
        self.last = residual;
        let tails = self.tails.iter_mut().zip(deviations);
        tails.map(|(tail, deviation)| tail.push(deviation, least, weight)).fold(0.0, f64::max)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let numbers = [self.last, self.short, self.unrest, self.long_unrest];
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        self.tails.iter().for_each(|tail| tail.write(out));
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (last, short) = (bounded(reader)?, bounded(reader)?);
        let (unrest, long_unrest) = (not_negative(reader)?, not_negative(reader)?);
        let tails = [Tail::read(reader)?, Tail::read(reader)?, Tail::read(reader)?, Tail::read(reader)?];
        Some(Self { last, short, unrest, long_unrest, tails })
    }
}
