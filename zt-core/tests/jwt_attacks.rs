//! The attack suite on JSON Web Tokens: every case that should be refused is, every sound one is accepted.
#![expect(clippy::disallowed_methods, reason = "test data is read from files")]

use zt_core::base::units::Duration;
use zt_core::model::{Code, Request, Text};
use zt_core::verify::{Config, State, Verifier};

/// Between `nbf` and `exp` of the sound tokens.
const NOW: i64 = 1_795_310_765_000;

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    token: String,
    alg: String,
    jwk: serde_json::Value,
    expect: String,
}

fn cases() -> Vec<Case> {
    let data = std::env::var("ZT_DATA").unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    match std::fs::read(format!("{data}/verify/zt_jwt_attacks.json")) {
        Ok(text) => serde_json::from_slice(&text).unwrap(),
        Err(_) => {
            eprintln!("skipped: zt_jwt_attacks.json is not in {data}/verify");
            Vec::new()
        }
    }
}

fn config(case: &Case) -> Config {
    let issuer = serde_json::json!({
        "issuer": "https://auth.example.com/",
        "audiences": ["https://api.example.com"],
        "algorithms": [case.alg],
        "jwks": serde_json::json!({"keys": [case.jwk]}).to_string(),
    });
    let issuer = serde_json::from_value(issuer).unwrap();
    Config { clock_skew: Duration::from_millis(30_000), issuer: vec![issuer], ..Config::default() }
}

/// Accepted, or the code of the refusal; a key that is not admitted has none.
fn verdict(config: &Config, token: &str) -> Result<(), Option<Code>> {
    let verifier = Verifier::compile(config).map_err(|_| None)?;
    let value = format!("Bearer {token}");
    let request = Request { headers: vec![(Text::from("authorization"), Text::from(value))], ..Request::default() };
    let verified = verifier.verify(&State::new(&verifier, 7), &request, NOW);
    match (verified.identity, verified.findings.first()) {
        (Some(identity), None) if &*identity.principal == "user-1" => Ok(()),
        (None, Some(finding)) => Err(Some(finding.code)),
        other => panic!("neither accepted nor refused: {other:?}"),
    }
}

#[test]
fn every_case_is_judged_rightly() {
    let cases = cases();
    for case in &cases {
        let verdict = verdict(&config(case), &case.token);
        eprintln!("{:40} {verdict:?}", case.id);
        assert_eq!(verdict.is_ok(), case.expect == "accept", "{}: {verdict:?}", case.id);
    }
    eprintln!("{} cases", cases.len());
}

#[test]
fn deep_nesting_is_refused_by_depth_and_by_length() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let Some(case) = cases().into_iter().find(|case| case.id == "ok-HS256") else { return };
    for (depth, code) in
        [(100_000, Code::VerifyTokenTooLong), (5_000, Code::VerifyBadClaims), (17, Code::VerifyBadClaims)]
    {
        let claims = format!(r#"{{"iss":"https://auth.example.com/","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let header = case.token.split('.').next().unwrap();
        let token = format!("{header}.{}.AAAA", URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(verdict(&config(&case), &token), Err(Some(code)), "{depth}");
    }
}
