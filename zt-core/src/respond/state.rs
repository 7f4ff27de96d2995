//! What was struck and who is suspended.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Responder;
use super::entry::Instant;
use super::ladder::Ladder;
use super::table::Table;
use crate::base::bounded::{KeyHasher, Usage};
use crate::base::units::Size;
use crate::model::Problem;

/// What was struck and who is suspended: one bounded table for each ladder, and one for what persons have suspended.
#[derive(Debug)]
pub struct State {
    pub(super) hasher: KeyHasher,
    pub(super) ladders: Box<[Table]>,
    /// What persons have suspended.
    pub(super) by_hand: Table,
    /// The latest end of what persons have suspended: nothing is looked up past it.
    pub(super) by_hand_until: AtomicU64,
    /// Entries that were written under a clock that was ahead.
    rewound: AtomicU64,
}

/// A table smaller than this forgets too soon.
pub(super) const LEAST_BYTES: u64 = 16 << 10;
/// Persons suspend few.
const MOST_BY_HAND: u64 = 1 << 20;
/// The table of what persons have suspended is no ladder's.
const BY_HAND: u128 = 0;

/// Bytes for each of so many ladders, and for what persons have suspended.
pub(super) fn shares(memory: Size, ladders: usize) -> Result<(usize, usize), Problem> {
    let ladders = ladders as u64;
    let tables = ladders.saturating_add(1);
    let even = memory.bytes().checked_div(tables).unwrap_or(0);
    if ladders > 0 && even < LEAST_BYTES {
        let least = Size::from_bytes(LEAST_BYTES.saturating_mul(tables));
        let message = format!("{memory} of it for responses is too little for {ladders} ladders");
        return Err(Problem::new("state.memory", message).mend(format!("raise it, until responses have {least}")));
    }
    let by_hand = even.min(MOST_BY_HAND);
    let each = memory.bytes().saturating_sub(by_hand).checked_div(ladders).unwrap_or(0);
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    Ok((bytes(each), bytes(by_hand)))
}

impl State {
    /// Nobody struck yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry; the
    /// same where snapshots are exchanged.
    pub fn new(responder: &Responder, seed: u64) -> Self {
        Self::with_hasher(responder, KeyHasher::new(seed))
    }

    fn with_hasher(responder: &Responder, hasher: KeyHasher) -> Self {
        let (each, by_hand) = shares(responder.memory, responder.ladders.len()).unwrap_or_default();
        Self {
            hasher,
            ladders: responder.ladders.iter().map(|ladder| Table::with_memory(ladder.id, &ladder.name, each)).collect(),
            by_hand: Table::with_memory(BY_HAND, "by hand", by_hand),
            by_hand_until: AtomicU64::new(0),
            rewound: AtomicU64::new(0),
        }
    }

    /// The same, apart from this one.
    pub(crate) fn copied(&self, responder: &Responder) -> Self {
        let copy = Self::with_hasher(responder, self.hasher.clone());
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        if let Ok(snapshot) = copy.read(&bytes) {
            copy.restore(snapshot);
        }
        copy
    }

    /// Bytes held, the same from the start.
    pub fn memory(&self) -> usize {
        let ladders = self.ladders.iter().map(Table::memory).fold(0, usize::saturating_add);
        size_of::<Self>().saturating_add(ladders).saturating_add(self.by_hand.memory())
    }

    /// How full each table is: by the names of the ladders, and what persons have suspended.
    pub fn usage(&self) -> impl Iterator<Item = (&str, Usage)> {
        self.tables().map(|table| (&*table.name, table.entries.usage()))
    }

    /// Subjects that are known.
    pub fn len(&self) -> usize {
        self.tables().map(|table| table.entries.len()).fold(0, usize::saturating_add)
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Subjects that there is room for.
    pub fn capacity(&self) -> usize {
        self.tables().map(|table| table.entries.capacity()).fold(0, usize::saturating_add)
    }

    /// Subjects that had to go for others or found no place, so far.
    pub fn evicted(&self) -> u64 {
        self.tables().map(|table| table.entries.evicted()).fold(0, u64::saturating_add)
    }

    /// Counts a clock that had gone back; nearly none has, and what all threads share is then not written.
    pub(super) fn rewind(&self, rewound: bool) {
        if rewound {
            self.rewound.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Subjects that were found with times of a clock that was ahead of the present one, so far.
    pub fn rewound(&self) -> u64 {
        self.rewound.load(Ordering::Relaxed)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.ladders.iter().chain([&self.by_hand])
    }

    /// The table of a ladder, which is at its place unless the state was made for another configuration.
    pub(super) fn table(&self, at: usize, ladder: &Ladder) -> Option<&Table> {
        let there = self.ladders.get(at).filter(|table| table.id == ladder.id);
        there.or_else(|| self.ladders.iter().find(|table| table.id == ladder.id))
    }

    pub(super) fn suspended_by_hand(&self, until: Instant) {
        self.by_hand_until.fetch_max(until, Ordering::Relaxed);
    }
}
