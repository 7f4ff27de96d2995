//! Webhooks with any headers and body: nobody who does not know the secret is believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Body, Request, Text};
use zt_core::verify::{Config, State, Verifier};

fuzz_target!(|input: (u8, &[u8], &[u8], &[u8], &[u8], i64)| {
    let (format, signature, id, timestamp, body, now) = input;
    let (format, header) = match format % 3 {
        0 => ("standard", "webhook-signature"),
        1 => ("stripe", "stripe-signature"),
        _ => ("github", "x-hub-signature-256"),
    };
    let config =
        serde_json::json!({"webhook": [{"id": "a", "format": format, "secrets": ["a secret of the test alone"]}]});
    let config: Config = serde_json::from_value(config).expect("the shape is sound");
    let verifier = Verifier::compile(&config).expect("a sound configuration");
    let headers = [("webhook-id", id), ("webhook-timestamp", timestamp), (header, signature)];
    let request = Request {
        headers: headers.iter().map(|(name, value)| (Text::from(*name), Text::new(value))).collect(),
        body: Some(Body::new(body)),
        ..Request::default()
    };
    assert!(verifier.verify(&State::new(&verifier, 0), &request, now).identity.is_none());
});
