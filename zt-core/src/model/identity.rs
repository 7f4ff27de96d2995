//! Who a request comes from, and how that was proven.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Millis;

// The numbers stay: keys of limits in snapshots are made of them.
/// How an identity was established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// A verified JSON Web Token.
    Jwt = 0,
    /// A verified API key.
    ApiKey = 1,
    /// A verified SPIFFE JWT-SVID: a workload.
    JwtSvid = 2,
    /// A client certificate that the configuration knows (mutual TLS).
    Certificate = 3,
    /// An HTTP message signature (RFC 9421).
    HttpSignature = 4,
    /// A request signed with AWS Signature Version 4.
    AwsSigv4 = 5,
    /// A signed webhook.
    Webhook = 6,
    /// The host's word (`subject` of a recorded event); nothing was verified.
    Asserted = 7,
}

impl IdentityKind {
    /// Whether it is a machine's own, not a user's.
    pub const fn is_workload(self) -> bool {
        matches!(self, Self::JwtSvid | Self::Certificate | Self::HttpSignature | Self::AwsSigv4 | Self::Webhook)
    }

    /// The name in documents and in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::ApiKey => "api_key",
            Self::JwtSvid => "jwt_svid",
            Self::Certificate => "certificate",
            Self::HttpSignature => "http_signature",
            Self::AwsSigv4 => "aws_sigv4",
            Self::Webhook => "webhook",
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
    /// Session of the token (`sid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Arc<str>>,
    /// Who acts for the principal, the present actor first (`act`, RFC 8693, section 4.1).
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub actors: Arc<[Box<str>]>,
    /// Roles.
    pub roles: Arc<[Box<str>]>,
    /// OAuth scopes.
    pub scopes: Arc<[Box<str>]>,
    /// How strong and how fresh the proof is.
    #[serde(default)]
    pub assurance: Assurance,
}

impl Identity {
    /// Somebody of this kind and name, with nothing more.
    pub fn new(kind: IdentityKind, principal: impl Into<Arc<str>>) -> Self {
        Self {
            kind,
            principal: principal.into(),
            issuer: None,
            credential_id: None,
            session: None,
            actors: Arc::new([]),
            roles: Arc::new([]),
            scopes: Arc::new([]),
            assurance: Assurance::default(),
        }
    }

    /// The host's word for who this is; nothing was verified.
    pub fn asserted(principal: &str) -> Self {
        Self::new(IdentityKind::Asserted, principal)
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
