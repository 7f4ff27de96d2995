//! Signature fields of any text: nobody is identified, and nothing panics. The data is up to six fields, a newline between
//! them: `Signature-Input`, `Signature`, `Content-Digest`, `X-A`, the query and the body.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Body, Request, Text};
use zt_core::verify::{Config, State, Verifier};

/// The first key of RFC 8032, section 7.1: a fuzzer does not find out how to sign for it.
const CONFIG: &str = r#"{"signature":[{"id":"a","keyid":"k","algorithm":"ed25519","covered":["@method"],"body":"uncovered","max_age":"24h","jwk":"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"}]}"#;

static VERIFIER: LazyLock<(Verifier, State)> = LazyLock::new(|| {
    let config: Config = serde_json::from_str(CONFIG).expect("a sound configuration");
    let verifier = Verifier::compile(&config).expect("a sound key");
    let state = State::new(&verifier, 7);
    (verifier, state)
});

fuzz_target!(|data: &[u8]| {
    let mut fields = data.splitn(6, |byte| *byte == b'\n');
    let mut field = || fields.next().unwrap_or_default();
    let names = ["signature-input", "signature", "content-digest", "x-a"];
    let headers = names.map(|name| (Text::from(name), Text::new(field())));
    let request = Request {
        method: Text::from("POST"),
        scheme: Some(Text::from("https")),
        host: Some(Text::from("api.example.com")),
        path: Text::from("/v1"),
        query: Some(Text::new(field())),
        headers: headers.to_vec(),
        body: Some(Body::new(field())),
        ..Request::default()
    };
    let (verifier, state) = &*VERIFIER;
    let verified = verifier.verify(state, &request, 1_800_000_000_000);
    assert!(verified.identity.is_none() && verified.findings.len() == 1);
});
