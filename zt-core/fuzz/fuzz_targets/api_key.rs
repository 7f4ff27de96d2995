//! API keys of any text, a key's own random bytes, and any query: answered, and only generated keys check.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Request, Text};
use zt_core::verify::{Config, State, Verifier, api_key};

fuzz_target!(|input: ([u8; 32], &str, &[u8], &[u8])| {
    let (random, prefix, key, query) = input;
    if let Ok(made) = api_key::generate(prefix, &random) {
        // A prefix without an environment makes a key that no configuration takes.
        assert_eq!(api_key::check(&made).is_ok(), prefix.contains('_'));
    }
    let known = api_key::generate("zt_live", &random).expect("a sound prefix");
    let config = serde_json::json!({
        "api_key_prefix": "zt_live",
        "api_key": [{"id": "a", "sha256": api_key::sha256(&known), "networks": ["10.0.0.0/8"]}]
    });
    let config: Config = serde_json::from_value(config).expect("the shape is sound");
    let verifier = Verifier::compile(&config).expect("a sound configuration");
    let mut request = Request {
        headers: vec![(Text::from("x-api-key"), Text::new(key))],
        query: Some(Text::new(query)),
        ..Request::default()
    };
    request.peer.ip = Some([10, 0, 0, 1].into());
    let verified = verifier.verify(&State::new(&verifier, 0), &request, 0);
    assert!(verified.identity.is_none() || key == known.as_bytes());
});
