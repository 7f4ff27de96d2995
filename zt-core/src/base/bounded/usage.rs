//! How full a store is.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Bounded, Value};

/// How full a store is, and what it had to give up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Usage {
    /// Bytes that it holds.
    pub memory: usize,
    /// Entries that it holds.
    pub entries: usize,
    /// Entries that it has places for.
    pub capacity: usize,
    /// Entries that had no place left so far: they, or others for them, were given up as the store states.
    pub evicted: u64,
}

impl Usage {
    /// Two stores as one.
    pub fn and(self, other: Self) -> Self {
        Self {
            memory: self.memory.saturating_add(other.memory),
            entries: self.entries.saturating_add(other.entries),
            capacity: self.capacity.saturating_add(other.capacity),
            evicted: self.evicted.saturating_add(other.evicted),
        }
    }
}

impl<V: Value> Bounded<V> {
    /// How full it is.
    pub fn usage(&self) -> Usage {
        Usage { memory: self.memory(), entries: self.len(), capacity: self.capacity(), evicted: self.evicted() }
    }
}
