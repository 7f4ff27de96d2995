//! Wycheproof's JWS and JWK cases against the strict parser, key admission and signatures.

use super::Refusal;
use super::admission::{self, Purpose};
use super::header::Header;
use super::jws::{self, Compact};
use crate::model::Code;

#[expect(clippy::disallowed_methods, reason = "test data is read from files")]
fn cases(name: &str) -> Option<serde_json::Value> {
    let data = std::env::var("ZT_DATA").unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    let text = std::fs::read(format!("{data}/verify/{name}")).ok();
    if text.is_none() {
        eprintln!("skipped: {name} is not in {data}/verify");
    }
    text.map(|text| serde_json::from_slice(&text).unwrap())
}

fn accepts(set: &str, jws: &str) -> Result<(), Refusal> {
    let unknown = (Code::VerifyUnknownKey, "");
    let compact = Compact::split(jws.as_bytes())?;
    let header = jws::decode(compact.header)?;
    let header = Header::read(&header)?;
    jws::decode(compact.payload)?;
    let signature = jws::decode(compact.signature)?;
    let set = admission::read_set(set, &[header.algorithm], Purpose::Tokens).map_err(|_| unknown)?;
    let key = set.keys.iter().find(|key| key.kid.as_deref() == header.kid.as_deref()).ok_or(unknown)?;
    match key.verifying.verify(key.algorithm, compact.signed, &signature) {
        true => Ok(()),
        false => Err((Code::VerifyBadSignature, "")),
    }
}

/// Runs a file; gives the ids of valid cases that were refused.
fn run(name: &str) -> Vec<u64> {
    let mut refused = Vec::new();
    for group in cases(name).iter().flat_map(|cases| cases["testGroups"].as_array().unwrap()) {
        let key = group.get("public").unwrap_or(&group["private"]);
        let set = if key.get("keys").is_some() { key.to_string() } else { format!("{{\"keys\":[{key}]}}") };
        for case in group["tests"].as_array().unwrap() {
            let (id, jws) = (case["tcId"].as_u64().unwrap(), case["jws"].as_str().unwrap_or_default());
            let verdict = accepts(&set, jws);
            match case["result"].as_str() {
                Some("valid") if verdict.is_err() => refused.push(id),
                Some("valid") => {}
                _ => assert!(verdict.is_err(), "{name} {id} was accepted: {case}"),
            }
        }
    }
    refused
}

#[test]
fn no_invalid_signature_is_accepted() {
    // Refused though called valid, one by one:
    // 346, 350: the token says PS384, the key PS256 (the cookbook's figure 20): a key serves its own algorithm only
    //   (RFC 8725, section 3.1).
    // 347, 351: ES512 on P-521, which is not offered; and the key's `alg` is `ES521`, which there is not.
    // 357, 358, 359: HS256 with a secret of 32 zero bytes. As long as RFC 7518 asks, but everybody's first guess, and what
    //   an unset secret looks like.
    // 372, 373: a `?` within header or payload, to be passed over by a lax decoder: not base64url (RFC 7515, section 2).
    // 376, 377: spaces in the header are fine; the secret is that of 357.
    // (367 and 370 are 357 again, called invalid.)
    let refused = run("wycheproof_json_web_signature_test.json");
    assert!(refused.is_empty() || refused == [346, 347, 350, 351, 357, 358, 359, 372, 373, 376, 377], "{refused:?}");
}

#[test]
fn no_invalid_key_is_admitted() {
    let refused = run("wycheproof_json_web_key_test.json");
    assert!(refused.is_empty(), "{refused:?}");
}
