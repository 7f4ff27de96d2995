//! How much of everything is remembered, by the memory there is.

/// Bytes of all tables at their capacities, where each identity calls the endpoints that are remembered of it.
const WHOLE: usize = 9 << 20;

/// A part of the capacities: halves, since tables double.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Room {
    halved: u32,
}

impl Room {
    /// In so many bytes.
    pub(in super::super) fn of_memory(bytes: usize) -> Self {
        let halved = WHOLE.div_ceil(bytes.max(1)).next_power_of_two().trailing_zeros();
        Self { halved }
    }

    /// Of a capacity.
    pub(super) const fn of(self, capacity: usize) -> usize {
        capacity >> self.halved
    }
}
