//! The fast path: the limit that nearly every request meets, asked and spent in one step.

use std::num::NonZeroU32;

use super::key::Parts;
use super::rate::{Bucket, Instant};
use super::rule::Rule;
use super::state::Table;
use super::window::{Kind, Told};
use super::written::Cost;
use super::{Phase, Standing, State, Subject};
use crate::model::{Millis, Mode};

/// A limit that is alone in its phase, is enforced, counts one rate and every request as one, whatever it is but its key.
///
/// Whatever is more than "this key is known, and within the limit" is left to the general path, which decides the same. Who is
/// known does not ask what the table has lost, so that what a clock that was ahead has displaced waits for the first stranger
/// to be put right.
#[derive(Debug)]
pub(super) struct FastPath {
    label: Box<str>,
    told: Told,
    bucket: Bucket,
    key: Parts,
    phase: Phase,
    /// The place of its table.
    at: usize,
}

impl FastPath {
    /// The fast path of a phase, if its limits have one.
    pub(super) fn of(rules: &[Rule], phase: Phase) -> Option<Self> {
        let mut of_phase = rules.iter().filter(|rule| rule.phase == phase);
        let (Some(rule), None) = (of_phase.next(), of_phase.next()) else { return None };
        let [window] = &*rule.windows else { return None };
        let (Kind::Rate(bucket), Cost::Fixed(NonZeroU32::MIN)) = (&window.kind, &rule.cost) else { return None };
        let same_for_all = rule.for_all && rule.reserve.is_none() && !rule.learned;
        if rule.mode != Mode::Enforce || rule.holds_tickets || !same_for_all {
            return None;
        }
        let (label, key) = (window.label.clone(), rule.key.clone());
        Some(Self { label, told: window.told, bucket: bucket.clone(), key, phase, at: rule.place.start })
    }

    /// Nanoseconds to the arrival time after this request. `None`, and nothing spent, where there is more to say than that
    /// it passes.
    #[inline(always)]
    pub(super) fn pass(&self, tables: &[Table], state: &State, subject: &Subject<'_>, now: Millis) -> Option<u64> {
        let table = &tables.get(self.at)?.entries;
        let now = Instant::of(now);
        let mut entry = table.known(self.key.key(self.phase, state.hashers(), subject)?)?;
        let ahead_ns = self.bucket.governed.ask_one(now.until(entry.value()))?;
        entry.put(now.plus(ahead_ns));
        Some(ahead_ns)
    }

    /// Of a request that passed.
    pub(super) fn standing(&self, ahead_ns: u64) -> Standing<'_> {
        Standing::within(&self.label, self.told, self.bucket.remaining(ahead_ns), ahead_ns)
    }
}
