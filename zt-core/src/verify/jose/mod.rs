//! JOSE: compact signatures and key sets (RFC 7515, RFC 7517, RFC 7518), read strictly.

mod actors;
pub(super) mod admission;
pub(super) mod algorithm;
pub(super) mod claims;
pub(super) mod confirmation;
mod curve;
pub(super) mod header;
pub(super) mod jwk;
pub(super) mod jws;
pub(super) mod known;
pub(super) mod members;
#[cfg(any(target_arch = "wasm32", test))]
mod rsa;
mod signature;
pub(super) mod thumbprint;
#[cfg(test)]
mod wycheproof;

use super::Refusal;
