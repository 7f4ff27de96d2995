//! What somebody has said to be normal.

use super::super::shown::Shown;
use super::counts::{Counts, Seen};
use super::support::ENOUGH;
use crate::base::bytes::Reader;
use crate::base::generations::Generations;

/// Keys that are remembered: those that were accepted last.
const MOST: usize = 7 << 10;

/// Keys that surprise nobody, as long as they are counted.
#[derive(Clone, Debug)]
pub(in super::super) struct Accepted(Generations<()>);

impl Default for Accepted {
    fn default() -> Self {
        Self(Generations::new(MOST))
    }
}

impl Accepted {
    /// Counts what was shown as often as several clients would have shown it, but as of nobody new: whom the others of its
    /// context are known to stays. What several clients show may make a context open, one word does not.
    pub(super) fn add(&mut self, counts: &mut Counts, shown: &Shown) {
        for event in shown.events() {
            if !counts.has_room(event.context, event.key) {
                continue;
            }
            let seen = Seen { owner: event.owner, times: ENOUGH, support: counts.support(event.context) };
            counts.add(event.context, event.key, seen);
            self.0.entry(event.key);
        }
    }

    /// Takes the surprise out of what it holds: after that of the counts was worked out.
    pub(super) fn derive(&self, counts: &mut Counts) {
        self.0.keys().for_each(|key| counts.trust(key));
    }

    pub(in super::super) fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    /// `None` where the bytes are none of these.
    pub(in super::super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Generations::read(MOST, reader).map(Self)
    }

    pub(in super::super) fn join(&mut self, other: &Self) {
        self.0.join(&other.0);
    }

    /// What is too much goes.
    pub(super) fn bound(&mut self) {
        self.0.resize(MOST);
    }

    pub(super) fn memory(&self) -> usize {
        self.0.memory()
    }
}
