//! How surprising a key is, by how often it came.

use crate::base::fixed::{self, FRACTION, ONE};

/// Events of a context before it can be found to be open.
const FEW_EVENTS: u32 = 64;
/// Keys that were seen once in a context, where one in so many events brings a new one: anything may come.
const OPEN_ONE_IN: u64 = 6;
/// No surprise is larger: one in a billion.
const MOST_SURPRISE: u32 = 5_305;
/// What a context that was never seen says: as likely as not.
pub(super) const UNKNOWN: u16 = 177;

const _: () = assert!(UNKNOWN as u32 * 1000 / ONE == 691, "ln 2");

/// Good and Turing: the share of keys that were seen once is the chance of one that was never seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odds {
    /// How surprising a key is that was never seen.
    pub(super) novel: u16,
    /// What all others have in common: that they are not novel.
    rest: u16,
    /// Logarithm of the events.
    whole: u32,
}

impl Odds {
    /// Of a context where anything may come.
    pub(super) const OPEN: Self = Self { novel: 0, rest: 0, whole: 0 };
    /// Of a context that was never seen.
    pub(super) const UNKNOWN: Self = Self { novel: UNKNOWN, rest: UNKNOWN, whole: 0 };

    /// Of so many events, and so many keys that were seen once.
    pub(super) fn of(events: u32, once: u32) -> Self {
        let is_open = events > FEW_EVENTS;
        let (events, once) = (u64::from(events), u64::from(once));
        if is_open && once.saturating_mul(OPEN_ONE_IN) > events {
            return Self::OPEN;
        }
        // p_new = (once + 1/2) / (events + 1)
        let (whole, new) = (events.saturating_add(1).saturating_mul(2), once.saturating_mul(2).saturating_add(1));
        // The others: max(1 - p_new, 1/20), of which each has min(count, events) / (events + 1)
        let seen = whole.saturating_sub(new).max(whole / 20);
        let narrow = |surprise: u32| u16::try_from(surprise.min(MOST_SURPRISE)).unwrap_or(u16::MAX);
        Self {
            novel: narrow(fixed::surprise(new, whole)),
            rest: narrow(fixed::surprise(seen, whole)),
            whole: fixed::ln(events.saturating_add(1)),
        }
    }

    /// Surprise of a key with this count: never more than of one that was not seen.
    pub(super) fn surprise(&self, count: u32) -> u16 {
        if count == 0 {
            return self.novel;
        }
        let own = self.whole.saturating_sub(fixed::ln(count.into())) >> (16_u32.saturating_sub(FRACTION));
        u16::try_from(own.saturating_add(self.rest.into()).min(self.novel.into())).unwrap_or(u16::MAX)
    }
}
