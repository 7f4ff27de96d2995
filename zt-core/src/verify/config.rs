//! `[verify]`: who is trusted, and what is asked of a credential.

mod issuer;
mod spiffe;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::issuer::{IssuerConfig, Profile};
pub use self::spiffe::{SpiffeConfig, SpiffeWorkload};
use crate::base::units::{Duration, Size};

/// `[verify]`: trusted issuers and API keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How far the issuers' clocks may be off, at most five minutes; applied to `exp`, `nbf` and `iat`.
    pub clock_skew: Duration,
    /// Trusted issuers of JSON Web Tokens.
    pub issuer: Vec<IssuerConfig>,
    /// SPIFFE trust domains whose JWT-SVIDs are accepted.
    pub spiffe: Vec<SpiffeConfig>,
    /// How often the host is asked at most to fetch an issuer's key set again.
    pub refresh_interval: Duration,
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

impl Default for Config {
    fn default() -> Self {
        Self {
            clock_skew: Duration::from_millis(30_000),
            issuer: Vec::new(),
            spiffe: Vec::new(),
            refresh_interval: Duration::from_millis(60_000),
            api_key: Vec::new(),
            api_key_header: "x-api-key".to_owned(),
            tenant_claim: "tenant".to_owned(),
            realm: "api".to_owned(),
            max_token: Size::from_bytes(16 << 10),
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
