//! JSON text in, JSON text out: what bindings and the command line call for everything but the hot path.

mod authorize;
mod fields;
mod guard;
mod log;
mod offline_ops;
mod ops;
mod signals;
mod text_ops;
mod token;
mod verify_ops;

pub use authorize::{Asked, Authorized};
pub use fields::Read;
pub use guard::{decide_or_refuse, panic_decision};
pub use log::{BrokenLine, LogReport};
pub use ops::{OPS, op};
pub use token::{accepted, refusal};

use std::sync::{Arc, Mutex};

use crate::engine::log::Chain;
use crate::engine::{Current, Delta};
use crate::model::{Decision, Event, Millis, ResponseDecision};
use crate::respond::Suspension;
use crate::verify::{Revocation, Revoked};
use crate::{Engine, State};

/// An engine and a state, on contract documents. Its clock is each event's `time_ms`.
#[derive(Debug)]
pub struct Instance {
    engine: Current,
    state: State,
    log: Mutex<Chain>,
}

impl Instance {
    /// An empty state beside this engine.
    pub fn new(engine: Arc<Engine>, state: State) -> Self {
        Self { engine: Current::new(engine), state, log: Mutex::default() }
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

    /// Puts a configuration and the files it names in force in place of the engine; the state stays.
    ///
    /// # Errors
    /// Every mistake, one a line, or that its limits are not those of the state; the old engine stays in force then.
    #[cfg(feature = "compile")]
    pub fn replace_toml(&self, text: &str, files: &[crate::engine::File]) -> Result<(), String> {
        let engine = Engine::from_toml(text, files).map_err(|invalid| invalid.to_string())?;
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

    /// Suspends whom a suspension names until then: `{"subject": "credential" | "session" | "identity" | "peer" |
    /// "peer_prefix", "kind": ..., "issuer": ..., "id": ..., "until_ms": ...}`. Answers with the action, for the log.
    ///
    /// # Errors
    /// When the text is not a suspension, or one that names nobody or has no end.
    pub fn suspend(&self, suspension: &str, now: Millis) -> Result<String, String> {
        let suspension = read_suspension(suspension)?;
        let action = self.engine().suspend(&self.state, &suspension, now).map_err(|error| error.to_string())?;
        text(&action)
    }

    /// Frees whom a suspension names, whoever suspended it, and forgives its strikes; `until_ms` is not needed. Answers with
    /// the action, for the log.
    ///
    /// # Errors
    /// When the text is not a suspension, or one that names nobody.
    pub fn unsuspend(&self, suspension: &str, now: Millis) -> Result<String, String> {
        let suspension = read_suspension(suspension)?;
        let action = self.engine().unsuspend(&self.state, &suspension, now).map_err(|error| error.to_string())?;
        text(&action)
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

    /// What has changed since an epoch that an earlier delta of this state gave; since 0, everything.
    pub fn delta_since(&self, epoch: u64) -> Delta {
        self.state.delta_since(epoch)
    }

    /// What the state holds and had to give up: `{"memory": ..., "stores": [...]}`.
    ///
    /// # Errors
    /// None in practice: numbers and names can always be written.
    pub fn state_report(&self) -> Result<String, String> {
        text(&self.state.report())
    }

    /// Joins a snapshot or a delta with the state; the order of merges never matters.
    ///
    /// # Errors
    /// When the bytes are not a state of this version; the state is untouched then.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), String> {
        self.state.merge(bytes).map_err(|error| error.to_string())
    }
}

fn read_suspension(text: &str) -> Result<Suspension, String> {
    serde_json::from_str(text).map_err(|error| format!("not a suspension: {error}"))
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

#[cfg(test)]
#[cfg(feature = "compile")]
mod tests {
    use super::*;

    const CONFIG: &str = "version = 1\n[[limit]]\nname = \"l\"\nkey = [\"peer\"]\nrate = \"1/1h\"\n[[endpoint]]\nid = \"e\"\n\
                          method = \"GET\"\npath = \"/e\"\nanonymous = true\n";

    fn outcome(instance: &Instance) -> String {
        let event = r#"{"time_ms": 1000, "request": {"method": "GET", "path": "/e", "peer": {"ip": "203.0.113.7"}}}"#;
        let decision: serde_json::Value = serde_json::from_str(&instance.decide_event(event).unwrap()).unwrap();
        decision["outcome"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_broken_update_never_replaces_a_working_engine() {
        let instance = Instance::from_toml(CONFIG, &[]).unwrap();
        let before = instance.engine();
        let policy = |text: &str| format!("{CONFIG}[policy]\ntext = '''\n{text}'''\n");
        let broken = [
            (policy("permit(principal, action, resource) when { context.colour == 1 };"), "colour"),
            (policy("permit(principal, action, resource"), "policy.text"),
            (policy("permit(principal == ?principal, action, resource);"), "template"),
            (policy(&"[".repeat(1 << 20)), "policy.text"),
            (CONFIG.replace("1/1h", "2/1h"), "limits"),
            (CONFIG.replace("version = 1", "version = 9"), "version"),
        ];
        for (text, why) in broken {
            let error = instance.replace_toml(&text, &[]).unwrap_err();
            assert!(error.contains(why), "{error:.300}");
            assert!(Arc::ptr_eq(&before, &instance.engine()));
        }
    }

    #[test]
    fn a_good_update_keeps_what_was_spent() {
        let instance = Instance::from_toml(CONFIG, &[]).unwrap();
        assert_eq!(outcome(&instance), "allow");
        let before = instance.snapshot();
        let text = format!("{CONFIG}[policy]\ntext = '''\nforbid(principal, action, resource);'''\n");
        instance.replace_toml(&text, &[]).unwrap();
        assert_eq!(instance.snapshot(), before);
        assert_eq!(outcome(&instance), "throttle");
        instance.replace_toml(CONFIG, &[]).unwrap();
        assert_eq!(outcome(&instance), "throttle");
    }
}
