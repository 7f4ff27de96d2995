//! The Ed25519 key that signs bundles, as a JWK in a file (RFC 8037).

use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use crate::Failure;
use crate::configuration::text;

/// A private key.
pub(crate) struct PrivateKey(Ed25519KeyPair);

/// The members that count; others, such as `kid`, are passed over.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    d: String,
    x: String,
}

impl PrivateKey {
    /// Reads the private JWK in a file. What is wrong is told without what is in it.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = text(path)?;
        let wrong = |why: &str| Failure(format!("`{}` is not a private Ed25519 JWK: {why}", path.display()));
        let jwk: Jwk = serde_json::from_str(&text)
            .map_err(|_| wrong("not an object with `kty`, `crv`, `d` and `x` as strings"))?;
        if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
            return Err(wrong("`kty` is not `OKP`, or `crv` not `Ed25519`"));
        }
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong("`d` or `x` is not base64url"));
        let pair = Ed25519KeyPair::from_seed_and_public_key(&bytes(&jwk.d)?, &bytes(&jwk.x)?);
        pair.map(Self).map_err(|_| wrong("`d` and `x` do not belong together"))
    }

    /// A new key and its private JWK.
    pub(crate) fn new() -> Result<(Self, String), Failure> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| Failure(format!("the system gives no randomness: {error}")))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| Failure("no key can be made".to_owned()))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": URL_SAFE_NO_PAD.encode(seed)});
        Ok((Self(pair), format!("{jwk}\n")))
    }

    /// The public JWK.
    pub(crate) fn public(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x}).to_string()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.0.sign(message)
    }
}
