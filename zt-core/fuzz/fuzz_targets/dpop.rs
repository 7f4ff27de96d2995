//! A DPoP proof of any bytes beside a sound token: nobody is identified, and nothing panics.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zt_core::model::{Request, Text};
use zt_core::verify::{Config, State, Verifier};

/// Trusts the first key of RFC 8032, section 7.1, whose private half is known to all.
const CONFIG: &str = r#"{"dpop":{"nonce":"off","algorithms":["ES256","ES384","EdDSA","PS256","RS256"]},"issuer":[{"issuer":"i","audiences":["a"],"algorithms":["EdDSA"],"jwks":"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"}]}"#;

/// Signed with it, and bound to the key of the RFC's examples: its private half nobody has, so that no bytes pass.
const TOKEN: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJpc3MiOiJpIiwic3ViIjoicyIsImF1ZCI6ImEiLCJleHAiOjE1NjIyNjI5MTgsImlhdCI6MTU2MjI2MjYxOCwiY25mIjp7ImprdCI6IjBaY09DT1JaTll5LURXcHFxMzBqWnlKR0hUTjBkMkhnbEJWM3VpZ3VBNEkifX0.WSSW3k6fbuvSpPZGwCvCQ9WHn1puiqIbvTtfdjwn5QL9hxR_doPSONWfUAG4Ccv_vISx2qywYmysDv2wU4AeAw";

static VERIFIER: LazyLock<(Verifier, State)> = LazyLock::new(|| {
    let config: Config = serde_json::from_str(CONFIG).expect("a sound configuration");
    let verifier = Verifier::compile(&config).expect("sound keys");
    let state = State::new(&verifier, 7);
    (verifier, state)
});

fuzz_target!(|proof: &[u8]| {
    let authorization = ["DPoP ", TOKEN].concat();
    let request = Request {
        method: Text::from("GET"),
        host: Some(Text::from("resource.example.org")),
        path: Text::from("/protectedresource"),
        headers: vec![
            (Text::from("authorization"), Text::from(authorization)),
            (Text::from("dpop"), Text::from(proof.to_vec())),
        ],
        ..Request::default()
    };
    let (verifier, state) = &*VERIFIER;
    // When the examples were signed.
    let verified = verifier.verify(state, &request, 1_562_262_618_000);
    assert!(verified.identity.is_none() && verified.findings.len() == 1);
    // The token is sound: it is the proof that is looked at.
    let code = verified.findings[0].code.as_str();
    assert!(["verify.bad_proof", "verify.proof_stale", "verify.binding_mismatch"].contains(&code), "{code}");
});
