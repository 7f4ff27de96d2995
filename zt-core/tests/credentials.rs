//! The guide to credentials: each configuration in it is one, and decides as the guide says.
#![cfg(feature = "compile")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zt_core::model::{Body, Code, Decision, Peer, Request, Text};
use zt_core::verify::{Algorithm, Revocation, SignatureAlgorithm};
use zt_core::{Engine, State};

const GUIDE: &str = include_str!("../../docs/credentials.md");
/// Seconds.
const NOW: i64 = 1_772_446_530;
/// The keys of RFC 7515, appendix A.3; of RFC 7517, appendix A.1; and of RFC 9421, appendix B.1.4: `x`, `y`, `d`.
const ISSUER: [&str; 3] = [
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
];
const OTHER: [&str; 3] = [
    "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
];
const SIGNER: &str = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU";

/// The guide's section with this heading, up to the next.
fn section(heading: &str) -> &'static str {
    let at = GUIDE.find(&format!("\n## {heading}")).unwrap_or_else(|| panic!("no section `{heading}`"));
    let rest = &GUIDE[at + 1..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

fn blocks(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split("```toml\n").skip(1).map(|rest| &rest[..rest.find("```").expect("its end")])
}

/// The configuration of a section: what does not say `version` goes below that of tokens.
fn configuration(block: &str) -> String {
    let tokens = blocks(section("JSON Web Token")).next().expect("a block");
    if block.contains("version = 1") { block.to_owned() } else { format!("{tokens}\n{block}") }
}

/// The configuration of a section, compiled.
struct Server {
    engine: Engine,
    state: State,
}

impl Server {
    fn of(heading: &str) -> Self {
        Self::with(&configuration(blocks(section(heading)).next().expect("a block")))
    }

    fn with(toml: &str) -> Self {
        let engine = Engine::from_toml(toml, &[]).unwrap_or_else(|invalid| panic!("{invalid}\n{toml}"));
        Self { state: State::new(&engine), engine }
    }

    fn decide(&self, target: &str, headers: &[(&str, String)], body: Option<&[u8]>) -> Decision {
        let (method, path) = target.split_once(' ').expect("a method and a path");
        let text = |text: &str| Text::from(text.to_owned());
        let mut all = vec![(text("host"), text("api.example.com")), (text("content-type"), text("application/json"))];
        all.extend(headers.iter().map(|(name, value)| (text(name), text(value))));
        let request = Request {
            method: text(method),
            scheme: Some("https".into()),
            host: Some("api.example.com".into()),
            path: text(path),
            headers: all,
            body: body.map(|body| Body::from(body.to_vec())),
            peer: Peer { ip: Some([10, 1, 2, 3].into()), ..Peer::default() },
            ..Request::default()
        };
        self.engine.decide(&self.state, &request, NOW * 1_000)
    }

    /// The kind of the identity and its principal, or the code.
    fn answer(&self, target: &str, headers: &[(&str, String)], body: Option<&[u8]>) -> String {
        answer(&self.decide(target, headers, body))
    }
}

fn answer(decision: &Decision) -> String {
    match (&decision.identity, decision.reasons.first()) {
        (_, Some(reason)) => reason.code.as_str().to_owned(),
        (Some(identity), None) => {
            let kind = serde_json::to_value(identity.kind).expect("a name");
            format!("{} {}", kind.as_str().unwrap_or_default(), identity.principal)
        }
        (None, None) => "nobody".to_owned(),
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn jwk([x, y, _]: [&str; 3]) -> Value {
    json!({"crv": "P-256", "kty": "EC", "x": x, "y": y})
}

fn es256([x, y, d]: [&str; 3], header: &Value, claims: &Value) -> String {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
    let point = [vec![4], decode(x), decode(y)].concat();
    let key = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &decode(d), &point)
        .expect("a key of an RFC");
    let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", encode(signature))
}

/// A token of the guide's issuer with these claims besides.
fn token(more: &Value) -> String {
    let mut claims = json!({"iss": "https://idp.example.com", "sub": "alice", "aud": "https://api.example.com",
        "exp": NOW + 300, "iat": NOW, "jti": "t1", "sid": "s1"});
    for (name, value) in more.as_object().expect("claims") {
        claims[name] = value.clone();
    }
    es256(ISSUER, &json!({"alg": "ES256", "typ": "at+jwt", "kid": "2026-01"}), &claims)
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}

#[test]
fn every_configuration_compiles_and_every_code_is_one() {
    assert_eq!(blocks(GUIDE).count(), 8, "each block has a test of what it decides");
    for block in blocks(GUIDE) {
        Server::with(&configuration(block));
    }
    for word in GUIDE.split('`').filter(|word| word.starts_with("verify.")) {
        assert!(Code::ALL.iter().any(|code| code.as_str() == word), "{word}");
    }
}

#[test]
fn the_table_of_algorithms_is_complete() {
    let rows = section("Algorithms");
    let row = |name: &str| rows.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
    let tokens: Vec<String> = Algorithm::ALL.iter().map(|algorithm| format!("`{}`", algorithm.as_str())).collect();
    assert_eq!(row("tokens"), format!("| tokens | {} |", tokens.join(" ")));
    use SignatureAlgorithm::*;
    for algorithm in [RsaPssSha512, RsaV15Sha256, HmacSha256, EcdsaP256Sha256, EcdsaP384Sha384, Ed25519] {
        assert!(row("message signatures").contains(algorithm.as_str()));
    }
    for refused in ["none", "ES512", "ES256K", "Ed448", "Ed25519", "RS1", "HS1", "RSA1_5", "RSA-OAEP", "dir"] {
        assert!(rows.contains(&format!("`{refused}`")) && Algorithm::from_name(refused).is_none(), "{refused}");
    }
}

#[test]
fn an_api_key() {
    let server = Server::of("API key");
    let key = section("API key").split("x-api-key: ").nth(1).and_then(|rest| rest.split('`').next()).expect("a key");
    let shown = |key: &str| server.answer("GET /v1/x", &[("x-api-key", key.to_owned())], None);
    assert_eq!(shown(key), "api_key partner-7");
    assert_eq!(shown(&key.replace("Only", "only")), "verify.malformed_api_key");
    let unknown = zt_core::verify::api_key::generate("zt_test", &[7; 32]).expect("a key");
    assert_eq!(shown(&unknown), "verify.unknown_api_key");
}

#[test]
fn a_token_revoked_and_its_keys_replaced() {
    let server = Server::of("JSON Web Token");
    let shown = |token: &str| server.answer("GET /v1/x", &[bearer(token)], None);
    assert_eq!(shown(&token(&json!({}))), "jwt alice");
    for (claims, code) in [
        (json!({"aud": "other"}), "verify.wrong_audience"),
        (json!({"iss": "other"}), "verify.wrong_issuer"),
        (json!({"exp": NOW - 31}), "verify.expired"),
        (json!({"nbf": NOW + 31}), "verify.not_yet_valid"),
        (json!({"cnf": {"jkt": "x"}}), "verify.bad_claims"),
        (json!({"cnf": {"jkt": encode([7; 32])}}), "verify.binding_missing"),
    ] {
        assert_eq!(shown(&token(&claims)), code, "{claims}");
    }
    let revocation = json!({"revoke": "session", "issuer": "https://idp.example.com", "id": "s1",
        "expires_ms": (NOW + 43_200) * 1_000});
    let revocation: Revocation = serde_json::from_value(revocation).expect("a revocation");
    server.state.revoke(&revocation, NOW * 1_000);
    assert_eq!(shown(&token(&json!({}))), "verify.revoked");
    assert_eq!(shown(&token(&json!({"sid": "s2"}))), "jwt alice");

    let claims =
        json!({"iss": "https://idp.example.com", "sub": "alice", "aud": "https://api.example.com", "exp": NOW + 9});
    let new = es256(OTHER, &json!({"alg": "ES256", "typ": "at+jwt", "kid": "2026-02"}), &claims);
    let refused = server.decide("GET /v1/x", &[bearer(&new)], None);
    assert_eq!(answer(&refused), "verify.unknown_key");
    assert_eq!(refused.refresh_wanted.iter().map(|issuer| &**issuer).collect::<Vec<_>>(), ["https://idp.example.com"]);
    assert!(server.decide("GET /v1/x", &[bearer(&new)], None).refresh_wanted.is_empty(), "asked at a bounded rate");
    let unusable = server.engine.with_jwks("https://idp.example.com", "{}").expect_err("no key set").to_string();
    assert!(unusable.starts_with("the new key set: "), "{unusable}");
    let mut key = jwk(OTHER);
    key["kid"] = "2026-02".into();
    let successor = server.engine.with_jwks("https://idp.example.com", &json!({"keys": [key]}).to_string());
    let replaced = Server { engine: successor.expect("a key set"), state: server.state };
    assert_eq!(replaced.answer("GET /v1/x", &[bearer(&new)], None), "jwt alice");
    assert_eq!(replaced.answer("GET /v1/x", &[bearer(&token(&json!({"sid": "s2"})))], None), "verify.unknown_key");
}

#[test]
fn a_bound_token() {
    let server = Server::of("DPoP");
    let bound = token(&json!({"cnf": {"jkt": encode(Sha256::digest(jwk(OTHER).to_string()))}}));
    let proof = |id: &str, url: &str, sent: i64| {
        let claims = json!({"jti": id, "htm": "GET", "htu": url, "iat": sent, "ath": encode(Sha256::digest(&bound))});
        es256(OTHER, &json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(OTHER)}), &claims)
    };
    let shown = |proof: &str| {
        let headers = [("authorization", format!("DPoP {bound}")), ("dpop", proof.to_owned())];
        server.answer("GET /v1/x", &headers, None)
    };
    let good = proof("1", "https://api.example.com/v1/x", NOW);
    assert_eq!(shown(&good), "jwt alice");
    assert_eq!(shown(&good), "verify.proof_replayed");
    assert_eq!(shown(&proof("2", "https://api.example.com/v1/y", NOW)), "verify.bad_proof");
    assert_eq!(shown(&proof("3", "https://api.example.com/v1/x", NOW - 90)), "verify.proof_stale");
    assert_eq!(server.answer("GET /v1/x", &[bearer(&bound)], None), "verify.binding_missing");
    assert_eq!(server.answer("GET /v1/x", &[bearer(&token(&json!({})))], None), "jwt alice");
}

