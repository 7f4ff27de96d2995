//! What can be written on the command line.

mod key;
mod learned;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use key::{Key, KeyCheck, KeyCommand, KeyNew, KeySigning};
pub(crate) use learned::{Eval, Format, Learn, Limits, Merge, Period, Recorded};

/// Zero-trust security for APIs: check a configuration, replay recorded traffic.
///
/// Exit codes: 0 success, 1 findings, 2 bad usage or input.
#[derive(Debug, Parser)]
#[command(name = "zt", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Validate a configuration and everything it names, and report every mistake at once.
    Check(Check),
    /// List what policies newly allow and newly deny from one configuration to another.
    Diff(Diff),
    /// Decide recorded events: one decision a line, in order, each event's own `time_ms` as the clock.
    Decide(Decide),
    /// Explain recorded events: why each is decided as it is, and what would have to change.
    ///
    /// Each event is taken as if it were the first: limits count it alone, and no proof was used before. Exit code 1 when one
    /// is refused.
    Explain(Explain),
    /// Evaluate raw Cedar requests: one answer a line, in order.
    Authorize(Authorize),
    /// Learn from recorded events what is normal.
    ///
    /// Inputs are read several times, and nothing of them is kept in memory. An event whose label is not `normal` teaches
    /// nothing, and without a label one that was refused at the time (400, 401, 403, 405, 413, 414, 415, 422, 429, 431, or
    /// 404 and 410 where no endpoint is known) teaches nothing.
    Learn(Learn),
    /// Merge baselines into one; their order never matters.
    ///
    /// What they count is added. What scores mean holds only for the counts that it was taken under, so the merged baseline is
    /// not calibrated: `zt learn --baseline MERGED --calibrate IN --out CALIBRATED` takes it anew.
    Merge(Merge),
    /// Recommend limits that follow from how often clients asked, as a baseline learned it.
    ///
    /// Each is of one client at one endpoint, within a minute, ten minutes or an hour: so many clients at noon, or in a
    /// promotion, do not matter. With recorded events, tells what the limits would have refused of them.
    Limits(Limits),
    /// Measure how well a baseline tells attacks from normal requests.
    ///
    /// Labels say which are which: `normal`, or a family of attacks. Where some events have none, they are counted and left out.
    /// Where no event has one, all are taken for normal and attacks are planted into copies of them.
    Eval(Eval),
    /// Compile a configuration and everything it names to one checksummed file, for the edge.
    Compile(Compile),
    /// List every reason code.
    Codes(Codes),
    /// Make or check an API key, or make a key that signs bundles.
    Key(Key),
    /// Prove a decision log.
    Log(Log),
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The configuration, for commands that need one; without it, the safe defaults, which know no endpoint and deny
    /// everything.
    #[arg(long, value_name = "ZT.TOML")]
    pub(crate) config: Option<PathBuf>,
    /// Write JSON instead of text; what is JSON in any case gets a summary in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Lines to read.
#[derive(Debug, Args)]
pub(crate) struct Lines {
    /// Stop at the first malformed line.
    #[arg(long)]
    pub(crate) strict: bool,
    /// JSON Lines, plain, gzip or Zstandard; `-` or nothing for standard input.
    #[arg(value_name = "IN.JSONL")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration, as `--config` names it.
    #[arg(value_name = "ZT.TOML", conflicts_with = "config")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Count warnings about policies as findings: exit with 1 when there are any.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The configuration as it was.
    #[arg(value_name = "OLD.TOML")]
    pub(crate) old: PathBuf,
    /// The configuration as it would be.
    #[arg(value_name = "NEW.TOML")]
    pub(crate) new: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Restore the state from this file, if it exists, and save it there in the end.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// A baseline of `zt learn`, in the place of the configuration's own. Without a configuration every path is open to
    /// anybody and nothing is enforced: requests are only scored.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Decide without learning: the state file is read and left as it is.
    #[arg(long)]
    pub(crate) freeze: bool,
    #[command(flatten)]
    pub(crate) log: DecisionLog,
    #[command(flatten)]
    pub(crate) lines: Lines,
}

/// The decision log that `zt decide` writes.
#[derive(Debug, Args)]
pub(crate) struct DecisionLog {
    /// Write the decision log to this file, after the last line of the one that is there.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Chain it under the key in this file, 16 bytes or more on one line.
    #[arg(long, value_name = "FILE", requires = "log")]
    pub(crate) log_key_file: Option<PathBuf>,
    /// Make `inputs` under the key in this file.
    #[arg(long, value_name = "FILE", requires = "log")]
    pub(crate) log_inputs_key_file: Option<PathBuf>,
    /// Write how long each stage took.
    #[arg(long, requires = "log")]
    pub(crate) timings: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Take what was revoked from this file, if it exists; it is left as it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Only events with this id.
    #[arg(long, value_name = "EVENT_ID")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) lines: Lines,
}

#[derive(Debug, Args)]
pub(crate) struct Authorize {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Cedar policies.
    #[arg(long, value_name = "FILE")]
    pub(crate) policies: PathBuf,
    /// Entities in Cedar's JSON form.
    #[arg(long, value_name = "FILE")]
    pub(crate) entities: Option<PathBuf>,
    /// Links of the templates among the policies: a JSON array of `{"template_id", "new_id", "values"}`.
    #[arg(long, value_name = "FILE")]
    pub(crate) links: Option<PathBuf>,
    /// A Cedar schema.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
    /// What a forbid policy that cannot be evaluated does.
    #[arg(long, value_name = "RULE", value_enum, default_value_t = Errors::Cedar)]
    pub(crate) errors: Errors,
    #[command(flatten)]
    pub(crate) lines: Lines,
}

/// The bundle holds what the configuration holds, secrets of webhooks among it: keep it where you keep those.
#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// The configuration.
    #[arg(long, value_name = "ZT.TOML")]
    pub(crate) config: PathBuf,
    /// Where to write the bundle; nothing is written when the configuration has a mistake.
    #[arg(long, value_name = "BUNDLE")]
    pub(crate) out: PathBuf,
    /// Sign it with the private Ed25519 JWK in this file, as of `zt key signing`.
    #[arg(long, value_name = "FILE")]
    pub(crate) sign: Option<PathBuf>,
    /// Write JSON instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Codes {
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(subcommand)]
    pub(crate) command: LogCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Prove that every line follows from the one before, and name the first that does not.
    ///
    /// Prints the last record, `SEQ:DIGEST`. Kept elsewhere and given as `--holding`, it shows later that the log still holds
    /// it: a tail that was cut between two lines is found by that alone.
    Verify(LogVerify),
}

#[derive(Debug, Args)]
pub(crate) struct LogVerify {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The file with the key that the log was made with.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// The log goes on after this record, as after a rotation.
    #[arg(long, value_name = "SEQ:DIGEST")]
    pub(crate) after: Option<String>,
    /// The log has to hold this record.
    #[arg(long, value_name = "SEQ:DIGEST")]
    pub(crate) holding: Option<String>,
    /// The log, plain, gzip or Zstandard; several files are one log, in this order. `-` or nothing for standard input.
    #[arg(value_name = "LOG.JSONL")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Errors {
    /// It is skipped, as in Cedar.
    Cedar,
    /// It denies.
    Deny,
}
