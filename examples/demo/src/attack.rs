//! Tokens, honest and forged.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use axum_shop::issuer::{Algorithm, Issuer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Who makes tokens here: the shop's issuer, and somebody who is not.
pub(crate) struct Forge {
    pub(crate) issuer: Issuer,
    pub(crate) rogue: Issuer,
    now_s: i64,
}

impl Forge {
    pub(crate) fn new(now_ms: i64) -> Result<Self, Unspecified> {
        Ok(Self { issuer: Issuer::new()?, rogue: Issuer::new()?, now_s: now_ms / 1000 })
    }

    /// Claims of a good access token (RFC 9068).
    pub(crate) fn claims(&self, subject: &str, role: &str) -> Value {
        json!({"iss": Issuer::NAME, "aud": Issuer::AUDIENCE, "sub": subject, "client_id": "web", "jti": subject,
               "roles": [role], "iat": self.now_s, "auth_time": self.now_s, "exp": self.now_s + 600})
    }

    /// A good token.
    pub(crate) fn token(&self, algorithm: Algorithm, subject: &str, role: &str) -> Result<String, Unspecified> {
        self.issuer.token(algorithm, &self.claims(subject, role))
    }

    /// Properly signed, but with this claim changed by so many seconds from now, or to this value.
    pub(crate) fn with_claim(&self, name: &str, value: Value) -> Result<String, Unspecified> {
        let mut claims = self.claims("anna", "buyer");
        claims[name] = value;
        self.issuer.token(Algorithm::EdDsa, &claims)
    }

    /// Seconds from now as a claim.
    pub(crate) fn in_s(&self, seconds: i64) -> Value {
        json!(self.now_s + seconds)
    }

    /// Properly signed with Ed25519, but with these header members besides or instead.
    pub(crate) fn with_header(&self, members: Value) -> Result<String, Unspecified> {
        let mut header = json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"});
        if let (Value::Object(header), Value::Object(members)) = (&mut header, members) {
            header.extend(members);
        }
        self.issuer.token_with(Algorithm::EdDsa, &header, &self.claims("anna", "buyer").to_string())
    }

    /// Properly signed, but the claims say `roles` twice.
    pub(crate) fn with_duplicate_claim(&self) -> Result<String, Unspecified> {
        let claims = self.claims("anna", "buyer").to_string();
        let claims = claims.replacen('{', r#"{"roles":["admin"],"#, 1);
        self.issuer.token_with(Algorithm::EdDsa, &json!({"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"}), &claims)
    }

    /// `alg: none`, signed by nobody, whatever stands where the signature should.
    pub(crate) fn unsigned(&self, signature: &str) -> String {
        let header = json!({"alg": "none", "typ": "at+jwt"}).to_string();
        format!("{}.{}.{signature}", encode(&header), encode(&self.claims("anna", "admin").to_string()))
    }

    /// HS256, keyed with the issuer's public RSA key in PEM: what a verifier that trusts `alg` would accept.
    pub(crate) fn confused(&self) -> String {
        let header = json!({"alg": "HS256", "kid": "rs", "typ": "at+jwt"}).to_string();
        let message = format!("{}.{}", encode(&header), encode(&self.claims("anna", "admin").to_string()));
        let public = STANDARD.encode(self.issuer.rsa_public_key());
        let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{public}\n-----END RSA PUBLIC KEY-----\n");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes()), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The issuer's signature over other claims.
    pub(crate) fn tampered(&self) -> Result<String, Unspecified> {
        let token = self.token(Algorithm::Es256, "anna", "buyer")?;
        let (head, rest) = token.split_once('.').unwrap_or_default();
        let (_, signature) = rest.split_once('.').unwrap_or_default();
        Ok(format!("{head}.{}.{signature}", encode(&self.claims("anna", "admin").to_string())))
    }

    /// Signed by a key of the attacker's that the token brings along.
    pub(crate) fn with_own_key(&self) -> Result<String, Unspecified> {
        let key = self.rogue.jwks()["keys"][2].clone();
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "jwk": key});
        self.rogue.token_with(Algorithm::EdDsa, &header, &self.claims("anna", "admin").to_string())
    }
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}
