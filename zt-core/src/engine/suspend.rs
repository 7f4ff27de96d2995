//! Suspensions by persons.

use super::{Engine, State};
use crate::model::{Action, IdentityKind, Millis};
use crate::respond::{Suspension, SuspensionError};

impl Engine {
    /// Suspends, from now on, whom this names until its `until_ms`; it takes effect whatever ladders there are.
    ///
    /// ```
    /// use zt_core::model::{Request, SubjectKind};
    /// use zt_core::respond::Suspension;
    /// use zt_core::{Config, Engine, State};
    ///
    /// let engine = Engine::new(&Config::default())?;
    /// let state = State::new(&engine);
    /// let now = 1_800_000_000_000;
    /// let scanner = Suspension {
    ///     subject: SubjectKind::Peer,
    ///     kind: None,
    ///     issuer: None,
    ///     id: "203.0.113.7".to_owned(),
    ///     until_ms: Some(now + 3_600_000),
    /// };
    /// engine.suspend(&state, &scanner, now).expect("a sound suspension");
    /// let mut request = Request { method: "GET".into(), path: "/".into(), ..Request::default() };
    /// request.peer.ip = Some("203.0.113.7".parse().expect("an address"));
    /// let decision = engine.decide(&state, &request, now);
    /// assert!(decision.reasons.iter().any(|reason| reason.code.as_str() == "respond.suspended"));
    /// # Ok::<(), zt_core::engine::Invalid>(())
    /// ```
    ///
    /// # Errors
    /// [`SuspensionError`]; nothing is changed then.
    pub fn suspend(&self, state: &State, suspension: &Suspension, now: Millis) -> Result<Action, SuspensionError> {
        // Of other kinds an issuer is another mistake, or the host's word.
        let verified = matches!(suspension.kind, None | Some(IdentityKind::Jwt | IdentityKind::JwtSvid));
        let of_peer = suspension.subject.is_peer();
        let unknown = |issuer: &str| verified && !of_peer && !self.verifier.has_issuer(issuer);
        if suspension.issuer.as_deref().is_some_and(unknown) {
            return Err(SuspensionError::UnknownIssuer);
        }
        self.responder.suspend(&state.respond, suspension, now)
    }

    /// Frees whom this names, whether a ladder or a person suspended it, and forgives its strikes.
    ///
    /// # Errors
    /// [`SuspensionError`]; nothing is changed then.
    pub fn unsuspend(&self, state: &State, suspension: &Suspension, now: Millis) -> Result<Action, SuspensionError> {
        self.responder.unsuspend(&state.respond, suspension, now)
    }
}
