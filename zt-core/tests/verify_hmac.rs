//! API keys, webhooks and AWS signatures through the whole verifier: alone, beside each other, and in the query.

use serde_json::{Value, json};
use zt_core::model::{Body, Code, IdentityKind, Request, Text};
use zt_core::verify::{Config, State, Verified, Verifier, api_key};
use zt_core::wire::op;

const NOW: i64 = 1_440_938_160_000;

fn verify(config: &Value, request: &Request<'_>) -> Verified {
    let config: Config = serde_json::from_value(config.clone()).expect("a configuration");
    let verifier = Verifier::compile(&config).expect("a sound configuration");
    verifier.verify(&State::new(&verifier, 7), request, NOW)
}

fn request(query: Option<&'static str>, headers: &[(&'static str, String)]) -> Request<'static> {
    Request {
        method: "GET".into(),
        path: "/".into(),
        query: query.map(Text::from),
        headers: headers.iter().map(|(name, value)| (Text::from(*name), Text::from(value.clone()))).collect(),
        body: Some(Body::new(b"Hello, World!")),
        ..Request::default()
    }
}

fn code(verified: &Verified) -> Option<Code> {
    assert_eq!(verified.identity.is_none(), !verified.findings.is_empty());
    verified.findings.first().map(|finding| finding.code)
}

fn key() -> String {
    api_key::generate("zt_live", &[7; 32]).expect("a sound prefix")
}

fn everything() -> Value {
    json!({
        "api_key": [{"id": "partner-7", "sha256": api_key::sha256(&key())}],
        "api_key_prefix": "zt_live",
        "webhook": [{"id": "forge", "format": "github", "secrets": ["It's a Secret to Everybody"]}],
        "sigv4": [{"id": "billing", "access_key_id": "AKIDEXAMPLE", "region": "us-east-1", "service": "service",
            "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}],
    })
}

/// From GitHub's documentation: the signature of `Hello, World!`.
fn hook() -> (&'static str, String) {
    let hex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    ("x-hub-signature-256", format!("sha256={hex}"))
}

#[test]
fn a_webhook_alone_is_the_identity_and_beside_a_key_the_workload() {
    let alone = verify(&everything(), &request(None, &[hook()]));
    assert_eq!(alone.identity.as_ref().map(|identity| identity.kind), Some(IdentityKind::Webhook));
    assert!(alone.workload.is_none());
    let both = verify(&everything(), &request(None, &[hook(), ("x-api-key", key())]));
    assert_eq!(both.identity.as_ref().map(|identity| &*identity.principal), Some("partner-7"));
    assert_eq!(both.workload.as_ref().map(|identity| &*identity.principal), Some("forge"));
    let (name, value) = hook();
    let forged = (name, value.replace("757107", "757108"));
    let refused = verify(&everything(), &request(None, &[forged, ("x-api-key", key())]));
    assert_eq!(code(&refused), Some(Code::VerifyBadSignature));
    assert!(refused.workload.is_none());
}

#[test]
fn credentials_in_the_query_are_refused() {
    for query in ["access_token=a", "x-api-key=a", "a=zt_live_0"] {
        let refused = verify(&everything(), &request(Some(query), &[("x-api-key", key())]));
        assert_eq!(code(&refused), Some(Code::VerifyCredentialInQuery), "{query}");
    }
    // Where nothing is configured nothing is looked at.
    assert_eq!(verify(&json!({}), &request(Some("access_token=a"), &[])), Verified::default());
}

#[test]
fn schemes_are_refused_by_name() {
    let refused = |config: &Value, value: &str| {
        let verified = verify(config, &request(None, &[("authorization", value.to_owned())]));
        assert_eq!(code(&verified), Some(Code::VerifySchemeRefused), "{value}");
        verified.findings[0].detail.to_string()
    };
    assert!(refused(&everything(), "Basic YTpi").contains("`Basic`"));
    assert!(refused(&everything(), "bAsIc YTpi").contains("`Basic`"));
    assert!(refused(&everything(), "AWS4-ECDSA-P256-SHA256 Credential=a").contains("SigV4A"));
    let without = json!({"api_key": everything()["api_key"]});
    assert!(refused(&without, "AWS4-HMAC-SHA256 Credential=a").contains("sigv4"));
}

#[test]
fn a_presigned_query_is_a_credential_like_a_header() {
    let query = Some("X-Amz-Signature=0");
    let many = verify(&everything(), &request(query, &[("x-api-key", key())]));
    assert_eq!(code(&many), Some(Code::VerifyManyCredentials));
    let bearer = verify(&everything(), &request(query, &[("authorization", "Bearer a".into())]));
    assert_eq!(code(&bearer), Some(Code::VerifyManyCredentials));
    assert_eq!(code(&verify(&everything(), &request(query, &[]))), Some(Code::VerifySignatureMalformed));
    // Without access keys the parameters are the application's.
    let without = json!({"api_key": everything()["api_key"]});
    let verified = verify(&without, &request(query, &[("x-api-key", key())]));
    assert_eq!(code(&verified), None);
}

/// The request of the AWS suite's `get-vanilla` (Apache-2.0), through the operation that other runtimes call.
#[test]
fn the_operation_answers_with_the_verdict() {
    let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    let ask = |signature: &str, config: Value| {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let headers =
            [["Host", "example.amazonaws.com"], ["X-Amz-Date", "20150830T123600Z"], ["Authorization", &authorization]];
        let request = json!({"method": "GET", "path": "/", "headers": headers});
        op("request_verify", &json!({"request": request, "time_ms": NOW, "config": config}).to_string())
    };
    let answer = |text: Result<String, String>| serde_json::from_str::<Value>(&text.expect("a verdict")).expect("JSON");
    assert_eq!(answer(ask(signature, everything())), json!({"accepted": true, "code": null, "principal": "billing"}));
    assert_eq!(
        answer(ask(&signature.replace("5f", "5e"), everything())),
        json!({"accepted": false, "code": "verify.bad_signature", "principal": null})
    );
    // Nothing is configured, so that nothing is looked at and nobody is proven.
    assert_eq!(answer(ask(signature, json!({}))), json!({"accepted": false, "code": null, "principal": null}));
    assert!(ask(signature, json!({"sigv4": [{"id": "a"}]})).is_err());
    let short = json!({"sigv4": [{"id": "a", "access_key_id": "b", "region": "c", "service": "d", "secret": "e"}]});
    let problems = &answer(ask(signature, short))["problems"];
    assert!(problems[0].as_str().expect("a problem").contains("verify.sigv4[0].secret"), "{problems}");
}
