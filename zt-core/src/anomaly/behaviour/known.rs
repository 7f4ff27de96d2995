//! The few values that are known of somebody, each with how often it was there.

use std::cmp::Reverse;

use smallvec::SmallVec;

use crate::base::bytes::Reader;

/// Values that are remembered.
const MOST: usize = 4;

/// Values with how often each was there, the most frequent first; what was there no time is no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    values: [u32; MOST],
    times: [u8; MOST],
}

/// Values in any order, each once.
type All = SmallVec<[(u32, u8); 2 * MOST]>;

impl Known {
    pub(super) const fn is_empty(&self) -> bool {
        let [first, ..] = self.times;
        first == 0
    }

    pub(super) fn holds(&self, value: u32) -> bool {
        self.each().any(|(own, _)| own == value)
    }

    /// How often any was there.
    pub(super) fn times(&self) -> u32 {
        self.times.iter().map(|times| u32::from(*times)).sum()
    }

    /// One was there; the rarest makes room.
    pub(super) fn learn(&mut self, value: u32) {
        match self.values.iter().zip(&mut self.times).find(|(own, times)| **own == value && **times > 0) {
            Some((_, times)) => *times = times.saturating_add(1),
            None => {
                let ([.., last], [.., times]) = (&mut self.values, &mut self.times);
                (*last, *times) = (value, 1);
            }
        }
        *self = Self::of(self.each().collect());
    }

    /// Adds what was there elsewhere; of too many the most frequent are left.
    pub(super) fn join(&mut self, other: &Self) {
        let mut all: All = self.each().collect();
        for (value, times) in other.each() {
            match all.iter_mut().find(|(own, _)| *own == value) {
                Some((_, own)) => *own = own.saturating_add(times),
                None => all.push((value, times)),
            }
        }
        *self = Self::of(all);
    }

    fn of(mut all: All) -> Self {
        all.sort_unstable_by_key(|(value, times)| (Reverse(*times), *value));
        let mut known = Self::default();
        for ((value, times), one) in known.values.iter_mut().zip(&mut known.times).zip(all) {
            (*value, *times) = one;
        }
        known
    }

    fn each(&self) -> impl Iterator<Item = (u32, u8)> {
        self.values.into_iter().zip(self.times).filter(|(_, times)| *times > 0)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.values.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        out.extend_from_slice(&self.times);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut values = [0; MOST];
        values.iter_mut().try_for_each(|value| reader.u32().map(|read| *value = read))?;
        let read = Self { values, times: reader.take()? };
        // As it would be written.
        let mut again = Self::default();
        again.join(&read);
        (again == read).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u32]) -> Known {
        let mut known = Known::default();
        values.iter().for_each(|value| known.learn(*value));
        known
    }

    #[test]
    fn the_rarest_makes_room() {
        let known = of(&[1, 1, 2, 2, 3, 3, 4, 5]);
        assert!([1, 2, 3, 5].into_iter().all(|value| known.holds(value)) && !known.holds(4));
        assert!(Known::default().is_empty() && !Known::default().holds(0) && of(&[0]).holds(0));
        assert_eq!(of(&[7; 300]).times(), 255);
    }

    proptest! {
        #[test]
        fn in_any_order(one in prop::collection::vec(0_u32..9, 0..20), two in prop::collection::vec(0_u32..9, 0..20)) {
            let (one, two) = (of(&one), of(&two));
            let [mut here, mut there] = [one, two];
            here.join(&two);
            there.join(&one);
            prop_assert_eq!(here, there);
            let mut bytes = Vec::new();
            here.write(&mut bytes);
            prop_assert_eq!(Known::read(&mut Reader::new(&bytes)), Some(here));
        }
    }
}
