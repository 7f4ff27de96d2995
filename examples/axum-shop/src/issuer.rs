//! A token issuer with keys made when it starts: what an identity provider is to a real service.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// What to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, PKCS #1 v1.5.
    Rs256,
    /// RSA, PSS; the shop does not accept it.
    Ps256,
    /// ECDSA on P-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// An issuer.
pub struct Issuer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Issuer {
    /// `iss` of its tokens.
    pub const NAME: &str = "https://idp.shop.test";
    /// `aud` of tokens for the shop.
    pub const AUDIENCE: &str = "https://api.shop.test";

    /// With new keys.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new() -> Result<Self, Unspecified> {
        Ok(Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048)?,
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            ed: Ed25519KeyPair::generate()?,
        })
    }

    /// Its public keys (RFC 7517).
    pub fn jwks(&self) -> Value {
        let rsa = self.rsa.public_key();
        let (modulus, exponent) = (rsa.modulus(), rsa.exponent());
        let point = self.ec.public_key().as_ref();
        let (x, y) = point.strip_prefix(&[4]).unwrap_or(point).split_at(32);
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (n, e) = (modulus.big_endian_without_leading_zero(), exponent.big_endian_without_leading_zero());
        json!({"keys": [
            {"kid": "rs", "kty": "RSA", "alg": "RS256", "use": "sig", "n": number(n), "e": number(e)},
            {"kid": "es", "kty": "EC", "alg": "ES256", "use": "sig", "crv": "P-256", "x": number(x), "y": number(y)},
            {"kid": "ed", "kty": "OKP", "alg": "EdDSA", "use": "sig", "crv": "Ed25519",
             "x": number(self.ed.public_key().as_ref())},
        ]})
    }

    /// The RSA public key as DER (PKCS #1), which everybody may know.
    pub fn rsa_public_key(&self) -> &[u8] {
        self.rsa.public_key().as_ref()
    }

    /// An access token (RFC 9068) with these claims.
    ///
    /// # Errors
    /// When signing fails.
    pub fn token(&self, algorithm: Algorithm, claims: &Value) -> Result<String, Unspecified> {
        let (alg, kid) = match algorithm {
            Algorithm::Rs256 => ("RS256", "rs"),
            Algorithm::Ps256 => ("PS256", "rs"),
            Algorithm::Es256 => ("ES256", "es"),
            Algorithm::EdDsa => ("EdDSA", "ed"),
        };
        self.token_with(algorithm, &json!({"alg": alg, "kid": kid, "typ": "at+jwt"}), &claims.to_string())
    }

    /// A token with this header and this text for claims.
    ///
    /// # Errors
    /// When signing fails.
    pub fn token_with(&self, algorithm: Algorithm, header: &Value, claims: &str) -> Result<String, Unspecified> {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.sign(algorithm, message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        match algorithm {
            Algorithm::Rs256 => self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?,
            Algorithm::Ps256 => self.rsa.sign(&RSA_PSS_SHA256, &random, message, &mut signature)?,
            Algorithm::Es256 => return Ok(self.ec.sign(&random, message)?.as_ref().to_vec()),
            Algorithm::EdDsa => return Ok(self.ed.sign(message).as_ref().to_vec()),
        }
        Ok(signature)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer")
    }
}

/// A new API key and the SHA-256 of it, hex: the key is for the partner, the digest for the configuration.
///
/// # Errors
/// When the system gives no randomness.
pub fn api_key() -> Result<(String, String), Unspecified> {
    let mut random = [0; 24];
    fill(&mut random)?;
    let key = format!("shop_{}", URL_SAFE_NO_PAD.encode(random));
    let hash = digest(&SHA256, key.as_bytes());
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((key, hex))
}

/// A number that nobody can guess.
///
/// # Errors
/// When the system gives no randomness.
pub fn seed() -> Result<u64, Unspecified> {
    let mut random = [0; 8];
    fill(&mut random)?;
    Ok(u64::from_le_bytes(random))
}
