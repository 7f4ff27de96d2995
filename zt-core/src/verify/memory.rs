//! What the stores take.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Config, replay};
use crate::base::units::Size;

/// Bytes of each store: what it may take, or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Memory {
    /// Remembered tokens.
    pub cache: usize,
    /// Revocations.
    pub revocations: usize,
    /// Used proofs.
    pub proofs: usize,
}

impl Default for Memory {
    /// The shares of 64 MiB.
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        Self { cache: 96 * MIB / 10, revocations: 64 * MIB / 10, proofs: 64 * MIB / 10 }
    }
}

impl Memory {
    /// The fewest bytes for used proofs.
    pub(crate) const LEAST_PROOFS: u64 = replay::LEAST_BYTES;

    /// These, where the configuration says nothing.
    pub(super) fn unless_said(self, config: &Config) -> Self {
        let said = |size: Option<Size>, share| size.map_or(share, Size::bytes_usize);
        Self {
            cache: said(config.cache.memory, self.cache),
            revocations: said(config.revocation_memory, self.revocations),
            proofs: said(config.replay_memory, self.proofs),
        }
    }
}
