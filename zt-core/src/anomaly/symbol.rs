//! What a byte is to a profile: letters and digits are all alike, every other byte is itself.

/// A class of bytes: a run of one class is one step of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Letter,
    At,
    Digit,
    Space,
    Slash,
    Point,
    Quote,
    Angle,
    Bracket,
    Shell,
    Assign,
    Control,
    High,
    Other,
    Percent,
}

impl Class {
    const fn of(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Self::Letter,
            b'@' => Self::At,
            b'0'..=b'9' => Self::Digit,
            b' ' => Self::Space,
            b'/' | b'\\' => Self::Slash,
            b'.' | b'-' | b'_' => Self::Point,
            b'\'' | b'"' | b'`' => Self::Quote,
            b'<' | b'>' => Self::Angle,
            b'(' | b')' | b'[' | b']' | b'{' | b'}' => Self::Bracket,
            b';' | b'|' | b'&' | b'$' => Self::Shell,
            b'=' | b',' | b':' => Self::Assign,
            0..=31 | 127 => Self::Control,
            128.. => Self::High,
            b'%' => Self::Percent,
            _ => Self::Other,
        }
    }

    /// For people.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::At => "at sign",
            Self::Digit => "digit",
            Self::Space => "space",
            Self::Slash => "slash",
            Self::Point => "point, hyphen or underscore",
            Self::Quote => "quote",
            Self::Angle => "angle bracket",
            Self::Bracket => "bracket",
            Self::Shell => "one of `;|&$`",
            Self::Assign => "one of `=,:`",
            Self::Control => "control character",
            Self::High => "byte beyond ASCII",
            Self::Other => "other punctuation",
            Self::Percent => "percent sign",
        }
    }
}

/// Before the first byte of a value.
pub(super) const START: u8 = 0;
/// Behind its last.
pub(super) const END: u8 = 1;
const LETTER: u8 = 2;
const DIGIT: u8 = 3;
const HIGH: u8 = 4;

/// Class and symbol of each byte.
#[expect(clippy::indexing_slicing, reason = "made by the compiler")]
const TABLE: [(Class, u8); 256] = {
    let mut table = [(Class::Other, 0_u8); 256];
    let mut byte = 0_usize;
    let mut next = HIGH + 1;
    while byte < 256 {
        let class = Class::of(byte as u8);
        let symbol = match class {
            Class::Letter => LETTER,
            Class::Digit => DIGIT,
            Class::High => HIGH,
            _ => {
                next += 1;
                next - 1
            }
        };
        table[byte] = (class, symbol);
        byte += 1;
    }
    table
};

/// Class and symbol of a byte.
#[inline]
#[expect(clippy::indexing_slicing, reason = "a table of 256 has every byte")]
pub(super) const fn of(byte: u8) -> (Class, u8) {
    TABLE[byte as usize]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn letters_digits_and_high_bytes_are_alike_and_all_others_themselves() {
        assert_eq!(of(b'a').1, of(b'Z').1);
        assert_eq!(of(b'0').1, of(b'9').1);
        assert_eq!(of(0x80).1, of(0xff).1);
        let symbols: BTreeSet<u8> = (0..=255).map(|byte| of(byte).1).collect();
        assert_eq!(symbols.len(), 3 + 128 - 62);
        assert!(!symbols.contains(&START) && !symbols.contains(&END));
        assert!(symbols.iter().all(|symbol| *symbol < 128));
    }
}
