//! A bearer token of any bytes: nobody is identified, and nothing panics.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Request, Text};
use zt_core::verify::{Config, State, Verifier};

/// The first key of RFC 8032, section 7.1, and the base point of P-256: a fuzzer does not find out how to sign for them.
const CONFIG: &str = r#"{"issuer":[{"issuer":"i","audiences":["a"],"algorithms":["EdDSA","ES256"],"jwks":"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"k\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY\",\"y\":\"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU\"}]}"}]}"#;

static VERIFIER: LazyLock<(Verifier, State)> = LazyLock::new(|| {
    let config: Config = serde_json::from_str(CONFIG).expect("a sound configuration");
    let verifier = Verifier::compile(&config).expect("sound keys");
    let state = State::new(&verifier, 7);
    (verifier, state)
});

fuzz_target!(|token: &[u8]| {
    let value = [b"Bearer ", token].concat();
    let request = Request { headers: vec![(Text::from("authorization"), Text::from(value))], ..Request::default() };
    let (verifier, state) = &*VERIFIER;
    let verified = verifier.verify(state, &request, 1_800_000_000_000);
    assert!(verified.identity.is_none() && verified.findings.len() == 1);
});
