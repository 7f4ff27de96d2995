//! What has been spent.

use super::config::Rule;
use super::{Limiter, gcra};
use crate::base::bounded::{Bounded, Change, Key, KeyHasher, Usage};
use crate::base::units::Size;
use crate::model::Problem;

/// What has been spent, one bounded table for each limit.
///
/// At the bound of its table a new key displaces, of the eight entries of its set, the one whose bucket is full again
/// soonest: keys that have come back to full first, keys that are being refused last.
#[derive(Debug)]
pub struct State {
    hasher: KeyHasher,
    pub(super) tables: Box<[Table]>,
}

/// What has been spent of one limit.
#[derive(Debug)]
pub(super) struct Table {
    /// Of its limit.
    pub(super) id: u128,
    pub(super) name: Box<str>,
    /// Theoretical arrival time, nanoseconds since the Unix epoch.
    pub(super) entries: Bounded<u64>,
}

/// A table smaller than this forgets too soon to limit anything.
const LEAST_BYTES: u64 = 16 << 10;
/// More is a slip of the pen, and would end the process when it is allocated.
const MOST_BYTES: u64 = 64 << 30;

/// Bytes for each of so many limits.
pub(super) fn share(memory: Size, limits: usize) -> Result<usize, Problem> {
    let share = memory.bytes() / (limits as u64).max(1);
    if memory.bytes() > MOST_BYTES {
        return Err(Problem::new("state.memory", "more than 64 GiB").mend("write \"64MiB\" or so"));
    }
    if limits > 0 && share < LEAST_BYTES {
        return Err(Problem::new("state.memory", format!("{memory} is too little for {limits} limits"))
            .mend("give each limit 16KiB at least"));
    }
    Ok(usize::try_from(share).unwrap_or(usize::MAX))
}

impl State {
    /// Nothing spent yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry;
    /// the same where snapshots are exchanged.
    pub fn new(limiter: &Limiter, seed: u64) -> Self {
        let bytes = share(limiter.memory, limiter.rules.len()).unwrap_or(0);
        let table = |rule: &Rule| Table { id: rule.id, name: rule.name.clone(), entries: Bounded::with_memory(bytes) };
        Self { hasher: KeyHasher::new(seed), tables: limiter.rules.iter().map(table).collect() }
    }

    /// Bytes held, the same from the start.
    pub fn memory(&self) -> usize {
        let tables = self.tables.iter().map(|table| table.entries.memory().saturating_add(size_of::<Table>()));
        tables.fold(size_of::<Self>(), usize::saturating_add)
    }

    /// Keys that are known.
    pub fn len(&self) -> usize {
        self.tables.iter().map(|table| table.entries.len()).sum()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys that had to go for others, so far.
    pub fn evicted(&self) -> u64 {
        self.tables.iter().map(|table| table.entries.evicted()).fold(0, u64::saturating_add)
    }

    /// How full each limit's table is, by its name.
    pub fn usage(&self) -> impl Iterator<Item = (&str, Usage)> {
        self.tables.iter().map(|table| (&*table.name, table.entries.usage()))
    }

    pub(super) const fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// The table of a limit, which is at its place unless the state was made for another configuration.
    pub(super) fn table(&self, at: usize, rule: &Rule) -> Option<&Table> {
        let there = self.tables.get(at).filter(|table| table.id == rule.id);
        there.or_else(|| self.tables.iter().find(|table| table.id == rule.id))
    }
}

impl Table {
    /// Joins an entry from elsewhere: the later arrival time stays.
    pub(super) fn join(&self, key: Key, tat: u64) {
        self.entries.update(key, gcra::rank, |here| (Change::Offer(here.map_or(tat, |here| tat.max(*here))), ()));
    }
}
