//! What clients do today.

use super::sliding::Counts;
use super::{MOST_ROWS, PERIODS};
use crate::base::keyed::{Map, join};
use crate::model::{ClientKind, Millis};

const DAY_MS: i64 = 86_400_000;
/// A request that is late by so much belongs to the day that has begun meanwhile.
const LATE_MS: i64 = 60_000;
/// Clients at endpoints that are looked at, 3 MiB of them.
const MOST_OPEN: usize = 7_168;
/// Makes a client's hash another one for sampling than for counting.
const SAMPLE: u64 = 0x0073_616d_706c_6500;

/// A client at an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) client: u64,
    pub(super) kind: ClientKind,
    /// At all endpoints together.
    pub(super) of_all: bool,
    row: u64,
    pub(super) counts: Counts,
}

/// Clients of today.
///
/// Where there are more than fit, every second client is let go, by its hash, and again until they fit: those that stay
/// stand for all, whatever they do. The next day begins with twice as many.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    day: Option<i64>,
    cells: Map<Cell>,
    names: Map<Box<str>>,
    /// One client of two to the power of this is looked at.
    level: u32,
}

impl Open {
    pub(super) fn is_of_another_day(&self, now: Millis) -> bool {
        self.day.is_some_and(|day| day != self.day_of(now))
    }

    fn day_of(&self, now: Millis) -> i64 {
        let (day, later) = (now.div_euclid(DAY_MS), now.saturating_add(LATE_MS).div_euclid(DAY_MS));
        if self.day == Some(later) { later } else { day }
    }

    pub(super) fn knows(&self, row: u64) -> bool {
        self.names.contains_key(&row)
    }

    /// A request, for an endpoint whose name is given or known already, and for all.
    pub(super) fn add(
        &mut self,
        row: u64,
        all: u64,
        client: u64,
        kind: ClientKind,
        now: Millis,
        (name, known): (Option<&str>, bool),
    ) {
        self.day = Some(self.day_of(now));
        self.count(all, true, client, kind, now);
        if !known && !self.names.contains_key(&row) {
            let Some(name) = name.filter(|_| self.names.len() < MOST_ROWS) else { return };
            self.names.insert(row, name.into());
        }
        self.count(row, false, client, kind, now);
    }

    fn count(&mut self, row: u64, of_all: bool, client: u64, kind: ClientKind, now: Millis) {
        let key = join(row, client);
        if !self.cells.contains_key(&key) {
            while self.cells.len() >= MOST_OPEN && self.level < u64::BITS {
                self.level = self.level.saturating_add(1);
                let level = self.level;
                // Made anew: a table with as many gaps would grow.
                self.cells = self.cells.drain().filter(|(_, cell)| is_sampled(cell.client, level)).collect();
            }
            if !is_sampled(client, self.level) {
                return;
            }
        }
        let new = || Cell { client, kind, of_all, row, counts: Counts::default() };
        self.cells.entry(key).or_insert_with(new).counts.add(now);
    }

    /// What there is, by row and client, and names of rows that are new. Nothing is left.
    pub(super) fn take(&mut self) -> (Map<Box<str>>, Vec<(u64, Cell)>) {
        self.level = self.level.saturating_sub(1);
        self.day = None;
        let mut cells: Vec<(u64, Cell)> = self.cells.drain().map(|(_, cell)| (cell.row, cell)).collect();
        cells.sort_unstable_by_key(|(row, cell)| (*row, cell.client));
        (std::mem::take(&mut self.names), cells)
    }

    pub(super) fn memory(&self) -> usize {
        let names =
            self.names.values().map(|name| name.len()).fold(self.names.allocation_size(), usize::saturating_add);
        self.cells.allocation_size().saturating_add(names)
    }
}

fn is_sampled(client: u64, level: u32) -> bool {
    join(client, SAMPLE).trailing_zeros() >= level
}

// Counts of a client at an endpoint are small: there are many.
const _: () = assert!(size_of::<Cell>() <= 32 + 24 * PERIODS.len());
