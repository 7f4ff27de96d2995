//! Tools with no security meaning.

pub mod base64url;
pub mod bounded;
pub mod bytes;
pub mod calendar;
pub mod decayed;
pub mod envelope;
pub mod fixed;
pub mod forwarded;
pub mod generations;
pub mod geo;
pub mod json;
pub mod keyed;
pub mod leaves;
pub mod math;
pub mod media_type;
pub mod member_path;
pub mod near;
pub mod network;
pub mod percent;
pub mod units;
