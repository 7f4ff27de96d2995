//! Configuration -> engine.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

use super::learned::learned;
use super::notices::notices;
use super::shares::Shares;
use super::unusual::Unusual;
use super::{Config, Engine, Invalid};
use crate::inspect::Inspector;
use crate::limit::Limiter;
use crate::model::{Problem, Source};
use crate::policy::{self, Policy, Vocabulary};
use crate::respond::Responder;
use crate::route::{Endpoint, Router};
use crate::verify::Verifier;

impl Engine {
    /// Compiles a configuration.
    ///
    /// # Errors
    /// Every mistake in it and in the documents it names.
    pub fn new(config: &Config) -> Result<Self, Invalid> {
        compiled(config).map(|(engine, _)| engine)
    }
}

/// A configuration compiled, and itself with the content of its files put inline where it is not compiled.
pub(super) fn compiled(config: &Config) -> Result<(Engine, Config), Invalid> {
    compile(config).map_err(|mut problems| {
        locate(config, &mut problems);
        Invalid(in_order(problems))
    })
}

/// The configuration's own mistakes by line, then those of other documents.
pub(super) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems
}

/// The table entry a key belongs to: a mistake in it spoils what is said of its other keys.
pub(super) fn entry(key: &str) -> &str {
    match key.find(']') {
        // `policy.files[0]` is of `policy`, `verify.issuer[0].jwks` of that issuer.
        Some(at) if at.saturating_add(1) < key.len() => key.get(..=at).unwrap_or(key),
        _ => key.rsplit_once('.').map_or(key, |(table, _)| table),
    }
}

fn locate(config: &Config, problems: &mut [Problem]) {
    #[cfg(feature = "compile")]
    if let Some(Ok(source)) = config.text.as_ref().map(|text| super::zt_toml::ZtToml::parse(text.expose())) {
        source.lift(problems);
        source.locate(problems);
    }
    #[cfg(not(feature = "compile"))]
    let _ = (config, problems);
}

fn compile(config: &Config) -> Result<(Engine, Config), Vec<Problem>> {
    let mut problems = Vec::new();
    let config = inline(config, &mut problems);
    let documents = documents(&config, &mut problems);
    let router = collect(Router::compile(&config.route, &config.endpoint, &config.segment, &documents), &mut problems);
    let sources = policy_sources(&config, &mut problems);
    problems.extend(router.iter().flat_map(|router| super::context::problems(&config, router)));
    let policy = match (&config.policy, &router) {
        (Some(policy), Some(router)) => collect(authorization(policy, &sources, router), &mut problems),
        _ => None,
    };
    match assemble(&config, router, policy, version(&config), &mut problems) {
        Some(engine) if problems.is_empty() => Ok((engine, config)),
        _ => {
            let without: Vec<String> =
                problems.iter().filter(|p| p.message.ends_with(NOT_HANDED_OVER)).map(|p| p.key.clone()).collect();
            // What else is said of an entry whose file is missing only follows from that.
            problems.retain(|p| without.contains(&p.key) || without.iter().all(|key| entry(key) != entry(&p.key)));
            Err(problems)
        }
    }
}

/// An engine of a configuration whose files are inline and of what else it names, compiled. `version` names all of it.
pub(super) fn assemble(
    config: &Config,
    router: Option<Router>,
    policy: Option<Policy>,
    version: String,
    problems: &mut Vec<Problem>,
) -> Option<Engine> {
    let forwarding = config.peer.as_ref().and_then(|peer| collect(peer.compile(), problems));
    let shares = Shares::of(config, problems);
    let verifier = collect(Verifier::compile_within(&config.verify, shares.verify), problems);
    let responder = collect(Responder::compile(&config.respond, shares.respond), problems);
    let anomaly = config.anomaly.as_ref().and_then(|anomaly| collect(Unusual::compile(anomaly), problems));
    let (limits, rates) = learned(config, anomaly.as_ref().and_then(Unusual::baseline));
    let limiter = collect(Limiter::compile(&limits, shares.limit), problems);
    let inspector = collect(Inspector::compile(&config.inspect), problems);
    problems.extend(router.iter().flat_map(|router| limits_of_nothing(config, router)));
    problems.extend(policy.iter().zip(&limiter).flat_map(|(policy, limiter)| exemptions_from_nothing(policy, limiter)));
    let mut notices = router.as_ref().map(|router| notices(config, router, policy.as_ref())).unwrap_or_default();
    notices.extend(rates);
    let version = SmolStr::from(version);
    Some(Engine {
        mode: config.mode,
        forwarding: forwarding.map(Arc::new),
        router: router?.into(),
        verifier: verifier?,
        limiter: limiter?.into(),
        inspector: inspector?.into(),
        responder: responder?.into(),
        policy: policy.map(Arc::new),
        anomaly: anomaly.map(Arc::new),
        seed: config.state.seed,
        version: version.clone(),
        compiled: version,
        notices: notices.into(),
    })
}

fn collect<T>(compiled: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    compiled.map_err(|more| problems.extend(more)).ok()
}

