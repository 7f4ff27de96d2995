//! Operations on credentials: each answers `{"accepted", "code", "principal", "problems"}`. Nothing is remembered between
//! two of them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::ops::input;
use super::text;
use crate::model::{Code, Millis, Request};
use crate::verify::{Algorithm, Config, State, Verified, Verifier, verify_jws};

#[derive(Debug, Default, Serialize)]
struct Verdict {
    accepted: bool,
    code: Option<Code>,
    principal: Option<String>,
    /// Of the configuration, whose keys may be what is refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

/// A request and the `[verify]` table for it, key sets and secrets inline.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown<'d> {
    #[serde(borrow)]
    request: Request<'d>,
    time_ms: Millis,
    config: Config,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jws<'d> {
    #[serde(borrow)]
    jwks: Cow<'d, str>,
    #[serde(borrow)]
    jws: Cow<'d, str>,
    algorithms: Vec<Algorithm>,
}

/// `{"request", "time_ms", "config"}` -> whether the request proves who it comes from, and who that is: the caller, else the
/// workload.
pub(super) fn request_verify(document: &str) -> Result<String, String> {
    judge(document, |verifier, request, now| {
        let Verified { identity, workload, findings, .. } = verifier.verify(&State::new(verifier, 0), request, now);
        let code = findings.first().map(|finding| finding.code);
        let principal = identity.or(workload).map(|identity| identity.principal.to_string());
        Verdict { accepted: code.is_none() && principal.is_some(), code, principal, ..Verdict::default() }
    })
}

/// The same document -> whether the DPoP proof of the request holds by itself; `principal` is the thumbprint of its key. A
/// token after `DPoP` in `Authorization` is the one that the proof must be for.
pub(super) fn dpop_verify(document: &str) -> Result<String, String> {
    judge(document, |verifier, request, now| {
        let token = request.header("authorization").next().and_then(|value| value.strip_prefix(b"DPoP "));
        match verifier.verify_dpop_proof(&State::new(verifier, 0), request, token, now) {
            Ok(thumbprint) => Verdict { accepted: true, principal: Some(thumbprint), ..Verdict::default() },
            Err((code, _)) => Verdict { code: Some(code), ..Verdict::default() },
        }
    })
}

/// `{"jwks", "jws", "algorithms"}` -> whether a key of the set signed the JWS; nothing is asked of its payload.
pub(super) fn jws_verify(document: &str) -> Result<String, String> {
    let Jws { jwks, jws, algorithms } = input(document)?;
    let code = verify_jws(jws.as_bytes(), &jwks, &algorithms).err().map(|(code, _)| code);
    text(&Verdict { accepted: code.is_none(), code, ..Verdict::default() })
}

fn judge(document: &str, f: impl FnOnce(&Verifier, &Request<'_>, Millis) -> Verdict) -> Result<String, String> {
    let Shown { request, time_ms, config } = input(document)?;
    text(&match Verifier::compile(&config) {
        Ok(verifier) => f(&verifier, &request, time_ms),
        Err(problems) => Verdict { problems: problems.iter().map(ToString::to_string).collect(), ..Verdict::default() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SECRET: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    /// RFC 7515, appendix A.1.
    const JWS: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn answer(operation: fn(&str) -> Result<String, String>, document: &Value) -> Value {
        serde_json::from_str(&operation(&document.to_string()).unwrap()).unwrap()
    }

    fn ask(operation: fn(&str) -> Result<String, String>, config: &Value, headers: Value, uris: Value) -> Value {
        let peer = json!({"client_cert_uris": uris});
        let request =
            json!({"method": "GET", "scheme": "https", "host": "a", "path": "/", "headers": headers, "peer": peer});
        answer(operation, &json!({"request": request, "time_ms": 1_618_884_473_000_i64, "config": config}))
    }

    fn refused(code: Option<&str>) -> Value {
        json!({"accepted": false, "code": code, "principal": null})
    }

    #[test]
    fn a_jws_or_its_refusal() {
        let jwks = json!({"keys": [{"kty": "oct", "k": SECRET}]}).to_string();
        let sound = answer(jws_verify, &json!({"jwks": jwks, "jws": JWS, "algorithms": ["HS256"]}));
        assert_eq!(sound, json!({"accepted": true, "code": null, "principal": null}));
        let bad = answer(jws_verify, &json!({"jwks": jwks, "jws": "a.b", "algorithms": ["HS256"]}));
        assert_eq!(bad, refused(Some("verify.malformed_token")));
        assert!(jws_verify("{}").is_err());
    }

    #[test]
    fn a_request_or_its_refusal() {
        let workload = json!({"workload": [{"id": "billing", "uris": ["spiffe://example.org/billing"]}], "dpop": {}});
        let billing = json!({"accepted": true, "code": null, "principal": "billing"});
        assert_eq!(ask(request_verify, &workload, json!([]), json!(["spiffe://example.org/billing"])), billing);
        assert_eq!(ask(request_verify, &workload, json!([]), json!([])), refused(None));
        let dpop = json!([["Authorization", "DPoP a.b.c"]]);
        assert_eq!(ask(request_verify, &workload, dpop, json!([])), refused(Some("verify.scheme_refused")));

        let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let signature = json!({"signature": [{"id": "a", "keyid": "k", "algorithm": "ed25519", "jwk": jwk}]});
        let headers = json!([["signature-input", "s=();keyid=\"k\""], ["signature", "s=:AAAA:"]]);
        let incomplete = refused(Some("verify.signature_incomplete"));
        assert_eq!(ask(request_verify, &signature, headers, json!([])), incomplete);
        assert!(request_verify("{}").is_err());
    }

    #[test]
    fn a_broken_configuration_proves_nothing() {
        let broken = json!({"issuer": [{"issuer": "i", "audiences": ["a"], "algorithms": ["HS256"], "jwks": "{}"}]});
        for operation in [request_verify, dpop_verify] {
            let answer = ask(operation, &broken, json!([["Authorization", "Bearer a.b.c"]]), json!([]));
            assert_eq!((&answer["accepted"], &answer["code"]), (&json!(false), &json!(null)));
            assert!(answer["problems"][0].as_str().unwrap().contains("verify.issuer[0].jwks"), "{answer}");
        }
    }

    #[test]
    fn a_proof_by_itself() {
        assert_eq!(ask(dpop_verify, &json!({}), json!([]), json!([])), refused(Some("verify.scheme_refused")));
        let dpop = json!({"dpop": {}});
        assert_eq!(ask(dpop_verify, &dpop, json!([]), json!([])), refused(Some("verify.bad_proof")));
        assert_eq!(ask(dpop_verify, &dpop, json!([["DPoP", "a.b.c"]]), json!([])), refused(Some("verify.bad_proof")));
    }
}
