//! AWS signatures in any header, query and path: nobody who does not know the secret is believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Body, Request, Text};
use zt_core::verify::{Config, State, Verifier};

fuzz_target!(|input: (bool, &[u8], &[u8], &[u8], &[u8], &[u8])| {
    let (normalize_path, authorization, path, query, value, body) = input;
    let config = serde_json::json!({"sigv4": [{
        "id": "a", "access_key_id": "AKIDEXAMPLE", "secret": "a secret of the test alone", "region": "us-east-1",
        "service": "service", "normalize_path": normalize_path, "repeated_query_names": normalize_path
    }]});
    let config: Config = serde_json::from_value(config).expect("the shape is sound");
    let verifier = Verifier::compile(&config).expect("a sound configuration");
    let state = State::new(&verifier, 0);
    let mut request = Request {
        method: Text::from("GET"),
        path: Text::new(path),
        query: Some(Text::new(query)),
        headers: vec![
            (Text::from("host"), Text::from("example.amazonaws.com")),
            (Text::from("x-amz-date"), Text::from("20150830T123600Z")),
            (Text::from("x-value"), Text::new(value)),
        ],
        body: Some(Body::new(body)),
        ..Request::default()
    };
    assert!(verifier.verify(&state, &request, 1_440_938_160_000).identity.is_none());
    let signed = b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date;x-value, Signature=0000000000000000000000000000000000000000000000000000000000000000";
    for header in [authorization, &[b"AWS4-HMAC-SHA256 ".as_slice(), authorization].concat(), signed] {
        request.headers.push((Text::from("authorization"), Text::from(header.to_vec())));
        assert!(verifier.verify(&state, &request, 1_440_938_160_000).identity.is_none());
        request.headers.pop();
    }
});
