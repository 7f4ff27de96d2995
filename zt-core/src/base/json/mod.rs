//! A strict JSON scanner (RFC 8259) that builds nothing.
//!
//! [`Scanner`] hands out one [`Token`] after the other and remembers only what strictness asks for: the open
//! containers and the member names of the open objects. It refuses what parsers disagree on (duplicate members, lone
//! surrogates, a byte order mark, anything after the value) and what exhausts them (see [`Limits`]), never recurses,
//! and allocates only past eight levels, sixteen open member names, or for an escaped name.

mod members;
mod number;
mod scanner;
mod string;

pub use scanner::{Kind, Refused, Scanner, Token};
pub use string::Str;

/// How much of a JSON text is read before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text.
    pub bytes: usize,
    /// Containers inside each other.
    pub depth: u32,
    /// Values in the whole text, containers included.
    pub values: u32,
    /// Members of one object.
    pub members: u32,
    /// Elements of one array.
    pub elements: u32,
    /// Digits of one number, fraction and exponent included.
    pub number_digits: u32,
    /// Bytes of one member name, as written.
    pub key_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            depth: 32,
            values: 10_000,
            members: 1_000,
            elements: 10_000,
            number_digits: 128,
            key_bytes: 1_024,
        }
    }
}

/// Why a text was refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, in bytes from 0.
    pub offset: usize,
}

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ErrorKind {
    /// Not the grammar of RFC 8259.
    #[error("malformed json")]
    Malformed,
    /// The text ends inside a value: cut, or never finished.
    #[error("unexpected end of json")]
    UnexpectedEnd,
    /// Something other than white space follows the value.
    #[error("data after the json value")]
    TrailingData,
    /// Bytes that are not UTF-8.
    #[error("invalid utf-8")]
    InvalidUtf8,
    /// The text starts with a UTF-8 byte order mark.
    #[error("byte order mark")]
    ByteOrderMark,
    /// More bytes than the limit, in the text or in a member name.
    #[error("json larger than the limit")]
    TooLarge,
    /// More levels than the limit.
    #[error("json nested deeper than the limit")]
    TooDeep,
    /// More values than the limit.
    #[error("more json values than the limit")]
    TooManyValues,
    /// More members in an object, or elements in an array, than the limit.
    #[error("more members or elements than the limit")]
    TooManyMembers,
    /// More digits in a number than the limit.
    #[error("number longer than the limit")]
    NumberTooLong,
    /// An object names a member twice.
    #[error("duplicate member name")]
    DuplicateKey,
    /// Half of a surrogate pair in `\u` escapes.
    #[error("lone surrogate")]
    LoneSurrogate,
    /// A control character that is not escaped in a string.
    #[error("control character in a string")]
    ControlCharacter,
}

impl ErrorKind {
    /// This, at this byte.
    const fn at(self, offset: usize) -> Error {
        Error { kind: self, offset }
    }
}

/// Reads a text to its end and keeps nothing.
///
/// # Errors
/// The first [`Error`] of the text.
pub fn validate(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    let mut scanner = Scanner::new(bytes, limits);
    while scanner.next()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests;
