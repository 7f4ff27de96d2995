//! Is this unusual?
//!
//! What is normal is learned from the requests themselves: for every endpoint which parameters and headers come together,
//! for every value which characters follow which, how long it is, whether it is one of a few. How surprising each of these
//! is, compared with how surprising it usually is, makes a score for each [`Channel`]; scores of normal requests make a
//! threshold that keeps a [budget](Scored::share) of false alarms.

mod baseline;
mod calibration;
mod delta;
mod explain;
mod file;
mod item;
mod kind;
mod model;
mod request;
mod score;
mod state;
mod symbol;
mod trainer;
mod value;

pub use baseline::{Baseline, Scored};
pub use explain::Explanation;
pub use file::BaselineError;
pub use kind::Channel;
pub use request::Target;
pub use state::{State, Trace};
pub use trainer::{Pass, Trainer};

#[cfg(test)]
mod tests;
