//! A configuration and everything that it names, compiled to one file: what `zt compile` writes and an edge loads without
//! a parser of Cedar, TOML or YAML.
//!
//! A bundle holds what the configuration holds, webhook secrets and peppers among it: keep it where you keep those.
//! API keys are in it as digests. It is made for the version of zt that wrote it; another format is refused by its number.

mod format;
mod signature;

use std::fmt;

use super::compile::{assemble, compiled};
use super::{Config, Engine, Invalid};
use crate::model::Problem;
use crate::policy::Policy;
use crate::route::{Documented, Router};

pub use signature::Trust;

use format::Sections;

/// Largest bundle, bytes.
const MAX_BYTES: usize = 64 << 20;

/// A compiled configuration as bytes.
#[derive(Clone)]
pub struct Bundle(Vec<u8>);

/// Why bytes make no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Not a bundle.
    #[error("not a zt bundle")]
    Foreign,
    /// Of another version of zt.
    #[error("bundle format {0}, and this zt reads format {known}: compile the configuration again", known = format::VERSION)]
    OtherFormat(u8),
    /// Shorter or longer than it says.
    #[error("the bundle is cut: {found} bytes of {expected}")]
    Cut {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: usize,
    },
    /// More than anybody's configuration.
    #[error("the bundle is larger than 64 MiB")]
    TooLarge,
    /// The checksum does not match.
    #[error("the bundle is corrupt: its checksum does not match")]
    Corrupt,
    /// A section is missing, stands twice, or is not known here.
    #[error("the bundle's sections are not those of format {known}", known = format::VERSION)]
    Sections,
    /// It is to be signed, and is not.
    #[error("the bundle is not signed, and a key was given that it is to be signed with")]
    Unsigned,
    /// It is signed with another key.
    #[error("the bundle is signed with a key that was not given")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the bundle's signature does not verify")]
    BadSignature,
    /// What was given is no key to verify with.
    #[error("the key that bundles are to be signed with: {0}")]
    Key(String),
    /// A section holds something else than its name says.
    #[error("the bundle's {0} cannot be read")]
    Unreadable(&'static str),
    /// Its policies were compiled for other endpoints.
    #[error("the bundle's policies are not those of its endpoints")]
    Mismatch,
    /// The configuration in it is one that cannot be compiled.
    #[error("{0}")]
    Invalid(Invalid),
}

impl fmt::Debug for Bundle {
    /// Without the content: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle").field("bytes", &self.0.len()).finish_non_exhaustive()
    }
}

impl Bundle {
    /// Compiles a configuration. What is returned has been loaded again, and makes the same engine.
    ///
    /// ```
    /// use zt_core::engine::{Bundle, Trust};
    /// use zt_core::{Config, Engine};
    ///
    /// let bundle = Bundle::new(&Config::default())?;
    /// let engine = Engine::from_bundle(bundle.bytes(), Trust::Unsigned)?;
    /// assert_eq!(engine.version(), Engine::new(&Config::default())?.version());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Every mistake in the configuration and in the documents it names.
    pub fn new(config: &Config) -> Result<Self, Invalid> {
        let (engine, inlined) = compiled(config)?;
        let bundle = Self::of(&engine, inlined).map_err(cannot)?;
        let loaded = Engine::from_bundle(&bundle.0, Trust::Unsigned).map_err(|error| cannot(&error.to_string()))?;
        let same = Self::of(&loaded, read_config(&bundle.0).unwrap_or_default()).is_ok_and(|again| again.0 == bundle.0);
        if same { Ok(bundle) } else { Err(cannot("a value does not survive being written: fewer digits may help")) }
    }

    /// Reads and compiles in one go, so that mistakes of both kinds are told at once.
    ///
    /// # Errors
    /// Every mistake in the text and in the documents it names.
    #[cfg(feature = "compile")]
    pub fn from_toml(text: &str, files: &[super::File]) -> Result<Self, Invalid> {
        super::read::compile(text, files, Self::new)
    }

