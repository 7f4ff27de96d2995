//! Signatures, through an explicitly named provider of `jsonwebtoken`.

use jsonwebtoken::crypto::JwtVerifier;
#[cfg(not(target_arch = "wasm32"))]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER as PROVIDER;
#[cfg(target_arch = "wasm32")]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as PROVIDER;
use jsonwebtoken::{DecodingKey, DecodingKeyKind};

use super::algorithm::{Algorithm, KeyKind};
use super::curve;

/// Whether the signature over the message is the key's.
///
/// Its form is checked here first, so that every backend gives the same answer: exact length; for RSA a number below the
/// modulus; for ECDSA r and s in 1..order; for Ed25519 what strict verification asks.
pub(super) fn verify(algorithm: Algorithm, key: &DecodingKey, message: &[u8], signature: &Vec<u8>) -> bool {
    well_formed(algorithm, key, signature)
        && (PROVIDER.verifier_factory)(&algorithm.jose(), key)
            .is_ok_and(|verifier: Box<dyn JwtVerifier>| verifier.verify(message, signature).is_ok())
}

fn well_formed(algorithm: Algorithm, key: &DecodingKey, signature: &[u8]) -> bool {
    match algorithm.key_kind() {
        KeyKind::Rsa => match key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, .. } => signature.len() == n.len() && signature < n.as_slice(),
            DecodingKeyKind::SecretOrDer(_) => false,
        },
        KeyKind::P256 => halves::<32>(signature).is_some_and(|(r, s)| curve::P256.admits_signature(r, s)),
        KeyKind::P384 => halves::<48>(signature).is_some_and(|(r, s)| curve::P384.admits_signature(r, s)),
        KeyKind::Ed25519 => halves::<32>(signature).is_some_and(|(r, s)| curve::admits_ed25519_signature(r, s)),
        KeyKind::Secret => signature.len() == algorithm.hmac_bytes(),
    }
}

fn halves<const N: usize>(signature: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    let (first, rest) = signature.split_first_chunk::<N>()?;
    Some((first, rest.try_into().ok()?))
}
