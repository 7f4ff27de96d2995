//! Ed25519 signatures of what is no token: of a bundle.

use super::jose::admission::{self, Key};
use super::jose::algorithm::Algorithm;
use super::jose::{jwk, thumbprint};

/// Bytes of a signature (RFC 8032, section 5.1.6).
pub(crate) const SIGNATURE: usize = 64;
/// Bytes of a key's name.
pub(crate) const THUMBPRINT: usize = 32;

/// Public Ed25519 keys (RFC 8037) that sign bundles, each known by its thumbprint (RFC 7638).
#[derive(Clone, Debug)]
pub struct SigningKeys(Vec<([u8; THUMBPRINT], Key)>);

impl SigningKeys {
    /// Reads one JWK, or a JWK set where keys are being replaced.
    ///
    /// # Errors
    /// What is wrong with the text or with one of the keys, in words. A private key is refused.
    pub fn read(text: &str) -> Result<Self, String> {
        let one = format!("{{\"keys\":[{text}]}}");
        let keys = jwk::members_of_keys(text).or_else(|_| jwk::members_of_keys(&one)).map_err(|bad| bad.message)?;
        let read = |members| {
            let key = admission::admit_shown(members, Algorithm::EdDsa)?;
            Ok((thumbprint::sha256(members).ok_or("a member is missing")?, key))
        };
        let keys: Vec<_> = keys.iter().map(read).collect::<Result<_, &'static str>>().map_err(str::to_owned)?;
        if keys.is_empty() { Err("the set is empty".to_owned()) } else { Ok(Self(keys)) }
    }

    /// Names of the keys.
    pub fn thumbprints(&self) -> impl Iterator<Item = &[u8; THUMBPRINT]> {
        self.0.iter().map(|(thumbprint, _)| thumbprint)
    }

    /// Whether this key signed the message; nothing when it is none of these.
    pub(crate) fn verify(&self, thumbprint: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        let (_, key) = self.0.iter().find(|(known, _)| known == thumbprint)?;
        Some(key.verifying.verify(key.algorithm, message, signature))
    }
}
