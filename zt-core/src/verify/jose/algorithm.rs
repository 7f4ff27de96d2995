//! The signature algorithms that are accepted, in one table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A JWS algorithm (RFC 7518, section 3.1; RFC 8037, section 3.1).
///
/// Not offered: `none`, which proves nothing; `ES512` (P-521), `ES256K` and `Ed448`, each a curve more to keep equal on
/// every target for hardly any issuer, as long as `ES384` and `EdDSA` are there; `RS1` and other SHA-1; encryption (JWE):
/// an access token that has to be secret from its client is better a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PSS with SHA-384.
    #[serde(rename = "PS384")]
    Ps384,
    /// RSASSA-PSS with SHA-512.
    #[serde(rename = "PS512")]
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
}

/// What a key must be to serve an algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum KeyKind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Secret,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: &'static [Self] = &[
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    const fn row(self) -> (&'static str, KeyKind, jsonwebtoken::Algorithm) {
        use jsonwebtoken::Algorithm as Jose;
        match self {
            Self::Rs256 => ("RS256", KeyKind::Rsa, Jose::RS256),
            Self::Rs384 => ("RS384", KeyKind::Rsa, Jose::RS384),
            Self::Rs512 => ("RS512", KeyKind::Rsa, Jose::RS512),
            Self::Ps256 => ("PS256", KeyKind::Rsa, Jose::PS256),
            Self::Ps384 => ("PS384", KeyKind::Rsa, Jose::PS384),
            Self::Ps512 => ("PS512", KeyKind::Rsa, Jose::PS512),
            Self::Es256 => ("ES256", KeyKind::P256, Jose::ES256),
            Self::Es384 => ("ES384", KeyKind::P384, Jose::ES384),
            Self::EdDsa => ("EdDSA", KeyKind::Ed25519, Jose::EdDSA),
            Self::Hs256 => ("HS256", KeyKind::Secret, Jose::HS256),
            Self::Hs384 => ("HS384", KeyKind::Secret, Jose::HS384),
            Self::Hs512 => ("HS512", KeyKind::Secret, Jose::HS512),
        }
    }

    /// The `alg` value; case-sensitive.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The algorithm of this `alg` value.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.as_str() == name)
    }

    pub(in crate::verify) const fn key_kind(self) -> KeyKind {
        self.row().1
    }

    pub(in crate::verify) const fn jose(self) -> jsonwebtoken::Algorithm {
        self.row().2
    }

    /// Bytes of an HMAC, and of the shortest key for it (RFC 7518, section 3.2); zero for the others.
    pub(in crate::verify) const fn hmac_bytes(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.as_str()), Some(*algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
        }
        for name in ["none", "NONE", "rs256", "RS256 ", "", "HS1", "ES256K", "ES512", "Ed448"] {
            assert_eq!(Algorithm::from_name(name), None, "{name}");
        }
    }
}
