//! Numbers (RFC 8259, section 6), in pieces.

use super::Unreadable;

/// What of a number was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Minus,
    /// A first digit 0: no other may follow.
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Number {
    pub(super) fn first(byte: u8) -> Option<Self> {
        match byte {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Integer),
            _ => None,
        }
    }

    /// Reads to the first byte that is none of a number's.
    pub(super) fn read(mut self, rest: &[u8]) -> Result<(usize, Self), Unreadable> {
        for (at, byte) in rest.iter().enumerate() {
            self = match (self, byte) {
                (Self::Integer | Self::Fraction | Self::Power, b'0'..=b'9') => self,
                (_, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') => self.then(*byte).ok_or(Unreadable::Malformed)?,
                _ => return Ok((at, self)),
            };
        }
        Ok((rest.len(), self))
    }

    /// Whether it may end here.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Power)
    }

    fn then(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus | Self::Integer, b'0'..=b'9') => Some(Self::Integer),
            (Self::Zero | Self::Integer, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::Sign),
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Some(Self::Power),
            _ => None,
        }
    }
}
