//! Quantities as people write them in a configuration: `"250ms"`, `"64MiB"`, `"100/1m"`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time with a unit: `ms`, `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    millis: i64,
}

/// A number of bytes: plain, or with `B`, `KiB`, `MiB`, `GiB` (also `kB`, `MB`, `GB`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    bytes: u64,
}

/// A number of cells per span of time: `"100/1m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Cells, at least 1.
    pub count: u32,
    /// Span, at least 1 ms.
    pub per: Duration,
}

/// Text that is not the quantity that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct UnitError {
    text: String,
    expected: &'static str,
}

const DURATION_UNITS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZE_UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];
// What stands after `; ` is what to write.
const DURATION: &str = "a duration with a unit; write it as \"250ms\", \"5m\" or \"24h\", in ms, s, m, h or d";
const SIZE: &str = "a size; write it as \"64KiB\" or \"64MiB\", in B, KiB, MiB, GiB, kB, MB or GB";
const RATE: &str = "a rate; write it as \"20/1s\" or \"1000/1h\": a number from 1 on, and a span in ms, s, m, h or d";

impl Duration {
    /// A span of this many milliseconds; negative ones become zero.
    pub const fn from_millis(millis: i64) -> Self {
        Self { millis: if millis < 0 { 0 } else { millis } }
    }

    /// Milliseconds, never negative.
    pub const fn millis(self) -> i64 {
        self.millis
    }
}

impl Size {
    /// This many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self { bytes }
    }

    /// Bytes.
    pub const fn bytes(self) -> u64 {
        self.bytes
    }

    /// Bytes, as far as this target can count them.
    pub fn bytes_usize(self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }
}

fn quantity(text: &str, units: &[(&str, u64)], expected: &'static str) -> Result<u64, UnitError> {
    let error = || UnitError { text: text.to_owned(), expected };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(error)?;
    let number: u64 = number.parse().map_err(|_| error())?;
    let (_, scale) = units.iter().find(|(name, _)| *name == unit.trim_start()).ok_or_else(error)?;
    number.checked_mul(*scale).filter(|n| i64::try_from(*n).is_ok()).ok_or_else(error)
}

impl FromStr for Duration {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let millis = quantity(text, DURATION_UNITS, DURATION)?;
        Ok(Self { millis: i64::try_from(millis).unwrap_or(i64::MAX) })
    }
}

impl FromStr for Size {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        Ok(Self { bytes: quantity(text, SIZE_UNITS, SIZE)? })
    }
}

impl FromStr for Rate {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError { text: text.to_owned(), expected: RATE };
        let (count, per) = text.split_once('/').ok_or_else(error)?;
        let count: u32 = count.trim().parse().map_err(|_| error())?;
        let per: Duration = per.trim().parse().map_err(|_| error())?;
        if count == 0 || per.millis == 0 { Err(error()) } else { Ok(Self { count, per }) }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = DURATION_UNITS.iter().rev().find(|(_, scale)| {
            i64::try_from(*scale).is_ok_and(|scale| self.millis != 0 && self.millis.checked_rem(scale) == Some(0))
        });
        let (unit, scale) = largest.map_or(("ms", 1), |(unit, scale)| (*unit, i64::try_from(*scale).unwrap_or(1)));
        write!(f, "{}{unit}", self.millis.checked_div(scale).unwrap_or(self.millis))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}B", self.bytes)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.per)
    }
}

macro_rules! as_string {
    ($type:ty, $expected:expr, $name:literal, $pattern:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Written;

                impl Visitor<'_> for Written {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Written)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern})
            }
        }
    };
}

as_string!(Duration, DURATION, "Duration", "^[0-9]+ *(ms|s|m|h|d)$");
as_string!(Size, SIZE, "Size", "^[0-9]+ *(B|kB|MB|GB|KiB|MiB|GiB)?$");
as_string!(Rate, RATE, "Rate", "^[0-9]+/[0-9]+ *(ms|s|m|h|d)$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_and_print() {
        assert_eq!("250ms".parse::<Duration>().unwrap().millis(), 250);
        assert_eq!("24h".parse::<Duration>().unwrap().to_string(), "1d");
        assert_eq!("64MiB".parse::<Size>().unwrap().bytes(), 64 << 20);
        let rate: Rate = "100/1m".parse().unwrap();
        assert_eq!((rate.count, rate.per.millis()), (100, 60_000));
        assert_eq!(rate.to_string(), "100/1m");
    }

    #[test]
    fn what_is_not_a_quantity_is_an_error() {
        for text in ["", "5", "m", "-1s", "1.5h", "99999999999999999999s", "9223372036854775807h", "5 weeks"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
        for text in ["0/1s", "1/0s", "1", "x/1s", "1/1", "4294967296/1s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
