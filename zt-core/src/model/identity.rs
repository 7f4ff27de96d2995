//! Who a request comes from, and how that was proven.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Millis;

/// How an identity was established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// A verified JSON Web Token.
    Jwt,
    /// A verified API key.
    ApiKey,
    /// The host's word (`subject` of a recorded event); nothing was verified.
    Asserted,
}

impl IdentityKind {
    /// The name in documents and in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiKey => "api_key",
            Self::Asserted => "asserted",
        }
    }
}

/// A verified identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// How it was established.
    pub kind: IdentityKind,
    /// Subject of the token, or id of the key.
    pub principal: Arc<str>,
    /// Issuer of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Arc<str>>,
    /// `jti` of the token, or id of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_id: Option<Arc<str>>,
    /// Roles.
    pub roles: Arc<[Box<str>]>,
    /// OAuth scopes.
    pub scopes: Arc<[Box<str>]>,
    /// How strong and how fresh the proof is.
    #[serde(default)]
    pub assurance: Assurance,
}

impl Identity {
    /// The host's word for who this is; nothing was verified.
    pub fn asserted(principal: &str) -> Self {
        Self {
            kind: IdentityKind::Asserted,
            principal: principal.into(),
            issuer: None,
            credential_id: None,
            roles: Arc::new([]),
            scopes: Arc::new([]),
            assurance: Assurance::default(),
        }
    }
}

/// Strength and freshness of an authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assurance {
    /// Authentication context class (`acr`, OpenID Connect Core 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<Arc<str>>,
    /// When the end user last authenticated (`auth_time`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time_ms: Option<Millis>,
    /// When the token was issued (`iat`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at_ms: Option<Millis>,
    /// What binds the credential to its sender: `dpop`, `mtls`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Arc<str>>,
}
