//! How well scores tell attacks from normal requests, with confidence intervals.
//!
//! [`evaluate`] makes a [`Report`] of rows, each with a label and a score. Where recorded traffic has no labels, [`plant`] puts
//! attacks of [several families](Family) into copies of it; [`Explanations`] count whether what is said of them names the place.
//! A [`LimitTrial`] says what [learned limits](crate::model::LearnedLimits) would have refused.

mod alarms;
mod curve;
mod estimate;
mod explanations;
mod inject;
mod limits;
mod markdown;
mod random;
mod report;
mod resample;
mod scores;

pub use alarms::{Alarms, Budgeted};
pub use curve::Point;
pub use estimate::{Estimate, share};
pub use explanations::{Explained, Explanations};
pub use inject::{Family, Planted, plant};
pub use limits::{LimitTrial, Touched, Tried};
pub use report::{Measures, Options, Part, Report, Row, Step, evaluate};
pub use scores::{Found, Scores};
