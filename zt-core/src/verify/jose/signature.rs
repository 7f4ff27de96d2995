//! Signatures, through an explicitly named provider of `jsonwebtoken`.

#[cfg(not(target_arch = "wasm32"))]
use aws_lc_rs::hmac;
#[cfg(not(target_arch = "wasm32"))]
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};
use jsonwebtoken::crypto::JwtVerifier;
#[cfg(not(target_arch = "wasm32"))]
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER as PROVIDER;
#[cfg(target_arch = "wasm32")]
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER as PROVIDER;
use jsonwebtoken::{DecodingKey, DecodingKeyKind};

use super::algorithm::{Algorithm, KeyKind};
use super::curve;
#[cfg(target_arch = "wasm32")]
use super::rsa::RsaKey;

/// An admitted key, ready to verify with.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Verifying {
    key: DecodingKey,
    /// The same key parsed once: the provider does that for each signature, which is an eighth of the time for RSA, a
    /// thirtieth for ECDSA and a third for an HMAC.
    #[cfg(not(target_arch = "wasm32"))]
    parsed: Option<Parsed>,
    /// The same RSA key parsed once: the provider takes at most 4096 bits.
    #[cfg(target_arch = "wasm32")]
    parsed: Option<RsaKey>,
}

#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug)]
enum Parsed {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl Verifying {
    pub(in crate::verify) fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        Self { parsed: parse(algorithm, &key), key }
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
    pub(in crate::verify) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !well_formed(algorithm, &self.key, signature) {
            return false;
        }
        #[cfg(not(target_arch = "wasm32"))]
        match &self.parsed {
            Some(Parsed::Public(key)) => return key.verify_sig(message, signature).is_ok(),
            Some(Parsed::Secret(key)) => return hmac::verify(key, message, signature).is_ok(),
            None => {}
        }
        #[cfg(target_arch = "wasm32")]
        if let Some(parsed) = &self.parsed {
            return parsed.verify(algorithm, message, signature);
        }
        (PROVIDER.verifier_factory)(&algorithm.jose(), &self.key)
            .is_ok_and(|verifier: Box<dyn JwtVerifier>| verifier.verify(message, &signature.to_vec()).is_ok())
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn parse(algorithm: Algorithm, key: &DecodingKey) -> Option<Parsed> {
    let rsa: &'static RsaParameters = match (algorithm, key.kind()) {
        (Algorithm::Rs256, _) => &RSA_PKCS1_2048_8192_SHA256,
        (Algorithm::Rs384, _) => &RSA_PKCS1_2048_8192_SHA384,
        (Algorithm::Rs512, _) => &RSA_PKCS1_2048_8192_SHA512,
        (Algorithm::Ps256, _) => &RSA_PSS_2048_8192_SHA256,
        (Algorithm::Ps384, _) => &RSA_PSS_2048_8192_SHA384,
        (Algorithm::Ps512, _) => &RSA_PSS_2048_8192_SHA512,
        (Algorithm::Es256, DecodingKeyKind::SecretOrDer(point)) => {
            return ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok().map(Parsed::Public);
        }
        (Algorithm::Es384, DecodingKeyKind::SecretOrDer(point)) => {
            return ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).ok().map(Parsed::Public);
        }
        (Algorithm::Hs256, DecodingKeyKind::SecretOrDer(secret)) => return Some(secret_of(hmac::HMAC_SHA256, secret)),
        (Algorithm::Hs384, DecodingKeyKind::SecretOrDer(secret)) => return Some(secret_of(hmac::HMAC_SHA384, secret)),
        (Algorithm::Hs512, DecodingKeyKind::SecretOrDer(secret)) => return Some(secret_of(hmac::HMAC_SHA512, secret)),
        _ => return None,
    };
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa).ok().map(Parsed::Public)
        }
        DecodingKeyKind::SecretOrDer(_) => None,
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn secret_of(algorithm: hmac::Algorithm, secret: &[u8]) -> Parsed {
    Parsed::Secret(Box::new(hmac::Key::new(algorithm, secret)))
}

#[cfg(target_arch = "wasm32")]
fn parse(_: Algorithm, key: &DecodingKey) -> Option<RsaKey> {
    match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => RsaKey::parse(n, e),
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
