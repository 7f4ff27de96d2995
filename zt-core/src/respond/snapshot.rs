//! The state as bytes.
//!
//! Little-endian: seed mark u64 | tables u32 | for each by id, what persons have suspended first: id u128, marks u64, each
//! u64 (none while all are 0), entries u64, for each by key: key u128, four words u64. The same state gives the same bytes. Ladders are known by name,
//! subject and decay, so that a snapshot outlives edits elsewhere; one whose decay was edited starts afresh.

use super::State;
use super::entry::{Entry, Instant, Packed};
use super::table::Table;
use crate::base::bounded::{Key, OTHER_SEED};
use crate::base::bytes::Reader;

/// What a snapshot holds, read and sound.
#[derive(Debug)]
pub struct Snapshot<'b>(Vec<Section<'b>>);

#[derive(Debug)]
struct Section<'b> {
    id: u128,
    marks: Vec<Instant>,
    entries: &'b [u8],
}

const ENTRY: usize = size_of::<u128>() + size_of::<Packed>();

impl State {
    /// Appends the state; the same state gives the same bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_since(0, out);
    }

    /// Begins this epoch: what changes from now on is stamped with it.
    pub fn advance(&self, epoch: u32) {
        self.tables().for_each(|table| table.entries.advance(epoch));
    }

    /// Appends what has changed in this epoch or later, and every mark; to be merged.
    pub fn write_since(&self, epoch: u32, out: &mut Vec<u8>) {
        let mut tables: Vec<&Table> = self.tables().collect();
        tables.sort_unstable_by_key(|table| table.id);
        out.extend(self.mark().to_le_bytes());
        out.extend(u32::try_from(tables.len()).unwrap_or(u32::MAX).to_le_bytes());
        for table in tables {
            let (marks, entries) = (table.marks(), table.entries.since(epoch));
            out.extend(table.id.to_le_bytes());
            let marks: Vec<Instant> = if marks.clone().all(|mark| mark == 0) { Vec::new() } else { marks.collect() };
            out.extend((marks.len() as u64).to_le_bytes());
            marks.iter().for_each(|mark| out.extend(mark.to_le_bytes()));
            out.extend((entries.len() as u64).to_le_bytes());
            out.reserve(entries.len().saturating_mul(ENTRY));
            for (key, packed) in entries {
                out.extend(key.to_u128().to_le_bytes());
                packed.iter().for_each(|word| out.extend(word.to_le_bytes()));
            }
        }
    }

    /// Reads what [`write`](Self::write) gave, and changes nothing.
    ///
    /// # Errors
    /// Why the bytes are not that.
    pub fn read<'b>(&self, bytes: &'b [u8]) -> Result<Snapshot<'b>, &'static str> {
        const CUT: &str = "cut short";
        let mut reader = Reader::new(bytes);
        if reader.u64().ok_or(CUT)? != self.mark() {
            return Err(OTHER_SEED);
        }
        let mut sections = Vec::new();
        let mut before = None;
        for _ in 0..reader.u32().ok_or(CUT)? {
            let id = reader.u128().ok_or(CUT)?;
            if before >= Some(id) {
                return Err("out of order");
            }
            before = Some(id);
            let counted = |reader: &mut Reader<'b>, size: usize| {
                let count = usize::try_from(reader.u64()?).ok()?;
                reader.bytes(count.checked_mul(size)?)
            };
            let marks = counted(&mut reader, size_of::<Instant>()).ok_or(CUT)?;
            let marks: Vec<Instant> =
                marks.as_chunks::<8>().0.iter().map(|mark| Instant::from_le_bytes(*mark)).collect();
            if !marks.is_empty() && !marks.len().is_power_of_two() {
                return Err("marks that no state has");
            }
            let entries = counted(&mut reader, ENTRY).ok_or(CUT)?;
            let section = Section { id, marks, entries };
            section.check()?;
            sections.push(section);
        }
        if reader.left() == 0 { Ok(Snapshot(sections)) } else { Err("too long") }
    }

    /// Replaces everything with what a snapshot holds. Ladders that it does not know start afresh; those that are not
    /// known here are left out.
    pub fn restore(&self, snapshot: Snapshot<'_>) {
        self.tables().for_each(Table::clear);
        self.merge(snapshot);
    }

    /// Joins what a snapshot holds: a person's later word, and of equal ones the greater of each number. The order of merges
    /// does not matter, until a table is full; then the longest suspended stay.
    pub fn merge(&self, snapshot: Snapshot<'_>) {
        for section in &snapshot.0 {
            for table in self.tables().filter(|table| table.id == section.id) {
                table.join(section.entries(), &section.marks);
            }
        }
        let ends = self.by_hand.entries.entries().into_iter().map(|(_, packed)| Entry::of(&packed).until);
        self.suspended_by_hand(ends.chain(self.by_hand.marks()).max().unwrap_or(0));
    }

    /// Tells seeds apart without giving one away.
    fn mark(&self) -> u64 {
        self.hasher.clone().part(b"zt respond snapshot").key().to_u128() as u64
    }
}

impl<'b> Section<'b> {
    fn check(&self) -> Result<(), &'static str> {
        let mut before = 0;
        for chunk in self.entries.as_chunks::<ENTRY>().0 {
            let (key, packed) = split(chunk).ok_or("cut short")?;
            if key <= before {
                return Err("out of order");
            }
            before = key;
            Entry::unpacked(&packed).ok_or("holds an impossible entry")?;
        }
        Ok(())
    }

    fn entries(&self) -> impl Iterator<Item = (Key, Packed)> + Clone + use<'b> {
        self.entries.as_chunks::<ENTRY>().0.iter().filter_map(|chunk| {
            let (key, packed) = split(chunk)?;
            Some((Key::from_u128(key)?, packed))
        })
    }
}

fn split(chunk: &[u8; ENTRY]) -> Option<(u128, Packed)> {
    let mut reader = Reader::new(chunk);
    let key = reader.u128()?;
    Some((key, [reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?]))
}
