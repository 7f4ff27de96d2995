//! The compact form of a JWS (RFC 7515, section 7.1).

use super::Refusal;
use crate::base::base64url;
use crate::model::Code;

/// A token's three parts, still encoded.
#[derive(Clone, Copy, Debug)]
pub(in crate::verify) struct Compact<'a> {
    pub(in crate::verify) header: &'a [u8],
    pub(in crate::verify) payload: &'a [u8],
    pub(in crate::verify) signature: &'a [u8],
    /// What is signed: header, dot, payload.
    pub(in crate::verify) signed: &'a [u8],
}

impl<'a> Compact<'a> {
    /// Splits at the dots: exactly three parts. Only the payload may be empty.
    pub(in crate::verify) fn split(token: &'a [u8]) -> Result<Self, Refusal> {
        let malformed = (Code::VerifyMalformedToken, "not three parts");
        let last = memchr::memrchr(b'.', token).ok_or(malformed)?;
        let (signed, signature) = around(token, last).ok_or(malformed)?;
        let first = memchr::memchr(b'.', signed).ok_or(malformed)?;
        let (header, payload) = around(signed, first).ok_or(malformed)?;
        if memchr::memchr(b'.', payload).is_some() || header.is_empty() || signature.is_empty() {
            return Err(malformed);
        }
        Ok(Self { header, payload, signature, signed })
    }
}

/// Decodes canonical unpadded base64url (RFC 7515, section 2).
pub(in crate::verify) fn decode(part: &[u8]) -> Result<Vec<u8>, Refusal> {
    base64url::decode(part).ok_or(NOT_CANONICAL)
}

/// Decodes it into the start of a buffer.
pub(in crate::verify) fn decode_into<'b>(part: &[u8], buffer: &'b mut [u8]) -> Result<&'b [u8], Refusal> {
    base64url::decode_into(part, buffer).map(|bytes| &*bytes).ok_or(NOT_CANONICAL)
}

const NOT_CANONICAL: Refusal = (Code::VerifyMalformedToken, "not canonical base64url");

fn around(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let (before, from) = bytes.split_at_checked(at)?;
    Some((before, from.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn exactly_three_parts() {
        for bad in ["", ".", "..", "a", "a.b", "a.b.", ".b.c", "a.b.c.", "a.b.c.d", "a.b.c.d.e", "....."] {
            assert!(Compact::split(bad.as_bytes()).is_err(), "{bad}");
        }
        let compact = Compact::split(b"aa.bb.cc").unwrap();
        assert_eq!((compact.header, compact.payload), (&b"aa"[..], &b"bb"[..]));
        assert_eq!((compact.signature, compact.signed), (&b"cc"[..], &b"aa.bb"[..]));
    }

    proptest! {
        #[test]
        fn parts_join_back(token: Vec<u8>) {
            if let Ok(c) = Compact::split(&token) {
                prop_assert_eq!([c.header, c.payload, c.signature].join(&b'.'), token);
            }
        }
    }
}
