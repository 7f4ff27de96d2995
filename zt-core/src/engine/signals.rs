//! Security events: received from others, and told to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Engine, State};
use crate::model::{Action, ActionKind, Code, Decision, Identity, Millis, Rung, SubjectKind};
use crate::verify::Received;

const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const RISK_LEVEL_CHANGE: &str = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change";
const ACCOUNT_DISABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-disabled";
const ACCOUNT_ENABLED: &str = "https://schemas.openid.net/secevent/risc/event-type/account-enabled";

/// The claims of a Security Event Token (RFC 8417) that tells of what was done here. The host adds `iss`, `aud` and a `jti`
/// of its own, and signs it with `typ` `secevent+jwt`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecurityEvent {
    /// Seconds.
    pub iat: i64,
    /// The decision's id: what happened for the same reason has the same.
    pub txn: Arc<str>,
    /// Whom it is about.
    pub sub_id: SubjectId,
    /// One event, by type.
    pub events: BTreeMap<&'static str, Told>,
}

/// A subject identifier (RFC 9493; Shared Signals Framework 1.0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum SubjectId {
    /// A subject of an issuer.
    IssSub {
        /// Issuer.
        iss: Arc<str>,
        /// Its `sub`.
        sub: String,
    },
    /// Something that its issuer knows.
    Opaque {
        /// The name.
        id: Arc<str>,
    },
    /// A session of a user.
    Complex {
        /// The session.
        session: Box<SubjectId>,
        /// The user.
        user: Box<SubjectId>,
    },
}

/// What an event says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Seconds.
    pub event_timestamp: i64,
    /// Always `policy`: nobody looked at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiating_entity: Option<&'static str>,
    /// By language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reason_admin: BTreeMap<&'static str, String>,
    /// Of a risk level: whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<&'static str>,
    /// Of a risk level: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_level: Option<&'static str>,
}

impl Engine {
    /// Receives a Security Event Token in its compact form, and does what its events call for.
    ///
    /// # Errors
    /// Why it is refused, as of [`Verifier::receive`](crate::verify::Verifier::receive); nothing was done then.
    pub fn receive(&self, state: &State, set: &[u8], now: Millis) -> Result<Received, (Code, &'static str)> {
        self.verifier.receive(&state.verify, set, now)
    }

    /// What a decision did to sessions and accounts, for others: one token each, whose claims these are. Nothing in monitor
    /// mode, and nothing where a request was only refused or asked for a fresh authentication.
    pub fn security_events(&self, decision: &Decision) -> Vec<SecurityEvent> {
        let issuer = decision.identity.as_deref().and_then(|identity| identity.issuer.as_deref());
        let sub = |principal: &Arc<str>| self.verifier.sub_of(issuer, principal).to_owned();
        security_events_of(decision, sub)
    }
}

/// The events of what a decision did; `sub` is what the issuer calls a principal.
pub(crate) fn security_events_of(decision: &Decision, sub: impl Fn(&Arc<str>) -> String) -> Vec<SecurityEvent> {
    let Some(identity) = decision.identity.as_deref().filter(|_| decision.enforced) else { return Vec::new() };
    let Some(iss) = &identity.issuer else { return Vec::new() };
    let user = SubjectId::IssSub { iss: Arc::clone(iss), sub: sub(&identity.principal) };
    let iat = decision.time_ms.div_euclid(1_000);
    let done = decision.actions.iter().filter(|action| !action.monitor);
    let events = done.filter_map(|action| {
        let (name, told) = event(action)?;
        let sub_id = match action.subject {
            SubjectKind::Session => of_session(identity, &user)?,
            SubjectKind::Identity => user.clone(),
            SubjectKind::Credential | SubjectKind::Peer | SubjectKind::PeerPrefix => return None,
        };
        let events = BTreeMap::from([(name, Told { event_timestamp: iat, ..told })]);
        Some(SecurityEvent { iat, txn: Arc::clone(&decision.id), sub_id, events })
    });
    events.collect()
}

fn of_session(identity: &Identity, user: &SubjectId) -> Option<SubjectId> {
    let id = Arc::clone(identity.session.as_ref()?);
    Some(SubjectId::Complex { session: Box::new(SubjectId::Opaque { id }), user: Box::new(user.clone()) })
}

