//! Numbers (RFC 8259, section 6).

use super::{Error, ErrorKind};

/// Scans the number at `from`; gives the index behind it.
pub(super) fn scan(bytes: &[u8], from: usize, most_digits: u32) -> Result<usize, Error> {
    let mut cursor = Cursor { bytes, at: from, digits: 0 };
    cursor.skip(b"-");
    let leading = cursor.at;
    cursor.digits()?;
    if bytes.get(leading) == Some(&b'0') && cursor.at > leading.saturating_add(1) {
        return Err(ErrorKind::Malformed.at(leading));
    }
    if cursor.skip(b".") {
        cursor.digits()?;
    }
    if cursor.skip(b"eE") {
        cursor.skip(b"+-");
        cursor.digits()?;
    }
    match cursor.digits > usize::try_from(most_digits).unwrap_or(usize::MAX) {
        true => Err(ErrorKind::NumberTooLong.at(from)),
        false => Ok(cursor.at),
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    digits: usize,
}

impl Cursor<'_> {
    /// Steps over one of these.
    fn skip(&mut self, any: &[u8]) -> bool {
        let here = self.bytes.get(self.at).is_some_and(|byte| any.contains(byte));
        self.at = self.at.saturating_add(usize::from(here));
        here
    }

    /// Steps over one digit or more.
    fn digits(&mut self) -> Result<(), Error> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at = self.at.saturating_add(run);
        self.digits = self.digits.saturating_add(run);
        match (run, rest.is_empty()) {
            (0, true) => Err(ErrorKind::UnexpectedEnd.at(self.bytes.len())),
            (0, false) => Err(ErrorKind::Malformed.at(self.at)),
            _ => Ok(()),
        }
    }
}
