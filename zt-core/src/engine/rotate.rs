//! Another key set in place of an issuer's, without a new configuration.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Engine, Invalid};
use crate::model::Problem;

impl Engine {
    /// This engine with another key set for one issuer: its `iss`, or `spiffe://` and the name of a trust domain. Only the
    /// set is read; everything else is shared. The state stays as it is; what it remembers of keys that are gone is
    /// forgotten by [`Current::replace_keys`](super::Current::replace_keys), which also swaps the engine.
    ///
    /// # Errors
    /// When there is no such issuer, or no key of the set can be used; with `strict_keys` also when one cannot.
    pub fn with_jwks(&self, issuer: &str, jwks: &str) -> Result<Self, Invalid> {
        // The set is what cannot be used, not the `zt.toml` that the engine was made of.
        let of_the_set = |problem: Problem| problem.at(Some("the new key set".to_owned()), None, None);
        let verifier = self.verifier.with_jwks(issuer, jwks);
        let verifier = verifier.map_err(|problems| Invalid(problems.into_iter().map(of_the_set).collect()))?;
        let mut hash = Sha256::new();
        hash.update(self.compiled.as_bytes());
        verifier.key_digests().for_each(|digest| hash.update(digest));
        let version: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            mode: self.mode,
            forwarding: self.forwarding.clone(),
            router: Arc::clone(&self.router),
            verifier,
            limiter: Arc::clone(&self.limiter),
            inspector: Arc::clone(&self.inspector),
            responder: Arc::clone(&self.responder),
            policy: self.policy.clone(),
            anomaly: self.anomaly.clone(),
            seed: self.seed,
            version: version.into(),
            compiled: self.compiled.clone(),
            notices: Arc::clone(&self.notices),
        })
    }
}
