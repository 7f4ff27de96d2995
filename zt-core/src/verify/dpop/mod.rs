//! DPoP: access tokens bound to a key of their sender, who proves it with every request (RFC 9449).

mod config;
mod nonce;
mod proof;
mod target;
#[cfg(test)]
mod tests;

pub use config::{DpopConfig, NonceUse};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use self::nonce::{Age, Nonces};
use self::proof::{Proof, bad};
use super::compile::MAX_SKEW;
use super::replay::Replays;
use super::{Algorithm, Refusal, authority};
use crate::model::{Code, Millis, Problem, Request, Text};

/// Longest time that proofs may be accepted.
const MAX_AGE: Millis = 3_600_000;
/// Longest time that a nonce may be handed out.
const MAX_NONCE_LIFETIME: Millis = 86_400_000;
/// Shortest secret, characters.
const LEAST_SECRET: usize = 32;

/// A compiled [`DpopConfig`].
#[derive(Debug)]
pub(super) struct Dpop {
    algorithms: Vec<Algorithm>,
    /// Their names, as challenges list them.
    algs: String,
    max_age: Millis,
    skew: Millis,
    base_urls: Vec<Vec<u8>>,
    nonces: Option<Nonces>,
}

/// What a proof is checked against besides the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound<'t> {
    /// The access token, where there is one yet.
    pub(super) token: Option<&'t [u8]>,
    /// Thumbprint of the key that it is bound to.
    pub(super) jkt: Option<&'t [u8; 32]>,
}

/// Whether a proof's nonce will do next time too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceHeld {
    /// It will, or none is asked for.
    Current,
    /// The client should be handed the next.
    Ageing,
}

