//! An immutable hash table over configuration: built at load, probed on the request path.

/// Numbers of entities by their names. Open addressing with linear probing, at most half full. Its contents come from the
/// configuration; a request can only ask, and a probe ends at the first empty slot. It is never stored: what it finds is,
/// and it is made from that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    /// The names, side by side: the id, a zero, the type, which has none.
    text: Vec<u8>,
}

/// Where the name of an entity is; its number is one less than `entry`, and zero is empty.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    tag: u32,
    entry: u32,
    start: u32,
    len: u32,
}

impl Table {
    /// A table of entities, type and id, by their order.
    pub(crate) fn build(uids: &[(Box<str>, Box<str>)]) -> Self {
        let size = uids.len().saturating_mul(2).max(2).next_power_of_two();
        let mut table = Self { slots: vec![Slot::default(); size], text: Vec::new() };
        for ((ty, id), entry) in uids.iter().zip(1_u32..) {
            let hash = hash_uid(ty, id);
            let start = table.text.len();
            table.text.extend(id.bytes().chain([0]).chain(ty.bytes()));
            let len = table.text.len().saturating_sub(start);
            let (Ok(start), Ok(len)) = (u32::try_from(start), u32::try_from(len)) else { break };
            let mut at = index(hash, size);
            while let Some(slot) = table.slots.get_mut(at) {
                if slot.entry == 0 {
                    *slot = Slot { tag: tag(hash), entry, start, len };
                    break;
                }
                at = at.wrapping_add(1) & (size - 1);
            }
        }
        table
    }

    /// The number of an entity.
    #[inline]
    pub(crate) fn find(&self, ty: Named<'_>, id: &str) -> Option<u32> {
        let hash = ty.hash(id);
        let mut at = index(hash, self.slots.len());
        for _ in 0..self.slots.len() {
            let slot = *self.slots.get(at)?;
            let entry = slot.entry.checked_sub(1)?;
            if slot.tag == tag(hash) && self.is(slot, ty, id) {
                return Some(entry);
            }
            at = at.wrapping_add(1) & self.slots.len().wrapping_sub(1);
        }
        None
    }

    fn is(&self, slot: Slot, ty: Named<'_>, id: &str) -> bool {
        let start = slot.start as usize;
        let name = self.text.get(start..start.saturating_add(slot.len as usize)).unwrap_or_default();
        name.strip_prefix(id.as_bytes()).is_some_and(|rest| rest.split_first() == Some((&0, ty.name.as_bytes())))
    }
}

/// A type of entities, whose name is hashed once for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a str,
    seed: u64,
}

impl<'a> Named<'a> {
    pub(crate) fn new(name: &'a str) -> Self {
        Self { name, seed: hash_bytes(0x243f_6a88_85a3_08d3, name.as_bytes()) }
    }

    /// Hash of an entity's name.
    pub(crate) fn hash(self, id: &str) -> u64 {
        hash_bytes(self.seed, id.as_bytes())
    }
}

/// Hash of an entity's name: multiply and fold, eight bytes at a time.
pub(crate) fn hash_uid(ty: &str, id: &str) -> u64 {
    Named::new(ty).hash(id)
}

/// Hash of two numbers.
pub(crate) fn hash_pair(a: u32, b: u32) -> u64 {
    mix(u64::from(a) << 32 | u64::from(b), 0x1319_8a2e_0370_7344)
}

fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(seed ^ bytes.len() as u64, |hash, word| mix(hash ^ u64::from_le_bytes(*word), seed));
    mix(hash ^ last(rest), seed)
}

/// Fewer than eight bytes; zeros after them.
fn last(rest: &[u8]) -> u64 {
    // Two reads that may overlap instead of a loop over bytes.
    if let (Some(low), Some(high)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        let shift = 8_usize.saturating_mul(rest.len().saturating_sub(4));
        return u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << shift;
    }
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
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
    fn the_last_bytes_are_read_as_with_zeros_after_them() {
        for len in 0..8 {
            let bytes: Vec<u8> = (1..=len).collect();
            let mut padded = [0; 8];
            padded[..bytes.len()].copy_from_slice(&bytes);
            assert_eq!(last(&bytes), u64::from_le_bytes(padded));
        }
    }

    #[test]
    fn finds_what_it_holds_and_nothing_else() {
        let uid = |n: usize| (Box::from(["Role", "Scope"][n % 2]), format!("name-{}", n / 2).into());
        let uids: Vec<(Box<str>, Box<str>)> = (0..1_000).map(uid).collect();
        let table = Table::build(&uids);
        let find = |ty: &str, id: &str| table.find(Named::new(ty), id);
        assert!(uids.iter().enumerate().all(|(at, (ty, id))| find(ty, id) == u32::try_from(at).ok()));
        assert_eq!(find("Role", "name-500"), None);
        assert_eq!(find("User", "name-1"), None);
        assert_eq!(find("Role", "name-1\0Role"), None);
        assert_eq!(find("", "name-1"), None);
        assert_eq!(Table::default().find(Named::new("Role"), "name-1"), None);
    }
}
