//! The way of one JSON Web Token.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::jose::claims::{Claimed, Claims};
use super::jose::header::{self, Header};
use super::jose::jws::{self, Compact};
use super::{Refusal, State, Verified, Verifier};
use crate::model::{Code, Millis};

impl Verifier {
    /// Whom a token speaks for.
    pub(super) fn token(&self, state: &State, token: &[u8], now: Millis) -> Result<Verified, Refusal> {
        if self.issuers.is_empty() && !self.spiffe.takes_bearer() {
            return Err((Code::VerifySchemeRefused, "no issuer is configured"));
        }
        if token.len() > self.max_token_bytes {
            return Err((Code::VerifyTokenTooLong, "longer than `max_token`"));
        }
        let compact = Compact::split(token)?;
        header::check_length(compact.header)?;
        let header = jws::decode(compact.header)?;
        let header = Header::read(&header)?;
        let signature = jws::decode(compact.signature)?;
        let payload = jws::decode(compact.payload)?;
        // Until the signature holds, the claims do no more than say whose keys to try.
        let claimed = Claimed::read(&payload, &self.role_claims)?;
        if let Some(workload) = self.spiffe.bearer(state, &compact, &header, &claimed, now) {
            return workload;
        }
        let iss = claimed.iss.as_deref().ok_or((Code::VerifyMissingClaim, "`iss` is missing"))?;
        let issuer = self.issuers.iter().enumerate().find(|(_, issuer)| *issuer.issuer == *iss);
        let (at, issuer) = issuer.ok_or((Code::VerifyWrongIssuer, "`iss` is not a configured issuer"))?;
        let key = match issuer.key(&header) {
            Err(refusal) if issuer.keys.may_be_stale(&header, refusal) => {
                return Ok(state.unknown_key(refusal, at, &issuer.issuer, self.refresh_interval, now));
            }
            key => key?,
        };
        issuer.check_type(&header)?;
        if !key.verifying.verify(key.algorithm, compact.signed, &signature) {
            return Err((Code::VerifyBadSignature, "the signature does not verify"));
        }
        issuer.check_kind(&header, &claimed, &payload)?;
        issuer.check_claims(&claimed, now)?;
        let identity = Some(Arc::new(issuer.identity(&claimed)));
        let (findings, max_age_s) = match issuer.reauthentication(&claimed, now) {
            Some((finding, seconds)) => (smallvec![finding], Some(seconds)),
            None => (SmallVec::new(), None),
        };
        drop(claimed);
        Ok(Verified { identity, findings, claims: Claims::new(payload), max_age_s, ..Verified::default() })
    }
}