impl Dpop {
    pub(super) fn compile(config: &DpopConfig, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.dpop.{key}"), message).mend(mend));
        };
        if config.algorithms.is_empty() || config.algorithms.iter().any(|algorithm| algorithm.hmac_bytes() > 0) {
            problem(
                "algorithms",
                "empty, or one with a shared secret",
                "write some of \"ES256\", \"EdDSA\", \"PS256\"",
            );
        }
        let within = |duration: Millis, most: Millis| (1..=most).contains(&duration);
        if !within(config.max_age.millis(), MAX_AGE) {
            problem("max_age", "not from 1 ms to an hour", "write \"60s\"");
        }
        if config.clock_skew.millis() > MAX_SKEW {
            problem("clock_skew", "more than five minutes", "write \"10s\"");
        }
        if !within(config.nonce_lifetime.millis(), MAX_NONCE_LIFETIME) {
            problem("nonce_lifetime", "not from 1 ms to a day", "write \"5m\"");
        }
        let secret = config.nonce_secret.as_ref().map(|secret| secret.expose().trim());
        match secret {
            // The seed of a state may be known to everybody, and then so would be every nonce to come.
            None if config.nonce == NonceUse::Required => {
                problem("nonce_secret", "missing, and nonces are asked for", "write `nonce_secret_file`");
            }
            Some(secret) if secret.chars().count() < LEAST_SECRET => {
                problem("nonce_secret", "shorter than 32 characters", "write 32 random characters or more");
            }
            _ => {}
        }
        let mut base_urls = Vec::with_capacity(config.base_urls.len());
        for (at, url) in config.base_urls.iter().enumerate() {
            match target::normal(url.as_bytes()).filter(|_| !url.contains(['?', '#'])) {
                Some(mut url) => {
                    // The request's path starts with the slash.
                    while url.last() == Some(&b'/') {
                        url.pop();
                    }
                    base_urls.push(url);
                }
                None => problem(
                    &format!("base_urls[{at}]"),
                    "not an absolute URL, or one with a query",
                    "write it as \"https://api.example.com\"",
                ),
            }
        }
        Self {
            algs: config.algorithms.iter().map(|algorithm| algorithm.as_str()).collect::<Vec<_>>().join(" "),
            algorithms: config.algorithms.clone(),
            max_age: config.max_age.millis(),
            skew: config.clock_skew.millis(),
            base_urls,
            nonces: secret
                .filter(|_| config.nonce == NonceUse::Required)
                .map(|secret| Nonces::new(config.nonce_lifetime.millis(), secret)),
        }
    }

    /// Names of the accepted algorithms.
    pub(super) fn algs(&self) -> &str {
        &self.algs
    }

    /// The nonce that clients should use from now on, where they need one.
    pub(super) fn nonce(&self, now: Millis) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.current(now))
    }

    /// Checks the request's one proof, in the order of RFC 9449, section 4.3. It is never cached: each is used up.
    pub(super) fn check(
        &self,
        request: &Request<'_>,
        bound: Bound<'_>,
        replays: &Replays,
        now: Millis,
    ) -> Result<(NonceHeld, [u8; 32]), Refusal> {
        let mut headers = request.header("dpop");
        let proof = match (headers.next(), headers.next()) {
            (Some(proof), None) => Proof::read(proof, &self.algorithms)?,
            (None, _) => return Err(bad("no `DPoP` header")),
            (Some(_), Some(_)) => return Err(bad("more than one `DPoP` header")),
        };
        let claims = &proof.claims;
        if claims.htm.as_bytes() != request.method.bytes() {
            return Err(bad("`htm` is not the request's method"));
        }
        if !self.is_target(&claims.htu, request) {
            return Err(bad("`htu` is not the request's URL"));
        }
        let held = self.check_nonce(claims.nonce.as_deref(), now)?;
        self.check_times(&proof, now)?;
        if let Some(token) = bound.token {
            let digest: [u8; 32] = Sha256::digest(token).into();
            let ath = claims.ath.ok_or(bad("`ath` is missing"))?;
            if !bool::from(ath.ct_eq(&digest)) {
                return Err(bad("`ath` is of another token"));
            }
        }
        if bound.jkt.is_some_and(|jkt| !bool::from(proof.jkt.ct_eq(jkt))) {
            return Err((Code::VerifyBindingMismatch, "the token is bound to another key than the proof's"));
        }
        let expires = claims.iat.saturating_add(self.max_age).saturating_add(self.skew);
        replays.first_time(&[b"dpop", &proof.jkt, claims.jti.as_bytes()], expires, now)?;
        Ok((held, proof.jkt))
    }

    fn check_nonce(&self, nonce: Option<&str>, now: Millis) -> Result<NonceHeld, Refusal> {
        let Some(nonces) = &self.nonces else { return Ok(NonceHeld::Current) };
        let nonce = nonce.ok_or((Code::VerifyNonceRequired, "`nonce` is missing"))?;
        match nonces.age(nonce, now) {
            Age::Current => Ok(NonceHeld::Current),
            Age::Previous => Ok(NonceHeld::Ageing),
            Age::Stale => Err((Code::VerifyNonceRequired, "`nonce` is old or not of this server")),
        }
    }

    fn check_times(&self, proof: &Proof, now: Millis) -> Result<(), Refusal> {
        let (earliest, latest) = (now.saturating_sub(self.skew), now.saturating_add(self.skew));
        let claims = &proof.claims;
        if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
            return Err((Code::VerifyProofStale, "the proof is of the future"));
        }
        if claims.iat < earliest.saturating_sub(self.max_age) || claims.exp.is_some_and(|exp| exp <= earliest) {
            return Err((Code::VerifyProofStale, "the proof is older than `max_age`"));
        }
        Ok(())
    }

    /// Whether `htu` is the URL that the request is for, query and fragment aside.
    fn is_target(&self, htu: &str, request: &Request<'_>) -> bool {
        let Some(htu) = target::normal(htu.as_bytes()) else { return false };
        let path = request.path.bytes();
        if self.base_urls.is_empty() {
            let scheme = request.scheme.as_ref().map_or(&b"https"[..], Text::bytes);
            let own = authority::only(request).and_then(|host| target::of_parts(scheme, host, path));
            return own.is_some_and(|own| own == htu);
        }
        // Scheme and host of the base are the same for all; only the path has to be brought into its form.
        let Some(own) = target::of_parts(b"https", b"a", path) else { return false };
        let Some(path) = own.strip_prefix(b"https://a") else { return false };
        self.base_urls.iter().any(|base| htu.strip_prefix(base.as_slice()).is_some_and(|rest| rest == path))
    }
}
