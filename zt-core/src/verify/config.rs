//! `[verify]`: who is trusted, and what is asked of a credential.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Algorithm, CacheConfig, ReauthenticateConfig};
use crate::base::units::{Duration, Size};

/// `[verify]`: trusted issuers and API keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How far the issuers' clocks may be off, at most five minutes; applied to `exp`, `nbf` and `iat`.
    pub clock_skew: Duration,
    /// Trusted issuers of JSON Web Tokens.
    pub issuer: Vec<IssuerConfig>,
    /// Accepted API keys.
    pub api_key: Vec<ApiKeyConfig>,
    /// The header that carries an API key.
    pub api_key_header: String,
    /// The top-level claim that names the tenant of a token, for limits.
    pub tenant_claim: String,
    /// `realm` of the `WWW-Authenticate` header.
    pub realm: String,
    /// The longest token that is looked at, at most 64 KiB.
    pub max_token: Size,
    /// How fresh an authentication must be at which risk.
    pub reauthenticate: Vec<ReauthenticateConfig>,
    /// Most memory for revocations; at the bound nothing revoked is let in, and some that is not revoked is refused too.
    pub revocation_memory: Size,
    /// Verified tokens, remembered.
    pub cache: CacheConfig,
}

/// `[[verify.issuer]]`: one trusted issuer.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// A token is for this API when its `aud` holds one of these exactly.
    pub audiences: Vec<String>,
    /// Accepted algorithms. A key serves exactly one: that of its `alg`, or else the only one here that fits it.
    pub algorithms: Vec<Algorithm>,
    /// File with the issuer's JWK set (RFC 7517); the host reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_file: Option<String>,
    /// The JWK set itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// Accepted `typ` values; `application/` and case are ignored.
    #[serde(default = "access_token_types")]
    pub token_types: Vec<String>,
    /// The longest time since `iat`; makes `iat` required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_token_age: Option<Duration>,
    /// The longest time since `auth_time`; makes `auth_time` required, else the end user is asked to authenticate again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reauthenticate_after: Option<Duration>,
    /// The top-level claim that holds the roles: an array of strings, or names separated by spaces.
    #[serde(default = "roles_claim")]
    pub roles_claim: String,
}

/// `[[verify.api_key]]`: one accepted API key. Two may share an `id` while one replaces the other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// Name of the caller: the principal of the identity.
    pub id: String,
    /// SHA-256 of the key in hexadecimal. Keys must be random, of 128 bits at least: the digest is not salted or slow.
    pub sha256: String,
    /// Roles of the caller.
    #[serde(default)]
    pub roles: Vec<String>,
    /// OAuth scopes of the caller.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// When it stops being accepted: `2027-01-31` or `2027-01-31T18:00:00Z`, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

impl fmt::Debug for IssuerConfig {
    /// Without the key set: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerConfig")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .field("jwks_file", &self.jwks_file)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            clock_skew: Duration::from_millis(30_000),
            issuer: Vec::new(),
            api_key: Vec::new(),
            api_key_header: "x-api-key".to_owned(),
            tenant_claim: "tenant".to_owned(),
            realm: "api".to_owned(),
            max_token: Size::from_bytes(16 << 10),
            reauthenticate: Vec::new(),
            revocation_memory: Size::from_bytes(4 << 20),
            cache: CacheConfig::default(),
        }
    }
}

fn access_token_types() -> Vec<String> {
    vec!["at+jwt".to_owned()]
}

fn roles_claim() -> String {
    "roles".to_owned()
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
