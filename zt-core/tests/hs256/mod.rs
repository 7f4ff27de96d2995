//! An issuer of the tests whose key is a secret, and the tokens that it signs (HS256).
#![allow(dead_code, reason = "a test takes what it needs")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const ISSUER: &str = "https://idp.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const SECRET: &[u8] = b"a secret of these tests, of 32 bytes or more";

/// Its table in `zt.toml`.
pub(crate) fn issuer_table() -> String {
    let k = encode(SECRET);
    format!(
        r#"
[[verify.issuer]]
issuer = "{ISSUER}"
audiences = ["{AUDIENCE}"]
algorithms = ["HS256"]
jwks = '{{"keys":[{{"kty":"oct","kid":"1","k":"{k}"}}]}}'
"#
    )
}

/// An access token of it.
pub(crate) fn token(claims: &Value) -> String {
    sign(&json!({"alg": "HS256", "typ": "at+jwt", "kid": "1"}), claims, SECRET)
}

/// A token of anybody.
pub(crate) fn sign(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(mac.finalize().into_bytes()))
}

/// In base64url, as all of a token is written.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
