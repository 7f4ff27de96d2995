//! The engine in force, where key sets are replaced while requests are decided.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::{Engine, Invalid, State};

/// The engine in force: read by every request, replaced by a few.
#[derive(Debug)]
pub struct Current {
    engine: RwLock<Arc<Engine>>,
    /// Held while a successor is made, so that of two none undoes the other. Readers do not wait for it.
    replacing: Mutex<()>,
}

/// A state that was made for other limits or ladders: it would refuse what it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the limits or ladders are others than those that the state was made for: make a new engine and state, and restore a snapshot of this one"
)]
pub struct OtherState;

impl Current {
    /// This engine, for now.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine: RwLock::new(engine), replacing: Mutex::new(()) }
    }

    /// The engine in force. A request keeps the one it began with.
    pub fn load(&self) -> Arc<Engine> {
        // Only a whole value is ever written, so that a poisoned lock guards a sound one.
        Arc::clone(&self.engine.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the engine, and has the state forget what rests on keys that are gone. Everything else that the state
    /// knows stays: what has been spent, what is revoked, which proofs have been used.
    ///
    /// # Errors
    /// When the state was made for other limits or ladders; the old engine stays in force then.
    pub fn replace(&self, state: &State, engine: Arc<Engine>) -> Result<(), OtherState> {
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        if !engine.limiter.knows(&state.limit) || !engine.responder.knows(&state.respond) {
            return Err(OtherState);
        }
        self.put(state, engine);
        Ok(())
    }

    /// Replaces the key set of one issuer, and has the state forget what rests on keys that are gone.
    ///
    /// # Errors
    /// As of [`Engine::with_jwks`]; the old set stays in force then.
    pub fn replace_keys(&self, state: &State, issuer: &str, jwks: &str) -> Result<(), Invalid> {
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let successor = Arc::new(self.load().with_jwks(issuer, jwks)?);
        self.put(state, successor);
        Ok(())
    }

    fn put(&self, state: &State, engine: Arc<Engine>) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&engine);
        state.verify.forget_removed(&engine.verifier);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::verify::{Algorithm, IssuerConfig};

    /// A set of one secret, which `fill` tells from others.
    fn jwks(fill: &str) -> String {
        format!(r#"{{"keys":[{{"kty":"oct","kid":"{fill}","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr{fill}"}}]}}"#)
    }

    fn current(issuers: &[&str]) -> (Current, State) {
        let issuer = |name: &&str| IssuerConfig {
            jwks: Some(jwks("AA")),
            ..IssuerConfig::new(*name, vec!["a".to_owned()], vec![Algorithm::Hs256])
        };
        let mut config = Config::default();
        config.verify.issuer = issuers.iter().map(issuer).collect();
        let engine = Engine::new(&config).unwrap();
        let state = State::new(&engine);
        (Current::new(Arc::new(engine)), state)
    }

    #[test]
    fn a_set_is_replaced_and_a_request_keeps_the_engine_it_began_with() {
        let (current, state) = current(&["i", "j"]);
        let before = current.load();
        let version = before.version().to_owned();
        current.replace_keys(&state, "i", &jwks("BA")).unwrap();
        let after = current.load();
        assert_eq!(before.version(), version);
        assert_ne!(after.version(), version);
        // The same sets are the same version, by whatever way.
        current.replace_keys(&state, "j", &jwks("CA")).unwrap();
        current.replace_keys(&state, "j", &jwks("AA")).unwrap();
        assert_eq!(current.load().version(), after.version());
    }

    #[test]
    fn a_bad_set_changes_nothing() {
        let (current, state) = current(&["i"]);
        let before = current.load();
        for (issuer, set, why) in [
            ("i", "{}".to_owned(), "verify.issuer[0].jwks"),
            ("i", r#"{"keys":[{"kty":"oct","k":"AAEC"}]}"#.to_owned(), "shorter"),
            ("k", jwks("BA"), "no issuer `k`"),
        ] {
            let text = current.replace_keys(&state, issuer, &set).unwrap_err().to_string();
            assert!(text.contains(why), "{text}");
        }
        assert!(Arc::ptr_eq(&before, &current.load()));
    }

    #[test]
    fn of_two_replacements_at_once_none_is_lost() {
        let (current, state) = current(&["i", "j"]);
        let (alone, own) = self::current(&["i", "j"]);
        alone.replace_keys(&own, "i", &jwks("BA")).unwrap();
        alone.replace_keys(&own, "j", &jwks("CA")).unwrap();
        for _ in 0..50 {
            std::thread::scope(|scope| {
                scope.spawn(|| current.replace_keys(&state, "i", &jwks("BA")).unwrap());
                scope.spawn(|| current.replace_keys(&state, "j", &jwks("CA")).unwrap());
            });
            assert_eq!(current.load().version(), alone.load().version());
            current.replace_keys(&state, "i", &jwks("AA")).unwrap();
            current.replace_keys(&state, "j", &jwks("AA")).unwrap();
        }
    }
}
