//! Tools with no security meaning.

pub mod bounded;
pub mod json;
pub mod percent;
pub mod units;
