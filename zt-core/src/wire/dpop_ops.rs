//! Operations on sender-constrained tokens.

use serde::Deserialize;
use serde_json::json;

use super::ops::input;
use super::text;
use crate::model::{Millis, Request};
use crate::verify::{Config, State, Verifier};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown<'d> {
    #[serde(borrow)]
    request: Request<'d>,
    time_ms: Millis,
    /// `[verify]`, key sets inline.
    config: Config,
}

/// `{"request", "time_ms", "config"}` -> `{"accepted", "code", "principal"}`: whether this request, shown for the first time,
/// proves who it comes from. `config` is the `[verify]` table. Without issuers the proof is checked by itself, and
/// `principal` is the thumbprint of its key.
pub(super) fn dpop_verify(document: &str) -> Result<String, String> {
    let Shown { request, time_ms, config } = input(document)?;
    let verifier = Verifier::compile(&config)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    if config.issuer.is_empty() && request.header("dpop").next().is_some() {
        let token = request.header("authorization").next().and_then(|value| value.strip_prefix(b"DPoP "));
        let judged = verifier.verify_dpop_proof(&State::new(&verifier, 0), &request, token, time_ms);
        return text(&json!({
            "accepted": judged.is_ok(),
            "code": judged.as_ref().err().map(|(code, _)| code),
            "principal": judged.ok(),
        }));
    }
    let verified = verifier.verify(&State::new(&verifier, 0), &request, time_ms);
    text(&json!({
        "accepted": verified.identity.is_some() && verified.findings.is_empty(),
        "code": verified.findings.first().map(|finding| finding.code),
        "principal": verified.identity.as_ref().map(|identity| &*identity.principal),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn says_whether_and_why_not() {
        let config = json!({"workload": [{"id": "billing", "uris": ["spiffe://example.org/billing"]}], "dpop": {}});
        let ask = |headers: Value, uris: Value| {
            let request = json!({"method": "GET", "path": "/", "headers": headers, "peer": {"client_cert_uris": uris}});
            let document = json!({"request": request, "time_ms": 1_800_000_000_000_i64, "config": config}).to_string();
            serde_json::from_str::<Value>(&dpop_verify(&document).unwrap()).unwrap()
        };
        assert_eq!(
            ask(json!([]), json!(["spiffe://example.org/billing"])),
            json!({"accepted": true, "code": null, "principal": "billing"})
        );
        assert_eq!(ask(json!([]), json!([])), json!({"accepted": false, "code": null, "principal": null}));
        assert_eq!(
            ask(json!([["Authorization", "DPoP a.b.c"]]), json!([])),
            json!({"accepted": false, "code": "verify.scheme_refused", "principal": null})
        );
        assert!(dpop_verify("{}").is_err());
        assert!(dpop_verify(r#"{"request":{"method":"GET","path":"/"},"time_ms":0,"config":{"realm":""}}"#).is_err());
    }
}
