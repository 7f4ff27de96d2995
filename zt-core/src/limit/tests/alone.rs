//! A count that is tested alone: its one key, and what is asked of it.

use crate::base::bounded::{Key, KeyHasher};
use crate::limit::window::{Ask, Commit};

pub(in crate::limit) fn key() -> Key {
    KeyHasher::new(1).part(b"k").key()
}

/// To spend so much, and leave the reserve.
pub(in crate::limit) fn spend(amount: u32, reserve: u32) -> Ask {
    Ask { amount, reserve, commit: Commit::Spend }
}
