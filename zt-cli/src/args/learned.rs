//! What is learned of recorded events, and what follows from it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Common;

/// Recorded events, of any format.
#[derive(Debug, Args)]
pub(crate) struct Recorded {
    /// Stop at the first malformed line or entry.
    #[arg(long)]
    pub(crate) strict: bool,
    /// What the inputs are.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Auto)]
    pub(crate) format: Format,
    /// Events as JSON Lines, access logs (common or combined), or HTTP Archives; plain, gzip or Zstandard.
    #[arg(value_name = "IN", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Each by how it begins.
    Auto,
    /// One event a line.
    Events,
    /// One request a line, as Apache and nginx write them.
    AccessLog,
    /// An HTTP Archive (HAR 1.2).
    Har,
}

#[derive(Debug, Args)]
pub(crate) struct Learn {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Where to write the baseline.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Add to what this baseline counts. What scores mean is taken anew, from these inputs alone.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Leave what `--baseline` counts as it is, and take only what scores mean from these inputs.
    #[arg(long, requires = "baseline")]
    pub(crate) calibrate: bool,
    /// Key of the hashes, for baselines that are to be merged; without it that of `[state] seed`, else a random one.
    #[arg(long, value_name = "NUMBER", conflicts_with = "baseline")]
    pub(crate) seed: Option<u64>,
    /// Issuer of the tokens that will say who it is while serving: `subject` of an event is taken for one of its subjects.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    #[command(flatten)]
    pub(crate) recorded: Recorded,
}

#[derive(Debug, Args)]
pub(crate) struct Limits {
    #[command(flatten)]
    pub(crate) common: Common,
    /// A baseline of `zt learn`.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: PathBuf,
    /// Share of the days of clients that a limit may touch; 0.01 when absent.
    #[arg(long, value_name = "SHARE")]
    pub(crate) budget: Option<f64>,
    /// Only what was learned of this identity alone, all endpoints together; a sample is a day.
    #[arg(long, value_name = "PRINCIPAL", conflicts_with = "tried")]
    pub(crate) identity: Option<String>,
    /// Its issuer, where a token said who it was.
    #[arg(long, value_name = "URL", requires = "identity")]
    pub(crate) issuer: Option<String>,
    /// Write `[[limit]]` tables, in monitor mode.
    #[arg(long, conflicts_with_all = ["json", "tried", "identity"])]
    pub(crate) toml: bool,
    /// The period of limits that are written as TOML or tried.
    #[arg(long, value_name = "SPAN", value_enum, default_value_t = Period::TenMinutes)]
    pub(crate) period: Period,
    /// Try the limits on these recorded events, in the order of time: events as JSON Lines, access logs or HTTP Archives.
    #[arg(long = "try", value_name = "IN", num_args = 1..)]
    pub(crate) tried: Vec<PathBuf>,
}

/// The periods that rates are learned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Period {
    /// A minute.
    #[value(name = "1m")]
    Minute,
    /// Ten minutes.
    #[value(name = "10m")]
    TenMinutes,
    /// An hour.
    #[value(name = "1h")]
    Hour,
}

impl Period {
    pub(crate) const fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::TenMinutes => 600,
            Self::Hour => 3_600,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// Where to write the merged baseline.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
    /// Baselines of one seed, each once.
    #[arg(value_name = "BASELINE", required = true)]
    pub(crate) baselines: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Eval {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The baseline.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: PathBuf,
    /// Share of normal requests that may be called attacks; without it that of `[anomaly] budget`, else 0.001.
    #[arg(long, value_name = "SHARE")]
    pub(crate) budget: Option<f64>,
    /// Of samples, and of planted attacks.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the report as Markdown to this file, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Draw the ROC and the precision-recall curve into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) recorded: Recorded,
}
