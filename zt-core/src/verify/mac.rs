//! HMAC-SHA-256 (RFC 2104, FIPS 198-1), and digests as text.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::base::percent::hex;

/// A digest or a MAC.
pub(super) type Digest = [u8; 32];

/// A key of HMAC-SHA-256, its two blocks hashed already. Not shown by `Debug`.
#[derive(Clone)]
pub(super) struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// A key of any length; longer than a block, it is hashed first (RFC 2104, section 3).
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self)
    }

    /// The MAC of these parts, one after the other.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Digest {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(..)")
    }
}

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// Whether two digests are the same, in a time that does not depend on them.
pub(super) fn same(one: &Digest, other: &Digest) -> bool {
    one.ct_eq(other).into()
}

/// 64 hexadecimal digits in either case, as people write them into a configuration.
pub(super) fn from_hex(text: &[u8]) -> Option<Digest> {
    let mut digest = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (out, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *out = hex(*high)? << 4 | hex(*low)?;
    }
    Some(digest)
}

/// 64 hexadecimal digits in lower case, the only form in which signers write a signature: a second spelling of one would
/// be a second credential.
pub(super) fn from_lower_hex(text: &[u8]) -> Option<Digest> {
    from_hex(text).filter(|_| !text.iter().any(u8::is_ascii_uppercase))
}

/// 64 hexadecimal digits in lower case.
pub(super) fn to_hex(digest: &Digest) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1, 2, 6 (a key longer than a block) and 3's digest by parts.
    #[test]
    fn published_macs() {
        let mac = |key: &[u8], parts: &[&[u8]]| to_hex(&MacKey::new(key).unwrap().mac(parts));
        assert_eq!(
            mac(&[0x0b; 20], &[b"Hi There"]),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            mac(b"Jefe", &[b"what do ya want ", b"for nothing?"]),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            mac(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn digests_as_text() {
        let digest = sha256(b"");
        let text = to_hex(&digest);
        assert_eq!(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(from_lower_hex(text.as_bytes()), Some(digest));
        assert_eq!(from_hex(text.to_uppercase().as_bytes()), Some(digest));
        assert_eq!(from_lower_hex(text.to_uppercase().as_bytes()), None);
        for bad in ["", &text[1..], &format!("{text}0"), &text.replace('e', "g")] {
            assert_eq!(from_hex(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        assert_eq!(format!("{:?}", MacKey::new(b"hunter2").unwrap()), "MacKey(..)");
    }
}
