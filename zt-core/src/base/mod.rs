//! Tools with no security meaning.

pub mod base64url;
pub mod bounded;
pub mod bytes;
pub mod calendar;
pub mod json;
pub mod percent;
pub mod units;
