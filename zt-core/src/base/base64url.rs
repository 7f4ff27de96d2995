//! Canonical unpadded base64url (RFC 4648, section 5; RFC 7515, section 2).
//!
//! No padding, no other alphabet, no white space, no bits left over: every byte string has exactly one encoding that is
//! taken.

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

/// Bytes that a text of this length decodes to.
pub const fn decoded_len(encoded: usize) -> usize {
    // Three quarters, rounded down.
    encoded / 4 * 3 + (encoded % 4) * 3 / 4
}

/// Decodes into the start of a buffer, and gives that start; nothing when the text is not canonical or the buffer is
/// too short.
pub fn decode_into<'b>(text: &[u8], buffer: &'b mut [u8]) -> Option<&'b mut [u8]> {
    let buffer = buffer.get_mut(..decoded_len(text.len()))?;
    let decoded = URL_SAFE_NO_PAD.decode(text, buffer.as_out()).ok()?;
    Some(decoded)
}

/// Decodes into new memory.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; decoded_len(text.len())];
    decode_into(text, &mut bytes)?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    #[test]
    fn one_encoding_only() {
        assert_eq!(decode(b"-_8").unwrap(), [0xfb, 0xff]);
        assert_eq!(decode(b""), Some(Vec::new()));
        for bad in ["+/8", "-_8=", "-_9", "-_8\n", " -_8", "-_ 8", "A", "AAAAA", "AB", "-_8\0", "\u{e9}"] {
            assert_eq!(decode(bad.as_bytes()), None, "{bad}");
        }
        assert!(decode_into(b"AAAA", &mut [0; 2]).is_none());
    }

    proptest! {
        #[test]
        fn agrees_with_the_base64_crate(text in "[A-Za-z0-9_=+/ -]{0,24}", bytes: Vec<u8>) {
            prop_assert_eq!(decode(text.as_bytes()), URL_SAFE_NO_PAD.decode(&text).ok());
            prop_assert_eq!(decode(URL_SAFE_NO_PAD.encode(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(decode(&bytes), URL_SAFE_NO_PAD.decode(&bytes).ok());
        }
    }
}
