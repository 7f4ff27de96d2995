//! Percent-encoding (RFC 3986, section 2.1).

use std::borrow::Cow;

/// A `%` that two hexadecimal digits do not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`%` without two hexadecimal digits")]
pub struct Malformed;

/// Decodes once; borrows when there is nothing to decode.
///
/// # Errors
/// [`Malformed`] at a `%` that two hexadecimal digits do not follow.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Malformed> {
    let Some(first) = memchr::memchr(b'%', bytes) else { return Ok(Cow::Borrowed(bytes)) };
    let (plain, mut rest) = bytes.split_at_checked(first).ok_or(Malformed)?;
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(plain);
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let [high, low, after @ ..] = tail else { return Err(Malformed) };
            out.push(hex(*high).ok_or(Malformed)? << 4 | hex(*low).ok_or(Malformed)?);
            rest = after;
        } else {
            out.push(byte);
            rest = tail;
        }
    }
    Ok(Cow::Owned(out))
}

/// Value of a hexadecimal digit.
pub const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once_and_strictly() {
        assert_eq!(decode(b"a%2fb%2").unwrap_err(), Malformed);
        assert_eq!(decode(b"%zz").unwrap_err(), Malformed);
        assert_eq!(&*decode(b"a%2Fb%252f").unwrap(), b"a/b%2f");
        assert!(matches!(decode(b"plain").unwrap(), Cow::Borrowed(_)));
    }
}
