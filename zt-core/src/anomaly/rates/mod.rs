//! How often does one client ask, and which limit follows from that?
//!
//! A sample is the day (UTC) of a client at an endpoint: the most requests that it made there within a minute, ten minutes and
//! an hour of that day, wherever these began. One sample a day, so that a client that asks all day counts no more than one
//! that comes once; and the most of the day, so that its peak is what counts. That there are more clients at noon, or in a
//! promotion, changes nothing: the samples are of one client each.
//!
//! Samples are counted for each endpoint and for all of them together, identities apart from addresses, and for each identity
//! alone. All that is counted is added, in any order, to the same. What is under way, today, is not kept: it becomes samples
//! when a request of another day comes, or a recording ends.
//!
//! What it misses: a period over midnight is seen as two. Clients that a limit already refuses are seen as it lets them.
//! Whoever makes more than the budget's share of all clients, a botnet, moves the limits: up, if they are busy, and down if
//! each comes once.

mod clients;
mod name;
mod open;
mod recommend;
mod sliding;
mod spread;
mod table;
#[cfg(test)]
mod tests;

use crate::base::bytes::Reader;
use crate::base::generations::Kept;
use crate::base::keyed::join;
use crate::model::ClientKind;

use clients::Clients;
pub(super) use name::Asking;
pub use name::endpoint_name;
use open::Open;
pub use recommend::LIMIT_BUDGET;
use spread::Spread;
use table::{Sampled, Table};

/// Lengths of the periods that are looked at, seconds.
pub(super) const PERIODS: [u32; 3] = [60, 600, 3_600];
/// Endpoints, each of identities and of addresses, at most some 6 KiB each and usually one; those with the fewest samples make room.
const MOST_ROWS: usize = 256;
/// Identities whose own rates are kept, at most some 6 KiB each and usually less than one.
const MOST_IDENTITIES: usize = 512;

/// What was learned of rates.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    rows: Table<Row>,
    identities: Table<Days>,
    open: Open,
}

/// Samples of each period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Days([Spread; PERIODS.len()]);

/// Samples of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    /// Nothing for all endpoints together.
    name: Box<str>,
    of_addresses: bool,
    clients: Clients,
    days: Days,
}

impl Rates {
    pub(super) fn new() -> Self {
        Self { rows: Table::new(MOST_ROWS), identities: Table::new(MOST_IDENTITIES), open: Open::default() }
    }

    /// A request of a client that teaches.
    pub(super) fn learn(&mut self, asking: &Asking) {
        let Asking { row, all, client, kind, now, .. } = *asking;
        let Some(client) = client else { return };
        if self.open.is_of_another_day(now) {
            self.close();
        }
        let known = self.rows.get(row).is_some();
        self.open.add(row, all, client, kind, now, (asking.name.as_deref(), known));
    }

    /// Whether the name of a row is known.
    fn knows(&self, row: u64) -> bool {
        self.rows.get(row).is_some() || self.open.knows(row)
    }

    /// What is under way is over: each day of a client is a sample.
    pub(super) fn close(&mut self) {
        let (names, cells) = self.open.take();
        for (row, cell) in &cells {
            let own = self.rows.entry(*row);
            if let Some(name) = names.get(row) {
                own.name.clone_from(name);
            }
            own.of_addresses = cell.kind == ClientKind::Address;
            own.clients.add(join(cell.client, CLIENTS));
            own.days.add(cell);
            if cell.of_all && cell.kind == ClientKind::Identity {
                self.identities.entry(cell.client).add(cell);
                if self.identities.len() >= MOST_IDENTITIES * 2 {
                    self.identities.bound();
                }
            }
        }
        self.rows.bound();
        self.identities.bound();
    }

    /// As bytes, without what is under way.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.rows.write(out);
        self.identities.write(out);
    }

    /// `None` where the bytes are none of these.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (rows, identities) = (Table::read(MOST_ROWS, reader)?, Table::read(MOST_IDENTITIES, reader)?);
        Some(Self { rows, identities, open: Open::default() })
    }

    /// Adds what was learned elsewhere, in any order; what is under way there is not added.
    pub(super) fn join(&mut self, other: &Self) {
        self.rows.join(&other.rows);
        self.identities.join(&other.identities);
    }

    pub(super) fn memory(&self) -> usize {
        let parts = [self.identities.memory(), self.open.memory()];
        parts.into_iter().fold(self.rows.memory(), usize::saturating_add)
    }
}

/// Makes a client's hash another one for counting than for sampling.
const CLIENTS: u64 = 0x0063_6c69_656e_7473;

impl Days {
    fn add(&mut self, cell: &open::Cell) {
        self.0.iter_mut().zip(cell.counts.most()).for_each(|(spread, most)| spread.add(most));
    }
}

impl Kept for Days {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|spread| spread.write(out));
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let days = Self([Spread::read(reader)?, Spread::read(reader)?, Spread::read(reader)?]);
        // One sample of each period a day.
        let [first, rest @ ..] = &days.0;
        let alike = first.samples() > 0 && rest.iter().all(|spread| spread.samples() == first.samples());
        alike.then_some(days)
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| own.join(other));
    }
}

impl Sampled for Days {
    fn samples(&self) -> u64 {
        self.0.first().map_or(0, Spread::samples)
    }

    fn memory(&self) -> usize {
        self.0.iter().map(Spread::memory).fold(0, usize::saturating_add)
    }
}

impl Kept for Row {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[u8::from(self.of_addresses), u8::try_from(self.name.len()).unwrap_or(u8::MAX)]);
        out.extend_from_slice(self.name.as_bytes());
        self.clients.write(out);
        self.days.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [of_addresses, length] = reader.take()?;
        let name = std::str::from_utf8(reader.bytes(length.into())?).ok()?;
        // It is shown to people, and stands in files.
        let name = Some(name).filter(|name| name.len() <= name::MOST_NAME && !name.contains(char::is_control))?.into();
        let of_addresses = [false, true].get(usize::from(of_addresses)).copied()?;
        Some(Self { name, of_addresses, clients: Clients::read(reader)?, days: Days::read(reader)? })
    }

    fn join(&mut self, other: &Self) {
        // Names of one row differ only where hashes collide.
        if self.days.samples() == 0 || other.name < self.name {
            self.name.clone_from(&other.name);
        }
        self.of_addresses |= other.of_addresses;
        self.clients.join(&other.clients);
        self.days.join(&other.days);
    }
}

impl Sampled for Row {
    fn samples(&self) -> u64 {
        self.days.samples()
    }

    fn memory(&self) -> usize {
        self.days.memory().saturating_add(self.name.len()).saturating_add(Clients::MEMORY)
    }
}
