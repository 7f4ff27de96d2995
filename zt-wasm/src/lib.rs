//! zt in WebAssembly. `worker.js` is the face of it: camelCase methods, documents as objects, and a new instance in
//! place of one that trapped.
//!
//! No clock, no randomness, no network: the host takes the time once per request and hands it in.

use std::cell::RefCell;
use std::sync::Arc;

use wasm_bindgen::prelude::*;
use zt_core::model::{Decision, Millis};
use zt_core::{State, wire};

/// An engine and a state.
#[wasm_bindgen]
pub struct Instance {
    inner: wire::Instance,
    /// The latest decision of the hot lane: what `document` and `problem` write out.
    last: RefCell<Option<Decision>>,
}

#[wasm_bindgen]
impl Instance {
    /// Compiles a configuration; `files` are names and texts in turn, `seed` keys the hash tables.
    ///
    /// # Errors
    /// Every mistake, one a line.
    #[cfg(feature = "compile")]
    pub fn from_toml(text: &str, files: Vec<String>, seed: u64) -> Result<Instance, JsError> {
        let mut pairs = files.into_iter();
        let mut named = Vec::new();
        while let (Some(name), Some(text)) = (pairs.next(), pairs.next()) {
            named.push(zt_core::engine::File { name, text });
        }
        let engine = zt_core::Engine::from_toml(text, &named).map_err(|invalid| JsError::new(&invalid.to_string()))?;
        let state = State::with_seed(&engine, seed);
        Ok(Self { inner: wire::Instance::new(Arc::new(engine), state), last: RefCell::new(None) })
    }

    /// The longest body, in bytes, that the host has to read.
    pub fn body_limit(&self) -> usize {
        self.inner.engine().body_limit()
    }

    /// What is worth knowing about the configuration.
    pub fn notices(&self) -> Vec<String> {
        self.inner.engine().notices()
    }

    /// Prefix of the configuration's SHA-256.
    pub fn version(&self) -> String {
        self.inner.engine().version().to_owned()
    }

    /// The hot lane: four times the status, plus two when there are headers to add, plus one when the request passes.
    /// The rest of the decision is asked for with `document` and `problem` before the next call. A negative `body_length` is not known.
    pub fn decide(&self, fields: &str, count: usize, body: Option<Vec<u8>>, body_length: f64, now: f64) -> u32 {
        let read = wire::Read { bytes: body.as_deref(), length: length(body_length) };
        let decision = self.inner.decide_fields(head, lines, count, read, millis(now));
        let headers = u32::from(!decision.response_headers.is_empty());
        let verdict = (u32::from(decision.status) << 2) | (headers << 1) | u32::from(decision.passes());
        self.last.replace(Some(decision));
        verdict
    }

    /// The latest decision.
    ///
    /// # Errors
    /// When there is none.
    pub fn document(&self) -> Result<String, JsError> {
        let last = self.last.borrow();
        let decision = last.as_ref().ok_or_else(|| JsError::new("nothing was decided"))?;
        Ok(serde_json::to_string(decision)?)
    }

    /// The problem document of the latest decision.
    ///
    /// # Errors
    /// When there is none.
    pub fn problem(&self) -> Result<String, JsError> {
        let last = self.last.borrow();
        last.as_ref().map(wire::problem_document).ok_or_else(|| JsError::new("nothing was decided"))
    }

    /// Event -> decision, as JSON text.
    ///
    /// # Errors
    /// When the text is not an event.
    pub fn decide_event(&self, event: &str) -> Result<String, JsError> {
        checked(self.inner.decide_event(event))
    }

    /// Event with a response, and its decision -> response decision, as JSON text.
    ///
    /// # Errors
    /// When a text is not what it should be.
    pub fn observe_event(&self, event: &str, decision: &str) -> Result<String, JsError> {
        checked(self.inner.observe_event(event, decision))
    }

    /// The state as bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        self.inner.snapshot()
    }

    /// Replaces the state by a snapshot.
    ///
    /// # Errors
    /// When the bytes are not a state of this version.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), JsError> {
        checked(self.inner.restore(bytes))
    }

    /// Joins a snapshot with the state.
    ///
    /// # Errors
    /// When the bytes are not a state of this version.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), JsError> {
        checked(self.inner.merge(bytes))
    }
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