/// The configuration with key sets and secrets that were in files put inline.
fn inline(config: &Config, problems: &mut Vec<Problem>) -> Config {
    let mut inlined = config.clone();
    inlined.verify.inline_files(|key, name, twin| {
        let text = config.files_named(name).next().map(|file| file.text.clone());
        problems.extend(text.is_none().then(|| not_handed_over(key, name, twin)));
        text
    });
    if let Some(anomaly) = &mut inlined.anomaly
        && let Some(name) = anomaly.baseline_file.take()
    {
        let text = config.files_named(&name).next().map(|file| file.text.clone());
        if text.is_none() {
            problems.push(not_handed_over("anomaly.baseline_file".to_owned(), &name, "baseline"));
        } else if anomaly.baseline.is_some() {
            let both = Problem::new("anomaly.baseline", "beside `baseline_file`");
            problems.push(both.mend("write one of the two"));
        }
        anomaly.baseline = anomaly.baseline.take().or(text);
    }
    inlined
}

fn documents<'c>(config: &'c Config, problems: &mut Vec<Problem>) -> Vec<Source<'c>> {
    let mut documents = Vec::new();
    for (index, name) in config.openapi_files.iter().enumerate() {
        let key = format!("openapi_files[{index}]");
        let before = documents.len();
        let found = config.files_named(name);
        documents.extend(found.map(|f| Source { key: key.clone(), name: Some(&f.name), text: &f.text }));
        if documents.len() == before {
            problems.push(not_handed_over(key, name, "openapi"));
        }
    }
    let inline = config.openapi.iter().enumerate();
    documents.extend(inline.map(|(i, text)| Source { key: format!("openapi[{i}]"), name: None, text }));
    documents
}

fn policy_sources<'c>(config: &'c Config, problems: &mut Vec<Problem>) -> Vec<Source<'c>> {
    let Some(policy) = &config.policy else { return Vec::new() };
    let mut sources = Vec::new();
    for (index, name) in policy.files.iter().enumerate() {
        let key = format!("policy.files[{index}]");
        let before = sources.len();
        let found = config.files_named(name);
        sources.extend(found.map(|f| Source { key: key.clone(), name: Some(&f.name), text: &f.text }));
        if sources.len() == before {
            problems.push(not_handed_over(key, name, "text"));
        }
    }
    if let Some(text) = &policy.text {
        sources.push(Source { key: "policy.text".to_owned(), name: None, text });
    }
    sources
}

pub(super) fn authorization(
    config: &policy::Config,
    sources: &[Source<'_>],
    router: &Router,
) -> Result<Policy, Vec<Problem>> {
    let segments: Vec<&str> = router.segments().iter().map(|segment| &**segment).collect();
    let endpoints: Vec<policy::Endpoint<'_>> = router.endpoints().iter().map(subject_of_policy).collect();
    let others = |(at, endpoint)| router.other_segments(endpoint).into_iter().map(move |segment| (at, segment));
    let elsewhere: Vec<(usize, &str)> = router.endpoints().iter().enumerate().flat_map(others).collect();
    let vocabulary = Vocabulary { endpoints: &endpoints, segments: &segments, elsewhere: &elsewhere };
    Policy::compile(config, sources, &vocabulary)
}

/// Limits for endpoints or segments that there are not: they would never apply.
fn limits_of_nothing(config: &Config, router: &Router) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, limit) in config.limit.iter().enumerate() {
        let endpoint = |name: &str| router.endpoints().iter().any(|endpoint| *endpoint.id == *name);
        let segment = |name: &str| router.segments().iter().any(|segment| **segment == *name);
        let endpoints = limit.endpoints.iter().filter(|name| !endpoint(name)).map(|name| ("endpoint", name));
        let segments = limit.segments.iter().filter(|name| !segment(name)).map(|name| ("segment", name));
        let reserved =
            limit.reserved_for.iter().flat_map(|reserved| &reserved.endpoints).filter(|name| !endpoint(name));
        problems.extend(reserved.map(|name| {
            Problem::new(format!("limit[{at}].reserved_for.endpoints"), format!("there is no endpoint `{name}`"))
                .mend("name an endpoint of the configuration")
        }));
        problems.extend(endpoints.chain(segments).map(|(what, name)| {
            let message = format!("there is no {what} `{name}`: the limit would never apply");
            Problem::new(format!("limit[{at}].{what}s"), message)
                .mend(format!("name one of the configuration's {what}s"))
        }));
    }
    problems
}

/// Exemptions from limits that there are not, or that are checked before policies could be asked.
fn exemptions_from_nothing(policy: &Policy, limiter: &Limiter) -> Vec<Problem> {
    let nothing = policy.exemptions().filter(|exemption| !limiter.has_of_identity(exemption.limit));
    let problem = |exemption: policy::Exemption<'_>| {
        let policy::Exemption { limit, policy, file, line, column } = exemption;
        let key = if file.is_some() { "policy.files" } else { "policy.text" };
        let message = format!("`@exempt` of policy `{policy}`: no limit `{limit}` is checked when the caller is known");
        Problem::new(key, message)
            .at(file.map(str::to_owned), Some(line), Some(column))
            .mend("name a limit whose key has `identity`, `tenant`, `role` or a claim")
    };
    nothing.map(problem).collect()
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
