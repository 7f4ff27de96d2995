//! Learning from what was recorded: files of other formats as events, and baselines from events.
//!
//! [`access_log`] reads a line that Apache or nginx wrote, [`har`] what a browser or a proxy saved; a [`Learner`] makes a
//! [`Baseline`](crate::anomaly::Baseline) of them.

mod access_log;
mod har;
mod instant;
mod learner;
mod url;

pub use access_log::{AccessLogError, access_log};
pub use har::{HarError, har};
pub use learner::{Labels, Learned, Learner, Taught, Turn, least_budget};
