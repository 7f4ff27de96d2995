//! The way of one request: its own credential, what stands beside it, and whether any of that was revoked.

use std::borrow::Cow;
use std::sync::Arc;

use super::credential::{self, Credential};
use super::dpop::Dpop;
use super::{Challenges, Refusal, Scheme, State, StepUp, Verified, Verifier, challenge, in_query, sigv4};
use crate::model::{Code, Millis, Request};

impl Verifier {
    /// Proves who a request comes from.
    ///
    /// One credential of the caller's own at most: two `Authorization` headers, or a bearer token beside an API key, are
    /// `verify.many_credentials`. A workload may speak for the caller beside it. Whatever is shown has to hold. The API key
    /// header is looked at only where API keys are configured; where nothing is configured nothing can be proven, so that
    /// nothing is looked at.
    ///
    /// ```
    /// use zt_core::model::{Request, Text};
    /// use zt_core::verify::{Config, State, Verifier};
    ///
    /// let config: Config = serde_json::from_str(
    ///     r#"{"api_key": [{
    ///         "id": "partner-7",
    ///         "sha256": "b8fafb7d26cbc4cdefdae5d5fcff9a2ad4ece0f0eb1a3a3a4f67e1d2b0a9c3d1"
    ///     }]}"#,
    /// )?;
    /// let verifier = Verifier::compile(&config).expect("a sound configuration");
    /// let state = State::new(&verifier, 7);
    /// let headers = vec![(Text::from("x-api-key"), Text::from("some other key"))];
    /// let verified = verifier.verify(&state, &Request { headers, ..Request::default() }, 1_800_000_000_000);
    /// assert!(verified.identity.is_none());
    /// assert_eq!(verified.findings[0].code.as_str(), "verify.unknown_api_key");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn verify(&self, state: &State, request: &Request<'_>, now: Millis) -> Verified {
        // Everything writes into this one value: it is large to be handed from hand to hand.
        let mut verified = Verified::default();
        if self.is_empty() {
            return verified;
        }
        let proven = self.own(state, request, &mut verified, now);
        if let Err(refusal) = proven.and_then(|()| self.beside(state, request, &mut verified, now)) {
            verified.refuse(refusal);
        }
        if verified.scheme == Scheme::Dpop && verified.identity.is_none() {
            self.hand_out_nonce(&mut verified, now);
        }
        verified
    }

    /// Proves who a bearer token speaks for, without its request; a token that is bound to its sender is refused.
    pub fn verify_token(&self, state: &State, token: &[u8], now: Millis) -> Verified {
        let mut verified = Verified { scheme: Scheme::Bearer, ..Verified::default() };
        let proven = self.token(state, token, &mut verified, now).and(match verified.confirmation {
            None => Ok(()),
            Some(_) => Err((Code::VerifyBindingMissing, "bound to its sender, and shown without a proof")),
        });
        if let Err(refusal) = proven {
            verified.refuse(refusal);
        }
        verified
    }

    /// The tenant that a verified token names.
    pub fn tenant<'v>(&self, verified: &'v Verified) -> Option<Cow<'v, str>> {
        verified.claims.text(&self.tenant_claim)
    }

    /// The `WWW-Authenticate` headers for a refusal with this code of a request that authenticated itself with this
    /// scheme; `step_up` is for `verify.reauthenticate`.
    pub fn challenges(&self, scheme: Scheme, code: Code, step_up: StepUp<'_>) -> Challenges {
        let offer = challenge::Offer {
            realm: &self.realm,
            scheme: self.offered(),
            algs: self.dpop.as_deref().filter(|_| !self.issuers.is_empty()).map(Dpop::algs),
        };
        challenge::challenges(offer, scheme, code, step_up)
    }

    /// The scheme of what is accepted, the most usual first.
    fn offered(&self) -> &'static str {
        match () {
            () if !self.issuers.is_empty() || self.spiffe.takes_bearer() => "Bearer",
            () if !self.api_keys.is_empty() => "ApiKey",
            () if !self.sigv4.is_empty() => "AWS4-HMAC-SHA256",
            () if !self.signatures.is_empty() => "Signature",
            () if !self.webhooks.is_empty() => "Webhook",
            () => "Bearer",
        }
    }

    /// Whether nothing is configured.
    fn is_empty(&self) -> bool {
        self.issuers.is_empty()
            && self.api_keys.is_empty()
            && self.certificates.is_empty()
            && self.signatures.is_empty()
            && self.webhooks.is_empty()
            && self.sigv4.is_empty()
            && self.spiffe.is_empty()
    }

    /// Who the caller's own credential speaks for.
    fn own(&self, state: &State, request: &Request<'_>, verified: &mut Verified, now: Millis) -> Result<(), Refusal> {
        let header = (!self.api_keys.is_empty()).then_some(self.api_key_header.as_str());
        in_query::refuse(request, header, self.api_keys.prefix())?;
        let shown = credential::shown(request, header)?;
        let shown = match shown {
            _ if self.sigv4.is_empty() || !sigv4::is_presigned(request) => shown,
            None => Some(Credential::Sigv4(None)),
            Some(_) => return Err((Code::VerifyManyCredentials, "a presigned query beside another credential")),
        };
        match shown {
            None => Ok(()),
            Some(Credential::Dpop(_)) if self.dpop.is_none() => {
                Err((Code::VerifySchemeRefused, "`[verify.dpop]` is not configured"))
            }
            Some(Credential::Bearer(token) | Credential::Dpop(token)) => {
                let is_dpop = matches!(shown, Some(Credential::Dpop(_)));
                verified.scheme = if is_dpop { Scheme::Dpop } else { Scheme::Bearer };
                self.token(state, token, verified, now)?;
                // Their revocation is looked up with them, by key too.
                self.check_binding(state, request, token, verified, now)
            }
            Some(Credential::ApiKey(key)) => {
                verified.scheme = Scheme::ApiKey;
                let identity = self.api_keys.identify(key, request.peer.ip, now)?;
                state.unrevoked(&identity, None, now)?;
                verified.identity = Some(Arc::new(identity));
                Ok(())
            }
            Some(Credential::Sigv4(header)) => {
                let identity = self.sigv4.signer(header, request, now)?;
                state.unrevoked(&identity, None, now)?;
                verified.identity = Some(identity);
                Ok(())
            }
        }
    }

    /// What else the request shows.
    fn beside(
        &self,
        state: &State,
        request: &Request<'_>,
        verified: &mut Verified,
        now: Millis,
    ) -> Result<(), Refusal> {
        let first_time = |parts: &[&[u8]], until| state.replays.first_time(parts, until, now);
        let sender = self.webhooks.sender(request, now, first_time)?;
        sender.as_ref().map_or(Ok(()), |sender| state.unrevoked(sender, None, now))?;
        verified.add_sender(sender);
        self.add_signatures(state, request, verified, now)?;
        let workload = self.workload_beside(state, request, &mut verified.refresh_wanted, now)?;
        verified.join_workload(workload)?;
        self.certificates.join(&request.peer, verified, |workload| state.unrevoked(workload, None, now))
    }
}
