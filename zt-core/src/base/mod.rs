//! Tools with no security meaning.

pub mod bounded;
pub mod bytes;
pub mod json;
pub mod percent;
pub mod units;
