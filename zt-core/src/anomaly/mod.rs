//! Is this unusual?
//!
//! What is normal is learned from the requests themselves: for every endpoint which parameters and headers come together,
//! for every value which characters follow which, how long it is, whether it is one of a few. How surprising each of these
//! is, compared with how surprising it usually is, makes a score for each [`Channel`]; scores of normal requests make a
//! threshold that keeps a [budget](Scored::share) of false alarms.
//!
//! Beside requests there are numbers: [`Series`] knows what is usual of one number over time, as requests a minute, and
//! [`Numbers`] of a few numbers that belong together, as status, size and latency of a response.

mod answers;
mod baseline;
mod behaviour;
mod calibration;
mod delta;
mod detector;
mod drift;
mod evidence;
mod explain;
mod file;
mod follower;
mod heard;
mod item;
mod kind;
mod model;
mod numbers;
mod rates;
mod request;
mod score;
mod series;
mod shown;
mod state;
mod symbol;
mod trainer;
mod value;
mod verdicts;
mod watch;

pub use answers::Answered;
pub use baseline::{Baseline, OtherSeed, Scored};
pub use behaviour::Signal;
pub use detector::{Detector, Judged};
pub use drift::{Course, Drift};
pub use evidence::Evidence;
pub use explain::Explanation;
pub use file::BaselineError;
pub use follower::{Followed, Follower};
pub use kind::Channel;
pub use numbers::Numbers;
pub use rates::{LIMIT_BUDGET, endpoint_name};
pub use request::Target;
pub use series::{Series, Surprise};
pub use state::{State, Trace};
pub use trainer::{Pass, Trainer};
pub use verdicts::Feedback;

#[cfg(test)]
mod tests;
