//! zt in WebAssembly. `worker.js` is the face of it: camelCase methods, documents as objects, and a new instance in
//! place of one that trapped.
//!
//! No clock, no randomness, no network: the host takes the time once per request and hands it in.

pub mod redactor;

#[cfg(feature = "compile")]
use std::sync::Arc;

use wasm_bindgen::prelude::*;
#[cfg(feature = "compile")]
use zt_core::State;
use zt_core::model::Millis;
use zt_core::wire;

/// An engine and a state.
#[wasm_bindgen]
pub struct Instance(wire::Instance);

#[wasm_bindgen]
impl Instance {
    /// Compiles a configuration; `files` are names and texts in turn, `seed` keys the hash tables.
    ///
    /// # Errors
    /// Every mistake, one a line.
    #[cfg(feature = "compile")]
    pub fn from_toml(text: &str, files: Vec<String>, seed: u64) -> Result<Instance, JsError> {
        let engine =
            zt_core::Engine::from_toml(text, &named(files)).map_err(|invalid| JsError::new(&invalid.to_string()))?;
        let state = State::with_seed(&engine, seed);
        Ok(Self(wire::Instance::new(Arc::new(engine), state)))
    }

    /// Loads a bundle; with a key it has to be signed.
    ///
    /// # Errors
    /// When the bytes are not a bundle of this version, or not one that is trusted.
    pub fn from_bundle(bundle: &[u8], key: Option<String>, seed: u64) -> Result<Instance, JsError> {
        checked(wire::Instance::from_bundle(bundle, key.as_deref(), seed)).map(Self)
    }

    /// Puts a bundle in force in place of the engine; the state stays.
    ///
    /// # Errors
    /// As of `from_bundle`, and when its limits are not those of the state; the old engine stays in force then.
    pub fn replace_bundle(&self, bundle: &[u8], key: Option<String>) -> Result<(), JsError> {
        checked(self.0.replace_bundle(bundle, key.as_deref()))
    }

    /// Puts a configuration in force in place of the engine; the state stays. `files` are names and texts in turn.
    ///
    /// # Errors
    /// Every mistake, one a line, or that its limits are not those of the state; the old engine stays in force then.
    #[cfg(feature = "compile")]
    pub fn replace_toml(&self, text: &str, files: Vec<String>) -> Result<(), JsError> {
        checked(self.0.replace_toml(text, &named(files)))
    }

    /// The longest body, in bytes, that the host has to read.
    pub fn body_limit(&self) -> usize {
        self.0.engine().body_limit()
    }

    /// What is worth knowing about the configuration.
    pub fn notices(&self) -> Vec<String> {
        self.0.engine().notices()
    }

    /// Prefix of the configuration's SHA-256.
    pub fn version(&self) -> String {
        self.0.engine().version().to_owned()
    }

    /// The hot lane: the verdict in decimal, then the decision's document, in one string. A negative `body_length` is
    /// not known.
    pub fn decide(
        &self,
        head: &str,
        lines: &str,
        count: usize,
        body: Option<Vec<u8>>,
        body_length: f64,
        now: f64,
    ) -> String {
        let read = wire::Read { bytes: body.as_deref(), length: length(body_length) };
        self.0.decide_fields(head, lines, count, read, millis(now))
    }

    /// Verifies a token: what was found, as JSON text.
    pub fn verify_token(&self, token: &str, now: f64) -> String {
        self.0.token_document(&self.0.verify_token(token.as_bytes(), millis(now)))
    }

    /// Observes the response to a request that was decided.
    ///
    /// # Errors
    /// When the lines are not `count`, or `decision` is not one.
    #[expect(clippy::too_many_arguments, reason = "one crossing")]
    pub fn observe(
        &self,
        decision: &str,
        status: u16,
        lines: &str,
        count: usize,
        latency_ms: f64,
        cost: Option<u32>,
        verdict: Option<String>,
        now: f64,
    ) -> Result<String, JsError> {
        let measured = (Some(latency_ms), cost, verdict.as_deref());
        checked(self.0.observe_fields(decision, status, lines, count, measured, millis(now)))
    }

