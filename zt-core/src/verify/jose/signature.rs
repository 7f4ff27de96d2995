//! Signatures, through an explicitly named provider of `jsonwebtoken`.

#[cfg(not(target_arch = "wasm32"))]
use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaPublicKeyComponents,
};
use jsonwebtoken::crypto::JwtVerifier;
#[cfg(not(target_arch = "wasm32"))]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER as PROVIDER;
#[cfg(target_arch = "wasm32")]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as PROVIDER;
use jsonwebtoken::{DecodingKey, DecodingKeyKind};

use super::algorithm::{Algorithm, KeyKind};
use super::curve;

/// An admitted key, ready to verify with.
#[derive(Debug)]
pub(in crate::verify) struct Verifying {
    key: DecodingKey,
    /// The same RSA key parsed once: the provider parses it for each signature, which is an eighth of the time.
    #[cfg(not(target_arch = "wasm32"))]
    parsed: Option<ParsedPublicKey>,
}

impl Verifying {
    pub(in crate::verify) fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self {
            #[cfg(not(target_arch = "wasm32"))]
            parsed: parse_rsa(algorithm, &key),
            key: {
                #[cfg(target_arch = "wasm32")]
                let _ = algorithm;
                key
            },
        }
    }

    /// What the key is: a modulus and its exponent, or a point or secret and nothing.
    pub(in crate::verify) fn material(&self) -> (&[u8], &[u8]) {
        match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => (n, e),
            DecodingKeyKind::SecretOrDer(bytes) => (bytes, &[]),
        }
    }

    /// Whether the signature over the message is the key's.
    ///
    /// Its form is checked here first, so that every backend gives the same answer: exact length; for RSA a number
    /// below the modulus; for ECDSA r and s in 1..order; for Ed25519 what strict verification asks.
    pub(in crate::verify) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &Vec<u8>) -> bool {
        if !well_formed(algorithm, &self.key, signature) {
            return false;
        }
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(parsed) = &self.parsed {
            return parsed.verify_sig(message, signature).is_ok();
        }
        (PROVIDER.verifier_factory)(&algorithm.jose(), &self.key)
            .is_ok_and(|verifier: Box<dyn JwtVerifier>| verifier.verify(message, signature).is_ok())
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn parse_rsa(algorithm: Algorithm, key: &DecodingKey) -> Option<ParsedPublicKey> {
    let parameters = match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    };
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok()
        }
        DecodingKeyKind::SecretOrDer(_) => None,
    }
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
