//! The tokens that every verifier is measured on, and the file that hands them to other programs.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use axum_shop::issuer::{Algorithm, Issuer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zt_benches::fixture::{SUBJECT, claims};

/// Tokens of each algorithm: as many as the caches of others hold by default.
pub(crate) const LIVE: u32 = 1_000;

/// An issuer with one algorithm, and tokens of it.
pub(crate) struct Case {
    pub(crate) alg: &'static str,
    pub(crate) issuer: String,
    pub(crate) jwk: Value,
    pub(crate) tokens: Vec<String>,
    signer: Signer,
}

pub(crate) struct Payload {
    /// The system's clock: most verifiers take no other.
    pub(crate) now_ms: i64,
    pub(crate) cases: Vec<Case>,
    keys: Issuer,
}

enum Signer {
    Hmac(Box<hmac::Key>),
    Key(Algorithm),
}

impl Payload {
    /// With new keys.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(crate) fn new() -> Result<Self, String> {
        let keys = Issuer::new().map_err(|error| format!("keys: {error}"))?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(since.as_millis()).unwrap_or_default();
        let mut payload = Self { now_ms, cases: Vec::new(), keys };
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|error| format!("secret: {error}"))?;
        let jwk = json!({"kty": "oct", "kid": "hs", "k": URL_SAFE_NO_PAD.encode(secret)});
        payload.add("HS256", Signer::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &secret))), jwk)?;
        let asymmetric =
            [("RS256", Algorithm::Rs256, 0), ("PS256", Algorithm::Ps256, 0), ("ES256", Algorithm::Es256, 1)];
        for (alg, algorithm, key) in asymmetric.into_iter().chain([("EdDSA", Algorithm::EdDsa, 2)]) {
            let jwk = payload.keys.jwks()["keys"][key].clone();
            payload.add(alg, Signer::Key(algorithm), jwk)?;
        }
        Ok(payload)
    }

    fn add(&mut self, alg: &'static str, signer: Signer, mut jwk: Value) -> Result<(), String> {
        jwk["alg"] = alg.into();
        let issuer = format!("{}/{}", Issuer::NAME, alg.to_lowercase());
        let mut case = Case { alg, issuer, jwk, tokens: Vec::new(), signer };
        case.tokens = (0..LIVE).map(|number| self.token(&case, number)).collect::<Result<_, _>>()?;
        self.cases.push(case);
        Ok(())
    }

    /// Another token of this case.
    pub(crate) fn token(&self, case: &Case, number: u32) -> Result<String, String> {
        let claims = claims(&case.issuer, number, self.now_ms / 1000).to_string();
        let header = json!({"alg": case.alg, "kid": case.jwk["kid"], "typ": "at+jwt"});
        match &case.signer {
            Signer::Hmac(key) => {
                let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
                let signed = format!("{}.{}", encode(&header.to_string()), encode(&claims));
                let tag = hmac::sign(key, signed.as_bytes());
                Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag)))
            }
            Signer::Key(algorithm) => {
                self.keys.token_with(*algorithm, &header, &claims).map_err(|error| format!("signing: {error}"))
            }
        }
    }

    /// A `zt.toml` that trusts every issuer; `cache` is what it says of `[verify.cache]`.
    pub(crate) fn config(&self, cache: &str) -> String {
        let issuers = self.cases.iter().map(|case| {
            let keys = json!({"keys": [case.jwk]});
            let (issuer, audience, alg) = (&case.issuer, Issuer::AUDIENCE, case.alg);
            format!(
                "[[verify.issuer]]\nissuer = \"{issuer}\"\naudiences = [\"{audience}\"]\nalgorithms = [\"{alg}\"]\n\
                 jwks = '{keys}'\n"
            )
        });
        format!("version = 1\n[verify.cache]\n{cache}\n{}", issuers.collect::<String>())
    }

    /// What the programs under `benches/peers` read.
    pub(crate) fn document(&self) -> Value {
        let case =
            |case: &Case| json!({"alg": case.alg, "issuer": case.issuer, "jwk": case.jwk, "tokens": case.tokens});
        json!({
            "now_ms": self.now_ms, "audience": Issuer::AUDIENCE, "subject": SUBJECT, "config": self.config(""),
            "config_uncached": self.config(UNCACHED), "cases": self.cases.iter().map(case).collect::<Vec<_>>(),
        })
    }
}

/// Nothing is remembered: every verification is the first of its token.
pub(crate) const UNCACHED: &str = "memory = \"0B\"";
