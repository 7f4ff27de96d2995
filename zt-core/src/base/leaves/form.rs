//! `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), read as leniently as there.

use std::borrow::Cow;

use super::{Leaf, Place};
use crate::base::percent::hex;

/// Bytes that are looked through before a vectorised search has begun: most names and values have no more.
const SHORT: usize = 24;

/// Each parameter of a query or a form: one `&` after the other, name and value decoded.
pub fn form(place: Place, text: &[u8], visit: &mut impl FnMut(Leaf<'_>)) {
    let mut left = text;
    while !left.is_empty() {
        let end = memchr::memchr(b'&', left).unwrap_or(left.len());
        let (parameter, rest) = left.split_at_checked(end).unwrap_or((left, &[]));
        left = rest.get(1..).unwrap_or_default();
        if parameter.is_empty() {
            continue;
        }
        let equals = match parameter.len() {
            ..=SHORT => parameter.iter().position(|byte| *byte == b'='),
            _ => memchr::memchr(b'=', parameter),
        };
        let (name, value) = match equals {
            Some(at) => (parameter.get(..at), parameter.get(at.saturating_add(1)..)),
            None => (Some(parameter), None),
        };
        let (name, value) = (decode(name.unwrap_or_default()), decode(value.unwrap_or_default()));
        visit(Leaf { place, name: &name, value: &value });
    }
}

/// A `+` is a space, a `%` without two digits itself; borrows where neither is.
pub(super) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    let first = match text.len() {
        ..=SHORT => text.iter().position(|byte| matches!(byte, b'%' | b'+')),
        _ => memchr::memchr2(b'%', b'+', text),
    };
    let Some(first) = first else { return Cow::Borrowed(text) };
    let (plain, mut rest) = text.split_at_checked(first).unwrap_or((text, &[]));
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(plain);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => out.push(b' '),
            b'%' => match digits(tail) {
                Some((decoded, after)) => {
                    out.push(decoded);
                    rest = after;
                }
                None => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

fn digits(text: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, after @ ..] = text else { return None };
    Some((hex(*high)? << 4 | hex(*low)?, after))
}
