//! Configuration -> engine.

use sha2::{Digest as _, Sha256};

use super::notices::notices;
#[cfg(feature = "compile")]
use super::source::Source;
use super::{Config, Engine, File, Invalid};
use crate::inspect::Inspector;
use crate::limit::Limiter;
use crate::model::Problem;
use crate::policy::{self, Policy, Vocabulary};
use crate::route::{Document, Endpoint, Router};
use crate::verify::Verifier;

impl Config {
    /// Reads the text of a `zt.toml`.
    ///
    /// # Errors
    /// Every key that is unknown, missing or of a wrong type, with its line and how to mend it.
    #[cfg(feature = "compile")]
    pub fn from_toml(text: &str) -> Result<Self, Invalid> {
        let (config, problems) = read(text);
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Invalid(problems)),
        }
    }
}

impl Engine {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// Every mistake in it and in the documents it names.
    pub fn new(config: &Config) -> Result<Self, Invalid> {
        compile(config).map_err(|mut problems| {
            locate(config, &mut problems);
            Invalid(in_order(problems))
        })
    }

    /// Reads and compiles in one go, so that mistakes of both kinds are told at once.
    ///
    /// # Errors
    /// Every mistake in the text and in the documents it names.
    #[cfg(feature = "compile")]
    pub fn from_toml(text: &str, files: &[File]) -> Result<Self, Invalid> {
        let (config, mut problems) = read(text);
        let compiled = config.map(|config| Self::new(&config.with_files(files.iter().cloned())));
        match compiled {
            Some(Ok(engine)) if problems.is_empty() => Ok(engine),
            Some(Err(Invalid(more))) => {
                let spoiled: Vec<String> = problems.iter().map(|problem| entry(&problem.key).to_owned()).collect();
                problems.extend(more.into_iter().filter(|problem| !spoiled.iter().any(|s| *s == entry(&problem.key))));
                Err(Invalid(in_order(problems)))
            }
            _ => Err(Invalid(problems)),
        }
    }
}

/// The files that a configuration's text names, as far as it can be read.
#[cfg(feature = "compile")]
pub fn named_files(text: &str) -> Vec<String> {
    let (config, _) = read(text);
    config.iter().flat_map(Config::named_files).map(str::to_owned).collect()
}

#[cfg(feature = "compile")]
fn read(text: &str) -> (Option<Config>, Vec<Problem>) {
    let source = match Source::parse(text) {
        Ok(source) => source,
        Err(problems) => return (None, problems),
    };
    let read = source.read();
    let mut problems = read.problems;
    let config = read.config.map(|mut config| {
        config.text = Some(text.to_owned());
        config
    });
    if let Some(version) = config.as_ref().map(|config| config.version).filter(|version| *version != 1) {
        let problem = Problem::new("version", format!("version {version} is not known")).mend("write `version = 1`");
        problems.push(problem);
        source.locate(&mut problems);
    }
    (config, problems)
}

/// The configuration's own mistakes by line, then those of other documents.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems
}

/// The table entry a key belongs to: a mistake in it spoils what is said of its other keys.
fn entry(key: &str) -> &str {
    match key.find(']') {
        // `policy.files[0]` is of `policy`, `verify.issuer[0].jwks` of that issuer.
        Some(at) if at.saturating_add(1) < key.len() => key.get(..=at).unwrap_or(key),
        _ => key.rsplit_once('.').map_or(key, |(table, _)| table),
    }
}

fn locate(config: &Config, problems: &mut [Problem]) {
    #[cfg(feature = "compile")]
    if let Some(Ok(source)) = config.text.as_deref().map(Source::parse) {
        source.locate(problems);
    }
    #[cfg(not(feature = "compile"))]
    let _ = (config, problems);
}