    /// Of the engine that it makes.
    pub fn version(&self) -> &str {
        let version = format::read(&self.0).ok().and_then(|(sections, _)| std::str::from_utf8(sections.version).ok());
        version.unwrap_or_default()
    }

    /// The bundle itself.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn of(engine: &Engine, config: Config) -> Result<Self, &'static str> {
        let config =
            serde_json::to_vec(&without_documents(config)).map_err(|_| "the configuration cannot be written")?;
        let routes = postcard::to_allocvec(&engine.router.documented()).map_err(|_| "the routes cannot be written")?;
        let policies = match &engine.policy {
            Some(policy) => Some(postcard::to_allocvec(&**policy).map_err(|_| "the policies cannot be written")?),
            None => None,
        };
        let sections = Sections {
            version: engine.version().as_bytes(),
            config: &config,
            routes: &routes,
            policies: policies.as_deref(),
        };
        let bytes = sections.write();
        if bytes.len() > MAX_BYTES { Err("it would be larger than 64 MiB") } else { Ok(Self(bytes)) }
    }
}

impl Engine {
    /// Makes an engine of a bundle. It decides as the one that was compiled from the same text does, has the same
    /// version, and fits the same state.
    ///
    /// # Errors
    /// [`BundleError`]: the bytes are not a bundle of this format, or not one that is trusted.
    pub fn from_bundle(bytes: &[u8], trust: Trust<'_>) -> Result<Self, BundleError> {
        let sections = signature::open(bytes, trust)?;
        let config = configuration(&sections)?;
        let routes: Vec<Documented> = whole(sections.routes).ok_or(BundleError::Unreadable("routes"))?;
        let invalid = |problems: Vec<Problem>| BundleError::Invalid(Invalid(problems));
        let router = Router::from_documented(&config.route, &config.endpoint, &config.segment, &routes);
        let router = router.map_err(invalid)?;
        let policy: Option<Policy> = match sections.policies {
            Some(policies) => Some(whole(policies).ok_or(BundleError::Unreadable("policies"))?),
            None => None,
        };
        let endpoints = router.endpoints().iter().map(|endpoint| &*endpoint.id);
        if policy.is_some() != config.policy.is_some() || policy.as_ref().is_some_and(|p| !p.is_for(endpoints)) {
            return Err(BundleError::Mismatch);
        }
        let version = std::str::from_utf8(sections.version).ok().filter(|text| is_version(text));
        let version = version.ok_or(BundleError::Unreadable("version"))?.to_owned();
        let mut problems = Vec::new();
        let engine = assemble(&config, Some(router), policy, version, &mut problems);
        engine.filter(|_| problems.is_empty()).ok_or_else(|| invalid(problems))
    }
}

/// The configuration without the documents that routes and policies were compiled from.
fn without_documents(mut config: Config) -> Config {
    config.openapi.clear();
    config.openapi_files.clear();
    if let Some(policy) = &mut config.policy {
        policy.files.clear();
        policy.text = None;
    }
    config
}

/// A parser's error could quote a secret: only that there is one is told.
fn configuration(sections: &Sections<'_>) -> Result<Config, BundleError> {
    let config: Option<Config> = serde_json::from_slice(sections.config).ok();
    config.filter(|config| config.version == 1).ok_or(BundleError::Unreadable("configuration"))
}

fn read_config(bytes: &[u8]) -> Option<Config> {
    configuration(&signature::open(bytes, Trust::Unsigned).ok()?).ok()
}

/// A value that is all of the bytes.
fn whole<'b, T: serde::Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    postcard::take_from_bytes(bytes).ok().filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

fn is_version(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn cannot(why: &str) -> Invalid {
    Invalid(vec![Problem::new("", format!("the configuration cannot be made a bundle: {why}"))])
}

#[cfg(test)]
#[cfg(feature = "compile")]
mod tests;