#[test]
fn a_webhook() {
    let server = Server::of("Signed webhook");
    let shown = |secret: &str, at: i64, body: &[u8]| {
        let mac = hmac(secret.as_bytes(), format!("{at}.{{\"id\":1}}").as_bytes());
        let headers = [("stripe-signature", format!("t={at},v1={}", hex(mac)))];
        server.answer("POST /v1/hooks/stripe", &headers, Some(body))
    };
    let secret = "whsec_only_for_tests_0123456789abcdef";
    assert_eq!(shown(secret, NOW, br#"{"id":1}"#), "webhook stripe");
    assert_eq!(shown(secret, NOW, br#"{"id":1}"#), "verify.proof_replayed");
    assert_eq!(shown(secret, NOW, br#"{"id": 1}"#), "verify.bad_signature");
    assert_eq!(shown("another", NOW, br#"{"id":1}"#), "verify.bad_signature");
    assert_eq!(shown(secret, NOW - 301, br#"{"id":1}"#), "verify.signature_stale");
}

#[test]
fn a_message_signature() {
    let server = Server::of("HTTP message signature");
    let key = Ed25519KeyPair::from_seed_unchecked(&URL_SAFE_NO_PAD.decode(SIGNER).expect("base64url")).expect("a seed");
    let shown = |parameters: &str| {
        let params = format!("(\"@method\" \"@target-uri\"){parameters}");
        let base =
            format!("\"@method\": GET\n\"@target-uri\": https://api.example.com/v1/x\n\"@signature-params\": {params}");
        let signature = STANDARD.encode(key.sign(base.as_bytes()));
        let headers = [("signature-input", format!("sig={params}")), ("signature", format!("sig=:{signature}:"))];
        server.answer("GET /v1/x", &headers, None)
    };
    let good = format!(";created={NOW};keyid=\"ledger-2026\";nonce=\"a\"");
    assert_eq!(shown(&good), "http_signature ledger");
    assert_eq!(shown(&good), "verify.proof_replayed");
    assert_eq!(shown(&good.replace("2026", "2025")), "verify.unknown_key");
    assert_eq!(shown(&good.replace(&format!(";created={NOW}"), "")), "verify.signature_incomplete");
    assert_eq!(shown(&good.replace(&NOW.to_string(), &(NOW - 331).to_string())), "verify.signature_stale");
}

#[test]
fn an_aws_signature() {
    let server = Server::of("AWS Signature Version 4");
    // 1772446530 in the form that AWS writes.
    let (day, time) = ("20260302", "20260302T101530Z");
    let shown = |secret: &str, region: &str, path: &str| {
        let scope = format!("{day}/{region}/execute-api/aws4_request");
        let canonical = format!(
            "GET\n/v1/x\n\nhost:api.example.com\nx-amz-date:{time}\n\nhost;x-amz-date\n{}",
            hex(Sha256::digest(b""))
        );
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(Sha256::digest(canonical)));
        let start = format!("AWS4{secret}").into_bytes();
        let key =
            [day, region, "execute-api", "aws4_request"].iter().fold(start, |key, part| hmac(&key, part.as_bytes()));
        let credential = format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}");
        let signature = hex(hmac(&key, to_sign.as_bytes()));
        let authorization = format!("{credential}, SignedHeaders=host;x-amz-date, Signature={signature}");
        server.answer(path, &[("authorization", authorization), ("x-amz-date", time.to_owned())], None)
    };
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    assert_eq!(shown(secret, "eu-central-1", "GET /v1/x"), "aws_sigv4 batch-job");
    assert_eq!(shown(secret, "eu-central-1", "GET /v1/y"), "verify.bad_signature");
    assert_eq!(shown("another", "eu-central-1", "GET /v1/x"), "verify.bad_signature");
    assert_eq!(shown(secret, "us-east-1", "GET /v1/x"), "verify.signature_malformed");
}

#[test]
fn a_workload_beside_a_user() {
    let server = Server::of("SPIFFE workload");
    let svid = |id: &str| {
        let claims = json!({"sub": id, "aud": "https://api.example.com", "exp": NOW + 60});
        ("x-workload-token", es256(OTHER, &json!({"alg": "ES256", "typ": "JWT", "kid": "w1"}), &claims))
    };
    let user = bearer(&token(&json!({})));
    let cart = svid("spiffe://example.org/ns/prod/cart");
    let decision = server.decide("GET /v1/x", &[user.clone(), cart.clone()], None);
    assert_eq!(answer(&decision), "jwt alice");
    let workload = decision.workload.expect("a workload");
    assert_eq!((&*workload.principal, workload.roles.len()), ("spiffe://example.org/ns/prod/cart", 1));
    assert_eq!(server.answer("GET /v1/x", &[cart], None), "verify.no_credential");
    let foreign = svid("spiffe://example.com/cart");
    assert_eq!(server.answer("GET /v1/x", &[user.clone(), foreign], None), "verify.wrong_issuer");
    assert_eq!(server.answer("GET /v1/x", &[user.clone(), user], None), "verify.many_credentials");
}

#[test]
fn a_stronger_authentication() {
    let server = Server::of("Step-up");
    let shown = |claims: &Value| server.decide("POST /v1/payments", &[bearer(&token(claims))], None);
    let fresh = shown(&json!({"auth_time": NOW - 10, "acr": "urn:example:mfa"}));
    assert_eq!(answer(&fresh), "jwt alice");
    let weak = shown(&json!({"auth_time": NOW - 10}));
    assert_eq!((answer(&weak).as_str(), weak.status), ("verify.reauthenticate", 401));
    let challenge = weak.response_headers.iter().find(|(name, _)| name == "WWW-Authenticate").expect("a challenge");
    assert!(section("Step-up").contains(&format!("`{}`", challenge.1)), "{}", challenge.1);
    assert_eq!(answer(&shown(&json!({"auth_time": NOW - 400, "acr": "urn:example:mfa"}))), "verify.reauthenticate");
}
