//! Whether something is enforced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether decisions, or the findings of one rule, are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are enforced.
    #[default]
    Enforce,
    /// They are reported; the request passes.
    Monitor,
}
