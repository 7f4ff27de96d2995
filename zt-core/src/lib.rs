//! zt: a policy decision point that lives inside the process it protects.
//!
//! Three values and nothing else to learn: [`Config`] is plain data from `zt.toml`, [`Engine`] is that
//! configuration compiled once and immutable, [`State`] is everything that changes. Each request is one call of
//! [`Engine::decide`]; its response, if the host wants it looked at, one call of [`Engine::observe`].
//!
//! Everything here is a function of its arguments: no clock, no network, no files, no environment, no threads,
//! no global state. The host reads the clock and does the I/O.
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod base;
pub mod model;

pub mod anomaly;
pub mod inspect;
pub mod limit;
pub mod policy;
pub mod respond;
pub mod route;
pub mod verify;

pub mod engine;

pub mod evaluate;
pub mod learn;

pub mod wire;

#[cfg(feature = "tower")]
pub mod tower;

pub use engine::{Config, Engine, State};

/// The Rust code of the README, run as a test.
#[cfg(all(doctest, feature = "compile"))]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// Shared with the tests beside the sources.
#[cfg(test)]
#[path = "../tests/hs256/mod.rs"]
mod hs256;
