//! Finds the rules of a class and a principal scope: one probe of an immutable hash table, most of the time.

use super::index::Bucket;
use super::table::hash_pair;

/// Open addressing with linear probing, at most half full; made from the buckets and never stored. A request can only
/// ask, and a probe ends at the first empty slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lookup {
    /// A bucket of no rules is an empty slot.
    slots: Vec<Bucket>,
}

/// A run of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    pub(crate) const fn of(bucket: &Bucket) -> Self {
        Self { start: bucket.start, len: bucket.len }
    }

    /// The run of this list.
    #[inline]
    pub(crate) fn of_list<T>(self, list: &[T]) -> &[T] {
        let start = self.start as usize;
        list.get(start..start.saturating_add(self.len as usize)).unwrap_or_default()
    }
}

impl Lookup {
    pub(crate) fn build(buckets: &[Bucket]) -> Self {
        let size = buckets.len().saturating_mul(2).max(2).next_power_of_two();
        let mut slots = vec![Bucket::default(); size];
        for bucket in buckets.iter().filter(|bucket| bucket.len > 0) {
            let mut at = first(bucket.class, bucket.key, size);
            while let Some(slot) = slots.get_mut(at) {
                if slot.len == 0 {
                    *slot = *bucket;
                    break;
                }
                at = at.wrapping_add(1) & (size - 1);
            }
        }
        Self { slots }
    }

    /// The rules of a class with this key; none where there are none.
    #[inline]
    pub(crate) fn find(&self, class: u32, key: u32) -> Span {
        let mut at = first(class, key, self.slots.len());
        for _ in 0..self.slots.len() {
            match self.slots.get(at) {
                Some(slot) if slot.len == 0 => break,
                Some(slot) if slot.class == class && slot.key == key => return Span::of(slot),
                Some(_) => at = at.wrapping_add(1) & self.slots.len().wrapping_sub(1),
                None => break,
            }
        }
        Span::default()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "masked by the size of the table")]
fn first(class: u32, key: u32, size: usize) -> usize {
    hash_pair(class, key) as usize & size.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_it_holds_and_nothing_else() {
        let bucket = |at: u32| Bucket { class: at / 7, key: at % 7, start: at, len: 1 };
        let lookup = Lookup::build(&(0..1_000).map(bucket).collect::<Vec<_>>());
        assert!((0..1_000).map(bucket).all(|b| lookup.find(b.class, b.key) == Span::of(&b)));
        assert_eq!(lookup.find(0, 7), Span::default());
        assert_eq!(lookup.find(143, 0), Span::default());
        assert_eq!(Lookup::default().find(0, 0), Span::default());
    }
}
