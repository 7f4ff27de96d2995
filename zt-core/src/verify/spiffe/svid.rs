//! JWT-SVIDs: tokens of workloads (SPIFFE JWT-SVID).

use std::sync::Arc;

use super::TrustDomain;
use super::id::SpiffeId;
use crate::model::{Code, Identity, Millis, Request};
use crate::verify::issuer::{check_audience, check_window};
use crate::verify::jose::claims::{Claimed, Times};
use crate::verify::jose::header::{self, Header};
use crate::verify::jose::jws::{self, Compact};
use crate::verify::{Refusal, State, Verifier};

impl Verifier {
    /// The workload whose token stands in a header of its own, beside the caller's credential. `wanted` is told of an
    /// outdated key set.
    pub(in crate::verify) fn workload_beside(
        &self,
        state: &State,
        request: &Request<'_>,
        wanted: &mut Option<Arc<str>>,
        now: Millis,
    ) -> Result<Option<Arc<Identity>>, Refusal> {
        let mut found = None;
        for name in &self.spiffe.headers {
            let mut values = request.header(name);
            let Some(token) = values.next() else { continue };
            if values.next().is_some() || found.is_some() {
                return Err((Code::VerifyManyCredentials, "more than one workload token"));
            }
            if token.len() > self.max_token_bytes {
                return Err((Code::VerifyTokenTooLong, "longer than `max_token`"));
            }
            let compact = Compact::split(token)?;
            header::check_length(compact.header)?;
            let header = jws::decode(compact.header)?;
            let header = Header::read(&header)?;
            let payload = jws::decode(compact.payload)?;
            let mut claimed = Claimed::default();
            claimed.read(&payload, &[])?;
            found = Some(self.svid(state, Some(name), (&compact, &header, &claimed), wanted, now)?);
        }
        Ok(found)
    }

    /// The workload of a token from this place: a header of its own, or `Authorization`.
    pub(in crate::verify) fn svid(
        &self,
        state: &State,
        place: Option<&str>,
        (compact, header, claimed): (&Compact<'_>, &Header<'_>, &Claimed<'_>),
        wanted: &mut Option<Arc<str>>,
        now: Millis,
    ) -> Result<Arc<Identity>, Refusal> {
        let sub = claimed.sub.as_deref().ok_or((Code::VerifyMissingClaim, "`sub` is missing"))?;
        let id = SpiffeId::parse(sub).map_err(|why| (Code::VerifyBadClaims, why))?;
        let known = |domain: &TrustDomain| domain.is_at(place) && domain.is_of(&id);
        let found = self.spiffe.domains.iter().enumerate().find(|(_, domain)| known(domain));
        let (at, domain) = found.ok_or((Code::VerifyWrongIssuer, "`sub` is not of a configured trust domain"))?;
        if header.typ.as_deref().is_some_and(|typ| typ != "JWT" && typ != "JOSE") {
            return Err((Code::VerifyWrongType, "`typ` of a JWT-SVID is neither `JWT` nor `JOSE`"));
        }
        let (key_place, key) = match domain.keys.find(at, header) {
            Err(refusal) if domain.keys.may_be_stale(header, refusal) => {
                // Behind the cells of the issuers.
                let cell = self.issuers.len().saturating_add(at);
                *wanted = state.refresh(cell, &domain.id, self.refresh_interval, now);
                return Err(refusal);
            }
            key => key?,
        };
        let signature = jws::decode(compact.signature)?;
        if !key.verifying.verify(key.algorithm, compact.signed, &signature) {
            return Err((Code::VerifyBadSignature, "the signature does not verify"));
        }
        // Proof of possession is not for JWT-SVIDs; without it a bound token proves nothing (RFC 7800).
        if claimed.cnf.is_some() {
            return Err((Code::VerifyBadClaims, "a bound token (`cnf`) without proof of possession"));
        }
        let exp = check_audience(claimed, &domain.audiences)?;
        let times = Times { exp, nbf: claimed.nbf, iat: claimed.iat, auth_time: None };
        check_window(&times, domain.skew, now)?;
        let identity = domain.identity(sub, &id, claimed);
        state.unrevoked(&identity, domain.keys.kid(&key_place), now)?;
        Ok(Arc::new(identity))
    }
}
