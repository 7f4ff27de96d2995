//! What others know of accounts and sessions: Security Event Tokens (RFC 8417) of the Shared Signals Framework 1.0, with
//! the events of CAEP 1.0 and RISC 1.0.
//!
//! [`Verifier::receive`] checks a token as strictly as an access token, and does what its events call for: it revokes, asks
//! for a fresh authentication, disables or enables. What was done is told, also when it is nothing.
//!
//! **In any order, more than once.** Each effect holds the moment of its event, and the latest counts: events that come
//! late, twice or through another node end in the same state. So that a token whose `jti` cannot be told from a used one,
//! because there is no place to remember more, is acted on; a known one is refused. One that calls for nothing is not remembered.

mod apply;
mod config;
mod event;
mod marks;
mod set;
mod subject;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::apply::Order;
pub use self::config::{SubjectFormat, TransmitterConfig};
pub(super) use self::config::{Transmitter, compile};
pub(super) use self::marks::{Fresh, Signalled, Snapshot};
use self::set::Claims;
use super::jose::header::{self, Header};
use super::jose::jws::{self, Compact};
use super::{Refusal, State, Verifier, replay};
use crate::model::{Code, Millis};

/// The `typ` of Security Event Tokens (RFC 8417, section 2.3).
const SECEVENT: &str = "secevent+jwt";

/// A Security Event Token that was accepted, and what was done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// Its `jti`: what an acknowledgement names.
    pub jti: String,
    /// The transmitter.
    pub issuer: Arc<str>,
    /// Its events, by type.
    pub events: Vec<ReceivedEvent>,
}

/// An event of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceivedEvent {
    /// Its URI.
    #[serde(rename = "type")]
    pub name: String,
    /// What was done.
    pub applied: Applied,
    /// Why nothing was, or how it is more than was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Of a verification event: what the receiver had asked the transmitter to send back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Of a stream-updated event: `enabled`, `paused` or `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// What was done about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// The token is refused from now on.
    RevokedToken,
    /// The session's tokens are; after a change of claims those that were issued before it.
    RevokedSession,
    /// The subject's tokens that were issued before the event are.
    RevokedSubject,
    /// The end user is asked to authenticate again, unless that happened since the event.
    Reauthenticate,
    /// What was issued before the event is refused, and later the end user asked.
    RevokedAndReauthenticate,
    /// The subject's tokens are refused until the account is enabled again; those from before the event also then.
    Disabled,
    /// The account is no longer disabled.
    Enabled,
    /// The event is known and calls for nothing.
    Noted,
    /// The event is known and calls for something that could not be done.
    Nothing,
    /// The event is not known.
    Unknown,
}

impl Verifier {
    /// Receives a Security Event Token, in its compact form, and does what its events call for.
    ///
    /// # Errors
    /// Why it is refused; nothing was done then. `verify.scheme_refused` without a transmitter; of form and signature the
    /// codes of tokens; `verify.wrong_issuer` for another transmitter, or a subject of an issuer that it may not speak of;
    /// `verify.not_yet_valid` when any of its times is still to come; `verify.too_old` beyond `expires`;
    /// `verify.proof_replayed` when it was received before and acted on.
    pub fn receive(&self, state: &State, set: &[u8], now: Millis) -> Result<Received, Refusal> {
        if self.transmitters.is_empty() {
            return Err((Code::VerifySchemeRefused, "no `[[verify.transmitter]]` is configured"));
        }
        if set.len() > self.max_token_bytes {
            return Err((Code::VerifyTokenTooLong, "longer than `max_token`"));
        }
        let (transmitter, claims) = self.proven(set)?;
        let (earliest, latest) = (now.saturating_sub(self.skew), now.saturating_add(self.skew));
        if claims.latest > latest {
            return Err((Code::VerifyNotYetValid, "`iat`, `nbf`, `toe` or `event_timestamp` has not come"));
        }
        if claims.issued_at < earliest.saturating_sub(transmitter.expires) {
            return Err((Code::VerifyTooOld, "`iat` is longer ago than `expires`"));
        }
        let (events, orders): (Vec<ReceivedEvent>, Vec<Order>) = self.orders(transmitter, &claims, now)?;
        // Refused for its age from then on.
        let forgotten = claims.issued_at.saturating_add(transmitter.expires).saturating_add(self.skew);
        let parts = [b"set".as_slice(), transmitter.issuer.as_bytes(), claims.jti.as_bytes()];
        // What calls for nothing takes no place: some transmitters tell of every request.
        let remembered = !orders.is_empty();
        match remembered.then(|| state.sets.first_time(&parts, forgotten, now)) {
            Some(Err(refusal)) if refusal == replay::USED => return Err((refusal.0, "received before")),
            _ => {}
        }
        orders.iter().for_each(|order| order.apply(state, now));
        Ok(Received { jti: claims.jti, issuer: Arc::clone(&transmitter.issuer), events })
    }

    /// What an issuer calls a principal: its `sub`.
    pub fn sub_of<'p>(&self, issuer: Option<&str>, principal: &'p str) -> &'p str {
        let known = self.issuers.iter().find(|known| Some(&*known.issuer) == issuer);
        known.map_or(principal, |known| known.sub(principal))
    }

    /// Whose token it is, and what it says: its form, type, signature and audience hold.
    fn proven(&self, set: &[u8]) -> Result<(&Transmitter, Claims), Refusal> {
        let compact = Compact::split(set)?;
        header::check_length(compact.header)?;
        let header = jws::decode(compact.header)?;
        let header = Header::read(&header)?;
        if !header.is_type(SECEVENT) {
            return Err((Code::VerifyWrongType, "`typ` is not `secevent+jwt`"));
        }
        let signature = jws::decode(compact.signature)?;
        let payload = jws::decode(compact.payload)?;
        let claims = Claims::read(&payload)?;
        let mut transmitters = self.transmitters.iter().enumerate();
        let found = transmitters.find(|(_, transmitter)| *transmitter.issuer == *claims.iss);
        let (at, transmitter) = found.ok_or((Code::VerifyWrongIssuer, "`iss` is not a configured transmitter"))?;
        let (_, key) = transmitter.keys.find(at, &header)?;
        if !key.verifying.verify(key.algorithm, compact.signed, &signature) {
            return Err((Code::VerifyBadSignature, "the signature does not verify"));
        }
        match claims.audiences.iter().any(|audience| transmitter.audiences.contains(audience)) {
            true => Ok((transmitter, claims)),
            false => Err((Code::VerifyWrongAudience, "`aud` holds none of `audiences`")),
        }
    }
}
