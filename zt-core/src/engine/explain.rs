//! Why one request is decided as it is.

use schemars::JsonSchema;
use serde::Serialize;

use super::context::Context;
use super::{Engine, State};
use crate::model::{Decision, Millis, Request};
use crate::policy;

/// Why a request is decided as it is, and what would have to change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Explanation {
    /// The decision about the request as if it were the first: limits count it alone, and no proof was used before. Revocations,
    /// strikes and suspensions hold. Its `reasons` are those of every stage.
    pub decision: Decision,
    /// What policies say, also where an earlier stage refuses. Absent where there are none, where there is no such endpoint,
    /// and where nobody is known and the endpoint asks for somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<policy::Explanation>,
    /// What to know about this explanation.
    pub notes: Vec<String>,
}

const FIRST: &str = "decided as if it were the first request: limits count it alone and no proof was used before; \
    revocations, strikes and suspensions hold";
const UNSCORED: &str = "anomalies are not scored: how unusual a request is depends on those before it";
const NO_POLICY: &str = "there are no policies: who is known may call every endpoint that is known";
const NOBODY: &str = "policies are not asked: nobody is known and the endpoint is not anonymous";
const NO_ENDPOINT: &str = "policies are not asked: there is no such endpoint";
const ANONYMOUS: &str = "the endpoint is anonymous: nobody needs a permit, and only a forbid counts";

impl Engine {
    /// Why one request is decided as it is. It is for people who ask afterwards: every policy is looked at, one by one. The
    /// state is read and left as it is: what it revoked stays revoked, who was struck or suspended stays so, and nothing
    /// else of it counts.
    ///
    /// ```
    /// use zt_core::model::Request;
    /// use zt_core::{Config, Engine, State};
    ///
    /// let engine = Engine::new(&Config::default())?;
    /// let state = State::new(&engine);
    /// let request = Request { method: "GET".into(), path: "/".into(), ..Request::default() };
    /// let explanation = engine.explain(&state, &request, 1_800_000_000_000);
    /// assert_eq!(explanation.decision.reasons[0].code.as_str(), "route.unknown_endpoint");
    /// # Ok::<(), zt_core::engine::Invalid>(())
    /// ```
    pub fn explain(&self, state: &State, request: &Request<'_>, now: Millis) -> Explanation {
        let fresh = || state.of_revocations(self);
        let mut decision = self.decide(&fresh(), request, now);
        // Of a state that nobody has.
        decision.tickets.clear();
        let seen = self.seen(request);
        let request = seen.or(request);
        let mut notes = vec![FIRST.to_owned()];
        notes.extend(self.anomaly.is_some().then(|| UNSCORED.to_owned()));
        let explained = match (self.router.route(request), &self.policy) {
            (Err(_), _) => Err(NO_ENDPOINT),
            (Ok(_), None) => Err(NO_POLICY),
            (Ok(found), Some(policy)) => {
                let nobody = decision.identity.is_none();
                notes.extend((nobody && found.endpoint.anonymous).then(|| ANONYMOUS.to_owned()));
                if nobody && !found.endpoint.anonymous {
                    Err(NOBODY)
                } else {
                    let (identity, workload) = (decision.identity.as_deref(), decision.workload.as_deref());
                    let host = request.authority().map(super::decide::lower_case);
                    let verified = self.verifier.verify(&fresh().verify, request, now);
                    let context = Context::read(policy.reads(), &self.verifier, &verified, request, &found.variables);
                    let host = host.as_deref();
                    let asked = super::decide::asked(&found, identity, workload, request, host, &context, 0.0, now);
                    Ok(policy.explain(&asked))
                }
            }
        };
        notes.extend(explained.as_ref().err().map(|note| (*note).to_owned()));
        Explanation { decision, policy: explained.ok(), notes }
    }
}

#[cfg(test)]
#[cfg(feature = "compile")]
mod tests {
    use crate::model::{Code, Header, Outcome, Request};
    use crate::verify::{Revocation, Revoked};
    use crate::{Engine, State};

    const CONFIG: &str = r#"
version = 1
[[verify.api_key]]
id = "buyer-1"
sha256 = "57329c82f6e48494a4b6c79e47fec04dd34351be2b1830a9915363c172a1ce84"
roles = ["buyer"]
[[endpoint]]
method = "GET"
path = "/health"
anonymous = true
[[endpoint]]
method = "GET"
path = "/v1/orders"
[[limit]]
name = "once"
key = ["identity"]
rate = "1/1h"
burst = 1
[policy]
text = 'permit(principal in Role::"buyer", action, resource);'
"#;
    const NOW: i64 = 1_772_446_530_123;

    fn request(path: &'static str, key: &'static str) -> Request<'static> {
        let header: Header<'static> = ("X-API-Key".into(), key.into());
        let headers = if key.is_empty() { Vec::new() } else { vec![header] };
        Request { method: "GET".into(), path: path.into(), headers, ..Request::default() }
    }

    #[test]
    fn a_state_is_left_as_it_is_and_what_it_revoked_counts() {
        let engine = Engine::from_toml(CONFIG, &[]).unwrap();
        let state = State::new(&engine);
        let asked = request("/v1/orders", "zt_test_key_of_buyer-1_0123456789");
        let before = state.snapshot();
        for _ in 0..3 {
            let explained = engine.explain(&state, &asked, NOW);
            assert_eq!(explained.decision.outcome, Outcome::Allow);
            assert_eq!(explained.policy.unwrap().determining[0].held, ["principal in Role::\"buyer\""]);
        }
        assert_eq!(state.snapshot(), before);
        assert_eq!(engine.decide(&state, &asked, NOW).outcome, Outcome::Allow);
        assert_eq!(engine.decide(&state, &asked, NOW).reasons[0].code, Code::LimitExceeded);
        assert_eq!(engine.explain(&state, &asked, NOW).decision.outcome, Outcome::Allow);
        let stolen = Revocation {
            revoke: Revoked::Key,
            issuer: None,
            id: "buyer-1".to_owned(),
            issued_before_ms: None,
            expires_ms: NOW + 1,
        };
        state.revoke(&stolen, NOW);
        assert_eq!(engine.explain(&state, &asked, NOW).decision.reasons[0].code, Code::VerifyRevoked);
        assert_eq!(engine.explain(&state, &asked, NOW + 1).decision.outcome, Outcome::Allow);
    }

    #[test]
    fn an_anonymous_endpoint_needs_no_permit_and_says_so() {
        let engine = Engine::from_toml(CONFIG, &[]).unwrap();
        let explained = engine.explain(&State::new(&engine), &request("/health", ""), NOW);
        assert_eq!(explained.decision.outcome, Outcome::Allow);
        let policy = explained.policy.unwrap();
        let why = "`principal` is `Anonymous::\"anonymous\"`, which is in nothing";
        assert_eq!(policy.nearest[0].failed[0].why, why);
        assert!(explained.notes.iter().any(|note| note.contains("anonymous")), "{:?}", explained.notes);
    }
}
