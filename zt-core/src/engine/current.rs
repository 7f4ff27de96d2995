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

    /// Replaces the key set of one issuer, and has the state forget what rests on keys that are gone.
    ///
    /// # Errors
    /// As of [`Engine::with_jwks`]; the old set stays in force then.
    pub fn replace_keys(&self, state: &State, issuer: &str, jwks: &str) -> Result<(), Invalid> {
        let _one_at_a_time = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let successor = Arc::new(self.load().with_jwks(issuer, jwks)?);
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&successor);
        state.verify.forget_removed(&successor.verifier);
        Ok(())
    }
}
