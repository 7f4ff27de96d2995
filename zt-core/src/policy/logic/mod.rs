//! Conditions as sets of requests, for analysis and differences: exact where a condition is about one attribute at a
//! time, and never wrong where it is not.

mod condition;
mod cube;
mod kind;
mod place;
mod rules;
mod unknown;
mod values;
mod words;

pub(crate) use condition::Outcome;
pub(crate) use cube::{Cube, remainder};
pub(crate) use rules::Rules;
pub(crate) use unknown::{ANYONE, KINDS, TRUE, Unknown};
pub(crate) use values::Values;
pub(crate) use words::{entity, words};
