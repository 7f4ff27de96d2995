//! Any bytes as a Security Event Token, and as the claims of one that is signed: an answer, never a panic.
#![no_main]

use std::sync::LazyLock;

use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;
use zt_core::verify::{Config, State, Verifier};

const SECRET: &str = "only-for-this-fuzzer-0123456789abcdef";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// base64url without padding.
fn encode(bytes: &[u8]) -> String {
    let digits = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(move |at| char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63])).collect::<String>()
    };
    bytes.chunks(3).map(digits).collect()
}

static VERIFIER: LazyLock<(Verifier, State)> = LazyLock::new(|| {
    let jwks = format!(r#"{{"keys":[{{"kty":"oct","k":"{}"}}]}}"#, encode(SECRET.as_bytes()));
    let common = serde_json::json!({"issuer": "i", "audiences": ["a"], "algorithms": ["HS256"], "jwks": jwks});
    let mut transmitter = common.clone();
    transmitter["subject_formats"] = serde_json::json!(["opaque", "email", "account", "phone_number", "uri", "did"]);
    let config: Config =
        serde_json::from_value(serde_json::json!({"issuer": [common], "transmitter": [transmitter]})).unwrap();
    let verifier = Verifier::compile(&config).expect("a sound configuration");
    let state = State::new(&verifier, 7);
    (verifier, state)
});

fuzz_target!(|bytes: &[u8]| {
    const NOW: i64 = 1_800_000_000_000;
    let (verifier, state) = &*VERIFIER;
    assert!(verifier.receive(state, bytes, NOW).is_err(), "nobody can sign");
    let signed = format!("{}.{}", encode(br#"{"alg":"HS256","typ":"secevent+jwt"}"#), encode(bytes));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length");
    mac.update(signed.as_bytes());
    let token = format!("{signed}.{}", encode(&mac.finalize().into_bytes()));
    if let Ok(received) = verifier.receive(state, token.as_bytes(), NOW) {
        assert!(!received.events.is_empty() && received.events.len() <= 16);
        assert!(!received.jti.contains(char::is_control));
    }
});
