//! zt in Node.js: free functions over a handle, which cost a sixth of what a native class costs. `index.js` makes the
//! class of them.

pub mod authorizer;
pub mod redactor;
pub mod verifier;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use napi::bindgen_prelude::{BigInt, Buffer, External};
use napi::{Error, Result};
use napi_derive::napi;
use zt_core::engine::File;
use zt_core::model::Millis;
use zt_core::{Engine, State, wire};

/// Compiles a configuration; `files` are names and texts in turn, `seed` keys the hash tables.
///
/// # Errors
/// Every mistake, one a line.
#[napi(catch_unwind)]
pub fn from_toml(text: String, files: Vec<String>, seed: BigInt) -> Result<External<wire::Instance>> {
    instance(&text, files, seed).map(External::new)
}

/// Loads a bundle; with a key it has to be signed.
///
/// # Errors
/// When the bytes are not a bundle of this version, or not one that is trusted.
#[napi(catch_unwind)]
pub fn from_bundle(bundle: &[u8], key: Option<String>, seed: BigInt) -> Result<External<wire::Instance>> {
    checked(wire::Instance::from_bundle(bundle, key.as_deref(), seed.get_u64().1)).map(External::new)
}

/// Puts a bundle in force in place of the engine; the state stays.
///
/// # Errors
/// As of `from_bundle`, and when its limits are not those of the state; the old engine stays in force then.
#[napi(catch_unwind)]
pub fn replace_bundle(instance: &External<wire::Instance>, bundle: &[u8], key: Option<String>) -> Result<()> {
    checked(instance.replace_bundle(bundle, key.as_deref()))
}

/// Puts a configuration in force in place of the engine; the state stays. `files` are names and texts in turn.
///
/// # Errors
/// Every mistake, one a line, or that its limits are not those of the state; the old engine stays in force then.
#[napi(catch_unwind)]
pub fn replace_toml(instance: &External<wire::Instance>, text: String, files: Vec<String>) -> Result<()> {
    checked(instance.replace_toml(&text, &named(files)))
}

/// The longest body, in bytes, that the host has to read.
#[napi(catch_unwind)]
pub fn body_limit(instance: &External<wire::Instance>) -> f64 {
    instance.engine().body_limit() as f64
}

/// Prefix of the configuration's SHA-256.
#[napi(catch_unwind)]
pub fn version(instance: &External<wire::Instance>) -> String {
    instance.engine().version().to_owned()
}

/// What is worth knowing about the configuration.
#[napi(catch_unwind)]
pub fn notices(instance: &External<wire::Instance>) -> Vec<String> {
    instance.engine().notices()
}

/// The hot lane: the verdict in decimal, then the decision's document, in one string. A native object for each
/// decision would cost twice the decision, most of it in the garbage collector. A negative `body_length` is not known.
#[napi]
pub fn decide(
    instance: &External<wire::Instance>,
    head: String,
    lines: String,
    count: u32,
    body: Option<&[u8]>,
    body_length: f64,
    now: f64,
) -> String {
    let length = (body_length >= 0.0).then_some(body_length as u64);
    let read = wire::Read { bytes: body, length };
    instance.decide_fields(&head, &lines, count as usize, read, millis(now))
}

/// Observes the response to a request that was decided.
///
/// # Errors
/// When the lines are not `count`, or `decision` is not one.
#[napi(catch_unwind)]
pub fn observe(
    instance: &External<wire::Instance>,
    decision: String,
    status: u16,
    lines: String,
    count: u32,
    measured: Measured,
    now: f64,
) -> Result<String> {
    let measured = (measured.latency_ms, measured.cost, measured.verdict.as_deref());
    checked(instance.observe_fields(&decision, status, &lines, count as usize, measured, millis(now)))
}

/// What a request took, and what became known of it.
#[napi(object)]
pub struct Measured {
    /// Milliseconds.
    pub latency_ms: Option<f64>,
    /// As limits with `cost = "response"` count.
    pub cost: Option<u32>,
    /// `false_positive` or `confirmed`.
    pub verdict: Option<String>,
}

/// Event -> decision, as JSON text.
///
/// # Errors
/// When the text is not an event.
#[napi(catch_unwind)]
pub fn decide_event(instance: &External<wire::Instance>, event: String) -> Result<String> {
    checked(instance.decide_event(&event))
}

/// Event -> why it is decided as it is, as JSON text.
///
/// # Errors
/// When the text is not an event.
#[napi(catch_unwind)]
pub fn explain_event(instance: &External<wire::Instance>, event: String) -> Result<String> {
    checked(instance.explain_event(&event))
}

/// Event with a response, and its decision -> response decision, as JSON text.
///
/// # Errors
/// When a text is not what it should be.
#[napi(catch_unwind)]
pub fn observe_event(instance: &External<wire::Instance>, event: String, decision: String) -> Result<String> {
    checked(instance.observe_event(&event, &decision))
}

/// Starts the decision log as a document says.
///
/// # Errors
/// When the text is not such a document, a key is too short, or the line is not a whole record.
#[napi(catch_unwind)]
pub fn log_start(instance: &External<wire::Instance>, options: String) -> Result<()> {
    checked(instance.log_start(&options))
}