    /// Event -> decision, as JSON text.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn decide_event(&self, event: &str) -> Result<String, JsError> {
        checked(self.0.decide_event(event))
    }

    /// Event -> why it is decided as it is, as JSON text.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn explain_event(&self, event: &str) -> Result<String, JsError> {
        checked(self.0.explain_event(event))
    }

    /// Event with a response, and its decision -> response decision, as JSON text.
    ///
    /// # Errors
    /// When a text is not what it should be.
    pub fn observe_event(&self, event: &str, decision: &str) -> Result<String, JsError> {
        checked(self.0.observe_event(event, decision))
    }

    /// Starts the decision log as a document says.
    ///
    /// # Errors
    /// When the text is not such a document, a key is too short, or the line is not a whole record.
    pub fn log_start(&self, options: &str) -> Result<(), JsError> {
        checked(self.0.log_start(options))
    }

    /// Event and its decision -> the line of the log.
    ///
    /// # Errors
    /// When a text is not what it should be.
    pub fn log_record(&self, event: &str, decision: &str) -> Result<String, JsError> {
        checked(self.0.log_record(event, decision))
    }

    /// Event -> decision and line of the log, as JSON text; without times, for there is no clock.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn decide_logged(&self, event: &str) -> Result<String, JsError> {
        checked(self.0.decide_logged(event, None::<fn() -> u64>))
    }

    /// The state as bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        self.0.snapshot()
    }

    /// What has changed since an epoch that an earlier delta gave; of anything else, everything.
    pub fn delta_since(&self, epoch: f64) -> Delta {
        // Below 2^53: exact.
        let delta = self.0.delta_since(epoch as u64);
        Delta { bytes: delta.bytes, epoch: delta.epoch as f64 }
    }

    /// What the state holds and had to give up, as JSON text.
    ///
    /// # Errors
    /// None in practice.
    pub fn state_report(&self) -> Result<String, JsError> {
        checked(self.0.state_report())
    }

    /// Replaces the state by a snapshot.
    ///
    /// # Errors
    /// When the bytes are not a state of this version.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), JsError> {
        checked(self.0.restore(bytes))
    }

    /// Replaces the key set of one issuer.
    ///
    /// # Errors
    /// When there is no such issuer, or no key of the set can be used; the old set stays in force then.
    pub fn replace_keys(&self, issuer: &str, jwks: &str) -> Result<(), JsError> {
        checked(self.0.replace_keys(issuer, jwks))
    }

    /// Joins a snapshot with the state.
    ///
    /// # Errors
    /// When the bytes are not a state of this version.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), JsError> {
        checked(self.0.merge(bytes))
    }

    /// Revokes what a document is about.
    ///
    /// # Errors
    /// When the text is not a revocation.
    pub fn revoke(&self, revocation: &str, now: f64) -> Result<(), JsError> {
        checked(self.0.revoke(revocation, millis(now)))
    }

    /// Suspends whom a document names; returns the action.
    ///
    /// # Errors
    /// When the text is not a suspension.
    pub fn suspend(&self, suspension: &str, now: f64) -> Result<String, JsError> {
        checked(self.0.suspend(suspension, millis(now)))
    }

    /// Frees whom a document names; returns the action.
    ///
    /// # Errors
    /// When the text is not a suspension.
    pub fn unsuspend(&self, suspension: &str, now: f64) -> Result<String, JsError> {
        checked(self.0.unsuspend(suspension, millis(now)))
    }

    /// Receives a Security Event Token; the answer as JSON text.
    ///
    /// # Errors
    /// When the answer cannot be written.
    pub fn receive(&self, token: &str, now: f64) -> Result<String, JsError> {
        checked(self.0.receive(token.as_bytes(), millis(now)))
    }
}

/// Changes of a state.
#[wasm_bindgen(getter_with_clone)]
pub struct Delta {
    /// The changes.
    pub bytes: Vec<u8>,
    /// Where the next begins.
    pub epoch: f64,
}

/// Runs an operation on a JSON document.
///
/// # Errors
/// When there is no such operation, or the document is not what it takes.
#[wasm_bindgen]
pub fn op(name: &str, document: &str) -> Result<String, JsError> {
    checked(wire::op(name, document))
}

/// Names of all operations.
#[wasm_bindgen]
pub fn ops() -> Vec<String> {
    wire::OPS.iter().map(|name| (*name).to_owned()).collect()
}

/// The decision when zt itself failed, as JSON text.
///
/// # Errors
/// Never, as long as a decision can be written.
#[wasm_bindgen]
pub fn panic_decision(id: &str, now: f64) -> Result<String, JsError> {
    Ok(serde_json::to_string(&wire::panic_decision(id, millis(now)))?)
}

/// Files from names and texts in turn.
#[cfg(feature = "compile")]
fn named(files: Vec<String>) -> Vec<zt_core::engine::File> {
    let mut pairs = files.into_iter();
    let mut named = Vec::new();
    while let (Some(name), Some(text)) = (pairs.next(), pairs.next()) {
        named.push(zt_core::engine::File { name, text });
    }
    named
}

fn checked<T>(result: Result<T, String>) -> Result<T, JsError> {
    result.map_err(|error| JsError::new(&error))
}

/// A host's clock reads whole milliseconds; a cast saturates and makes 0 of NaN.
fn millis(now: f64) -> Millis {
    now as Millis
}

fn length(bytes: f64) -> Option<u64> {
    (bytes >= 0.0).then_some(bytes as u64)
}
