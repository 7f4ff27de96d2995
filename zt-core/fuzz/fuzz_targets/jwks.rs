//! A JWK set of any text, of an issuer and of a trust domain, at load and in place of another: admitted or refused, and
//! nothing panics; admitted keys are safe to hand to the backend.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Request, Text};
use zt_core::verify::{Algorithm, Config, State, Verifier, verify_jws};

fuzz_target!(|text: &str| {
    for algorithm in Algorithm::ALL {
        let config = serde_json::json!({
            "issuer": [{"issuer": "i", "audiences": ["a"], "algorithms": [algorithm], "jwks": text}]
        });
        let config: Config = serde_json::from_value(config).expect("the shape is sound");
        let compiled = Verifier::compile(&config);
        rotate(algorithm, text, compiled.is_ok());
        let Ok(verifier) = compiled else { continue };
        // {"alg":<algorithm>,"typ":"at+jwt"} . {"iss":"i"} . 64 zero bytes
        let header = format!(r#"{{"alg":"{}","typ":"at+jwt"}}"#, algorithm.as_str());
        let token = format!("Bearer {}.eyJpc3MiOiJpIn0.{}", base64url(header.as_bytes()), "A".repeat(86));
        let request = Request { headers: vec![(Text::from("authorization"), Text::from(token))], ..Request::default() };
        let state = State::new(&verifier, 7);
        assert!(verifier.verify(&state, &request, 0).identity.is_none());
        let jws = format!("{}.eyJpc3MiOiJpIn0.{}", base64url(header.as_bytes()), "A".repeat(86));
        assert!(verify_jws(jws.as_bytes(), text, &[*algorithm]).is_err());
    }
    let config = serde_json::json!({"spiffe": [{"trust_domain": "a", "audiences": ["a"], "jwks": text}]});
    let config: Config = serde_json::from_value(config).expect("the shape is sound");
    let _ = Verifier::compile(&config);
});

/// A set that is admitted at load is admitted in place of another, and one that is not is not.
fn rotate(algorithm: &Algorithm, text: &str, admitted: bool) {
    const OLD: &str = r#"{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow","alg":"HS512"}]}"#;
    if *algorithm != Algorithm::Hs512 {
        return;
    }
    let config = serde_json::json!({
        "issuer": [{"issuer": "i", "audiences": ["a"], "algorithms": [algorithm], "jwks": OLD}]
    });
    let config: Config = serde_json::from_value(config).expect("the shape is sound");
    let verifier = Verifier::compile(&config).expect("a sound configuration");
    assert_eq!(verifier.with_jwks("i", text).is_ok(), admitted);
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        text.extend((0..=chunk.len()).map(|n| char::from(ALPHABET[(word >> (18 - 6 * n)) as usize & 63])));
    }
    text
}
