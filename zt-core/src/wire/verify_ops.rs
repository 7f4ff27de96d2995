//! Operations on single mechanisms of verification, for conformance suites.

use serde::{Deserialize, Serialize};

use super::ops::input;
use super::text;
use crate::model::{Code, Millis, Request};
use crate::verify::{Config, State, Verifier};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed<'a> {
    #[serde(borrow)]
    request: Request<'a>,
    time_ms: Millis,
    config: Config,
}

#[derive(Serialize)]
struct Verdict<'v> {
    accepted: bool,
    code: Option<Code>,
    principal: Option<&'v str>,
}

/// `{"request", "time_ms", "config": [verify] as JSON}` -> `{"accepted", "code", "principal"}`: what the message signatures
/// of a request prove, or why not. `code` is null for a request without any.
pub(super) fn signature_verify(document: &str) -> Result<String, String> {
    let Signed { request, time_ms, config } = input(document)?;
    let verifier = Verifier::compile(&config)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let verified = verifier.verify(&State::new(&verifier, 0), &request, time_ms);
    let code = verified.findings.first().map(|finding| finding.code);
    let proven = verified.identity.as_deref().or(verified.workload.as_deref());
    let principal = proven.map(|identity| &*identity.principal);
    text(&Verdict { accepted: code.is_none() && principal.is_some(), code, principal })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn run(headers: Value, config: Value) -> Result<Value, String> {
        let request = json!({"method": "GET", "scheme": "https", "host": "a", "path": "/", "headers": headers});
        let document = json!({"request": request, "time_ms": 1_618_884_473_000_i64, "config": config});
        signature_verify(&document.to_string()).map(|answer| serde_json::from_str(&answer).unwrap())
    }

    #[test]
    fn answers_with_a_code() {
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let config = json!({"signature": [{"id": "a", "keyid": "k", "algorithm": "ed25519", "jwk": jwk}]});
        let headers = json!([["signature-input", "s=();keyid=\"k\""], ["signature", "s=:AAAA:"]]);
        let refused = json!({"accepted": false, "code": "verify.signature_incomplete", "principal": null});
        assert_eq!(run(headers, config.clone()).unwrap(), refused);
        let silent = json!({"accepted": false, "code": null, "principal": null});
        assert_eq!(run(json!([]), config).unwrap(), silent);
        let config = json!({"signature": [{"id": "a", "keyid": "k", "algorithm": "ed25519"}]});
        assert!(run(json!([]), config).unwrap_err().contains("verify.signature[0].jwk"));
    }
}
