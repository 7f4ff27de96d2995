//! `[[verify.signature]]`: whose message signatures are accepted.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::units::Duration;
use crate::verify::Algorithm;

/// `[[verify.signature]]`: one key that signs requests (RFC 9421).
///
/// A signature has to cover every component in `covered`, and `content-digest` (RFC 9530) besides when the request has
/// a body, whatever `covered` says, unless `body = "uncovered"`. Its `created` and `keyid` are always required.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureConfig {
    /// Name of the signer: the principal of the identity.
    pub id: String,
    /// The exact `keyid` of its signatures.
    pub keyid: String,
    /// The only algorithm that the key is for; an `alg` parameter that says otherwise is refused.
    pub algorithm: SignatureAlgorithm,
    /// File with the key as one JWK (RFC 7517): a public key, or an `oct` key for `hmac-sha256`; the host reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk_file: Option<String>,
    /// The JWK itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwk: Option<String>,
    /// Components that every signature must cover: `@method`, `content-type`, or with parameters as they are written in
    /// `Signature-Input`: `"@query-param";name="id"`.
    #[serde(default = "method_and_target")]
    pub covered: Vec<String>,
    /// Whether a body must be covered by way of `content-digest`.
    #[serde(default)]
    pub body: BodyCover,
    /// The longest time since `created`, at most a day.
    #[serde(default = "five_minutes")]
    pub max_age: Duration,
    /// The exact `tag` that its signatures must have; without it a tag is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whether a `nonce` is asked for. One that is shown passes once in any case.
    #[serde(default)]
    pub nonce: Nonce,
    /// Whom the signature speaks for.
    #[serde(default, rename = "as")]
    pub speaks_as: SpeaksAs,
    /// Roles of the signer.
    #[serde(default)]
    pub roles: Vec<String>,
    /// OAuth scopes of the signer.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// An algorithm of the registry "HTTP Signature Algorithms" (RFC 9421, section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SignatureAlgorithm {
    /// RSASSA-PSS with SHA-512.
    #[serde(rename = "rsa-pss-sha512")]
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "rsa-v1_5-sha256")]
    RsaV15Sha256,
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ecdsa-p256-sha256")]
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ecdsa-p384-sha384")]
    EcdsaP384Sha384,
    /// Ed25519.
    #[serde(rename = "ed25519")]
    Ed25519,
}

impl SignatureAlgorithm {
    /// The name in the registry, the value of `alg`; and the same primitive's name in JOSE.
    const fn row(self) -> (&'static str, Algorithm) {
        match self {
            Self::RsaPssSha512 => ("rsa-pss-sha512", Algorithm::Ps512),
            Self::RsaV15Sha256 => ("rsa-v1_5-sha256", Algorithm::Rs256),
            Self::HmacSha256 => ("hmac-sha256", Algorithm::Hs256),
            Self::EcdsaP256Sha256 => ("ecdsa-p256-sha256", Algorithm::Es256),
            Self::EcdsaP384Sha384 => ("ecdsa-p384-sha384", Algorithm::Es384),
            Self::Ed25519 => ("ed25519", Algorithm::EdDsa),
        }
    }

    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    pub(super) const fn jose(self) -> Algorithm {
        self.row().1
    }
}

/// Whether a body must be covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyCover {
    /// A request with a body must have a `Content-Digest` that is covered.
    #[default]
    Covered,
    /// Whoever stands between may change the body.
    Uncovered,
}

/// Whether a nonce is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nonce {
    /// A signature without a nonce passes any number of times until it is too old.
    #[default]
    Optional,
    /// A signature without a nonce is refused.
    Required,
}

/// Whom a signature speaks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpeaksAs {
    /// The caller: the signature is its only credential.
    #[default]
    Identity,
    /// The workload that carries the request, beside the caller's own credential; alone it speaks for nobody.
    Workload,
}

impl fmt::Debug for SignatureConfig {
    /// Without the key: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureConfig")
            .field("id", &self.id)
            .field("keyid", &self.keyid)
            .field("algorithm", &self.algorithm)
            .field("jwk_file", &self.jwk_file)
            .field("covered", &self.covered)
            .finish_non_exhaustive()
    }
}

fn method_and_target() -> Vec<String> {
    vec!["@method".to_owned(), "@target-uri".to_owned()]
}

const fn five_minutes() -> Duration {
    Duration::from_millis(300_000)
}
