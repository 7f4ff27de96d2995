//! The entries of one ladder, or of persons' suspensions.
//!
//! **At the bound**: a new entry displaces, of the twenty in its set, the one whose strikes are forgiven soonest; a suspended
//! one is never displaced before its time. When all twenty are suspended, a new one only struck is not remembered, and a new
//! suspended one shares a mark with its neighbours: all whose network (of an address) or own name falls on the mark, and who
//! have no entry of their own, are refused until the last of them is free, or a person frees one of them. It fails closed.

use std::sync::atomic::{AtomicU64, Ordering};

use super::entry::{Entry, Instant, Packed};
use super::ladder::Guard;
use super::subject::Subject;
use crate::base::bounded::{Bounded, Change, Key};

#[derive(Debug)]
pub(super) struct Table {
    /// Of its ladder.
    pub(super) id: u128,
    pub(super) name: Box<str>,
    pub(super) entries: Bounded<Packed>,
    /// Until when neighbours share a fate; a power of two of them.
    marks: Box<[AtomicU64]>,
    /// The latest of the marks.
    marked_until: AtomicU64,
}

const FEWEST_MARKS: usize = 8;
const MOST_MARKS: usize = 1_024;
/// A mark for so many bytes.
const BYTES_A_MARK: usize = 512;
const MARK_BYTES: usize = size_of::<AtomicU64>();

impl Table {
    /// Of about this many bytes.
    pub(super) fn with_memory(id: u128, name: &str, bytes: usize) -> Self {
        let marks = (bytes / BYTES_A_MARK).clamp(FEWEST_MARKS, MOST_MARKS);
        let marks = 1_usize << marks.ilog2();
        let entries = Bounded::with_memory(bytes.saturating_sub(marks.saturating_mul(MARK_BYTES)));
        let marks = (0..marks).map(|_| AtomicU64::new(0)).collect();
        Self { id, name: name.into(), entries, marks, marked_until: AtomicU64::new(0) }
    }

    pub(super) fn memory(&self) -> usize {
        let marks = self.marks.len().saturating_mul(MARK_BYTES);
        self.entries.memory().saturating_add(marks).saturating_add(size_of::<Self>())
    }

    /// Shows `f` the entry of a subject and stores what it makes of it; nothing of it for a subject that is new and has no
    /// place. Where it was suspended and has none, its neighbours share its fate.
    pub(super) fn change<T>(
        &self,
        subject: Subject,
        now: Instant,
        f: impl FnOnce(Option<Entry>) -> (Option<Entry>, T),
    ) -> T {
        let mut new = None;
        let result = self.entries.update(subject.key, rank(subject.key, now), |packed| {
            let found = packed.map(Entry::of);
            let (entry, result) = f(found);
            let change = match entry {
                Some(entry) if found == Some(entry) => Change::Keep,
                Some(entry) => {
                    new = found.is_none().then_some(entry);
                    Change::Offer(entry.pack())
                }
                None => Change::Keep,
            };
            (change, result)
        });
        // Nothing displaces a suspended entry: if it found a place it is there.
        if let Some(entry) = new.filter(|entry| entry.is_suspended(now))
            && !self.has(subject.key)
        {
            self.mark(subject, entry.until);
        }
        result
    }

    /// Until when a subject without an entry of its own shares the fate of its neighbours.
    pub(super) fn shared(&self, subject: Subject, now: Instant, longest: u64) -> Option<Instant> {
        // Who is never suspended shares no suspension.
        if subject.guard == Guard::Never || self.marked_until.load(Ordering::Relaxed) <= now {
            return None;
        }
        let mark = self.mark_of(subject)?;
        // From a clock that was ahead: see `ladder.rs`.
        let latest = now.saturating_add(longest);
        let until = mark.fetch_min(latest, Ordering::Relaxed).min(latest);
        (until > now).then_some(until)
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.entries.get(key).is_some()
    }

    fn mark(&self, subject: Subject, until: Instant) {
        if let Some(mark) = self.mark_of(subject) {
            mark.fetch_max(until, Ordering::Relaxed);
            self.marked_until.fetch_max(until, Ordering::Relaxed);
        }
    }

    /// Frees a subject that a person frees and that has no place: its mark holds nobody any more. Whoever else was
    /// suspended by it alone is free too.
    pub(super) fn unmark(&self, subject: Subject) {
        if !self.has(subject.key)
            && let Some(mark) = self.mark_of(subject)
        {
            mark.store(0, Ordering::Relaxed);
        }
    }

    fn mark_of(&self, subject: Subject) -> Option<&AtomicU64> {
        self.marks.get(subject.neighbours.to_u128() as usize & self.marks.len().wrapping_sub(1))
    }

    pub(super) fn marks(&self) -> impl Iterator<Item = Instant> + Clone {
        self.marks.iter().map(|mark| mark.load(Ordering::Relaxed))
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.entries.clear();
        self.marks.iter().for_each(|mark| mark.store(0, Ordering::Relaxed));
        self.marked_until.store(0, Ordering::Relaxed);
    }

    /// Joins entries and marks of another table. Those that are here already are joined first, so that what displaces and what
    /// is displaced does not depend on the side.
    pub(super) fn join(&self, entries: impl Iterator<Item = (Key, Packed)> + Clone, marks: &[Instant]) {
        for (key, theirs) in entries.clone() {
            self.entries.update(key, lasting, |here| {
                let joined = here.map(|here| Entry::of(here).join(Entry::of(&theirs)));
                (joined.map_or(Change::Keep, |entry| Change::Put(entry.pack())), ())
            });
        }
        for (key, theirs) in entries {
            self.entries.update(key, lasting, |here| {
                let change = if here.is_none() { Change::Offer(theirs) } else { Change::Keep };
                (change, ())
            });
        }
        // Tables of different sizes: a mark of the smaller stands for all those of the greater that fold onto it.
        let count = marks.len().max(self.marks.len());
        for at in 0..count {
            let theirs = at.checked_rem(marks.len()).and_then(|at| marks.get(at));
            let here = at.checked_rem(self.marks.len()).and_then(|at| self.marks.get(at));
            if let (Some(theirs), Some(here)) = (theirs, here) {
                here.fetch_max(*theirs, Ordering::Relaxed);
                self.marked_until.fetch_max(*theirs, Ordering::Relaxed);
            }
        }
    }
}

/// Who goes first from a full set, while requests are decided: whoever is not suspended, soonest forgiven first. The new one
/// itself stands above those, and below every suspended one.
fn rank(new: Key, now: Instant) -> impl Fn(Key, &Packed) -> (u8, Instant, Key) {
    move |key, packed| {
        let entry = Entry::of(packed);
        match () {
            () if key == new => (1, 0, key),
            () if entry.is_suspended(now) => (2, entry.until, key),
            () => (0, entry.all, key),
        }
    }
}

/// The same where there is no clock: whoever is suspended longest stays. Total, so that merges commute.
fn lasting(key: Key, packed: &Packed) -> (Entry, Key) {
    let entry = Entry::of(packed);
    // Not by a person's word: what it decided is in `until`.
    (Entry { word: 0, ..entry }, key)
}
