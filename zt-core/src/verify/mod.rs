//! Who is this, and how was it proven?
//!
//! [`Verifier::verify`] takes a request's one credential — a JSON Web Token (RFC 7519, RFC 9068, hardened after RFC 8725)
//! as a bearer token (RFC 6750), or an API key — and answers with an [`Identity`] or with what is wrong. A token is
//! parsed strictly here; its signature is checked by `jsonwebtoken` through an explicitly named provider; its claims are
//! checked against the `now` that is passed in.
//!
//! A verified token is remembered, so that a repeated one costs a look-up; what may have changed since is checked each
//! time. A token with a `cnf` claim is bound to a key of its sender. Proof of possession is not checked yet, so such a
//! token is refused.

mod api_key;
mod binding;
mod cache;
mod challenge;
mod config;
mod credential;
mod freshness;
mod issuer;
mod jose;
mod revocation;
mod state;
mod token;

use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use smallvec::{SmallVec, smallvec};

pub use cache::{CacheConfig, TokenAtRest};
pub use config::{ApiKeyConfig, Config, IssuerConfig};
pub use freshness::{Demand, ReauthenticateConfig};
pub use jose::algorithm::Algorithm;
pub use jose::claims::{Claims, Scalar};
pub use revocation::{Revocation, Revoked};
pub use state::{Snapshot, State};

use self::api_key::ApiKeys;
use self::credential::Credential;
use self::issuer::Issuer;
use self::revocation::Ids;
use crate::model::{Code, Finding, Identity, Millis, Problem, Request};

