//! One token by itself, for hosts that route and authorize on their own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use super::Instance;
use crate::model::{Code, Finding, Identity, Millis};
use crate::verify::{Scheme, StepUp, Verified};

impl Instance {
    /// Verifies a JSON Web Token, without the scheme before it. A failure of zt itself refuses.
    pub fn verify_token(&self, token: &[u8], now: Millis) -> Verified {
        let verify = || self.engine().verify_token(&self.state, token, now);
        catch_unwind(AssertUnwindSafe(verify)).unwrap_or_else(|_| {
            let mut refused = Verified::default();
            refused.findings.push(Finding::new(Code::InternalPanic, ""));
            refused
        })
    }

    /// The `WWW-Authenticate` header of a refused token; none when it holds.
    pub fn token_challenge(&self, verified: &Verified) -> Option<String> {
        let code = refusal(verified)?;
        let step_up = StepUp { acr_values: None, max_age_s: verified.max_age_s };
        self.engine().verifier().challenges(Scheme::Bearer, code, step_up).into_iter().next()
    }

    /// What was found, as JSON text: `identity` and `claims` of a token that holds, else `code` and `challenge`.
    pub fn token_document(&self, verified: &Verified) -> String {
        let document = match accepted(verified) {
            Some(identity) => TokenDocument { identity: Some(identity), ..TokenDocument::default() },
            None => TokenDocument {
                code: refusal(verified).map(Code::as_str),
                challenge: self.token_challenge(verified),
                refresh_wanted: verified.refresh_wanted.as_deref(),
                ..TokenDocument::default()
            },
        };
        let mut text = serde_json::to_string(&document).unwrap_or_default();
        // The claims are one JSON object already, checked when the token was.
        if let (Some(_), Ok(claims)) = (document.identity, std::str::from_utf8(verified.claims.json()))
            && text.pop() == Some('}')
        {
            text.push_str(",\"claims\":");
            text.push_str(if claims.is_empty() { "{}" } else { claims });
            text.push('}');
        }
        text
    }
}

/// Who a token speaks for, when nothing is wrong with it and nothing is asked beyond it.
pub fn accepted(verified: &Verified) -> Option<&Identity> {
    verified.identity.as_deref().filter(|_| verified.findings.is_empty())
}

/// Why a token is refused. Where there is neither an identity nor a finding, nothing was proven.
pub fn refusal(verified: &Verified) -> Option<Code> {
    match (accepted(verified), verified.findings.first()) {
        (Some(_), _) => None,
        (None, finding) => Some(finding.map_or(Code::VerifyNoCredential, |finding| finding.code)),
    }
}

#[derive(Default, Serialize)]
struct TokenDocument<'v> {
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'v Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_wanted: Option<&'v str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IdentityKind;

    fn instance() -> Instance {
        let engine = crate::Engine::new(&crate::engine::Config::default()).unwrap();
        let state = crate::State::new(&engine);
        Instance::new(engine.into(), state)
    }

    #[test]
    fn nothing_configured_proves_nothing() {
        let instance = instance();
        let verified = instance.verify_token(b"a.b.c", 0);
        assert!(accepted(&verified).is_none());
        let document: serde_json::Value = serde_json::from_str(&instance.token_document(&verified)).unwrap();
        assert!(document["code"].as_str().unwrap().starts_with("verify."), "{document}");
        assert!(document["challenge"].is_string() && document.get("identity").is_none());
    }

    #[test]
    fn what_is_asked_beyond_an_identity_refuses() {
        let identity = Some(Identity::new(IdentityKind::Jwt, "anna").into());
        let mut verified = Verified::default();
        verified.identity = identity;
        assert_eq!(refusal(&verified), None);
        let text = instance().token_document(&verified);
        assert!(text.starts_with("{\"identity\":{\"kind\":\"jwt\"") && text.ends_with(",\"claims\":{}}"), "{text}");
        verified.findings.push(Finding::new(Code::VerifyReauthenticate, ""));
        verified.max_age_s = Some(300);
        let text = instance().token_document(&verified);
        assert!(text.contains("\"code\":\"verify.reauthenticate\"") && text.contains("max_age=300"), "{text}");
        assert!(!text.contains("anna"));
    }
}
