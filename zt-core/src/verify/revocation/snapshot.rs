//! Revocations as bytes, little-endian: entries u64, for each by key: key u128, end i64, issue time i64 | filter: words
//! u64 (none when it is empty or, in a delta, unchanged), each u64, end i64, issue time i64.

use std::sync::atomic::Ordering;

use super::filter::Filter;
use super::{Mark, Revocations};
use crate::base::bytes::Reader;

impl Revocations {
    /// Appends those that have changed in this epoch or later, from 0 on all; the same revocations give the same bytes.
    pub(in crate::verify) fn write_since(&self, epoch: u32, out: &mut Vec<u8>) {
        let table = self.read();
        let changed = || table.marks.iter().filter(|(_, held)| held.changed >= epoch);
        out.extend((changed().count() as u64).to_le_bytes());
        for (key, held) in changed() {
            out.extend(key.to_le_bytes());
            write_mark(held.mark, out);
        }
        let told = table.rest_changed >= epoch && !table.rest.is_empty();
        let (words, strictest) = if told { table.rest.parts() } else { (&[][..], Mark::default()) };
        out.extend((words.len() as u64).to_le_bytes());
        words.iter().for_each(|word| out.extend(word.to_le_bytes()));
        write_mark(strictest, out);
    }

    /// Reads what `write_since` gave, and changes nothing; `None` when it is not that, or from a filter of another size.
    pub(in crate::verify) fn read_from(&self, reader: &mut Reader<'_>) -> Option<Snapshot> {
        let mut marks = Vec::new();
        let mut before = 0;
        for _ in 0..reader.u64()? {
            let key = reader.u128()?;
            if key <= before {
                return None;
            }
            before = key;
            marks.push((key, read_mark(reader)?));
        }
        let words = usize::try_from(reader.u64()?).ok()?;
        let bytes = reader.bytes(words.checked_mul(8)?)?;
        let words: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let rest = Filter::of_parts(words, read_mark(reader)?);
        let fits = words_of(&rest) == 0 || words_of(&rest) == words_of(&self.read().rest);
        fits.then_some(Snapshot { marks, rest })
    }

    /// Forgets everything, and takes over what a snapshot holds.
    pub(in crate::verify) fn replace(&self, snapshot: Snapshot) {
        let mut table = self.write();
        table.marks.clear();
        let empty = || Filter::of_parts(vec![0; words_of(&table.rest)], Mark::default());
        table.rest = if words_of(&snapshot.rest) == 0 { empty() } else { snapshot.rest };
        table.rest_changed = table.epoch;
        for (key, mark) in snapshot.marks {
            table.join(key, mark, self.capacity);
        }
        drop(table);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Joins what a snapshot holds: whatever either side revokes is revoked.
    pub(in crate::verify) fn merge(&self, snapshot: Snapshot) {
        let mut table = self.write();
        if words_of(&snapshot.rest) > 0 {
            let before = table.rest.clone();
            table.rest.join(&snapshot.rest);
            if table.rest != before {
                table.rest_changed = table.epoch;
            }
        }
        for (key, mark) in snapshot.marks {
            table.join(key, mark, self.capacity);
        }
        drop(table);
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// Revocations of another state, read and sound.
#[derive(Debug)]
pub(in crate::verify) struct Snapshot {
    marks: Vec<(u128, Mark)>,
    /// Without words when there is nothing in it, or nothing new.
    rest: Filter,
}

fn words_of(filter: &Filter) -> usize {
    filter.parts().0.len()
}

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
        revocations.write_since(0, &mut out);
        out
    }

    fn joined(a: &Revocations, b: &Revocations) -> Revocations {
        let copy = of(&[]);
        copy.replace(copy.read_from(&mut Reader::new(&bytes(a))).unwrap());
        copy.merge(copy.read_from(&mut Reader::new(&bytes(b))).unwrap());
        copy
    }

    #[test]
    fn a_delta_has_what_changed_and_no_more() {
        let told = |revocations: &Revocations, epoch| {
            let mut out = Vec::new();
            revocations.write_since(epoch, &mut out);
            let snapshot = revocations.read_from(&mut Reader::new(&out)).unwrap();
            (snapshot.marks.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), words_of(&snapshot.rest))
        };
        let revocations = of(&[(1, 20), (2, 20)]);
        revocations.advance(1);
        assert_eq!(told(&revocations, 1), (vec![], 0));
        let join = |key, expires| {
            let mark = Mark { expires, issued_before: 0 };
            revocations.write().join(key, mark, revocations.capacity);
        };
        join(2, 19);
        assert_eq!(told(&revocations, 1), (vec![], 0), "a milder one changes nothing");
        join(2, 21);
        join(9, 1);
        assert_eq!(told(&revocations, 1), (vec![2, 9], 0));
        revocations.advance(2);
        for key in 100..120 {
            join(key, 30);
        }
        let (_, words) = told(&revocations, 2);
        assert!(words > 0, "some had to go to the filter");
        revocations.advance(3);
        assert_eq!(told(&revocations, 3), (vec![], 0));
        // Whoever hears all of it, in whatever pieces, knows the same.
        let heard = of(&[]);
        for epoch in [2, 0, 1] {
            let mut out = Vec::new();
            revocations.write_since(epoch, &mut out);
            heard.merge(heard.read_from(&mut Reader::new(&out)).unwrap());
        }
        assert_eq!(bytes(&heard), bytes(&revocations));
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