/// Why a credential is refused.
type Refusal = (Code, &'static str);

/// Longest that clocks may be off, milliseconds.
const MAX_SKEW: Millis = 300_000;
/// Longest token that a configuration may ask for, bytes.
const MAX_TOKEN_BYTES: std::ops::RangeInclusive<u64> = 256..=64 << 10;

/// A compiled [`Config`].
#[derive(Debug)]
pub struct Verifier {
    issuers: Vec<Issuer>,
    role_claims: Vec<Box<str>>,
    api_keys: ApiKeys,
    api_key_header: String,
    tenant_claim: String,
    realm: String,
    max_token_bytes: usize,
    reauthenticate: Vec<ReauthenticateConfig>,
    skew: Millis,
    revocation_memory: usize,
    cache: CacheConfig,
}

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    /// Who it is; nobody where there is no credential or a refused one.
    pub identity: Option<Arc<Identity>>,
    /// The workload that speaks for it: from a certificate, a JWT-SVID or a message signature beside its own credential.
    pub workload: Option<Arc<Identity>>,
    /// What is wrong with the credential, or asked beyond it. Nothing where there is none: whether one is needed is the
    /// endpoint's matter.
    pub findings: SmallVec<[Finding; 2]>,
    /// The claims of a verified token.
    pub claims: Claims,
    /// The longest time since the end user's authentication, seconds, when a fresher one is asked for.
    pub max_age_s: Option<u64>,
    /// The issuer whose key set the host should fetch again: a token names a key that it does not have.
    pub refresh_wanted: Option<Arc<str>>,
    /// Headers for the response, whatever the outcome.
    pub response_headers: SmallVec<[(Cow<'static, str>, String); 1]>,
}

impl Verifier {
    /// Compiles a configuration whose key sets have been put inline.
    ///
    /// # Errors
    /// Every mistake, all at once.
    pub fn compile(config: &Config) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let skew = config.clock_skew.millis();
        if skew > MAX_SKEW {
            problems.push(Problem::new("verify.clock_skew", "more than five minutes").mend("write \"5m\" or less"));
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
        config.cache.check(&mut problems);
        let common = common(config);
        let mut role_claims = Vec::new();
        let mut issuers: Vec<Issuer> = Vec::with_capacity(config.issuer.len());
        for (at, issuer) in config.issuer.iter().enumerate() {
            if issuers.iter().any(|other| *other.issuer == *issuer.issuer) {
                let problem = Problem::new(format!("verify.issuer[{at}].issuer"), "the same issuer twice");
                problems.push(problem.mend("put all of its keys and audiences in one table"));
            }
            issuers.push(Issuer::compile(at, issuer, &mut role_claims, skew, &common, &mut problems));
        }
        freshness::check(&config.reauthenticate, &mut problems);
        let api_keys = ApiKeys::compile(&config.api_key, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            tenant_claim: config.tenant_claim.clone(),
            issuers,
            role_claims,
            api_keys,
            api_key_header: config.api_key_header.clone(),
            realm: config.realm.clone(),
            max_token_bytes: config.max_token.bytes_usize(),
            reauthenticate: config.reauthenticate.clone(),
            skew,
            revocation_memory: config.revocation_memory.bytes_usize(),
            cache: config.cache.clone(),
        })
    }

    /// Proves who a request comes from.
    ///
    /// One credential at most: two `Authorization` headers, or a bearer token beside an API key, are
    /// `verify.many_credentials`. The API key header is looked at only where API keys are configured.
    ///
    /// A token costs its signature and about two microseconds; an API key one SHA-256.
    ///
    /// ```
    /// use zt_core::model::{Request, Text};
    /// use zt_core::verify::{Config, State, Verifier};
    ///
    /// let config: Config = serde_json::from_str(
    ///     r#"{"api_key": [{
    ///         "id": "partner-7",
    ///         "sha256": "b8fafb7d26cbc4cdefdae5d5fcff9a2ad4ece0f0eb1a3a3a4f67e1d2b0a9c3d1"
    ///     }]}"#,
    /// )?;
    /// let verifier = Verifier::compile(&config).expect("a sound configuration");
    /// let headers = vec![(Text::from("x-api-key"), Text::from("some other key"))];
    /// let verified = verifier.verify(&State::new(&verifier, 7), &Request { headers, ..Request::default() }, 1_800_000_000_000);
    /// assert!(verified.identity.is_none());
    /// assert_eq!(verified.findings[0].code.as_str(), "verify.unknown_api_key");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    /// Where nothing is configured nothing can be proven, so that nothing is looked at.
    pub fn verify(&self, state: &State, request: &Request<'_>, now: Millis) -> Verified {
        if self.issuers.is_empty() && self.api_keys.is_empty() {
            return Verified::default();
        }
        let header = (!self.api_keys.is_empty()).then_some(self.api_key_header.as_str());
        let proven = credential::shown(request, header).and_then(|shown| match shown {
            None => Ok(Verified::default()),
            Some(Credential::Bearer(token)) => self.token(state, token, Some(request), now),
            Some(Credential::ApiKey(key)) => {
                let identity = self.api_keys.identify(key, now)?;
                state.revocations.check(&Ids::of(&state.hasher, &identity, None), now)?;
                Ok(Verified { identity: Some(Arc::new(identity)), ..Verified::default() })
            }
        });
        proven.unwrap_or_else(Verified::refused)
    }

    /// Proves who a bearer token speaks for, without its request; a token that is bound to its sender is refused.
    pub fn verify_token(&self, state: &State, token: &[u8], now: Millis) -> Verified {
        self.token(state, token, None, now).unwrap_or_else(Verified::refused)
    }

    /// The tenant that a verified token names.
    pub fn tenant<'v>(&self, verified: &'v Verified) -> Option<Cow<'v, str>> {
        verified.claims.text(&self.tenant_claim)
    }

    /// The `WWW-Authenticate` header for a refusal with this code; `acr_values` and `max_age_s` are for
    /// `verify.reauthenticate`.
    pub fn challenge(&self, code: Code, acr_values: Option<&str>, max_age_s: Option<u64>) -> String {
        let scheme = if self.issuers.is_empty() && !self.api_keys.is_empty() { "ApiKey" } else { "Bearer" };
        challenge::challenge(scheme, &self.realm, code, acr_values, max_age_s)
    }
}

impl Verified {
    fn refused((code, detail): Refusal) -> Self {
        Self { findings: smallvec![Finding::new(code, detail)], ..Self::default() }
    }
}

/// What is asked of the tokens of every issuer: all that is not an issuer's or an API key's own.
fn common(config: &Config) -> Sha256 {
    let common = Config { issuer: Vec::new(), api_key: Vec::new(), ..config.clone() };
    Sha256::new().chain_update(serde_json::to_vec(&common).unwrap_or_default())
}
