//! A JWK set of any text: admitted or refused, and nothing panics; admitted keys are safe to hand to the backend.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Request, Text};
use zt_core::verify::{Algorithm, Config, Verifier};

fuzz_target!(|text: &str| {
    for algorithm in Algorithm::ALL {
        let config = serde_json::json!({
            "issuer": [{"issuer": "i", "audiences": ["a"], "algorithms": [algorithm], "jwks": text}]
        });
        let config: Config = serde_json::from_value(config).expect("the shape is sound");
        let Ok(verifier) = Verifier::compile(&config) else { continue };
        // {"alg":<algorithm>,"typ":"at+jwt"} . {"iss":"i"} . 64 zero bytes
        let header = format!(r#"{{"alg":"{}","typ":"at+jwt"}}"#, algorithm.as_str());
        let token = format!("Bearer {}.eyJpc3MiOiJpIn0.{}", base64url(header.as_bytes()), "A".repeat(86));
        let request = Request { headers: vec![(Text::from("authorization"), Text::from(token))], ..Request::default() };
        assert!(verifier.verify(&request, 0).identity.is_none());
    }
});

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        text.extend((0..=chunk.len()).map(|n| char::from(ALPHABET[(word >> (18 - 6 * n)) as usize & 63])));
    }
    text
}
