//! The first word of a group of entries.

use std::sync::atomic::{AtomicU64, Ordering};

/// The first word of a group, from its lowest bit: whether a thread holds it (1), how many of its entries are taken (3),
/// how many had to go for others (28, and no more are counted), and the epoch of its last change (32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head(u64);

const LOCKED: u64 = 1;
const ONE_TAKEN: u64 = 1 << 1;
const ONE_GONE: u64 = 1 << 4;
const STAMP_SHIFT: u32 = 32;
const COUNTS: u64 = (1 << STAMP_SHIFT) - 1;
/// Tries before a thread lets others run: what is done under the lock takes less.
const SPINS: u32 = 100;

impl Head {
    /// As it is just now.
    ///
    /// Sequentially consistent, as the lock and the epochs are: of a thread that takes the lock and then reads the epoch,
    /// and one that begins an epoch and then looks here, one sees the other.
    pub(super) fn of(word: &AtomicU64) -> Self {
        Self(word.load(Ordering::SeqCst))
    }

    /// Waits until no other thread holds the group.
    #[inline(always)]
    pub(super) fn lock(word: &AtomicU64) -> Self {
        // At once, for nearly always it is free, and looking first would ask for its cache line twice.
        while word.fetch_or(LOCKED, Ordering::SeqCst) & LOCKED != 0 {
            wait(word);
        }
        Self(word.load(Ordering::Relaxed))
    }

    /// Lets others in.
    #[inline(always)]
    pub(super) fn unlock(self, word: &AtomicU64) {
        word.store(self.0 & !LOCKED, Ordering::Release);
    }

    /// Stores it; the group stays held.
    pub(super) fn store(self, word: &AtomicU64) {
        word.store(self.0, Ordering::Relaxed);
    }

    pub(super) const fn taken(self) -> usize {
        (self.0 / ONE_TAKEN % (ONE_GONE / ONE_TAKEN)) as usize
    }

    pub(super) const fn gone(self) -> u64 {
        (self.0 & COUNTS) / ONE_GONE
    }

    /// Whether it has an entry, and has changed in this epoch or later; or a thread is about to change it.
    pub(super) const fn may_have_changed(self, epoch: u32) -> bool {
        self.0 & LOCKED != 0 || (self.taken() > 0 && self.has_changed(epoch))
    }

    /// Whether an entry of the group has changed in this epoch or later.
    pub(super) const fn has_changed(self, epoch: u32) -> bool {
        (self.0 >> STAMP_SHIFT) as u32 >= epoch
    }

    /// Changed in this epoch.
    #[inline(always)]
    pub(super) fn changed(self, epoch: u32) -> Self {
        Self(self.0 & COUNTS | u64::from(epoch) << STAMP_SHIFT)
    }

    pub(super) const fn one_more(self) -> Self {
        Self(self.0.saturating_add(ONE_TAKEN))
    }

    pub(super) const fn one_less(self) -> Self {
        Self(self.0.saturating_sub(ONE_TAKEN))
    }

    /// One had to go.
    pub(super) const fn evicted(self) -> Self {
        if self.gone() == COUNTS / ONE_GONE { self } else { Self(self.0.saturating_add(ONE_GONE)) }
    }
}

/// Until it has been free: looking costs the holder nothing; trying would take its cache line.
#[cold]
#[inline(never)]
fn wait(word: &AtomicU64) {
    let mut tries = 0_u32;
    while word.load(Ordering::Relaxed) & LOCKED != 0 {
        tries = tries.saturating_add(1);
        if tries < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_parts_do_not_touch() {
        let word = AtomicU64::new(0);
        let mut head = Head::lock(&word);
        for _ in 0..5 {
            head = head.one_more().evicted().changed(u32::MAX);
        }
        assert_eq!((head.taken(), head.gone(), head.has_changed(u32::MAX)), (5, 5, true));
        head = head.changed(7).one_less();
        assert_eq!((head.taken(), head.gone(), head.has_changed(7), head.has_changed(8)), (4, 5, true, false));
        head.store(&word);
        assert!(Head::of(&word).may_have_changed(9), "it is held");
        head.unlock(&word);
        assert!(Head::of(&word).may_have_changed(7) && !Head::of(&word).may_have_changed(8));
    }

    #[test]
    fn who_had_to_go_is_counted_until_there_is_no_room() {
        let full = Head(COUNTS & !(ONE_GONE - 1) | 7 << STAMP_SHIFT).evicted();
        assert_eq!((full.gone(), full.taken(), full.has_changed(8)), ((1 << 28) - 1, 0, false));
    }
}
