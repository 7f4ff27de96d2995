//! Keys that are made and checked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Common;

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
