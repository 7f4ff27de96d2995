//! The guide to security events: its configuration is one, and each row of its table is what happens.
#![cfg(feature = "compile")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zt_core::engine::File;
use zt_core::wire::Instance;

const GUIDE: &str = include_str!("../../docs/signals.md");
const NOW: i64 = 1_800_000_000;
const IDP: &str = "https://idp.example.com";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Another key for tokens and for events.
struct Idp {
    tokens: EcdsaKeyPair,
    events: EcdsaKeyPair,
}

fn pair() -> EcdsaKeyPair {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap()
}

fn jwks(pair: &EcdsaKeyPair) -> String {
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    json!({"keys": [{"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}]}).to_string()
}

fn sign(pair: &EcdsaKeyPair, typ: &str, claims: &Value) -> String {
    let header = json!({"alg": "ES256", "typ": typ}).to_string();
    let signed = format!("{}.{}", encode(header), encode(claims.to_string()));
    format!("{signed}.{}", encode(pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap()))
}

impl Idp {
    fn new() -> Self {
        Self { tokens: pair(), events: pair() }
    }

    /// The server of the guide.
    fn server(&self) -> Instance {
        let (_, rest) = GUIDE.split_once("```toml\n").expect("a configuration");
        let (config, _) = rest.split_once("```").expect("its end");
        let file = |name: &str, pair: &EcdsaKeyPair| File { name: name.to_owned(), text: jwks(pair) };
        let files = [file("keys/idp.json", &self.tokens), file("keys/idp-signals.json", &self.events)];
        Instance::from_toml(config, &files).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn token(&self, claims: &Value) -> String {
        let mut all = json!({"iss": IDP, "sub": "anna", "aud": "https://api.example.com", "exp": NOW + 600});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        sign(&self.tokens, "at+jwt", &all)
    }

    fn set(&self, jti: &str, sub_id: &Value, name: &str, event: &Value) -> String {
        let claims = json!({"iss": IDP, "aud": "https://api.example.com/signals", "jti": jti, "iat": NOW,
            "sub_id": sub_id, "events": {name: event}});
        sign(&self.events, "secevent+jwt", &claims)
    }
}

fn receive(server: &Instance, set: &str) -> Value {
    serde_json::from_str(&server.receive(set.as_bytes(), NOW * 1_000).unwrap()).unwrap()
}

/// Codes of the decision on a request with this token, a second later.
fn codes(server: &Instance, token: &str) -> Vec<String> {
    let headers = json!([["Authorization", format!("Bearer {token}")]]);
    let request = json!({"method": "GET", "path": "/v1/orders", "headers": headers});
    let event = json!({"time_ms": NOW * 1_000 + 1_000, "request": request}).to_string();
    let decision: Value = serde_json::from_str(&server.decide_event(&event).unwrap()).unwrap();
    decision["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_row_of_the_table_is_what_happens() {
    let idp = Idp::new();
    let user = json!({"format": "iss_sub", "iss": IDP, "sub": "anna"});
    let before = idp.token(&json!({"iat": NOW - 60, "auth_time": NOW - 60}));
    let refreshed = idp.token(&json!({"iat": NOW, "auth_time": NOW - 60}));
    let fresh = idp.token(&json!({"iat": NOW, "auth_time": NOW}));
    let mut rows = 0;
    for line in GUIDE.lines().filter(|line| ["| CAEP `", "| RISC `", "| SSF `"].iter().any(|row| line.starts_with(row)))
    {
        let words: Vec<&str> = line.split('`').collect();
        let (profile, kind, applied) = (words[0].trim_matches(['|', ' ']).to_ascii_lowercase(), words[1], words[3]);
        let name = format!("https://schemas.openid.net/secevent/{profile}/event-type/{kind}");
        let server = idp.server();
        let answer = receive(&server, &idp.set("1", &user, &name, &json!({})));
        assert_eq!(answer["events"][0]["applied"], applied, "{line}");
        let (revoked, asked) = (vec!["verify.revoked".to_owned()], vec!["verify.reauthenticate".to_owned()]);
        let expected = match applied {
            "revoked_subject" => [revoked, vec![], vec![]],
            "reauthenticate" => [asked.clone(), asked, vec![]],
            "revoked_and_reauthenticate" => [revoked, asked, vec![]],
            "disabled" => [revoked.clone(), revoked.clone(), revoked],
            "enabled" | "noted" => [vec![], vec![], vec![]],
            other => panic!("`{other}` in {line}"),
        };
        let found = [&before, &refreshed, &fresh].map(|token| codes(&server, token));
        assert_eq!(found, expected, "{line}");
        rows += 1;
    }
    assert_eq!(rows, 21);
}

#[test]
fn what_is_mild_is_noted() {
    let idp = Idp::new();
    let user = json!({"format": "iss_sub", "iss": IDP, "sub": "anna"});
    for (kind, event) in [
        ("credential-change", json!({"credential_type": "fido2-roaming", "change_type": "create"})),
        (
            "assurance-level-change",
            json!({"namespace": "NIST-AAL", "current_level": "nist-aal2", "change_direction": "increase"}),
        ),
        ("device-compliance-change", json!({"previous_status": "not-compliant", "current_status": "compliant"})),
        ("risk-level-change", json!({"principal": "USER", "current_level": "MEDIUM"})),
    ] {
        let name = format!("https://schemas.openid.net/secevent/caep/event-type/{kind}");
        assert!(GUIDE.contains(&format!("| CAEP `{kind}`")));
        let answer = receive(&idp.server(), &idp.set("1", &user, &name, &event));
        assert_eq!(answer["events"][0]["applied"], "noted", "{kind}");
    }
}

#[test]
fn the_answers_are_those_of_the_guide() {
    let idp = Idp::new();
    let server = idp.server();
    let name = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
    let session = json!({"format": "opaque", "id": "s-1"});
    let set = idp.set("1", &session, name, &json!({}));
    let expected =
        json!({"accepted": true, "jti": "1", "issuer": IDP, "events": [{"type": name, "applied": "revoked_session"}]});
    assert_eq!(receive(&server, &set), expected);
    assert_eq!(codes(&server, &idp.token(&json!({"iat": NOW, "sid": "s-1"}))), ["verify.revoked"]);
    assert!(codes(&server, &idp.token(&json!({"iat": NOW, "sid": "s-2"}))).is_empty());
    let again = receive(&server, &set);
    assert_eq!((&again["code"], again.get("err")), (&json!("verify.proof_replayed"), None));
    // Signed with the key of tokens, and the other way round.
    let claims =
        json!({"iss": IDP, "aud": "https://api.example.com/signals", "jti": "2", "iat": NOW, "events": {name: {}}});
    let crossed = receive(&server, &sign(&idp.tokens, "secevent+jwt", &claims));
    assert_eq!((&crossed["code"], &crossed["err"]), (&json!("verify.bad_signature"), &json!("invalid_key")));
    server.replace_keys("transmitter:https://idp.example.com", &jwks(&idp.tokens)).unwrap();
    assert_eq!(receive(&server, &sign(&idp.tokens, "secevent+jwt", &claims))["accepted"], true);
}
