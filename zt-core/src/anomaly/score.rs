//! From elements to one score for each channel.

use super::kind::{Channel, Kind};

/// Of the second strangest element, so many of 10 parts count beside the strangest.
const SECOND: u32 = 3;
/// Elements that explain a score.
const TOP: usize = 3;

/// One of the strangest elements of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strange {
    pub(super) kind: Kind,
    /// The item it is of, by its number in the request.
    pub(super) item: u32,
    /// Deviations, [`FRACTION`](crate::base::fixed::FRACTION) bits behind the point.
    pub(super) deviations: u32,
}

/// The strangest elements so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Strangest {
    /// Of each channel the two highest.
    channels: [[u32; 2]; Channel::ALL.len()],
    /// The highest first.
    top: [Option<Strange>; TOP],
}

impl Strangest {
    #[inline]
    pub(super) fn add(&mut self, kind: Kind, item: u32, deviations: u32) {
        if deviations == 0 {
            return;
        }
        let Some([first, second]) = self.channels.get_mut(kind.channel() as usize) else { return };
        if deviations > *first {
            *second = std::mem::replace(first, deviations);
        } else {
            *second = deviations.max(*second);
        }
        // Most are not.
        if self.top.last().is_some_and(|last| last.is_some_and(|last| last.deviations >= deviations)) {
            return;
        }
        let mut strange = Some(Strange { kind, item, deviations });
        for place in &mut self.top {
            if place.is_none_or(|other| strange.is_some_and(|strange| strange.deviations > other.deviations)) {
                std::mem::swap(place, &mut strange);
            }
        }
    }

    /// The strangest elements, the first first.
    pub(super) fn top(&self) -> impl Iterator<Item = &Strange> {
        self.top.iter().flatten()
    }

    /// A channel's score, [`FRACTION`](crate::base::fixed::FRACTION) bits behind the point.
    pub(super) fn of(&self, channel: Channel) -> u32 {
        let [first, second] = self.channels.get(channel as usize).copied().unwrap_or_default();
        first.saturating_add(second.saturating_mul(SECOND) / 10)
    }

    /// The highest score of any channel.
    pub(super) fn highest(&self) -> u32 {
        Channel::ALL.into_iter().map(|channel| self.of(channel)).max().unwrap_or_default()
    }
}
