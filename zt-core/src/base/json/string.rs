//! Strings (RFC 8259, section 7).

use std::borrow::Cow;
use std::fmt;

use super::{Error, ErrorKind};
use crate::base::percent::hex;

/// A string or member name that was checked while scanning. Two are equal when they mean the same text.
#[derive(Clone, Copy)]
pub struct Str<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Str<'a> {
    #[inline]
    pub(super) const fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// The text between the quotes as written, escapes untouched.
    pub const fn raw(&self) -> &'a str {
        self.raw
    }

    /// Whether an escape is in it: if not, `raw` is what it means.
    pub const fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// What it means; borrows when nothing is escaped.
    #[inline]
    pub fn unescape(&self) -> Cow<'a, str> {
        if self.escaped { Cow::Owned(self.unescaped()) } else { Cow::Borrowed(self.raw) }
    }

    #[cold]
    fn unescaped(&self) -> String {
        let mut out = String::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some((plain, escape)) = rest.split_once('\\') {
            out.push_str(plain);
            let (meant, after) = decode(escape);
            out.push(meant);
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

impl PartialEq for Str<'_> {
    fn eq(&self, other: &Self) -> bool {
        match self.escaped || other.escaped {
            true => self.unescape() == other.unescape(),
            false => self.raw == other.raw,
        }
    }
}

impl Eq for Str<'_> {}

impl PartialEq<str> for Str<'_> {
    fn eq(&self, other: &str) -> bool {
        match self.escaped {
            true => self.unescape() == other,
            false => self.raw == other,
        }
    }
}

impl fmt::Debug for Str<'_> {
    /// Length only: it may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Str({} bytes)", self.raw.len())
    }
}

/// Scans a string from behind its opening quote; gives the index of its closing quote, and whether an escape is in it.
#[inline(always)]
pub(super) fn scan(bytes: &[u8], from: usize) -> Result<(usize, bool), Error> {
    let (mut at, mut escaped) = (from, false);
    loop {
        at = special(bytes, at);
        match bytes.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at = escape(bytes, at)?;
            }
            Some(_) => return Err(ErrorKind::ControlCharacter.at(at)),
            None => return Err(ErrorKind::UnexpectedEnd.at(bytes.len())),
        }
    }
}

/// Index of the next quote, backslash or control character, or the length.
#[inline(always)]
fn special(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut rest = bytes.get(from..).unwrap_or_default();
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        // Eight bytes at once. A borrow can only mark a byte above one that is truly marked, and the lowest counts.
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (ONES * b'"' as u64));
        let backslash = zero(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES << 5) & !word;
        let marks = (quote | backslash | control) & HIGH;
        if marks != 0 {
            let within = usize::try_from(marks.trailing_zeros() >> 3).unwrap_or_default();
            return bytes.len().saturating_sub(rest.len()).saturating_add(within);
        }
        rest = tail;
    }
    let within = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20).unwrap_or(rest.len());
    bytes.len().saturating_sub(rest.len()).saturating_add(within)
}

/// Checks the escape at `at`; gives the index behind it.
#[cold]
fn escape(bytes: &[u8], at: usize) -> Result<usize, Error> {
    let end = ErrorKind::UnexpectedEnd.at(bytes.len());
    let behind = |length: usize| at.saturating_add(length);
    match bytes.get(behind(1)).ok_or(end)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(behind(2)),
        b'u' => match unit(bytes, behind(2))? {
            0xD800..=0xDBFF => {
                let lone = ErrorKind::LoneSurrogate.at(at);
                if *bytes.get(behind(6)).ok_or(end)? != b'\\' || *bytes.get(behind(7)).ok_or(end)? != b'u' {
                    return Err(lone);
                }
                match unit(bytes, behind(8))? {
                    0xDC00..=0xDFFF => Ok(behind(12)),
                    _ => Err(lone),
                }
            }
            0xDC00..=0xDFFF => Err(ErrorKind::LoneSurrogate.at(at)),
            _ => Ok(behind(6)),
        },
        _ => Err(ErrorKind::Malformed.at(behind(1))),
    }
}

/// The UTF-16 code unit that four hexadecimal digits at `from` write.
fn unit(bytes: &[u8], from: usize) -> Result<u32, Error> {
    let mut unit = 0;
    for at in from..from.saturating_add(4) {
        let digit = *bytes.get(at).ok_or(ErrorKind::UnexpectedEnd.at(bytes.len()))?;
        unit = unit << 4 | u32::from(hex(digit).ok_or(ErrorKind::Malformed.at(at))?);
    }
    Ok(unit)
}

/// What a checked escape means, from behind its backslash, and what follows it.
fn decode(escape: &str) -> (char, &str) {
    let mut rest = escape.chars();
    let meant = match rest.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return decode_unit(rest.as_str()),
        Some(itself) => itself,
        // Unreachable: it was checked.
        None => char::REPLACEMENT_CHARACTER,
    };
    (meant, rest.as_str())
}

fn decode_unit(digits: &str) -> (char, &str) {
    let read = |text: &str, from| unit(text.as_bytes(), from).unwrap_or(0xFFFD);
    match read(digits, 0) {
        high @ 0xD800..=0xDBFF => {
            let low = read(digits, 6);
            let point = 0x1_0000 + ((high & 0x3FF) << 10 | low & 0x3FF);
            (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), digits.get(10..).unwrap_or_default())
        }
        point => (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), digits.get(4..).unwrap_or_default()),
    }
}
