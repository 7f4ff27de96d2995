//! Suites of JOSE: Wycheproof, the cookbook (RFC 7520), the attack suite.

use serde_json::{Value, json};
use zt_core::verify::Algorithm;

use crate::case::{Case, Expect, bearer};

/// The compact signatures of the cookbook.
pub(crate) const COOKBOOK: &[&str] =
    &["4_1.rsa_v15_signature", "4_3.ecdsa_signature", "4_4.hmac-sha2_integrity_protection"];

/// Between `nbf` and `exp` of the attack suite's sound tokens.
const ATTACKS_AT: i64 = 1_795_310_765_000;

/// Every case of a Wycheproof file, on the group's key.
pub(crate) fn wycheproof(file: &Value, suite: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for group in file["testGroups"].as_array().into_iter().flatten() {
        let key = group.get("public").unwrap_or(&group["private"]);
        let keys = key.get("keys").and_then(Value::as_array).cloned().unwrap_or_else(|| vec![key.clone()]);
        let algorithms: Vec<&str> = keys.iter().filter_map(algorithm).collect();
        let jwks = json!({"keys": keys}).to_string();
        for case in group["tests"].as_array().into_iter().flatten() {
            let expect = match case["result"].as_str() {
                Some("valid") => Expect::Accept,
                Some("acceptable") => Expect::Either,
                _ => Expect::Reject,
            };
            let document = json!({"jwks": jwks, "jws": case["jws"], "algorithms": algorithms});
            cases.push(Case::new(suite, &case["tcId"], "jws_verify", document, expect));
        }
    }
    cases
}

/// What a key's owner would accept: its `alg`, or where it has none the usual one of its kind.
fn algorithm(key: &Value) -> Option<&'static str> {
    let named = key["alg"].as_str().and_then(Algorithm::from_name).map(Algorithm::as_str);
    named.or(match (key["kty"].as_str(), key["crv"].as_str()) {
        (Some("RSA"), _) => Some("RS256"),
        (Some("EC"), Some("P-256")) => Some("ES256"),
        (Some("EC"), Some("P-384")) => Some("ES384"),
        (Some("OKP"), _) => Some("EdDSA"),
        (Some("oct"), _) => Some("HS256"),
        _ => None,
    })
}

/// One of [`COOKBOOK`], on the public half of its key.
pub(crate) fn cookbook(name: &str, file: &Value) -> Option<Case> {
    let mut key = file["input"]["key"].clone();
    let private = ["d", "p", "q", "dp", "dq", "qi"];
    key.as_object_mut()?.retain(|member, _| !private.contains(&member.as_str()));
    let algorithm = Algorithm::from_name(file["input"]["alg"].as_str()?).map_or("ES256", Algorithm::as_str);
    let jwks = json!({"keys": [key]}).to_string();
    let document = json!({"jwks": jwks, "jws": file["output"]["compact"], "algorithms": [algorithm]});
    Some(Case::new("jose-cookbook", name, "jws_verify", document, Expect::Accept))
}

/// Every case of the attack suite.
pub(crate) fn attacks(file: &Value) -> Vec<Case> {
    let cases = file.as_array().into_iter().flatten();
    cases
        .map(|case| {
            let config = json!({"clock_skew": "30s", "issuer": [{
                "issuer": "https://auth.example.com/", "audiences": ["https://api.example.com"],
                "algorithms": [case["alg"]], "jwks": json!({"keys": [case["jwk"]]}).to_string(),
            }]});
            let document = bearer(case["token"].as_str().unwrap_or_default(), &config, ATTACKS_AT);
            let expect = if case["expect"] == "accept" { Expect::Accept } else { Expect::Reject };
            Case::new("jwt-attacks", case["id"].as_str().unwrap_or_default(), "request_verify", document, expect)
        })
        .collect()
}
