//! Revocations as bytes, little-endian: entries u64, for each by key: key u128, end i64, issue time i64 | filter: words
//! u64, each u64, end i64, issue time i64.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::filter::Filter;
use super::{Mark, Revocations, Table};
use crate::base::bytes::Reader;

impl Revocations {
    /// Appends them; the same revocations give the same bytes.
    pub(in crate::verify) fn write_to(&self, out: &mut Vec<u8>) {
        let table = self.read();
        out.extend((table.marks.len() as u64).to_le_bytes());
        for (key, mark) in &table.marks {
            out.extend(key.to_le_bytes());
            write_mark(*mark, out);
        }
        let (words, strictest) = table.rest.parts();
        out.extend((words.len() as u64).to_le_bytes());
        words.iter().for_each(|word| out.extend(word.to_le_bytes()));
        write_mark(strictest, out);
    }

    /// Reads what `write_to` gave, and changes nothing; `None` when it is not that, or from a filter of another size.
    pub(in crate::verify) fn read_from(&self, reader: &mut Reader<'_>) -> Option<Snapshot> {
        let mut marks = BTreeMap::new();
        let mut before = 0;
        for _ in 0..reader.u64()? {
            let key = reader.u128()?;
            if key <= before {
                return None;
            }
            before = key;
            marks.insert(key, read_mark(reader)?);
        }
        let words = usize::try_from(reader.u64()?).ok()?;
        let bytes = reader.bytes(words.checked_mul(8)?)?;
        let words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let rest = Filter::of_parts(words, read_mark(reader)?);
        let same = rest.parts().0.len() == self.read().rest.parts().0.len();
        same.then_some(Snapshot(Table { marks, rest }))
    }

    /// Forgets everything, and takes over what a snapshot holds.
    pub(in crate::verify) fn replace(&self, snapshot: Snapshot) {
        let mut table = self.write();
        table.marks.clear();
        table.rest = snapshot.0.rest;
        for (key, mark) in snapshot.0.marks {
            table.join(key, mark, self.capacity);
        }
        drop(table);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Joins what a snapshot holds: whatever either side revokes is revoked.
    pub(in crate::verify) fn merge(&self, snapshot: Snapshot) {
        let mut table = self.write();
        table.rest.join(&snapshot.0.rest);
        for (key, mark) in snapshot.0.marks {
            table.join(key, mark, self.capacity);
        }
        drop(table);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// Revocations of another state, read and sound.
#[derive(Debug)]
pub(in crate::verify) struct Snapshot(Table);

fn write_mark(mark: Mark, out: &mut Vec<u8>) {
    out.extend(mark.expires.to_le_bytes());
    out.extend(mark.issued_before.to_le_bytes());
}

fn read_mark(reader: &mut Reader<'_>) -> Option<Mark> {
    Some(Mark { expires: reader.i64()?, issued_before: reader.i64()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(entries: &[(u128, i64)]) -> Revocations {
        let revocations = Revocations::with_memory(600);
        for (key, expires) in entries {
            let mark = Mark { expires: *expires, issued_before: *expires / 2 };
            revocations.write().join(*key + 1, mark, revocations.capacity);
        }
        revocations
    }

    fn bytes(revocations: &Revocations) -> Vec<u8> {
        let mut out = Vec::new();
        revocations.write_to(&mut out);
        out
    }

    fn joined(a: &Revocations, b: &Revocations) -> Revocations {
        let copy = of(&[]);
        copy.replace(copy.read_from(&mut Reader::new(&bytes(a))).unwrap());
        copy.merge(copy.read_from(&mut Reader::new(&bytes(b))).unwrap());
        copy
    }

    proptest! {
        #[test]
        fn the_order_of_merges_does_not_matter(parts: [Vec<(u128, i64)>; 3]) {
            let [a, b, c] = parts.each_ref().map(|part| of(part));
            prop_assert_eq!(bytes(&joined(&a, &b)), bytes(&joined(&b, &a)));
            prop_assert_eq!(bytes(&joined(&joined(&a, &b), &c)), bytes(&joined(&a, &joined(&b, &c))));
            prop_assert_eq!(bytes(&joined(&a, &a)), bytes(&a));
        }

        #[test]
        fn any_bytes_never_panic(mut snapshot: Vec<u8>, at: usize, byte: u8) {
            let revocations = of(&[(1, 2), (3, 4)]);
            let _ = revocations.read_from(&mut Reader::new(&snapshot));
            snapshot = bytes(&revocations);
            let at = at % snapshot.len();
            snapshot[at] ^= byte;
            let _ = revocations.read_from(&mut Reader::new(&snapshot));
            prop_assert!(revocations.read_from(&mut Reader::new(&snapshot[..at])).is_none());
        }
    }
}
