//! `[[respond.ladder]]`: what is a strike, against whom, and what so many of them call for.

mod codes;
mod compile;
mod rungs;
mod spans;

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::compile::compile;
use super::state::LEAST_BYTES;
use crate::base::units::{Duration, Rate};
use crate::model::{Mode, Rung, SubjectKind};

/// `[respond]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Ladders; each is climbed by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<LadderConfig>,
}

impl Config {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.ladder.is_empty()
    }

    /// Bytes that its ladders need at least, and one table more for what persons have suspended.
    pub(crate) fn least_memory(&self) -> u64 {
        let tables = if self.ladder.is_empty() { 0 } else { self.ladder.len().saturating_add(1) };
        (tables as u64).saturating_mul(LEAST_BYTES)
    }
}

/// One `[[respond.ladder]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LadderConfig {
    /// Its name, in reasons and actions: letters, digits and `-_.:/`, at most 64.
    pub name: String,
    /// Whom strikes count against.
    pub subject: SubjectKind,
    /// Which findings are a strike: codes, or `family.*`, which leaves out the steps of well-meaning clients
    /// (`verify.no_credential`, `verify.nonce_required`, `verify.expired`, `verify.reauthenticate`) and what fails here
    /// (`policy.error`).
    pub codes: Vec<String>,
    /// Strikes from which its requests are flagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<NonZeroU32>,
    /// Strikes from which the end user has to authenticate again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<NonZeroU32>,
    /// Strikes from which its requests are slowed down to `throttled_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<NonZeroU32>,
    /// Strikes at which it is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<NonZeroU32>,
    /// How fast strikes are forgiven; `1/1m` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<Rate>,
    /// What passes on the throttle rung; `1/1s` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled_rate: Option<Rate>,
    /// How long the first suspension is; `5m` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_for: Option<Duration>,
    /// Each later suspension is so many times longer; 4 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<NonZeroU32>,
    /// No suspension is longer; `24h` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest: Option<Duration>,
    /// So long after the last suspension the next is a first again; `7d` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget: Option<Duration>,
    /// Whether it acts or only reports.
    #[serde(default)]
    pub mode: Mode,
}

pub(super) const DECAY: Rate = Rate { count: 1, per: Duration::from_millis(60_000) };
pub(super) const THROTTLED_RATE: Rate = Rate { count: 1, per: Duration::from_millis(1_000) };
pub(super) const SUSPEND_FOR: Duration = Duration::from_millis(5 * 60_000);
pub(super) const ESCALATE: u32 = 4;
pub(super) const LONGEST: Duration = Duration::from_millis(24 * 3_600_000);
pub(super) const FORGET: Duration = Duration::from_millis(7 * 24 * 3_600_000);

impl LadderConfig {
    /// Strikes from which a rung holds.
    pub(super) fn threshold(&self, rung: Rung) -> Option<u32> {
        match rung {
            Rung::Flag => self.flag,
            Rung::StepUp => self.step_up,
            Rung::Throttle => self.throttle,
            Rung::Suspend => self.suspend,
        }
        .map(NonZeroU32::get)
    }
}
