//! JSON Schemas of the contract, generated from the types themselves.

use schemars::{Schema, schema_for};

use super::{Decision, Event, LearnedLimits, ResponseDecision};

/// Every document of the contract with its JSON Schema (draft 2020-12), by file name.
pub fn schemas() -> [(&'static str, Schema); 4] {
    [
        ("event", schema_for!(Event)),
        ("decision", schema_for!(Decision)),
        ("response_decision", schema_for!(ResponseDecision)),
        ("learned_limits", schema_for!(LearnedLimits)),
    ]
}
