//! The inside of strings, in pieces: the next byte that means something, and UTF-8 (RFC 3629) up to it.

use super::Unreadable;

/// What of a character was read: continuation bytes that are missing, and where the next of them has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Utf8 {
    missing: u8,
    low: u8,
    high: u8,
}

impl Utf8 {
    /// Reads to the first quote, backslash or control character.
    #[inline(always)]
    pub(super) fn read(mut self, bytes: &[u8]) -> Result<(usize, Self), Unreadable> {
        let mut at = 0_usize;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if self.missing == 0 {
                at = at.saturating_add(plain(rest));
            }
            match bytes.get(at) {
                None => return Ok((at, self)),
                Some(byte) if *byte < 0x80 && self.missing == 0 => return Ok((at, self)),
                Some(byte) => self = self.then(*byte).ok_or(Unreadable::Malformed)?,
            }
            at = at.saturating_add(1);
        }
    }

    fn then(self, byte: u8) -> Option<Self> {
        if self.missing > 0 {
            let missing = self.missing.saturating_sub(1);
            return (self.low..=self.high).contains(&byte).then_some(Self { missing, low: 0x80, high: 0xbf });
        }
        // No form longer than it has to be, no half of a surrogate pair, nothing past U+10FFFF.
        let (missing, low, high) = match byte {
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return None,
        };
        Some(Self { missing, low, high })
    }
}

/// How many bytes stand before the first quote, backslash, control character or byte above ASCII.
#[inline(always)]
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        // Eight bytes at once. A borrow can only mark a byte above one that is truly marked, and the lowest counts.
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (ONES * b'"' as u64));
        let backslash = zero(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES << 5) & !word;
        let marks = (quote | backslash | control | word) & HIGH;
        if marks != 0 {
            let within = usize::try_from(marks.trailing_zeros() >> 3).unwrap_or_default();
            return bytes.len().saturating_sub(rest.len()).saturating_add(within);
        }
        rest = tail;
    }
    let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20 || *byte >= 0x80;
    let within = rest.iter().position(special).unwrap_or(rest.len());
    bytes.len().saturating_sub(rest.len()).saturating_add(within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether a text holds what `read` stops at.
    fn special(bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| *byte == b'"' || *byte == b'\\' || *byte < 0x20)
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_utf8(bytes in prop::collection::vec(prop_oneof![Just(b'a'), Just(b'"'), Just(0x1f), 0x7f..=0xff_u8, Just(0xe2), Just(0x82)], 0..24)) {
            let before = bytes.get(..special(&bytes).unwrap_or(bytes.len())).unwrap();
            let whole = std::str::from_utf8(before);
            match Utf8::default().read(&bytes) {
                Ok((at, utf8)) if utf8.missing == 0 => prop_assert!(whole.is_ok() && at == before.len()),
                Ok((at, _)) => prop_assert!(at == bytes.len() && whole.unwrap_err().error_len().is_none()),
                Err(_) => prop_assert!(whole.is_err()),
            }
        }
    }
}
