//! JOSE: compact signatures and key sets (RFC 7515, RFC 7517, RFC 7518), read strictly.

pub(super) mod admission;
pub(super) mod algorithm;
pub(super) mod claims;
mod curve;
pub(super) mod header;
mod jwk;
pub(super) mod jws;
pub(super) mod known;
mod signature;
#[cfg(test)]
mod wycheproof;

use super::Refusal;
