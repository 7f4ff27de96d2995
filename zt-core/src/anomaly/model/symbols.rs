//! Steps between symbols in any value of the service, as a table: they are looked up for every byte that begins a run.

use super::super::item::Step;
use super::counts::Counts;
use super::odds::UNKNOWN;

/// More than there are symbols.
const SYMBOLS: usize = 128;

/// How surprising each step is; follows from the counts.
#[derive(Clone, Debug)]
pub(in super::super) struct Symbols(Box<[[u16; SYMBOLS]; SYMBOLS]>);

impl Default for Symbols {
    fn default() -> Self {
        Self(Box::new([[UNKNOWN; SYMBOLS]; SYMBOLS]))
    }
}

impl Symbols {
    /// Bytes on the heap.
    pub(super) const MEMORY: usize = size_of::<[[u16; SYMBOLS]; SYMBOLS]>();

    /// How surprising a step is.
    #[inline]
    pub(in super::super) fn surprise(&self, step: Step) -> u16 {
        let row = self.0.get(usize::from(step.last));
        row.and_then(|row| row.get(usize::from(step.symbol))).copied().unwrap_or(UNKNOWN)
    }

    pub(super) fn derive(&mut self, counts: &Counts, service: u64) {
        for (row, last) in self.0.iter_mut().zip(0..) {
            if !counts.has(Step { last, symbol: 0 }.event(service).context) {
                row.fill(UNKNOWN);
                continue;
            }
            for (surprise, symbol) in row.iter_mut().zip(0..) {
                *surprise = counts.surprise(&Step { last, symbol }.event(service));
            }
        }
    }
}
