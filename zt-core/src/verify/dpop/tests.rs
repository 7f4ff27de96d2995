//! The examples of RFC 9449, which are signed and of 2019.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test may read files")]

use super::*;
use crate::base::bounded::KeyHasher;
use crate::model::Text;
use crate::verify::jose::confirmation::sha256;

const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const TOKEN: &[u8] = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// Section 7.1.
const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const MADE: Millis = 1_562_262_618_000;

fn dpop(config: &DpopConfig) -> (Dpop, Replays) {
    let mut problems = Vec::new();
    let dpop = Dpop::compile(config, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    (dpop, Replays::new(KeyHasher::new(1), 1 << 14))
}

fn request(scheme: Option<&str>, host: &str, path: &str, proof: &str) -> Request<'static> {
    Request {
        method: Text::from("GET"),
        scheme: scheme.map(|scheme| Text::from(scheme.to_owned())),
        host: Some(Text::from(host.to_owned())),
        path: Text::from(path.to_owned()),
        headers: vec![(Text::from("DPoP"), Text::from(proof.to_owned()))],
        ..Request::default()
    }
}

fn check(config: &DpopConfig, request: &Request<'_>, now: Millis) -> Result<NonceHeld, Refusal> {
    let (dpop, replays) = dpop(config);
    dpop.check(request, Bound { token: Some(TOKEN), jkt: Some(&sha256(JKT.as_bytes()).unwrap()) }, &replays, now)
        .map(|(held, _)| held)
}

#[test]
fn the_request_of_section_7_1() {
    let config = DpopConfig::default();
    let own = request(Some("https"), "resource.example.org", "/protectedresource", PROOF);
    assert_eq!(check(&config, &own, MADE), Ok(NonceHeld::Current));
    // An unknown scheme is taken for https; the default port may be written.
    let unknown = request(None, "Resource.example.org:443", "/%70rotectedresource", PROOF);
    assert_eq!(check(&config, &unknown, MADE), Ok(NonceHeld::Current));

    let mut two_hosts = Request { host: None, ..own.clone() };
    for host in ["resource.example.org", "other.example.org"] {
        two_hosts.headers.push((Text::from("Host"), Text::from(host)));
    }
    for (other, now, code) in [
        (request(Some("http"), "resource.example.org", "/protectedresource", PROOF), MADE, Code::VerifyBadProof),
        (request(None, "resource.example.com", "/protectedresource", PROOF), MADE, Code::VerifyBadProof),
        (request(None, "resource.example.org", "/protectedresource/", PROOF), MADE, Code::VerifyBadProof),
        (request(None, "resource.example.org", "/", PROOF), MADE, Code::VerifyBadProof),
        (Request { host: None, ..own.clone() }, MADE, Code::VerifyBadProof),
        (Request { method: Text::from("POST"), ..own.clone() }, MADE, Code::VerifyBadProof),
        (Request { method: Text::from("get"), ..own.clone() }, MADE, Code::VerifyBadProof),
        (Request { headers: Vec::new(), ..own.clone() }, MADE, Code::VerifyBadProof),
        (two_hosts, MADE, Code::VerifyBadProof),
        (own.clone(), MADE + 70_001, Code::VerifyProofStale),
        (own.clone(), MADE - 10_001, Code::VerifyProofStale),
    ] {
        assert_eq!(check(&config, &other, now).unwrap_err().0, code, "{other:?}");
    }
    assert!(check(&config, &own, MADE + 70_000).is_ok() && check(&config, &own, MADE - 10_000).is_ok());
}

#[test]
fn it_is_used_up() {
    let (dpop, replays) = dpop(&DpopConfig::default());
    let own = request(None, "resource.example.org", "/protectedresource", PROOF);
    let jkt = sha256(JKT.as_bytes()).unwrap();
    let check =
        |now| dpop.check(&own, Bound { token: Some(TOKEN), jkt: Some(&jkt) }, &replays, now).map(|(held, _)| held);
    // What fails does not use it up.
    let other = Bound { token: Some(b"another"), jkt: Some(&jkt) };
    assert_eq!(dpop.check(&own, other, &replays, MADE), Err(bad("`ath` is of another token")));
    let other = Bound { token: Some(TOKEN), jkt: Some(&[7; 32]) };
    assert_eq!(dpop.check(&own, other, &replays, MADE).unwrap_err().0, Code::VerifyBindingMismatch);
    assert!(check(MADE).is_ok());
    for now in [MADE, MADE + 1, MADE + 70_000] {
        assert_eq!(check(now).unwrap_err().0, Code::VerifyProofReplayed);
    }
    assert_eq!(check(MADE + 70_001).unwrap_err().0, Code::VerifyProofStale, "age takes over where memory ends");
}

