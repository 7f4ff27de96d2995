//! What is remembered of one subject on one ladder: eight numbers in 32 bytes.

use crate::model::{Millis, Rung};

/// As it is kept: a time of 43 bits in each word, and the rest in what is left.
pub(super) type Packed = [u64; 4];

/// Milliseconds since the Unix epoch, or 0.
pub(super) type Instant = u64;

/// What is remembered of one subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// A person's last word on it: of two entries the one with the later counts alone.
    pub(super) word: Instant,
    /// When it is suspended no more.
    pub(super) until: Instant,
    /// When every strike is forgiven.
    pub(super) all: Instant,
    /// When every strike by proof is forgiven; never after `all`.
    pub(super) proof: Instant,
    /// On the throttle rung: when what has passed is made up for.
    pub(super) slow: Instant,
    /// The last strike, in whole seconds.
    pub(super) struck_s: u64,
    /// The rung that it stood on after its last strike.
    pub(super) rung: Option<Rung>,
    /// Suspensions in a row.
    pub(super) level: u8,
}

const TIME_BITS: u32 = 43;
const REST_BITS: u32 = u64::BITS - TIME_BITS;
const SECOND_BITS: u32 = 33;
const RUNG_BITS: u32 = 3;
/// Suspensions that are told apart.
pub(super) const MOST_LEVELS: u8 = 31;
/// The last time that can be kept (September 2248).
pub(super) const LATEST: Instant = (1 << TIME_BITS) - 1;
/// Time stands still from here on (May 2239).
const LAST_NOW: Instant = 8_500_000_000_000;

/// The host's clock as it is kept.
pub(super) fn instant(now: Millis) -> Instant {
    u64::try_from(now).unwrap_or(0).min(LAST_NOW)
}

/// A time that is kept, as the host tells time.
pub(super) fn millis(instant: Instant) -> Millis {
    Millis::try_from(instant).unwrap_or(Millis::MAX)
}

impl Entry {
    pub(super) fn pack(&self) -> Packed {
        let seconds = self.struck_s.min((1 << SECOND_BITS) - 1);
        let rung = self.rung.map_or(0, |rung| (rung as u64).saturating_add(1));
        let level = u64::from(self.level.min(MOST_LEVELS));
        let mut rest = u128::from(self.slow.min(LATEST));
        rest |= u128::from(seconds) << TIME_BITS;
        rest |= u128::from(rung) << (TIME_BITS + SECOND_BITS);
        rest |= u128::from(level) << (TIME_BITS + SECOND_BITS + RUNG_BITS);
        let mut packed = [self.word, self.until, self.all, self.proof].map(|time| time.min(LATEST));
        for word in &mut packed {
            *word |= (rest as u64) << TIME_BITS;
            rest >>= REST_BITS;
        }
        packed
    }

    /// `None` for what no entry is packed to.
    pub(super) fn unpacked(packed: &Packed) -> Option<Self> {
        let [word, until, all, proof] = packed.map(|word| word & LATEST);
        let mut rest = 0_u128;
        for word in packed.iter().rev() {
            rest = rest << REST_BITS | u128::from(word >> TIME_BITS);
        }
        let rung = (rest >> (TIME_BITS + SECOND_BITS)) as u64 & ((1 << RUNG_BITS) - 1);
        let rung = match rung.checked_sub(1) {
            None => None,
            Some(rung) => Some(*Rung::ALL.get(usize::try_from(rung).ok()?)?),
        };
        Some(Self {
            word,
            until,
            all,
            proof,
            slow: rest as u64 & LATEST,
            struck_s: (rest >> TIME_BITS) as u64 & ((1 << SECOND_BITS) - 1),
            rung,
            level: (rest >> (TIME_BITS + SECOND_BITS + RUNG_BITS)) as u8 & MOST_LEVELS,
        })
    }

    /// The same from what a table holds, where nothing else can be.
    pub(super) fn of(packed: &Packed) -> Self {
        Self::unpacked(packed).unwrap_or_default()
    }

    /// Whether it is suspended.
    pub(super) const fn is_suspended(&self, now: Instant) -> bool {
        self.until > now
    }

    /// Two views of one subject: the later word of a person, and of equal ones the greater of everything.
    pub(super) fn join(self, other: Self) -> Self {
        match self.word.cmp(&other.word) {
            std::cmp::Ordering::Greater => self,
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Equal => Self {
                word: self.word,
                until: self.until.max(other.until),
                all: self.all.max(other.all),
                proof: self.proof.max(other.proof),
                slow: self.slow.max(other.slow),
                struck_s: self.struck_s.max(other.struck_s),
                rung: self.rung.max(other.rung),
                level: self.level.max(other.level),
            },
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        pub(in crate::respond) fn entry()(
            times in prop::array::uniform5(0..=LATEST),
            word in 0..3_u64,
            struck_s in 0..1_u64 << SECOND_BITS,
            rung in 0..5_usize,
            level in 0..=MOST_LEVELS,
        ) -> Entry {
            let [until, all, proof, slow, far] = times;
            let word = if word == 2 { far } else { word };
            Entry { word, until, all, proof, slow, struck_s, rung: Rung::ALL.get(rung).copied(), level }
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(entry in entry()) {
            prop_assert_eq!(Entry::unpacked(&entry.pack()), Some(entry));
        }

        #[test]
        fn what_unpacks_packs_to_the_same(packed: Packed) {
            if let Some(entry) = Entry::unpacked(&packed) {
                prop_assert_eq!(entry.pack(), packed);
            }
        }

        #[test]
        fn views_join_in_any_order(a in entry(), b in entry(), c in entry()) {
            prop_assert_eq!(a.join(b), b.join(a));
            prop_assert_eq!(a.join(b).join(c), a.join(b.join(c)));
            prop_assert_eq!(a.join(a), a);
        }
    }

    #[test]
    fn clocks_without_sense_are_times_too() {
        assert_eq!((instant(-5), instant(0), instant(i64::MAX)), (0, 0, LAST_NOW));
        assert!(size_of::<Packed>() + size_of::<u128>() <= 48);
    }
}