/// The type that is true of an action, and what it says. Throttling, flags and peers are nobody else's business.
fn event(action: &Action) -> Option<(&'static str, Told)> {
    let ladder = action.ladder.as_deref();
    let because = |what: &str| ladder.map(|ladder| ("en", format!("{what} by `{ladder}`"))).into_iter().collect();
    let caep = |reason_admin| Told { initiating_entity: Some("policy"), reason_admin, ..Told::default() };
    match (action.kind, action.subject, action.rung) {
        (ActionKind::Suspended, SubjectKind::Session, _) => Some((SESSION_REVOKED, caep(because("suspended")))),
        // RISC has no members for who did it and why, apart from two reasons that are not this.
        (ActionKind::Suspended, SubjectKind::Identity, _) => Some((ACCOUNT_DISABLED, Told::default())),
        (ActionKind::Lifted, SubjectKind::Identity, _) => Some((ACCOUNT_ENABLED, Told::default())),
        (ActionKind::Rung, SubjectKind::Session | SubjectKind::Identity, Some(Rung::StepUp)) => {
            let principal = if action.subject == SubjectKind::Session { "SESSION" } else { "USER" };
            let told = caep(because("a fresh authentication is asked for"));
            Some((RISK_LEVEL_CHANGE, Told { principal: Some(principal), current_level: Some("MEDIUM"), ..told }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Config;
    use crate::model::{IdentityKind, Request};
    use serde_json::json;

    fn decision() -> Decision {
        let engine = Engine::new(&Config::default()).unwrap();
        let request = Request { id: Some("r-1".into()), ..Request::default() };
        let mut decision = engine.decide(&State::new(&engine), &request, 1_800_000_000_123);
        let mut anna = Identity::new(IdentityKind::Jwt, "p:anna");
        anna.issuer = Some("https://idp".into());
        anna.session = Some("s-1".into());
        decision.identity = Some(anna.into());
        decision
    }

    fn action(kind: ActionKind, subject: SubjectKind, rung: Option<Rung>) -> Action {
        Action { kind, ladder: Some("abuse".into()), subject, rung, until_ms: None, level: None, monitor: false }
    }

    fn told(decision: &Decision, actions: &[Action]) -> serde_json::Value {
        let sub = |principal: &Arc<str>| principal.trim_start_matches("p:").to_owned();
        let decision = Decision { actions: actions.to_vec(), ..decision.clone() };
        serde_json::to_value(security_events_of(&decision, sub)).unwrap()
    }

    #[test]
    fn what_was_done_to_sessions_and_accounts_is_told() {
        use ActionKind::{Lifted, Suspended};
        use SubjectKind::{Identity as Of, Session};
        let user = json!({"format": "iss_sub", "iss": "https://idp", "sub": "anna"});
        let session = json!({"format": "complex", "session": {"format": "opaque", "id": "s-1"}, "user": user});
        let reason = json!({"en": "suspended by `abuse`"});
        let actions = [action(Suspended, Session, None), action(Suspended, Of, None)];
        assert_eq!(
            told(&decision(), &actions),
            json!([
                {"iat": 1_800_000_000, "txn": "r-1", "sub_id": session, "events": {SESSION_REVOKED:
                    {"event_timestamp": 1_800_000_000, "initiating_entity": "policy", "reason_admin": reason}}},
                {"iat": 1_800_000_000, "txn": "r-1", "sub_id": user, "events": {ACCOUNT_DISABLED:
                    {"event_timestamp": 1_800_000_000}}},
            ])
        );
        let rung = told(&decision(), &[action(ActionKind::Rung, Of, Some(Rung::StepUp))]);
        assert_eq!(rung[0]["events"][RISK_LEVEL_CHANGE]["current_level"], "MEDIUM");
        assert_eq!(
            told(&decision(), &[action(Lifted, Of, None)])[0]["events"][ACCOUNT_ENABLED]["event_timestamp"],
            1_800_000_000
        );
    }

    #[test]
    fn nothing_is_told_that_is_not_true() {
        use ActionKind::{Lifted, Suspended};
        use SubjectKind::{Credential, Identity as Of, Peer, PeerPrefix, Session};
        let none = json!([]);
        for (kind, subject, rung) in [
            (Suspended, Peer, None),
            (Suspended, PeerPrefix, None),
            (Suspended, Credential, None),
            (Lifted, Session, None),
            (ActionKind::Rung, Of, Some(Rung::Flag)),
            (ActionKind::Rung, Of, Some(Rung::Throttle)),
        ] {
            assert_eq!(told(&decision(), &[action(kind, subject, rung)]), none, "{kind:?} {subject:?}");
        }
        let suspended = action(Suspended, Session, None);
        assert_eq!(told(&decision(), &[Action { monitor: true, ..suspended.clone() }]), none);
        assert_eq!(told(&Decision { enforced: false, ..decision() }, std::slice::from_ref(&suspended)), none);
        assert_eq!(told(&Decision { identity: None, ..decision() }, std::slice::from_ref(&suspended)), none);
        let mut nobody = Identity::new(IdentityKind::ApiKey, "partner-7");
        nobody.session = Some("s".into());
        assert_eq!(told(&Decision { identity: Some(nobody.into()), ..decision() }, &[suspended]), none);
    }
}
