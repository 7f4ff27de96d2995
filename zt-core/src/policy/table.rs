//! An immutable hash table over configuration: built at load, probed on the request path.

/// Open addressing with linear probing, at most half full. Its contents come from the configuration; a request can
/// only ask, and a probe ends at the first empty slot. It is never stored: what it finds is, and it is made from that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Hash and entry + 1; zero is empty.
    slots: Vec<(u32, u32)>,
}

impl Table {
    /// A table of the entries 0.. that have these hashes.
    pub(crate) fn build(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let size = hashes.len().saturating_mul(2).max(2).next_power_of_two();
        let mut slots = vec![(0, 0); size];
        for (hash, entry) in hashes.zip(1_u32..) {
            let mut at = index(hash, size);
            while let Some(slot) = slots.get_mut(at) {
                if slot.1 == 0 {
                    *slot = (tag(hash), entry);
                    break;
                }
                at = at.wrapping_add(1) & (size - 1);
            }
        }
        Self { slots }
    }

    /// The entry of this hash for which `matches` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, matches: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = index(hash, self.slots.len());
        for _ in 0..self.slots.len() {
            let (slot_tag, entry) = *self.slots.get(at)?;
            let entry = entry.checked_sub(1)?;
            if slot_tag == tag(hash) && matches(entry) {
                return Some(entry);
            }
            at = at.wrapping_add(1) & self.slots.len().wrapping_sub(1);
        }
        None
    }
}

/// Hash of an entity's name: multiply and fold, eight bytes at a time.
pub(crate) fn hash_uid(ty: &str, id: &str) -> u64 {
    hash_bytes(hash_bytes(0x243f_6a88_85a3_08d3, ty.as_bytes()), id.as_bytes())
}

/// Hash of two numbers.
pub(crate) fn hash_pair(a: u32, b: u32) -> u64 {
    mix(u64::from(a) << 32 | u64::from(b), 0x1319_8a2e_0370_7344)
}

fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(seed ^ bytes.len() as u64, |hash, word| mix(hash ^ u64::from_le_bytes(*word), seed));
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    mix(hash ^ u64::from_le_bytes(last), seed)
}

#[expect(clippy::cast_possible_truncation, reason = "folding the halves of a product is the point")]
fn mix(value: u64, seed: u64) -> u64 {
    let product = u128::from(value ^ 0x9e37_79b9_7f4a_7c15) * u128::from(seed | 1 << 63);
    product as u64 ^ (product >> 64) as u64
}

#[expect(clippy::cast_possible_truncation, reason = "masked by the size of the table")]
fn index(hash: u64, size: usize) -> usize {
    hash as usize & size.wrapping_sub(1)
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(all(test, feature = "compile"))]
mod tests {
    use super::*;

    #[test]
    fn finds_what_it_holds_and_nothing_else() {
        let names: Vec<String> = (0..1_000).map(|n| format!("role-{n}")).collect();
        let table = Table::build(names.iter().map(|name| hash_uid("Role", name)));
        let find = |ty: &str, name: &str| {
            table.find(hash_uid(ty, name), |at| names.get(at as usize).is_some_and(|n| n == name))
        };
        assert!(names.iter().enumerate().all(|(at, name)| find("Role", name) == u32::try_from(at).ok()));
        assert_eq!(find("Role", "role-1000"), None);
        assert_eq!(find("User", "role-1"), None);
        assert_eq!(Table::default().find(7, |_| true), None);
    }
}
