//! Steps between symbols in any value of the service, as a table: they are looked up for every byte that begins a run.

use super::super::item::Step;
use super::bound::SERVICE;
use super::counts::{Counts, Seen};
use super::odds::UNKNOWN;
use super::support::Support;

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
            let event = |symbol| Step { last, symbol }.event(service);
            let Some(novel) = counts.novel_in(event(0).context) else {
                row.fill(UNKNOWN);
                continue;
            };
            for (surprise, symbol) in row.iter_mut().zip(0..) {
                *surprise = counts.surprise_of(event(symbol).key).unwrap_or(novel);
            }
        }
    }
}

/// Steps that were seen, to be counted in one go: of a few pairs of symbols there are very many.
#[derive(Debug)]
pub(in super::super) struct Steps(Box<[[(u32, Support); SYMBOLS]]>);

impl Default for Steps {
    fn default() -> Self {
        Self(vec![[(0, Support::default()); SYMBOLS]; SYMBOLS].into())
    }
}

impl Steps {
    pub(in super::super) fn add(&mut self, step: Step, times: u32, support: Support) {
        let row = self.0.get_mut(usize::from(step.last));
        if let Some((count, of)) = row.and_then(|row| row.get_mut(usize::from(step.symbol))) {
            (*count, *of) = (count.saturating_add(times), of.or(support));
        }
    }

    /// Adds them to counts, whose service this is.
    pub(in super::super) fn count(&self, counts: &mut Counts, service: u64) {
        for (row, last) in self.0.iter().zip(0..) {
            for ((times, support), symbol) in row.iter().zip(0..).filter(|((times, _), _)| *times > 0) {
                let event = Step { last, symbol }.event(service);
                counts.add(event.context, event.key, Seen { owner: SERVICE, times: *times, support: *support });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counted_in_one_go_is_counted_one_by_one(
            seen in prop::collection::vec(
                (0..3_u8, 0..80_u8, prop_oneof![9 => 1..9_u32, 1 => Just(u32::MAX)], any::<u64>()), 0..400),
        ) {
            let (mut steps, mut at_once, mut each) = (Steps::default(), Counts::default(), Counts::default());
            for (last, symbol, times, client) in seen {
                let (step, support) = (Step { last, symbol }, Support::of(client));
                steps.add(step, times, support);
                let event = step.event(7);
                each.add(event.context, event.key, Seen { owner: SERVICE, times, support });
            }
            steps.count(&mut at_once, 7);
            let bytes = |counts: &mut Counts| {
                let mut bytes = Vec::new();
                counts.derive();
                counts.write(&mut bytes);
                bytes
            };
            prop_assert!(bytes(&mut at_once) == bytes(&mut each));
        }
    }
}
