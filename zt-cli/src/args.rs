//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key: print it once, and the `[[verify.api_key]]` that knows it only by its digest.
    New(KeyNew),
    /// Make an Ed25519 key that signs bundles: the private JWK goes into a file, the public one is printed.
    Signing(KeySigning),
    /// Tell whether a key has the form and its checksum fits; not whose it is.
    Check(KeyCheck),
}

#[derive(Debug, Args)]
pub(crate) struct KeyNew {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Name of the caller that will hold it.
    #[arg(long, value_name = "NAME")]
    pub(crate) id: String,
    /// The environment that it is for.
    #[arg(long, value_name = "WORD", default_value = "live")]
    pub(crate) env: String,
    /// What keys of this service begin with.
    #[arg(long, value_name = "WORD", default_value = "zt")]
    pub(crate) prefix: String,
    /// A role of the caller; may be given again.
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Vec<String>,
    /// An OAuth scope of the caller; may be given again.
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// A network that it may be used from; may be given again.
    #[arg(long, value_name = "CIDR")]
    pub(crate) network: Vec<String>,
    /// When it stops being accepted: `2027-01-31` or `2027-01-31T18:00:00Z`.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
    /// The file that `api_key_pepper_file` names: the digest is then taken under that pepper.
    #[arg(long, value_name = "FILE")]
    pub(crate) pepper_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct KeySigning {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The file for the private key; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct KeyCheck {
    #[command(flatten)]
    pub(crate) common: Common,
    /// The key; `-` or nothing to read it from standard input, where no process list shows it.
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<String>,
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
    /// Baselines of one seed. One that is given twice counts twice.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Errors {
    /// It is skipped, as in Cedar.
    Cedar,
    /// It denies.
    Deny,
}
