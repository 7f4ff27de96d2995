//! The only place that knows the order of the stages.
/// Plain data.
pub struct Config;
/// Compiled.
pub struct Engine;
/// What changes.
pub struct State;
