//! `[verify.dpop]`: what is asked of a proof.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Algorithm, Secret};
use crate::base::units::Duration;

/// `[verify.dpop]`: proofs of possession for access tokens (RFC 9449). The table, empty as it may be, is what makes DPoP
/// accepted; that an issuer's tokens *must* be bound is its `sender_constrained = "required"`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DpopConfig {
    /// Accepted algorithms of proofs: asymmetric ones.
    pub algorithms: Vec<Algorithm>,
    /// How long after its `iat` a proof is accepted, at most an hour. Each is remembered that long.
    pub max_age: Duration,
    /// How far the clients' clocks may be off, at most five minutes.
    pub clock_skew: Duration,
    /// URLs under which clients know this API, such as `https://api.example.com`, or `https://example.com/api` where a
    /// proxy strips `/api`: `htu` must be one of them with the request's path behind it. Without it, it is what the
    /// request says: its scheme (`https` when the host does not know it) and its `Host`. Name them behind a proxy that
    /// ends TLS, and where the server does not check `Host` itself: a proof made for another server is good for whoever
    /// may send that server's name here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub base_urls: Vec<String>,
    /// Whether a proof must hold a nonce of this server.
    pub nonce: NonceUse,
    /// How long a nonce is handed out; it is accepted for as long again.
    pub nonce_lifetime: Duration,
    /// File with the secret that nonces are made with; the host reads it. White space around it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce_secret_file: Option<String>,
    /// The secret itself, 32 characters at least; the same on every server that should accept the others' nonces. Needed
    /// where a nonce is required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce_secret: Option<Secret>,
}

/// Whether proofs must hold a nonce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NonceUse {
    /// None is asked for.
    #[default]
    Off,
    /// A recent one of this server is.
    Required,
}

impl Default for DpopConfig {
    fn default() -> Self {
        Self {
            algorithms: vec![Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Ps256],
            max_age: Duration::from_millis(60_000),
            clock_skew: Duration::from_millis(10_000),
            base_urls: Vec::new(),
            nonce: NonceUse::Off,
            nonce_lifetime: Duration::from_millis(300_000),
            nonce_secret_file: None,
            nonce_secret: None,
        }
    }
}
