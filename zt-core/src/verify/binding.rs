//! Tokens that only their sender may use: bound to a DPoP key (RFC 9449) or to a client certificate (RFC 8705).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::challenge::Scheme;
use super::dpop::{Bound, NonceHeld};
use super::jose::confirmation::{self, Confirmation};
use super::{Refusal, State, Verified, Verifier};
use crate::model::{Code, Millis, Request};

impl Verifier {
    /// Checks that this request proves possession of the key that its verified token is bound to. It belongs to the
    /// request, not to the token: also a token that was verified before must come through here each time.
    pub(super) fn check_binding(
        &self,
        state: &State,
        request: &Request<'_>,
        token: &[u8],
        verified: &mut Verified,
        now: Millis,
    ) -> Result<(), Refusal> {
        match (verified.scheme, &verified.confirmation) {
            (Scheme::Dpop, Some(Confirmation::Jkt(jkt))) => {
                let dpop =
                    self.dpop.as_ref().ok_or((Code::VerifySchemeRefused, "`[verify.dpop]` is not configured"))?;
                let bound = Bound { token: Some(token), jkt: Some(jkt) };
                if dpop.check(request, bound, &state.replays, now)?.0 == NonceHeld::Ageing {
                    self.hand_out_nonce(verified, now);
                }
                Ok(())
            }
            (Scheme::Dpop, _) => Err((Code::VerifyBindingMissing, "shown with `DPoP`, and bound to no DPoP key")),
            (_, Some(Confirmation::Jkt(_))) => {
                Err((Code::VerifyBindingMissing, "bound to a DPoP key, and shown without a proof"))
            }
            (_, Some(Confirmation::X5tS256(certificate))) => check_certificate(certificate, request),
            (_, None) => Ok(()),
        }
    }

    /// Checks a request's DPoP proof by itself, for who issues tokens or keeps them elsewhere; gives the thumbprint of its key
    /// (RFC 7638) in base64url, to be compared with a token's `jkt`. With an access token, the proof must be made for it.
    ///
    /// Anybody can make a proof, and each takes a place in the store of used ones until it expires: limit who asks.
    ///
    /// # Errors
    /// `verify.scheme_refused` without `[verify.dpop]`; `verify.bad_proof`, `verify.proof_stale`, `verify.proof_replayed` and
    /// `verify.nonce_required`, each with a detail.
    pub fn verify_dpop_proof(
        &self,
        state: &State,
        request: &Request<'_>,
        token: Option<&[u8]>,
        now: Millis,
    ) -> Result<String, (Code, &'static str)> {
        let dpop = self.dpop.as_ref().ok_or((Code::VerifySchemeRefused, "`[verify.dpop]` is not configured"))?;
        let (_, jkt) = dpop.check(request, Bound { token, jkt: None }, &state.replays, now)?;
        Ok(URL_SAFE_NO_PAD.encode(jkt))
    }

    /// Tells the client which nonce to use from now on, where nonces are asked for.
    pub(super) fn hand_out_nonce(&self, verified: &mut Verified, now: Millis) {
        let nonce = self.dpop.as_ref().and_then(|dpop| dpop.nonce(now));
        verified.response_headers.extend(nonce.map(|nonce| ("DPoP-Nonce".into(), nonce)));
    }
}

fn check_certificate(certificate: &[u8; 32], request: &Request<'_>) -> Result<(), Refusal> {
    let shown = request.peer.client_cert_sha256.as_deref();
    let shown = shown.ok_or((Code::VerifyBindingMissing, "bound to a client certificate, and the request has none"))?;
    let shown = confirmation::sha256(shown.as_bytes()).ok_or((
        Code::VerifyBindingMissing,
        "the host's `client_cert_sha256` is not a SHA-256 in canonical base64url",
    ))?;
    match bool::from(shown.ct_eq(certificate)) {
        true => Ok(()),
        false => Err((Code::VerifyBindingMismatch, "bound to another client certificate")),
    }
}
