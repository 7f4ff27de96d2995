//! The way of one JSON Web Token.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::binding::{self, Confirmation};
use super::issuer::{Issuer, KeyPlace};
use super::jose::claims::{Claimed, Claims, Times};
use super::jose::header::{self, Header};
use super::jose::jws::{self, Compact};
use super::revocation::Ids;
use super::{Refusal, State, Verified, Verifier};
use crate::base::base64url;
use crate::model::{Assurance, Code, Identity, Millis, Request};

/// What a token proves for good: all that rests on neither the time, nor the request, nor a revocation.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) identity: Arc<Identity>,
    pub(super) claims: Claims,
    pub(super) exp: Millis,
    nbf: Option<Millis>,
    confirmation: Option<Box<Confirmation>>,
    key: KeyPlace,
    unrevoked: Unrevoked,
}

/// When a token was last looked up among the revocations and not found. Until there is another one it would not be found
/// later either; at an earlier time it might.
#[derive(Clone, Copy, Debug)]
struct Unrevoked {
    generation: u64,
    at: Millis,
}

impl Verifier {
    /// Whom a token speaks for: proven now or before, and good at this time and for this request.
    pub(super) fn token(
        &self,
        state: &State,
        token: &[u8],
        request: Option<&Request<'_>>,
        now: Millis,
    ) -> Result<Verified, Refusal> {
        if self.issuers.is_empty() {
            return Err((Code::VerifySchemeRefused, "no issuer is configured"));
        }
        if token.len() > self.max_token_bytes {
            return Err((Code::VerifyTokenTooLong, "longer than `max_token`"));
        }
        let Some(sought) = state.cache.seek(token) else {
            let mut proven = self.prove(token, &[])?;
            return self.check(self.issuer_of(&proven)?, state, &mut proven, request, now);
        };
        let known = state.cache.find(&sought, |proven| {
            let issuer = self.issuer_of(proven).ok()?;
            Some(self.check(issuer, state, proven, request, now))
        });
        if let Some(verified) = known {
            return verified;
        }
        let mut proven = self.prove(token, sought.at_rest())?;
        let verified = self.check(self.issuer_of(&proven)?, state, &mut proven, request, now)?;
        state.cache.keep(&sought, proven, now);
        Ok(verified)
    }

    /// The issuer of a token that was proven, as long as it, its key and all that is asked of a token are the same.
    pub(super) fn issuer_of(&self, proven: &Proven) -> Result<&Issuer, Refusal> {
        let issuer = self.issuers.get(proven.key.issuer).filter(|issuer| issuer.still_has(&proven.key));
        issuer.ok_or((Code::VerifyUnknownKey, "its key is gone"))
    }

    /// Verifies what stays true. `before` are bytes to keep in front of the claims.
    fn prove(&self, token: &[u8], before: &[u8]) -> Result<Proven, Refusal> {
        let compact = Compact::split(token)?;
        header::check_length(compact.header)?;
        let mut buffer = [0; header::MAX_BYTES];
        let header = Header::read(jws::decode_into(compact.header, &mut buffer)?)?;
        let signature = jws::decode(compact.signature)?;
        let mut claims = Claims::with_room(before, base64url::decoded_len(compact.payload.len()));
        jws::decode_into(compact.payload, claims.room())?;
        // Until the signature holds, the claims do no more than say whose keys to try.
        let mut claimed = Claimed::read(claims.json(), &self.role_claims)?;
        let iss = claimed.iss.as_deref().ok_or((Code::VerifyMissingClaim, "`iss` is missing"))?;
        let mut issuers = self.issuers.iter().enumerate();
        let found = issuers.find(|(_, issuer)| *issuer.issuer == *iss);
        let (at, issuer) = found.ok_or((Code::VerifyWrongIssuer, "`iss` is not a configured issuer"))?;
        let (place, key) = issuer.key(at, &header)?;
        issuer.check_type(&header)?;
        if !key.verifying.verify(key.algorithm, compact.signed, &signature) {
            return Err((Code::VerifyBadSignature, "the signature does not verify"));
        }
        let exp = issuer.check_claims(&claimed)?;
        let identity = Arc::new(issuer.identity(&claimed));
        let confirmation = claimed.cnf.take().map(Box::new);
        let nbf = claimed.nbf;
        drop(claimed);
        let unrevoked = Unrevoked { generation: 0, at: Millis::MIN };
        Ok(Proven { identity, exp, nbf, confirmation, key: place, unrevoked, claims })
    }

    /// Checks what may be true at one request and not at another.
    fn check(
        &self,
        issuer: &Issuer,
        state: &State,
        proven: &mut Proven,
        request: Option<&Request<'_>>,
        now: Millis,
    ) -> Result<Verified, Refusal> {
        let Assurance { issued_at_ms: iat, auth_time_ms: auth_time, .. } = proven.identity.assurance;
        issuer.check_times(&Times { exp: proven.exp, nbf: proven.nbf, iat, auth_time }, now)?;
        let generation = state.revocations.generation();
        if proven.unrevoked.generation != generation || now < proven.unrevoked.at {
            let ids = Ids::of(&state.hasher, &proven.identity, issuer.kid(&proven.key));
            state.revocations.check(&ids, now)?;
            proven.unrevoked = Unrevoked { generation, at: now };
        }
        if let Some(confirmation) = &proven.confirmation {
            binding::check(confirmation, request, now)?;
        }
        let (findings, max_age_s) = match issuer.reauthentication(auth_time, now) {
            Some((finding, seconds)) => (smallvec![finding], Some(seconds)),
            None => (SmallVec::new(), None),
        };
        let (identity, claims) = (Some(proven.identity.clone()), proven.claims.clone());
        Ok(Verified { identity, findings, claims, max_age_s, ..Verified::default() })
    }
}
