//! Operations on one credential, without an engine: for conformance suites and tools.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::ops::input;
use super::text;
use crate::model::{Code, Millis, Request, Text};
use crate::verify::{Algorithm, Config, State, Verifier, verify_jws};

/// What is answered about a credential.
#[derive(Debug, Serialize)]
struct Verdict<'v> {
    accepted: bool,
    /// Why not; absent also where the configuration has no key that can be used.
    code: Option<Code>,
    principal: Option<&'v str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jws<'d> {
    /// The text of a JWK set.
    #[serde(borrow)]
    jwks: Cow<'d, str>,
    #[serde(borrow)]
    jws: Cow<'d, str>,
    algorithms: Vec<Algorithm>,
}

/// `{"jwks": text, "jws": text, "algorithms": [...]}` -> `{"accepted", "code", "principal"}`: signature alone.
pub(super) fn jws_verify(document: &str) -> Result<String, String> {
    let Jws { jwks, jws, algorithms } = input(document)?;
    let code = verify_jws(jws.as_bytes(), &jwks, &algorithms).err().map(|(code, _)| code);
    text(&Verdict { accepted: code.is_none(), code, principal: None })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bearer<'d> {
    config: Config,
    #[serde(borrow)]
    token: Cow<'d, str>,
    time_ms: Millis,
}

/// `{"config": [verify] as JSON, "token": text, "time_ms"}` -> `{"accepted", "code", "principal"}`: a bearer token, as of
/// a request that shows it. A configuration that does not compile accepts nothing.
pub(super) fn token_verify(document: &str) -> Result<String, String> {
    let Bearer { config, token, time_ms } = input(document)?;
    let Ok(verifier) = Verifier::compile(&config) else {
        return text(&Verdict { accepted: false, code: None, principal: None });
    };
    let headers = vec![(Text::from("authorization"), Text::from(format!("Bearer {token}")))];
    let verified = verifier.verify(&State::new(&verifier, 0), &Request { headers, ..Request::default() }, time_ms);
    let code = verified.findings.first().map(|finding| finding.code);
    let principal = verified.identity.as_ref().map(|identity| &*identity.principal);
    text(&Verdict { accepted: code.is_none() && principal.is_some(), code, principal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn answer(operation: fn(&str) -> Result<String, String>, document: &Value) -> Value {
        serde_json::from_str(&operation(&document.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn a_signature_or_its_refusal() {
        let jwks = json!({"keys": [{"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}).to_string();
        let jws = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let sound = answer(jws_verify, &json!({"jwks": jwks, "jws": jws, "algorithms": ["HS256"]}));
        assert_eq!(sound, json!({"accepted": true, "code": null, "principal": null}));
        let refused = answer(jws_verify, &json!({"jwks": jwks, "jws": "a.b", "algorithms": ["HS256"]}));
        assert_eq!(refused, json!({"accepted": false, "code": "verify.malformed_token", "principal": null}));
        assert!(jws_verify("{}").is_err() && token_verify("[]").is_err());
    }

    #[test]
    fn a_token_or_its_refusal() {
        let config = json!({"issuer": [{"issuer": "i", "audiences": ["a"], "algorithms": ["HS256"],
            "jwks": r#"{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i"}]}"#}]});
        let refused = answer(token_verify, &json!({"config": config, "token": "a.b.c", "time_ms": 5}));
        assert_eq!(refused["accepted"], false);
        assert!(refused["code"].is_string());
        let broken = json!({"issuer": [{"issuer": "i", "audiences": ["a"], "algorithms": ["HS256"], "jwks": "{}"}]});
        let nothing = answer(token_verify, &json!({"config": broken, "token": "a.b.c", "time_ms": 5}));
        assert_eq!(nothing, json!({"accepted": false, "code": null, "principal": null}));
    }
}