fn compile(config: &Config) -> Result<Engine, Vec<Problem>> {
    let mut problems = Vec::new();
    let config = inline(config, &mut problems);
    let documents = documents(&config, &mut problems);

    let router = collect(Router::compile(&config.route, &config.endpoint, &config.segment, &documents), &mut problems);
    let verifier = collect(Verifier::compile(&config.verify), &mut problems);
    let limiter = collect(Limiter::compile(&config.limit, config.state.memory), &mut problems);
    let inspector = collect(Inspector::compile(&config.inspect), &mut problems);
    let sources = policy_sources(&config, &mut problems);
    let policy = match (&config.policy, &router) {
        (Some(policy), Some(router)) => Some(collect(authorization(policy, &sources, router), &mut problems)),
        _ => None,
    };

    let notices = router.as_ref().map(|router| notices(&config, router)).unwrap_or_default();
    match (router, verifier, limiter, inspector, policy) {
        (Some(router), Some(verifier), Some(limiter), Some(inspector), policy) if problems.is_empty() => Ok(Engine {
            mode: config.mode,
            router,
            verifier,
            limiter,
            inspector,
            policy: policy.flatten(),
            seed: config.state.seed,
            version: version(&config).into(),
            notices,
        }),
        _ => {
            let without: Vec<String> =
                problems.iter().filter(|p| p.message.ends_with(NOT_HANDED_OVER)).map(|p| p.key.clone()).collect();
            // What else is said of an entry whose file is missing only follows from that.
            problems.retain(|p| without.iter().all(|key| *key == p.key || entry(key) != entry(&p.key)));
            Err(problems)
        }
    }
}

fn collect<T>(compiled: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    compiled.map_err(|more| problems.extend(more)).ok()
}

/// The configuration with key sets that were in files put inline.
fn inline(config: &Config, problems: &mut Vec<Problem>) -> Config {
    let mut inlined = config.clone();
    for (index, issuer) in inlined.verify.issuer.iter_mut().enumerate() {
        let Some(name) = issuer.jwks_file.as_deref().filter(|_| issuer.jwks.is_none()) else { continue };
        match config.files_named(name).next() {
            Some(file) => issuer.jwks = Some(file.text.clone()),
            None => problems.push(not_handed_over(format!("verify.issuer[{index}].jwks_file"), name, "jwks")),
        }
    }
    inlined
}

fn documents<'c>(config: &'c Config, problems: &mut Vec<Problem>) -> Vec<Document<'c>> {
    let mut documents = Vec::new();
    for (index, name) in config.openapi_files.iter().enumerate() {
        let key = format!("openapi_files[{index}]");
        let before = documents.len();
        let found = config.files_named(name);
        documents.extend(found.map(|f| Document { key: key.clone(), name: Some(&f.name), text: &f.text }));
        if documents.len() == before {
            problems.push(not_handed_over(key, name, "openapi"));
        }
    }
    let inline = config.openapi.iter().enumerate();
    documents.extend(inline.map(|(i, text)| Document { key: format!("openapi[{i}]"), name: None, text }));
    documents
}

fn policy_sources<'c>(config: &'c Config, problems: &mut Vec<Problem>) -> Vec<policy::Source<'c>> {
    let Some(policy) = &config.policy else { return Vec::new() };
    let mut sources = Vec::new();
    for (index, name) in policy.files.iter().enumerate() {
        let key = format!("policy.files[{index}]");
        let before = sources.len();
        let found = config.files_named(name);
        sources.extend(found.map(|f| policy::Source { key: key.clone(), name: Some(&f.name), text: &f.text }));
        if sources.len() == before {
            problems.push(not_handed_over(key, name, "text"));
        }
    }
    if let Some(text) = &policy.text {
        sources.push(policy::Source { key: "policy.text".to_owned(), name: None, text });
    }
    sources
}

fn authorization(
    config: &policy::Config,
    sources: &[policy::Source<'_>],
    router: &Router,
) -> Result<Policy, Vec<Problem>> {
    let segments: Vec<&str> = router.segments().iter().map(|segment| &**segment).collect();
    let endpoints: Vec<policy::Endpoint<'_>> = router.endpoints().iter().map(subject_of_policy).collect();
    let others = |(at, endpoint)| router.other_segments(endpoint).into_iter().map(move |segment| (at, segment));
    let elsewhere: Vec<(usize, &str)> = router.endpoints().iter().enumerate().flat_map(others).collect();
    Policy::compile(config, sources, &Vocabulary { endpoints: &endpoints, segments: &segments, elsewhere: &elsewhere })
}

/// An endpoint as policies name it.
fn subject_of_policy(endpoint: &Endpoint) -> policy::Endpoint<'_> {
    policy::Endpoint { id: &endpoint.id, method: &endpoint.method, segment: Some(&endpoint.segment) }
}

const NOT_HANDED_OVER: &str = "was handed over";

fn not_handed_over(key: String, name: &str, twin: &str) -> Problem {
    let mend = format!("hand its text over under this name, or write it inline as `{twin}`");
    Problem::new(key, format!("no file `{name}` {NOT_HANDED_OVER}")).mend(mend)
}

/// Prefix of the SHA-256 of everything that was compiled.
fn version(config: &Config) -> String {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(config).unwrap_or_default());
    for file in &config.files {
        for part in [&file.name, &file.text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
