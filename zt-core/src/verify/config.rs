//! `[verify]`: who is trusted, and what is asked of a credential.

mod issuer;
mod spiffe;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::issuer::{IssuerConfig, Profile, SenderConstrained};
pub use self::spiffe::{SpiffeConfig, SpiffeWorkload};
use super::{
    CacheConfig, DpopConfig, ReauthenticateConfig, Secret, SignatureConfig, Sigv4Config, TransmitterConfig,
    WebhookConfig, WorkloadConfig,
};
use crate::base::units::{Duration, Size};

/// `[verify]`: trusted issuers and API keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How far the issuers' clocks may be off, at most five minutes; applied to `exp`, `nbf` and `iat`.
    pub clock_skew: Duration,
    /// Trusted issuers of JSON Web Tokens.
    pub issuer: Vec<IssuerConfig>,
    /// DPoP: tokens that are bound to a key of their sender. Without this table it is not accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop: Option<DpopConfig>,
    /// Workloads that are known by their client certificate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workload: Vec<WorkloadConfig>,
    /// SPIFFE trust domains whose JWT-SVIDs are accepted.
    pub spiffe: Vec<SpiffeConfig>,
    /// How often the host is asked at most to fetch an issuer's key set again.
    pub refresh_interval: Duration,
    /// Accepted API keys.
    pub api_key: Vec<ApiKeyConfig>,
    /// Keys that sign requests (HTTP Message Signatures, RFC 9421).
    pub signature: Vec<SignatureConfig>,
    /// The header that carries an API key.
    pub api_key_header: String,
    /// What every API key begins with: a prefix and an environment, such as `zt_live`. Keys are then those of
    /// `zt key new`, and one with another beginning or a wrong checksum is refused before it is looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_prefix: Option<String>,
    /// Secret under which the digests of API keys are taken (`hmac_sha256`), at least 16 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_pepper: Option<Secret>,
    /// File with that secret on one line; the host reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_pepper_file: Option<String>,
    /// Senders of signed webhooks.
    pub webhook: Vec<WebhookConfig>,
    /// Access keys of requests that are signed with AWS Signature Version 4.
    pub sigv4: Vec<Sigv4Config>,
    /// Transmitters of security events (CAEP, RISC).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transmitter: Vec<TransmitterConfig>,
    /// The top-level claim that names the tenant of a token, for limits and policies.
    pub tenant_claim: String,
    /// `realm` of the `WWW-Authenticate` header.
    pub realm: String,
    /// The longest token that is looked at, at most 64 KiB.
    pub max_token: Size,
    /// How fresh an authentication must be at which risk.
    pub reauthenticate: Vec<ReauthenticateConfig>,
    /// Most memory for revocations, of what the state has in all; unless given, a share of `state.memory`. At the bound
    /// nothing revoked is let in, and some that is not revoked is refused too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_memory: Option<Size>,
    /// Verified tokens, remembered.
    pub cache: CacheConfig,
    /// Memory for proofs that may be used once: DPoP proofs, signature nonces, webhook ids; 38 bytes for each that is
    /// used within its lifetime. Of what the state has in all; unless given, a share of `state.memory`. When it is full,
    /// new ones are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_memory: Option<Size>,
}

/// `[[verify.api_key]]`: one accepted API key. Two may share an `id` while one replaces the other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// Name of the caller: the principal of the identity.
    pub id: String,
    /// SHA-256 of the key in hexadecimal. Keys must be random, of 128 bits at least: the digest is not salted or slow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// In its place, HMAC-SHA-256 of the key under `api_key_pepper` in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac_sha256: Option<String>,
    /// Roles of the caller.
    #[serde(default)]
    pub roles: Vec<String>,
    /// OAuth scopes of the caller.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The only networks that it may be used from, such as `10.0.0.0/8`; everywhere when there is none here.
    #[serde(default)]
    pub networks: Vec<String>,
    /// When it stops being accepted: `2027-01-31` or `2027-01-31T18:00:00Z`, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl Config {
    /// Whether it accepts no credential at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.issuer.is_empty()
            && self.api_key.is_empty()
            && self.workload.is_empty()
            && self.signature.is_empty()
            && self.webhook.is_empty()
            && self.sigv4.is_empty()
            && self.spiffe.is_empty()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            clock_skew: Duration::from_millis(30_000),
            issuer: Vec::new(),
            dpop: None,
            workload: Vec::new(),
            spiffe: Vec::new(),
            refresh_interval: Duration::from_millis(60_000),
            api_key: Vec::new(),
            signature: Vec::new(),
            api_key_header: "x-api-key".to_owned(),
            api_key_prefix: None,
            api_key_pepper: None,
            api_key_pepper_file: None,
            webhook: Vec::new(),
            sigv4: Vec::new(),
            transmitter: Vec::new(),
            tenant_claim: "tenant".to_owned(),
            realm: "api".to_owned(),
            max_token: Size::from_bytes(16 << 10),
            reauthenticate: Vec::new(),
            revocation_memory: None,
            cache: CacheConfig::default(),
            replay_memory: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_is_the_default_and_typos_are_errors() {
        let config: Config = serde_json::from_str("{}").unwrap();
        assert_eq!(config.api_key_header, "x-api-key");
        assert_eq!(config.clock_skew.millis(), 30_000);
        for text in [
            r#"{"isuer":[]}"#,
            r#"{"issuer":[{"issuer":"a","audiences":["b"],"algorithms":["none"]}]}"#,
            r#"{"issuer":[{"issuer":"a","audiences":["b"],"algorithms":["RS256"],"jwks_url":"x"}]}"#,
        ] {
            assert!(serde_json::from_str::<Config>(text).is_err(), "{text}");
        }
    }
}
