//! What has been spent.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Limiter;
use super::fallback::Level;
use super::key::Hashers;
use super::rule::Rule;
use super::window::{Window, rank};
use crate::base::bounded::{Bounded, Change, Key, Usage};
use crate::base::units::Size;
use crate::model::Problem;

/// What has been spent, one bounded table for each count of each limit.
///
/// At the bound of its table a new key displaces, of the forty entries of its set, the one whose bucket is full again
/// soonest: keys that have come back to full first, keys that are being refused last. While something is missing that
/// would still count, keys that the table does not know are counted in a coarser table too (`fallback`).
#[derive(Debug)]
pub struct State {
    hashers: Hashers,
    /// Of the limits that it was made for.
    id: u64,
    pub(super) tables: Box<[Table]>,
}

/// What has been spent of one count.
#[derive(Debug)]
pub(super) struct Table {
    /// Of its window.
    pub(super) id: u128,
    /// Its window's.
    pub(super) label: Box<str>,
    /// By kind of the window; see there.
    pub(super) entries: Bounded<u64>,
    /// Whether snapshots have it.
    pub(super) kept: bool,
    /// The greatest value that an entry can have.
    pub(super) greatest: u64,
    /// Entries from further ahead than can be.
    jumps: AtomicU64,
}

/// A table smaller than this forgets too soon to limit anything.
pub(super) const LEAST_BYTES: u64 = 16 << 10;
/// More is a slip of the pen, and would end the process when it is allocated.
const MOST_BYTES: u64 = 64 << 30;
/// The part of a limit's memory that its fallback has.
const FALLBACK_PART: usize = 16;
/// Of the smallest table.
const LEAST_TABLE: usize = Bounded::<u64>::LEAST_BYTES + size_of::<Table>();

/// Bytes for each of so many counts.
pub(super) fn share(memory: Size, rules: &[Rule]) -> Result<usize, Problem> {
    let counts = rules.iter().map(|rule| rule.windows.len()).fold(0, usize::saturating_add);
    let of_tables = memory.bytes().saturating_sub(size_of::<State>() as u64);
    let (share, written) = (of_tables / (counts as u64).max(1), memory.bytes() / (counts as u64).max(1));
    if memory.bytes() > MOST_BYTES {
        return Err(Problem::new("state.memory", "more than 64 GiB").mend("write \"64MiB\" or so"));
    }
    if counts > 0 && written < LEAST_BYTES {
        let least = (counts as u64).saturating_mul(LEAST_BYTES) >> 10;
        return Err(Problem::new("state.memory", format!("{memory} is too little for {counts} counts of limits"))
            .mend(format!("give them {least}KiB at least, 16KiB for each `rate`, `quota` and `concurrent`")));
    }
    Ok(usize::try_from(share).unwrap_or(usize::MAX))
}

/// The tables of one limit, in the order of [`Rule::tables`].
fn tables(rule: &Rule, share: usize) -> impl Iterator<Item = Table> {
    let of_all = share.saturating_mul(rule.windows.len());
    // Whose key is nothing needs one entry, and so the smallest table.
    let is_whole = |level: &&Level| level.key.parts.is_empty();
    let count = |levels: &mut dyn Iterator<Item = &Level>| levels.map(|level| level.windows.len()).sum::<usize>();
    let whole = count(&mut rule.fallback.iter().filter(is_whole));
    let keyed = count(&mut rule.fallback.iter().filter(|level| !is_whole(level)));
    let of_fallback = if rule.fallback.is_empty() { 0 } else { of_all / FALLBACK_PART };
    let of_fallback = of_fallback.max(keyed.saturating_mul(LEAST_TABLE));
    let own = of_all.saturating_sub(of_fallback).saturating_sub(whole.saturating_mul(LEAST_TABLE));
    let own = own.checked_div(rule.windows.len()).unwrap_or(0).saturating_sub(size_of::<Table>());
    let windows = rule.windows.iter().map(move |window| Table::new(window, Bounded::with_memory(own)));
    let levels = rule.fallback.iter().flat_map(move |level| {
        let bytes = if is_whole(&level) { 0 } else { of_fallback.checked_div(keyed).unwrap_or(0) };
        let entries = move || Bounded::with_memory(bytes.saturating_sub(size_of::<Table>()));
        level.windows.iter().map(move |window| Table::new(window, entries()))
    });
    windows.chain(levels)
}

impl State {
    /// Nothing spent yet. The seed keys the tables' hashes: random in production, so that nobody can aim at an entry;
    /// the same where snapshots are exchanged.
    pub fn new(limiter: &Limiter, seed: u64) -> Self {
        let share = share(limiter.memory, &limiter.rules).unwrap_or(0);
        let tables = limiter.rules.iter().flat_map(|rule| tables(rule, share)).collect();
        Self { hashers: Hashers::new(seed), id: limiter.id, tables }
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

    /// How full each table is, by the label of its window.
    pub fn usage(&self) -> impl Iterator<Item = (&str, Usage)> {
        self.tables.iter().map(|table| (&*table.label, table.entries.usage()))
    }

    pub(super) const fn hashers(&self) -> &Hashers {
        &self.hashers
    }

    /// Entries that were found further ahead of the clock than their limit can have put them: the clock has gone back, by
    /// more than an hour.
    pub fn clock_jumps(&self) -> u64 {
        self.tables.iter().map(|table| table.jumps.load(Ordering::Relaxed)).fold(0, u64::saturating_add)
    }

    /// The tables of these limits, if it was made for them and no others.
    #[inline]
    pub(super) fn tables_of(&self, limiter: &Limiter) -> Option<&[Table]> {
        if self.id == limiter.id { Some(&self.tables) } else { None }
    }

    /// The tables of a limit, which are at their place unless the state was made for another configuration.
    pub(super) fn tables(&self, limiter: &Limiter, rule: &Rule) -> Option<&[Table]> {
        match self.tables_of(limiter) {
            Some(tables) => tables.get(rule.place.clone()),
            None => self.find(rule),
        }
    }

    fn find(&self, rule: &Rule) -> Option<&[Table]> {
        let fits = |tables: &&[Table]| rule.tables().zip(*tables).all(|(window, table)| window.id == table.id);
        self.tables.windows(rule.place.len().max(1)).find(fits)
    }
}

impl Table {
    fn new(window: &Window, entries: Bounded<u64>) -> Self {
        let (kept, greatest) = (window.is_kept(), window.greatest());
        Self { id: window.id, label: window.label.clone(), entries, kept, greatest, jumps: AtomicU64::new(0) }
    }

    /// Joins an entry from elsewhere: the later one stays.
    pub(super) fn join(&self, key: Key, value: u64) {
        let later = |here: Option<&u64>| (Change::Offer(here.map_or(value, |here| value.max(*here))), ());
        self.entries.update(key, rank, later);
    }

    /// An entry was further ahead of the clock than can be.
    pub(super) fn jumped(&self) {
        self.jumps.fetch_add(1, Ordering::Relaxed);
    }
}
