//! Another key set in place of an issuer's.

use super::Verifier;
use crate::model::Problem;

impl Verifier {
    /// This with another key set for one issuer: its `iss`, or `spiffe://` and the name of a trust domain.
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
        match self.spiffe.with_jwks(issuer, jwks) {
            Some(spiffe) => {
                replaced.spiffe = spiffe?;
                Ok(replaced)
            }
            None => {
                let problem = Problem::new("verify.issuer", format!("no issuer `{issuer}` is configured"));
                Err(vec![problem.mend("write the exact `iss`, or `spiffe://` and the trust domain")])
            }
        }
    }

    /// What the key sets leave open, one sentence each: every key that was left out, with the rule it breaks.
    pub fn notices(&self) -> Vec<String> {
        self.issuers.iter().flat_map(|issuer| issuer.keys.notices()).chain(self.spiffe.notices()).collect()
    }

    /// SHA-256 of each key set's text, in the configuration's order: issuers, then trust domains.
    pub fn key_digests(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.issuers.iter().map(|issuer| issuer.keys.digest()).chain(self.spiffe.digests())
    }

    /// How many key sets there are.
    pub(super) fn key_sets(&self) -> usize {
        self.key_digests().count()
    }
}