#[test]
fn base_urls_stand_for_scheme_and_host() {
    let with = |urls: &[&str]| DpopConfig {
        base_urls: urls.iter().map(|url| (*url).into()).collect(),
        ..DpopConfig::default()
    };
    let inside = request(Some("http"), "10.0.0.7:8080", "/protectedresource", PROOF);
    assert!(check(&with(&["https://other.example", "https://Resource.example.org:443/"]), &inside, MADE).is_ok());
    assert!(
        check(&with(&["https://resource.example.org/protected"]), &request(None, "h", "/resource", PROOF), MADE)
            .is_err()
    );
    let stripped = request(None, "h", "/", PROOF);
    assert!(check(&with(&["https://resource.example.org/protectedresource"]), &stripped, MADE).is_err());
    let own = request(Some("https"), "resource.example.org", "/protectedresource", PROOF);
    assert!(check(&with(&["https://api.example.org"]), &own, MADE).is_err(), "what the request says counts no more");
}

#[test]
fn a_nonce_where_one_is_asked_for() {
    let config = DpopConfig {
        nonce: NonceUse::Required,
        nonce_secret: Some("0123456789abcdef0123456789abcdef".into()),
        ..DpopConfig::default()
    };
    let own = request(None, "resource.example.org", "/protectedresource", PROOF);
    assert_eq!(check(&config, &own, MADE).unwrap_err().0, Code::VerifyNonceRequired);
}

#[test]
fn mistakes_are_told_at_once() {
    let config: DpopConfig = serde_json::from_str(
        r#"{"algorithms":["ES256","HS256"],"max_age":"2h","clock_skew":"6m","nonce_lifetime":"0s",
            "nonce_secret":"short","base_urls":["https://a","b","https://c?d"]}"#,
    )
    .unwrap();
    let mut problems = Vec::new();
    Dpop::compile(&config, &mut problems);
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    let expected =
        ["algorithms", "max_age", "clock_skew", "nonce_lifetime", "nonce_secret", "base_urls[1]", "base_urls[2]"];
    assert_eq!(keys, expected.map(|key| format!("verify.dpop.{key}")));
    assert!(!format!("{config:?}").contains("short"));
    let none = DpopConfig { algorithms: Vec::new(), ..DpopConfig::default() };
    let guessable = DpopConfig { nonce: NonceUse::Required, ..DpopConfig::default() };
    for config in [none, guessable] {
        let mut problems = Vec::new();
        Dpop::compile(&config, &mut problems);
        assert_eq!(problems.len(), 1);
    }
}

/// Every example of the RFC, from `../shared/data` beside the project, or where `ZT_DATA` says.
#[test]
fn every_example_of_the_rfc() {
    let data = std::env::var("ZT_DATA").unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    let Ok(text) = std::fs::read_to_string(format!("{data}/verify/rfc9449_dpop_examples.json")) else {
        eprintln!("skipped: no RFC 9449 examples in {data}");
        return;
    };
    let examples: serde_json::Value = serde_json::from_str(&text).unwrap();
    let proofs = examples["proofs"].as_array().unwrap();
    assert_eq!(proofs.len(), 3);
    for example in proofs {
        let proof = Proof::read(example["proof"].as_str().unwrap().as_bytes(), &[Algorithm::Es256]).unwrap();
        let text = |name: &str| example["claims"][name].as_str().unwrap_or_default();
        assert_eq!(Some(proof.jkt), sha256(example["jkt"].as_str().unwrap().as_bytes()));
        assert_eq!((&*proof.claims.jti, &*proof.claims.htm), (text("jti"), text("htm")));
        assert_eq!(
            (&*proof.claims.htu, proof.claims.iat / 1_000),
            (text("htu"), example["claims"]["iat"].as_i64().unwrap())
        );
        assert_eq!(proof.claims.ath, sha256(text("ath").as_bytes()));
    }
    let token = examples["access_token_for_ath"].as_str().unwrap();
    assert_eq!(Some(Sha256::digest(token).into()), sha256(examples["ath"].as_str().unwrap().as_bytes()));
}
