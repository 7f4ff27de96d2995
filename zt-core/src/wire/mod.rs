//! JSON text in, JSON text out: what bindings and the command line call for everything but the hot path.

mod authorize;
mod fields;
mod guard;
mod ops;
mod signals;
mod text_ops;
mod token;
mod verify_ops;

pub use authorize::{Asked, Authorized};
pub use fields::Read;
pub use guard::{decide_or_refuse, panic_decision};
pub use ops::{OPS, op};
pub use token::{accepted, refusal};

use std::sync::Arc;

use crate::engine::Current;
use crate::model::{Decision, Event, Millis, ResponseDecision};
use crate::verify::{Revocation, Revoked};
use crate::{Engine, State};

/// An engine and a state, on contract documents. Its clock is each event's `time_ms`.
#[derive(Debug)]
pub struct Instance {
    engine: Current,
    state: State,
}

impl Instance {
    /// An empty state beside this engine.
    pub fn new(engine: Arc<Engine>, state: State) -> Self {
        Self { engine: Current::new(engine), state }
    }

    /// Compiles a configuration and the files it names.
    ///
    /// # Errors
    /// Every mistake, one a line.
    #[cfg(feature = "compile")]
    pub fn from_toml(text: &str, files: &[crate::engine::File]) -> Result<Self, String> {
        let engine = Engine::from_toml(text, files).map_err(|invalid| invalid.to_string())?;
        let state = State::new(&engine);
        Ok(Self::new(Arc::new(engine), state))
    }

    /// Loads a bundle of `zt compile`. With a `key`, the text of a public Ed25519 JWK or JWK set, it has to be signed.
    /// `seed` keys the state's hash tables where the configuration does not.
    ///
    /// # Errors
    /// When the bytes are not a bundle of this version, or not one that is trusted.
    pub fn from_bundle(bundle: &[u8], key: Option<&str>, seed: u64) -> Result<Self, String> {
        let engine = Engine::from_bundle(bundle, key.into()).map_err(|error| error.to_string())?;
        let state = State::with_seed(&engine, seed);
        Ok(Self::new(Arc::new(engine), state))
    }

    /// Puts a bundle in force in place of the engine; the state stays.
    ///
    /// # Errors
    /// As of [`from_bundle`](Self::from_bundle), and when its limits are not those of the state; the old engine stays in
    /// force then.
    pub fn replace_bundle(&self, bundle: &[u8], key: Option<&str>) -> Result<(), String> {
        let engine = Engine::from_bundle(bundle, key.into()).map_err(|error| error.to_string())?;
        self.engine.replace(&self.state, Arc::new(engine)).map_err(|error| error.to_string())
    }

    /// The engine in force, for the hot path.
    pub fn engine(&self) -> Arc<Engine> {
        self.engine.load()
    }

    /// Replaces the key set of one issuer: its `iss`, or `spiffe://` and the name of a trust domain. The state stays; a
    /// removed key stops at once.
    ///
    /// # Errors
    /// When there is no such issuer, or no key of the set can be used; the old set stays in force then.
    pub fn replace_keys(&self, issuer: &str, jwks: &str) -> Result<(), String> {
        self.engine.replace_keys(&self.state, issuer, jwks).map_err(|invalid| invalid.to_string())
    }

    /// The state, for the hot path.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Event -> decision.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn decide_event(&self, event: &str) -> Result<String, String> {
        let event: Event = serde_json::from_str(event).map_err(|error| format!("not an event: {error}"))?;
        let now = event.time_ms;
        text(&decide_or_refuse(&self.engine(), &self.state, &event.into_request(), now))
    }

    /// Event -> why it is decided as it is, as if it were the first; the state is left as it is.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn explain_event(&self, event: &str) -> Result<String, String> {
        let event: Event = serde_json::from_str(event).map_err(|error| format!("not an event: {error}"))?;
        let now = event.time_ms;
        text(&self.engine().explain(&self.state, &event.into_request(), now))
    }

    /// Event with a response, and its decision -> response decision.
    ///
    /// # Errors
    /// When a text is not what it should be, or the event has no response.
    pub fn observe_event(&self, event: &str, decision: &str) -> Result<String, String> {
        let event: Event = serde_json::from_str(event).map_err(|error| format!("not an event: {error}"))?;
        let decision: Decision = serde_json::from_str(decision).map_err(|error| format!("not a decision: {error}"))?;
        let response = event.response.ok_or("the event has no response")?;
        text(&self.engine().observe(&self.state, &decision, &response, event.time_ms))
    }

    /// Refuses from now on what a revocation is about: `{"revoke": "token" | "session" | "subject" | "key", "issuer": ...,
    /// "id": ..., "issued_before_ms": ..., "expires_ms": ...}`.
    ///
    /// # Errors
    /// When the text is not a revocation, or one that would stop nothing: of a token or session without its issuer, or
    /// until a time in seconds.
    pub fn revoke(&self, revocation: &str, now: Millis) -> Result<(), String> {
        let revocation: Revocation =
            serde_json::from_str(revocation).map_err(|error| format!("not a revocation: {error}"))?;
        if revocation.issuer.is_none() && matches!(revocation.revoke, Revoked::Token | Revoked::Session) {
            return Err("not a revocation: tokens and sessions are of an issuer; write `issuer`".to_owned());
        }
        // One that is over is no mistake: a host may hand over again what it has stored. This far back it is.
        if revocation.expires_ms < now.div_euclid(100) {
            return Err("not a revocation: `expires_ms` is long past; write milliseconds, not seconds".to_owned());
        }
        self.state.revoke(&revocation, now);
        Ok(())
    }

    /// The state as versioned, checksummed bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        self.state.snapshot()
    }

    /// Replaces the state by a snapshot.
    ///
    /// # Errors
    /// When the bytes are not a state of this version; the state is untouched then.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), String> {
        self.state.restore(bytes).map_err(|error| error.to_string())
    }

    /// Joins a snapshot with the state; the order of merges never matters.
    ///
    /// # Errors
    /// When the bytes are not a state of this version; the state is untouched then.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), String> {
        self.state.merge(bytes).map_err(|error| error.to_string())
    }
}

/// The problem document (RFC 9457) of a decision that refuses.
pub fn problem_document(decision: &Decision) -> String {
    crate::respond::problem(decision)
}

/// The problem document (RFC 9457) in the place of a response that is not sent.
pub fn response_problem_document(decision: &ResponseDecision) -> String {
    crate::respond::response_problem(decision)
}

/// A document as text.
pub(crate) fn text(document: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string(document).map_err(|error| error.to_string())
}
