//! Security events, received and told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ops::input;
use super::{Instance, text};
use crate::engine::signals::security_events_of;
use crate::model::{Code, Decision, Millis};
use crate::verify::Received;

/// What became of a Security Event Token.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Accepted {
        accepted: bool,
        #[serde(flatten)]
        received: Received,
    },
    Refused {
        accepted: bool,
        code: Code,
        detail: &'static str,
        /// What a receiver answers the transmitter (RFC 8935, section 2.4); absent for one that was received before.
        #[serde(skip_serializing_if = "Option::is_none")]
        err: Option<&'static str>,
    },
}

impl Instance {
    /// Receives a Security Event Token, in its compact form: `{"accepted": true, "jti", "issuer", "events": [{"type",
    /// "applied", ...}]}`, or `{"accepted": false, "code", "detail", "err"}`.
    ///
    /// # Errors
    /// When the answer cannot be written.
    pub fn receive(&self, set: &[u8], now: Millis) -> Result<String, String> {
        text(&match self.engine().receive(&self.state, set, now) {
            Ok(received) => Answer::Accepted { accepted: true, received },
            Err((code, detail)) => Answer::Refused { accepted: false, code, detail, err: err(code) },
        })
    }
}

/// The error of RFC 8935 that a refusal is.
const fn err(code: Code) -> Option<&'static str> {
    match code {
        Code::VerifyProofReplayed => None,
        Code::VerifyUnknownKey | Code::VerifyBadSignature | Code::VerifyAlgorithmRefused => Some("invalid_key"),
        Code::VerifyWrongIssuer => Some("invalid_issuer"),
        Code::VerifyWrongAudience => Some("invalid_audience"),
        _ => Some("invalid_request"),
    }
}

/// A decision, and what its issuer prefixes principals with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    decision: Decision,
    #[serde(default)]
    principal_prefix: String,
}

/// `{"decision", "principal_prefix"}` -> the claims of the Security Event Tokens that tell of it.
pub(super) fn security_events(document: &str) -> Result<String, String> {
    let Told { decision, principal_prefix } = input(document)?;
    let sub = |principal: &Arc<str>| principal.strip_prefix(&*principal_prefix).unwrap_or(principal).to_owned();
    text(&security_events_of(&decision, sub))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;
    use crate::engine::Config;
    use serde_json::{Value, json};

    #[test]
    fn a_receiver_without_transmitters_refuses() {
        let engine = Engine::new(&Config::default()).unwrap();
        let state = crate::State::new(&engine);
        let instance = Instance::new(engine.into(), state);
        let answer: Value = serde_json::from_str(&instance.receive(b"a.b.c", 0).unwrap()).unwrap();
        assert_eq!((&answer["accepted"], &answer["code"]), (&json!(false), &json!("verify.scheme_refused")));
        assert_eq!(answer["err"], "invalid_request");
    }

    #[test]
    fn the_operation_tells_what_a_decision_did() {
        let engine = Engine::new(&Config::default()).unwrap();
        let state = crate::State::new(&engine);
        let decision = engine.decide(&state, &crate::model::Request::default(), 1_800_000_000_123);
        let mut decision = serde_json::to_value(decision).unwrap();
        let events = |decision: &Value| -> Value {
            let document = json!({"decision": decision, "principal_prefix": "p:"});
            serde_json::from_str(&security_events(&document.to_string()).unwrap()).unwrap()
        };
        assert_eq!(events(&decision), json!([]));
        decision["identity"] =
            json!({"kind": "jwt", "principal": "p:anna", "issuer": "https://idp", "roles": [], "scopes": []});
        decision["actions"] = json!([{"type": "suspended", "ladder": "l", "subject": "identity", "until_ms": 1}]);
        let told = events(&decision);
        assert_eq!(told[0]["sub_id"], json!({"format": "iss_sub", "iss": "https://idp", "sub": "anna"}));
        assert!(security_events("{}").is_err() && security_events(r#"{"decision":{}}"#).is_err());
    }
}
