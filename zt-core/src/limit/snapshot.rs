//! The state as bytes.
//!
//! Little-endian: seed mark u64 | limits u32 | for each limit by id: id u128, entries u64, for each entry by key:
//! key u128, value u64; then the highest value that was displaced, u64. A limit is one for each of its counts here.
//! The same state gives the same bytes. Limits are known by what they count and how fast, so that a snapshot outlives
//! edits elsewhere in the configuration; a limit whose key, rate or burst was edited starts afresh, because its old
//! arrival times would mean something else. Requests under way are left out: they end with the process that they are in.

use super::state::{State, Table};
use crate::base::bounded::{Key, OTHER_SEED, entries};
use crate::base::bytes::Reader;

/// Why a snapshot of the limits cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It ends too soon.
    #[error("cut short")]
    Cut,
    /// Something follows its end.
    #[error("{0} bytes too long")]
    TooLong(usize),
    /// It was written under another seed: its keys mean nothing here.
    #[error("{OTHER_SEED}")]
    OtherSeed,
    /// Limits or entries are out of order, or there twice.
    #[error("out of order")]
    Disordered,
    /// An entry that no state can hold.
    #[error("holds an impossible entry")]
    BadEntry,
}

const ENTRY: usize = 24;

impl State {
    /// Appends the state; the same state gives the same bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_since(0, out);
    }

    /// Begins this epoch: what changes from now on is stamped with it.
    pub fn advance(&self, epoch: u32) {
        self.tables.iter().for_each(|table| table.entries.advance(epoch));
    }

    /// Appends what has changed in this epoch or later; to be merged.
    pub fn write_since(&self, epoch: u32, out: &mut Vec<u8>) {
        let mut tables: Vec<&Table> = self.tables.iter().filter(|table| table.kept).collect();
        tables.sort_unstable_by_key(|table| table.id);
        out.extend(self.mark().to_le_bytes());
        out.extend(u32::try_from(tables.len()).unwrap_or(u32::MAX).to_le_bytes());
        for table in tables {
            let entries = table.entries.since(epoch);
            out.extend(table.id.to_le_bytes());
            out.extend((entries.len() as u64).to_le_bytes());
            out.reserve(entries.len().saturating_mul(ENTRY));
            for (key, tat) in entries {
                out.extend(key.to_u128().to_le_bytes());
                out.extend(tat.to_le_bytes());
            }
            out.extend(table.entries.pressed_until().to_le_bytes());
        }
    }

    /// Replaces everything with what [`write`](Self::write) gave. Limits that it does not know start afresh; limits
    /// that are not known here are left out.
    ///
    /// # Errors
    /// [`SnapshotError`]; the state is untouched then.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let sections = self.read(bytes)?;
        for table in self.tables.iter().filter(|table| table.kept) {
            table.entries.clear();
        }
        self.join(sections);
        Ok(())
    }

    /// Joins what another state has spent: of two arrival times the later stays. Commutative, associative and
    /// idempotent, also at the bound of a table.
    ///
    /// # Errors
    /// [`SnapshotError`]; the state is untouched then.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let sections = self.read(bytes)?;
        self.join(sections);
        Ok(())
    }

    /// Checks all of it before anything is changed.
    fn read<'b>(&self, bytes: &'b [u8]) -> Result<Vec<Section<'b>>, SnapshotError> {
        let mut reader = Reader::new(bytes);
        let cut = SnapshotError::Cut;
        if reader.u64().ok_or(cut)? != self.mark() {
            return Err(SnapshotError::OtherSeed);
        }
        let limits = reader.u32().ok_or(cut)?;
        let mut sections = Vec::new();
        let mut before = 0;
        for _ in 0..limits {
            let id = reader.u128().ok_or(cut)?;
            if id <= before {
                return Err(SnapshotError::Disordered);
            }
            before = id;
            let count = usize::try_from(reader.u64().ok_or(cut)?).map_err(|_| cut)?;
            let entries = reader.bytes(count.checked_mul(ENTRY).ok_or(cut)?).ok_or(cut)?;
            let pressed = reader.u64().ok_or(cut)?;
            let section = Section { id, entries, pressed };
            let greatest = self.table(id).map_or(u64::MAX, |table| table.greatest);
            section.check(greatest)?;
            sections.push(section);
        }
        match reader.left() {
            0 => Ok(sections),
            more => Err(SnapshotError::TooLong(more)),
        }
    }

    fn join(&self, sections: Vec<Section<'_>>) {
        for section in sections {
            let Some(table) = self.table(section.id) else { continue };
            table.entries.press_until(section.pressed);
            for (key, tat) in section.entries() {
                if let Some(key) = Key::from_u128(key) {
                    table.join(key, tat);
                }
            }
        }
    }

    fn table(&self, id: u128) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id && table.kept)
    }

    /// Tells seeds apart without giving one away.
    fn mark(&self) -> u64 {
        self.hashers().texts.clone().part(b"zt limit snapshot").key().to_u128() as u64
    }
}

struct Section<'b> {
    id: u128,
    entries: &'b [u8],
    pressed: u64,
}

impl Section<'_> {
    fn entries(&self) -> impl Iterator<Item = (u128, u64)> {
        entries(self.entries)
    }

    fn check(&self, greatest: u64) -> Result<(), SnapshotError> {
        let mut before = 0;
        if self.pressed > greatest {
            return Err(SnapshotError::BadEntry);
        }
        for (key, tat) in self.entries() {
            if key <= before {
                return Err(if key == 0 { SnapshotError::BadEntry } else { SnapshotError::Disordered });
            }
            if tat > greatest {
                return Err(SnapshotError::BadEntry);
            }
            before = key;
        }
        Ok(())
    }
}
