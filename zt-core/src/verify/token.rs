//! The way of one JSON Web Token.

use std::sync::Arc;

use super::claims::Claims;
use super::issuer::{Issuer, KeyPlace};
use super::jose::claims::{Claimed, Times};
use super::jose::confirmation::Confirmation;
use super::jose::header::{self, Header};
use super::jose::jws::{self, Compact};
use super::revocation::Ids;
use super::signal::Fresh;
use super::{Refusal, State, Verified, Verifier};
use crate::base::base64url;
use crate::model::{Code, Identity, Millis};

/// What a token proves for good: all that rests on neither the time, nor the request, nor a revocation.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) identity: Arc<Identity>,
    pub(super) claims: Claims,
}

/// What is checked at each use of it.
#[derive(Debug)]
pub(super) struct Terms {
    /// Two of them are in the identity too; to look there is one wait for memory more.
    pub(super) times: Times,
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
    /// What a signal asked for then.
    fresh: Option<Fresh>,
}

impl Verifier {
    /// Whom a token speaks for: proven now or before, and good at this time. Whether this request may use it, where it is
    /// bound to a key of its sender, is still to be checked.
    pub(super) fn token(
        &self,
        state: &State,
        token: &[u8],
        verified: &mut Verified,
        now: Millis,
    ) -> Result<(), Refusal> {
        if self.issuers.is_empty() && !self.spiffe.takes_bearer() {
            return Err((Code::VerifySchemeRefused, "no issuer is configured"));
        }
        if token.len() > self.max_token_bytes {
            return Err((Code::VerifyTokenTooLong, "longer than `max_token`"));
        }
        let sought = state.cache.seek(token);
        let known = sought.as_ref().and_then(|sought| {
            state.cache.find(sought, |proven, terms| {
                let issuer = self.issuer_of(terms).ok()?;
                Some(self.check(issuer, state, (proven, terms), verified, now))
            })
        });
        if let Some(judged) = known {
            return judged;
        }
        let at_rest = sought.as_ref().map_or(&[][..], |sought| sought.at_rest());
        let Some((proven, mut terms)) = self.prove(state, token, at_rest, verified, now)? else { return Ok(()) };
        self.check(self.issuer_of(&terms)?, state, (&proven, &mut terms), verified, now)?;
        if let Some(sought) = &sought {
            state.cache.keep(sought, proven, terms, now);
        }
        Ok(())
    }

    /// The issuer of a token that was proven, as long as it, its key and all that is asked of a token are the same.
    pub(super) fn issuer_of(&self, terms: &Terms) -> Result<&Issuer, Refusal> {
        let issuer = self.issuers.get(terms.key.issuer).filter(|issuer| issuer.keys.still_has(&terms.key));
        issuer.ok_or((Code::VerifyUnknownKey, "its key is gone"))
    }

    /// Verifies what stays true. `before` are bytes to keep in front of the claims. Nothing where the token is a workload's,
    /// which is verified here and not remembered.
    fn prove(
        &self,
        state: &State,
        token: &[u8],
        before: &[u8],
        verified: &mut Verified,
        now: Millis,
    ) -> Result<Option<(Proven, Terms)>, Refusal> {
        let compact = Compact::split(token)?;
        header::check_length(compact.header)?;
        let (mut buffer, read);
        let header = match self.headers.find(compact.header) {
            Some(known) => known,
            None => {
                buffer = [0; header::MAX_BYTES];
                read = Header::read(jws::decode_into(compact.header, &mut buffer)?)?;
                &read
            }
        };
        let signature = jws::decode_signature(compact.signature)?;
        let mut claims = Claims::with_room(before, base64url::decoded_len(compact.payload.len()));
        jws::decode_into(compact.payload, claims.room())?;
        // Until the signature holds, the claims do no more than say whose keys to try.
        let mut claimed = Claimed::default();
        claimed.read(claims.json(), &self.role_claims)?;
        if self.spiffe.is_bearer(&claimed) {
            let wanted = &mut verified.refresh_wanted;
            verified.identity = Some(self.svid(state, None, (&compact, header, &claimed), wanted, now)?);
            drop(claimed);
            verified.claims = claims;
            return Ok(None);
        }
        let iss = claimed.iss.as_deref().ok_or((Code::VerifyMissingClaim, "`iss` is missing"))?;
        let mut issuers = self.issuers.iter().enumerate();
        let found = issuers.find(|(_, issuer)| *issuer.issuer == *iss);
        let (at, issuer) = found.ok_or((Code::VerifyWrongIssuer, "`iss` is not a configured issuer"))?;
        let (place, key) = match issuer.key(at, header) {
            Err(refusal) if issuer.keys.may_be_stale(header, refusal) => {
                verified.refresh_wanted = state.refresh(at, &issuer.issuer, self.refresh_interval, now);
                return Err(refusal);
            }
            key => key?,
        };
        issuer.check_type(header)?;
        if !key.verifying.verify(key.algorithm, compact.signed, &signature) {
            return Err((Code::VerifyBadSignature, "the signature does not verify"));
        }
        issuer.check_kind(header, &claimed, claims.json())?;
        let exp = issuer.check_claims(&claimed)?;
        let identity = Arc::new(issuer.identity(&claimed));
        let confirmation = claimed.cnf.take().map(Box::new);
        let times = Times { exp, nbf: claimed.nbf, iat: claimed.iat, auth_time: claimed.auth_time };
        drop(claimed);
        let unrevoked = Unrevoked { generation: 0, at: Millis::MIN, fresh: None };
        Ok(Some((Proven { identity, claims }, Terms { times, confirmation, key: place, unrevoked })))
    }

    /// Checks what may be true at one request and not at another.
    fn check(
        &self,
        issuer: &Issuer,
        state: &State,
        (proven, terms): (&Proven, &mut Terms),
        verified: &mut Verified,
        now: Millis,
    ) -> Result<(), Refusal> {
        issuer.check_times(&terms.times, now)?;
        let generation = state.generation();
        if terms.unrevoked.generation != generation || now < terms.unrevoked.at {
            let ids = Ids::of(&state.hasher, &proven.identity, issuer.keys.kid(&terms.key));
            state.unrevoked_ids(&ids, now)?;
            terms.unrevoked = Unrevoked { generation, at: now, fresh: state.signalled.fresh(&ids, now) };
        }
        let asked = terms.unrevoked.fresh.and_then(|fresh| fresh.asked(terms.times.auth_time, now));
        for (finding, seconds) in issuer.reauthentication(terms.times.auth_time, now).into_iter().chain(asked) {
            if verified.findings.is_empty() {
                verified.findings.push(finding);
            }
            verified.max_age_s = verified.max_age_s.into_iter().chain([seconds]).min();
        }
        verified.identity = Some(Arc::clone(&proven.identity));
        verified.claims = proven.claims.clone();
        verified.confirmation = terms.confirmation.as_deref().copied();
        Ok(())
    }
}
