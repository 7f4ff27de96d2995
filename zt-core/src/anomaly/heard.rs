//! Of whom something unusual was heard: so that what it says of how unusual normal requests are is no more than its share,
//! whoever sends how much of it.

use crate::base::keyed::Map;

/// Of whom, with how much usual was heard of each since: room for so many.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard<const MOST: usize>(Map<u32>);

impl<const MOST: usize> Heard<MOST> {
    /// Something usual of somebody.
    #[inline]
    pub(super) fn usual(&mut self, of: u64) {
        if !self.0.is_empty() {
            self.0.get_mut(&of).into_iter().for_each(|usual| *usual = usual.saturating_add(1));
        }
    }

    /// Something unusual of somebody, of which there normally is one among so many; and whether it counts: where it is the
    /// first, or so much usual came since the last that did. Without the second, all that is unusual of one who asks often
    /// would be missed, and more and more of it would be told.
    pub(super) fn unusual(&mut self, of: u64, among: u64) -> bool {
        let counts = match self.0.get(&of) {
            Some(usual) => u64::from(*usual) >= among,
            None => self.0.len() < MOST,
        };
        if counts {
            self.0.insert(of, 0);
        }
        counts
    }

    /// All begin anew.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The same where there is no more room.
    pub(super) fn make_room(&mut self) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        self.0.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unusual_counts_as_often_as_its_share() {
        let mut heard = Heard::<2>::default();
        let (anna, flood) = (1, 2);
        let mut counted = [0, 0];
        for turn in 0..10_000 {
            // One in a hundred of anna is unusual, and all that the flood sends.
            if turn % 100 == 99 {
                counted[0] += u32::from(heard.unusual(anna, 99));
            } else {
                heard.usual(anna);
            }
            counted[1] += u32::from(heard.unusual(flood, 99));
        }
        assert_eq!(counted, [100, 1]);
        // More than there is room for.
        assert!(!heard.unusual(3, 0));
        heard.make_room();
        assert!(heard.unusual(3, 0));
    }
}
