//! The only place that knows the order of the stages: configuration in, decisions out.

#[cfg(feature = "compile")]
mod analyse;
pub mod bundle;
mod compile;
mod config;
mod context;
mod current;
mod decide;
mod draft;
mod explain;
mod learned;
pub mod log;
mod notices;
mod observe;
mod peer;
#[cfg(feature = "compile")]
mod read;
mod report;
mod rotate;
mod shares;
pub mod signals;
mod snapshot;
mod state;
mod stopwatch;
mod suspend;
mod target;
mod unusual;
#[cfg(feature = "compile")]
mod zt_toml;

use std::fmt;
use std::sync::Arc;

pub use bundle::{Bundle, BundleError, Trust};
pub use config::{AnomalyConfig, Config, File, StateConfig};
pub use current::{Current, OtherState};
pub use explain::Explanation;
pub use peer::PeerConfig;
#[cfg(feature = "compile")]
pub use read::named_files;
pub use report::{AnomalyReport, Memory, Report, Store};
pub use snapshot::{Delta, SnapshotError};
pub use state::State;
pub use stopwatch::{Laps, Stopwatch, Timer};
pub use target::target;

use smol_str::SmolStr;

use crate::inspect::Inspector;
use crate::limit::Limiter;
use crate::model::{Millis, Mode, Problem};
use crate::policy::Policy;
use crate::respond::Responder;
use crate::route::Router;
use crate::verify::{Verified, Verifier};

/// A configuration compiled once: immutable, cheap to share between threads, swapped whole.
pub struct Engine {
    mode: Mode,
    forwarding: Option<Arc<peer::Forwarding>>,
    // Shared with the engines that differ in a key set only.
    router: Arc<Router>,
    verifier: Verifier,
    limiter: Arc<Limiter>,
    inspector: Arc<Inspector>,
    responder: Arc<Responder>,
    policy: Option<Arc<Policy>>,
    anomaly: Option<Arc<unusual::Unusual>>,
    seed: Option<u64>,
    version: SmolStr,
    /// The version of the configuration that it was compiled from, before any key set was replaced.
    compiled: SmolStr,
    notices: Arc<[String]>,
}

impl fmt::Debug for Engine {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("version", &self.version).field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Engine {
    /// Prefix of the SHA-256 of the configuration and of every file it names, hex.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether decisions are enforced.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The endpoints it knows.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// What it authorizes by, where the configuration has policies.
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_deref()
    }

    /// What it verifies credentials with.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Verifies one JSON Web Token and nothing else of a request, for hosts that route and authorize on their own.
    pub fn verify_token(&self, state: &State, token: &[u8], now: Millis) -> Verified {
        self.verifier.verify_token(&state.verify, token, now)
    }

    /// The longest body, in bytes, that the host has to read: a longer one is refused for its length alone.
    pub fn body_limit(&self) -> usize {
        self.inspector.body_limit()
    }
}

/// Every mistake of a configuration, in order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Invalid(pub Vec<Problem>);

impl fmt::Display for Invalid {
    /// One line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}
