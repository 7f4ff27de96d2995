//! Who did something: enough different clients make it known.

/// Different clients that make a key known.
pub(super) const ENOUGH: u32 = 3;

/// Which clients: one bit of eight for each, so two may look like one, and one never like two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Support(pub(super) u8);

impl Support {
    /// One client, by a hash of it.
    pub(in super::super) const fn of(client: u64) -> Self {
        Self(1 << (client >> 61))
    }

    pub(in super::super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn number(self) -> u32 {
        self.0.count_ones()
    }

    pub(super) const fn is_enough(self) -> bool {
        self.number() >= ENOUGH
    }

    /// Whether a key of this support is known where the context has the other: to as many as make it so, or to all there are.
    pub(super) const fn knows(self, key: Self) -> bool {
        key.is_enough() || key.number() >= self.number()
    }
}
