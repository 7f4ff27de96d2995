//! Configuration -> verifier.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::api_key::ApiKeys;
use super::certificate::Certificates;
use super::dpop::Dpop;
use super::issuer::Issuer;
use super::jose::known::Known;
use super::message_signature::Signatures;
use super::signal::Transmitter;
use super::sigv4::Sigv4;
use super::spiffe::TrustDomains;
use super::webhook::Webhooks;
use super::{CacheConfig, Config, Memory, ReauthenticateConfig, challenge, freshness, replay, signal};
use crate::model::{Millis, Problem};

/// Longest that clocks may be off, milliseconds.
pub(super) const MAX_SKEW: Millis = 300_000;
/// Most memory for revocations: more is a slip of the pen, and would end the process when it is allocated.
const MAX_REVOCATION_BYTES: u64 = 4 << 30;
/// Longest token that a configuration may ask for, bytes.
const MAX_TOKEN_BYTES: std::ops::RangeInclusive<u64> = 256..=64 << 10;

/// A compiled [`Config`].
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(super) issuers: Vec<Issuer>,
    pub(super) spiffe: TrustDomains,
    pub(super) refresh_interval: Millis,
    pub(super) headers: Arc<Known>,
    pub(super) role_claims: Vec<Box<str>>,
    pub(super) api_keys: Arc<ApiKeys>,
    pub(super) dpop: Option<Arc<Dpop>>,
    pub(super) certificates: Arc<Certificates>,
    pub(super) signatures: Arc<Signatures>,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) sigv4: Arc<Sigv4>,
    pub(super) transmitters: Arc<[Transmitter]>,
    pub(super) api_key_header: String,
    pub(super) tenant_claim: String,
    pub(super) realm: String,
    pub(super) max_token_bytes: usize,
    pub(super) reauthenticate: Vec<ReauthenticateConfig>,
    pub(super) skew: Millis,
    /// What its state may take.
    pub(super) memory: Memory,
    pub(super) cache: CacheConfig,
}

impl Verifier {
    /// Compiles a configuration whose key sets and secrets have been put inline. What it does not say of memory is as in
    /// an engine of the default configuration.
    ///
    /// # Errors
    /// Every mistake, all at once.
    pub fn compile(config: &Config) -> Result<Self, Vec<Problem>> {
        Self::compile_within(config, Memory::default())
    }

    /// Compiles it; what it does not say of memory is said here.
    pub(crate) fn compile_within(config: &Config, shares: Memory) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let memory = shares.unless_said(config);
        let skew = config.clock_skew.millis();
        check(config, &mut problems);
        freshness::check(&config.reauthenticate, &mut problems);
        config.cache.check(memory.cache, &mut problems);
        replay::check(config.replay_memory, &mut problems);
        let common = common(config);
        let mut role_claims = Vec::new();
        let mut issuers: Vec<Issuer> = Vec::with_capacity(config.issuer.len());
        for (at, issuer) in config.issuer.iter().enumerate() {
            if issuers.iter().any(|other| *other.issuer == *issuer.issuer) {
                let problem = Problem::new(format!("verify.issuer[{at}].issuer"), "the same issuer twice");
                problems.push(problem.mend("put all of its keys and audiences in one table"));
            }
            let is_domain = |domain: &str| issuer.issuer.strip_prefix("spiffe://") == Some(domain);
            if config.spiffe.iter().any(|spiffe| is_domain(&spiffe.trust_domain)) {
                let problem =
                    Problem::new(format!("verify.issuer[{at}].issuer"), "a trust domain of `[[verify.spiffe]]`");
                problems.push(problem.mend("leave one of the two out: their keys and revocations have the same name"));
            }
            issuers.push(Issuer::compile(at, issuer, &mut role_claims, skew, &common, &mut problems));
        }
        let verifier = Self {
            headers: Arc::new(Known::of(issuers.iter().flat_map(Issuer::headers))),
            issuers,
            spiffe: TrustDomains::compile(config, &mut problems),
            refresh_interval: config.refresh_interval.millis(),
            role_claims,
            api_keys: Arc::new(ApiKeys::compile(config, &mut problems)),
            dpop: config.dpop.as_ref().map(|dpop| Arc::new(Dpop::compile(dpop, &mut problems))),
            certificates: Arc::new(Certificates::compile(&config.workload, &mut problems)),
            signatures: Arc::new(Signatures::compile(&config.signature, skew, &mut problems)),
            webhooks: Arc::new(Webhooks::compile(&config.webhook, &mut problems)),
            sigv4: Arc::new(Sigv4::compile(&config.sigv4, &mut problems)),
            transmitters: signal::compile(config, &mut problems).into(),
            api_key_header: config.api_key_header.clone(),
            tenant_claim: config.tenant_claim.clone(),
            realm: config.realm.clone(),
            max_token_bytes: config.max_token.bytes_usize(),
            reauthenticate: config.reauthenticate.clone(),
            skew,
            memory,
            cache: config.cache.clone(),
        };
        if problems.is_empty() { Ok(verifier) } else { Err(problems) }
    }
}

/// What can be wrong with the keys of `[verify]` itself.
fn check(config: &Config, problems: &mut Vec<Problem>) {
    if config.clock_skew.millis() > MAX_SKEW {
        problems.push(Problem::new("verify.clock_skew", "more than five minutes").mend("write \"5m\" or less"));
    }
    if config.revocation_memory.is_some_and(|size| size.bytes() > MAX_REVOCATION_BYTES) {
        let problem = Problem::new("verify.revocation_memory", "more than 4 GiB");
        problems.push(problem.mend("write \"4MiB\" or so"));
    }
    if !MAX_TOKEN_BYTES.contains(&config.max_token.bytes()) {
        problems.push(Problem::new("verify.max_token", "not from 256 B to 64 KiB").mend("write \"16KiB\""));
    }
    if config.realm.is_empty() || !challenge::is_quotable(&config.realm) {
        let problem = Problem::new("verify.realm", "empty, or with characters that a header cannot quote");
        problems.push(problem.mend("use plain ASCII without quotes and backslashes"));
    }
    let header = config.api_key_header.as_bytes();
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if header.is_empty() || !header.iter().all(token) || header.eq_ignore_ascii_case(b"authorization") {
        let problem = Problem::new("verify.api_key_header", "not the name of a header of its own");
        problems.push(problem.mend("write a header name such as \"x-api-key\""));
    }
}

/// What is asked of the tokens of every issuer: all that is not an issuer's or an API key's own.
fn common(config: &Config) -> Sha256 {
    let common = Config { issuer: Vec::new(), api_key: Vec::new(), transmitter: Vec::new(), ..config.clone() };
    Sha256::new().chain_update(serde_json::to_vec(&common).unwrap_or_default())
}