/// Event and its decision -> the line of the log.
///
/// # Errors
/// When a text is not what it should be.
#[napi(catch_unwind)]
pub fn log_record(instance: &External<wire::Instance>, event: String, decision: String) -> Result<String> {
    checked(instance.log_record(&event, &decision))
}

/// Event -> decision and line of the log, as JSON text.
///
/// # Errors
/// When the text is not an event.
#[napi(catch_unwind)]
pub fn decide_logged(instance: &External<wire::Instance>, event: String, timings: bool) -> Result<String> {
    let started = Instant::now();
    let clock = || u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    checked(instance.decide_logged(&event, timings.then_some(clock)))
}

/// The state as bytes.
#[napi(catch_unwind)]
pub fn snapshot(instance: &External<wire::Instance>) -> Buffer {
    instance.snapshot().into()
}

/// Replaces the state by a snapshot.
///
/// # Errors
/// When the bytes are not a state of this version.
#[napi(catch_unwind)]
pub fn restore(instance: &External<wire::Instance>, bytes: &[u8]) -> Result<()> {
    checked(instance.restore(bytes))
}

/// Changes of a state.
#[napi(object)]
pub struct Delta {
    /// The changes.
    pub bytes: Buffer,
    /// Where the next begins.
    pub epoch: f64,
}

/// What has changed since an epoch that an earlier delta gave; of anything else, everything.
#[napi(catch_unwind)]
pub fn delta_since(instance: &External<wire::Instance>, epoch: f64) -> Delta {
    // Below 2^53: exact.
    let delta = instance.delta_since(epoch as u64);
    Delta { bytes: delta.bytes.into(), epoch: delta.epoch as f64 }
}

/// What the state holds and had to give up, as JSON text.
///
/// # Errors
/// None in practice.
#[napi(catch_unwind)]
pub fn state_report(instance: &External<wire::Instance>) -> Result<String> {
    checked(instance.state_report())
}

/// Joins a snapshot or a delta with the state.
///
/// # Errors
/// When the bytes are not a state of this version.
#[napi(catch_unwind)]
pub fn merge(instance: &External<wire::Instance>, bytes: &[u8]) -> Result<()> {
    checked(instance.merge(bytes))
}

/// Revokes what a document is about.
///
/// # Errors
/// When the text is not a revocation.
#[napi(catch_unwind)]
pub fn revoke(instance: &External<wire::Instance>, revocation: String, now: f64) -> Result<()> {
    checked(instance.revoke(&revocation, millis(now)))
}

/// Suspends whom a document names; returns the action.
///
/// # Errors
/// When the text is not a suspension.
#[napi(catch_unwind)]
pub fn suspend(instance: &External<wire::Instance>, suspension: String, now: f64) -> Result<String> {
    checked(instance.suspend(&suspension, millis(now)))
}

/// Frees whom a document names; returns the action.
///
/// # Errors
/// When the text is not a suspension.
#[napi(catch_unwind)]
pub fn unsuspend(instance: &External<wire::Instance>, suspension: String, now: f64) -> Result<String> {
    checked(instance.unsuspend(&suspension, millis(now)))
}

/// Receives a Security Event Token; the answer as JSON text.
///
/// # Errors
/// When the answer cannot be written.
#[napi(catch_unwind)]
pub fn receive(instance: &External<wire::Instance>, token: String, now: f64) -> Result<String> {
    checked(instance.receive(token.as_bytes(), millis(now)))
}

/// Replaces the key set of one issuer.
///
/// # Errors
/// When there is no such issuer, or no key of the set can be used; the old set stays in force then.
#[napi(catch_unwind)]
pub fn replace_keys(instance: &External<wire::Instance>, issuer: String, jwks: String) -> Result<()> {
    checked(instance.replace_keys(&issuer, &jwks))
}

/// Runs an operation on a JSON document.
///
/// # Errors
/// When there is no such operation, or the document is not what it takes.
#[napi(catch_unwind)]
pub fn op(name: String, document: String) -> Result<String> {
    checked(wire::op(&name, &document))
}

/// Names of all operations.
#[napi]
pub fn ops() -> Vec<String> {
    wire::OPS.iter().map(|name| (*name).to_owned()).collect()
}

fn instance(text: &str, files: Vec<String>, seed: BigInt) -> Result<wire::Instance> {
    let engine = checked(Engine::from_toml(text, &named(files)))?;
    let state = State::with_seed(&engine, seed.get_u64().1);
    Ok(wire::Instance::new(Arc::new(engine), state))
}

fn named(files: Vec<String>) -> Vec<File> {
    let mut pairs = files.into_iter();
    let mut named = Vec::new();
    while let (Some(name), Some(text)) = (pairs.next(), pairs.next()) {
        named.push(File { name, text });
    }
    named
}

fn checked<T, E: Display>(result: std::result::Result<T, E>) -> Result<T> {
    result.map_err(|error| Error::from_reason(error.to_string()))
}

/// A host's clock reads whole milliseconds; a cast saturates and makes 0 of NaN.
fn millis(now: f64) -> Millis {
    now as Millis
}
