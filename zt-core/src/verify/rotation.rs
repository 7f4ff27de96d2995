//! Another key set in place of an issuer's.

use super::Verifier;
use crate::model::Problem;

impl Verifier {
    /// This with another key set for one issuer: its `iss`, `spiffe://` and the name of a trust domain, or `transmitter:`
    /// and the `iss` of a transmitter.
    ///
    /// # Errors
    /// When there is no such issuer, or the set has no key that can be used; by `strict_keys`, when it has one that
    /// cannot.
    pub fn with_jwks(&self, issuer: &str, jwks: &str) -> Result<Self, Vec<Problem>> {
        let mut replaced = self.clone();
        if let Some(issuer) = replaced.issuers.iter_mut().find(|own| *own.issuer == *issuer) {
            issuer.keys = issuer.keys.replaced(jwks)?;
            return Ok(replaced);
        }
        if let Some(at) = self.transmitters.iter().position(|own| own.has_keys_named(issuer)) {
            let mut transmitters = self.transmitters.to_vec();
            for transmitter in transmitters.iter_mut().skip(at).take(1) {
                *transmitter = transmitter.replaced(jwks)?;
            }
            replaced.transmitters = transmitters.into();
            return Ok(replaced);
        }
        match self.spiffe.with_jwks(issuer, jwks) {
            Some(spiffe) => {
                replaced.spiffe = spiffe?;
                Ok(replaced)
            }
            None => {
                let problem = Problem::new("verify.issuer", format!("no issuer `{issuer}` is configured"));
                Err(vec![
                    problem.mend(
                        "write the exact `iss`, `spiffe://` and the trust domain, or `transmitter:` and its `iss`",
                    ),
                ])
            }
        }
    }

    /// Whether tokens of this issuer, an `iss` or `spiffe://` and the name of a trust domain, are accepted.
    pub fn has_issuer(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|own| *own.issuer == *issuer) || self.spiffe.has(issuer)
    }

    /// What the key sets leave open, one sentence each: every key that was left out, with the rule it breaks.
    pub fn notices(&self) -> Vec<String> {
        let transmitters = self.transmitters.iter().flat_map(|transmitter| transmitter.keys().notices());
        let issuers = self.issuers.iter().flat_map(|issuer| issuer.keys.notices());
        issuers.chain(self.spiffe.notices()).chain(transmitters).collect()
    }

    /// SHA-256 of each key set's text, in the configuration's order: issuers, trust domains, transmitters.
    pub fn key_digests(&self) -> impl Iterator<Item = &[u8; 32]> {
        let transmitters = self.transmitters.iter().map(|transmitter| transmitter.keys().digest());
        self.issuers.iter().map(|issuer| issuer.keys.digest()).chain(self.spiffe.digests()).chain(transmitters)
    }

    /// How many key sets there are.
    pub(super) fn key_sets(&self) -> usize {
        self.key_digests().count()
    }
}
