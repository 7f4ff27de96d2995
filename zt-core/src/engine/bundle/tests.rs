use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

use super::*;
use crate::State;
use crate::engine::{Current, File};
use crate::model::{Event, Millis};

const CONFIG: &str = r#"
version = 1
openapi = ['''
openapi: 3.1.0
servers: [{url: /v1}]
paths:
  /orders/{id}: {get: {operationId: getOrder}, delete: {deprecated: true}}
''']
[[verify.api_key]]
id = "partner-7"
sha256 = "86a25c2dcda7f5b8b2c9db1b5a3f57b2dfb2a6bf1e3f3bc0d9a87f3ba48ad2ef"
[[verify.webhook]]
id = "shop"
format = "standard"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
[[segment]]
name = "orders"
paths = ["/v1/orders/**"]
[[endpoint]]
method = "GET"
path = "/health"
anonymous = true
[[endpoint]]
id = "readOrder"
method = "GET"
path = "/v1/orders/{id}"
[policy]
files = ["p.cedar"]
text = '@id("late") @on_deny("step_up") @acr("mfa") forbid(principal, action, resource in Segment::"orders") when { context.hour >= 22 && !["a", "b"].contains(context.credential) };'
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "2/1m"
"#;

fn files() -> [File; 1] {
    [File { name: "p.cedar".to_owned(), text: "permit(principal, action, resource);".to_owned() }]
}

fn bundle() -> Bundle {
    static MADE: std::sync::OnceLock<Bundle> = std::sync::OnceLock::new();
    MADE.get_or_init(|| Bundle::from_toml(CONFIG, &files()).unwrap_or_else(|invalid| panic!("{invalid}"))).clone()
}

fn event(path: &str, time_ms: Millis) -> Event {
    let text = format!(
        r#"{{"time_ms":{time_ms},"subject":"anna","request":{{"method":"GET","path":"{path}","peer":{{"ip":"192.0.2.1"}}}}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn decide(engine: &Engine, state: &State, path: &str, now: Millis) -> String {
    serde_json::to_string(&engine.decide(state, &event(path, now).into_request(), now)).unwrap()
}

/// A key pair and its public JWK.
fn key(seed: u8) -> (Ed25519KeyPair, String) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key());
    (pair, format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#))
}

fn refused(bytes: &[u8], trust: Trust<'_>) -> BundleError {
    Engine::from_bundle(bytes, trust).expect_err("it was to be refused")
}

#[test]
fn an_engine_from_a_bundle_is_the_one_from_the_text() {
    let text = Engine::from_toml(CONFIG, &files()).unwrap();
    let loaded = Engine::from_bundle(bundle().bytes(), Trust::Unsigned).unwrap();
    assert_eq!(loaded.version(), text.version());
    assert_eq!(loaded.notices(), text.notices());
    assert_eq!(loaded.body_limit(), text.body_limit());
    assert_eq!(loaded.router().endpoints(), text.router().endpoints());
    assert_eq!(loaded.router().segments(), text.router().segments());
    let (a, b) = (State::new(&text), State::new(&loaded));
    for (path, now) in
        [("/v1/orders/1", 0), ("/v1/orders/1", 82_800_000), ("/health", 83_000_000), ("/nope", 83_000_001)]
    {
        let decided = decide(&text, &a, path, now);
        assert_eq!(decide(&loaded, &b, path, now), decided);
    }
    assert!(decide(&loaded, &b, "/v1/orders/1", 82_800_000 + 86_400_000).contains("late"));
    decide(&text, &a, "/v1/orders/1", 82_800_000 + 86_400_000);
    assert!(a.snapshot() == b.snapshot());
}

#[test]
fn the_same_configuration_is_the_same_bytes() {
    assert!(Bundle::from_toml(CONFIG, &files()).unwrap().bytes() == bundle().bytes());
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    let (pair, jwk) = key(7);
    let unsigned = bundle();
    let signed = unsigned.signed(&jwk, |message| pair.sign(message)).unwrap();
    for good in [unsigned.bytes(), signed.bytes()] {
        assert!(Engine::from_bundle(good, Trust::Unsigned).is_ok());
        for length in 0..good.len() {
            refused(&good[..length], Trust::Unsigned);
        }
        refused(&[good, &[0]].concat(), Trust::Unsigned);
        for at in 0..good.len() {
            let mut bytes = good.to_vec();
            bytes[at] ^= 1 << (at % 8);
            refused(&bytes, Trust::Unsigned);
            refused(&bytes, Trust::Key(&jwk));
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let good = bundle();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.bytes().to_vec();
        bytes[at] = byte;
        refused(&bytes, Trust::Unsigned)
    };
    assert_eq!(refused(b"", Trust::Unsigned), BundleError::Foreign);
    assert_eq!(refused(b"ZTST\x02\x00", Trust::Unsigned), BundleError::Foreign);
    assert_eq!(with(3, 2), BundleError::OtherFormat(2));
    assert_eq!(with(4, 2), BundleError::Sections);
    assert_eq!(with(12, 9), BundleError::TooLarge);
    assert_eq!(with(40, 0), BundleError::Corrupt);
    assert!(matches!(refused(&good.bytes()[..50], Trust::Unsigned), BundleError::Cut { found: 50, .. }));
}

/// A bundle of these sections with a right checksum.
fn sealed(edit: impl FnOnce(&mut Sections<'_>)) -> Vec<u8> {
    let good = bundle();
    let (mut sections, _) = format::read(good.bytes()).unwrap();
    edit(&mut sections);
    sections.write()
}

#[test]
fn a_checksum_is_not_enough() {
    let refused = |bytes: Vec<u8>| refused(&bytes, Trust::Unsigned);
    assert_eq!(refused(sealed(|s| s.config = b"{}")), BundleError::Unreadable("configuration"));
    assert_eq!(refused(sealed(|s| s.config = br#"{"version":2}"#)), BundleError::Unreadable("configuration"));
    assert_eq!(refused(sealed(|s| s.config = br#"{"version":1}"#)), BundleError::Mismatch);
    assert_eq!(refused(sealed(|s| s.routes = b"\x00")), BundleError::Mismatch);
    assert_eq!(refused(sealed(|s| s.routes = b"\x00\x00")), BundleError::Unreadable("routes"));
    assert_eq!(refused(sealed(|s| s.policies = None)), BundleError::Mismatch);
    assert_eq!(refused(sealed(|s| s.policies = Some(b""))), BundleError::Unreadable("policies"));
    assert_eq!(refused(sealed(|s| s.version = b"../../etc/passwd")), BundleError::Unreadable("version"));
    let no_rate = br#"{"version":1,"limit":[{"name":"a","key":["peer"],"rate":"1/1m","endpoints":["x"]}]}"#;
    let text = refused(sealed(|s| (s.config, s.policies) = (no_rate, None))).to_string();
    assert!(text.contains("limit[0].endpoints"), "{text}");
    // Memory that no machine has would end the process as soon as a state is made.
    for (config, key) in [
        (&br#"{"version":1,"state":{"memory":"1000000GiB"}}"#[..], "state.memory"),
        (br#"{"version":1,"verify":{"revocation_memory":"1000000GiB"}}"#, "verify.revocation_memory"),
    ] {
        let text = refused(sealed(|s| (s.config, s.policies) = (config, None))).to_string();
        assert!(text.contains(key), "{text}");
    }
    // A section that stands twice, and one of tomorrow.
    let good = bundle();
    let (sections, _) = format::read(good.bytes()).unwrap();
    let policies = sections.policies.unwrap();
    let body = &good.bytes()[13..good.bytes().len() - 32];
    for tag in [4, 5] {
        let more = [body, &[tag], &(policies.len() as u64).to_le_bytes(), policies].concat();
        assert_eq!(refused(format::tests::sealed(&more)), BundleError::Sections);
    }
}

#[test]
fn a_key_that_is_given_has_to_have_signed() {
    let ((pair, jwk), (_, other)) = (key(7), key(8));
    let unsigned = bundle();
    let signed = unsigned.signed(&jwk, |message| pair.sign(message)).unwrap();
    assert!(Engine::from_bundle(signed.bytes(), Trust::Key(&jwk)).is_ok());
    assert!(Engine::from_bundle(signed.bytes(), Trust::Key(&format!(r#"{{"keys":[{other},{jwk}]}}"#))).is_ok());
    assert_eq!(refused(unsigned.bytes(), Trust::Key(&jwk)), BundleError::Unsigned);
    assert_eq!(refused(signed.bytes(), Trust::Key(&other)), BundleError::UnknownKey);
    for bad in ["", "{}", r#"{"keys":[]}"#, r#"{"kty":"oct","k":"AAAA"}"#, &jwk.replace("\"x\"", "\"d\":\"AA\",\"x\"")]
    {
        assert!(matches!(refused(signed.bytes(), Trust::Key(bad)), BundleError::Key(_)), "{bad}");
    }
    // Another key's name over this key's signature, and a signature of something else.
    assert_eq!(unsigned.signed(&other, |message| pair.sign(message)).unwrap_err(), BundleError::BadSignature);
    assert_eq!(unsigned.signed(&jwk, |_| pair.sign(b"else")).unwrap_err(), BundleError::BadSignature);
    assert_eq!(unsigned.signed(&jwk, |_| *b"short").unwrap_err(), BundleError::BadSignature);
    // The signature of one bundle on another.
    let (_, proof) = format::read(signed.bytes()).unwrap();
    let proof = proof.unwrap();
    let empty = Bundle::new(&Config::default()).unwrap();
    let thumbprint = proof.thumbprint.try_into().unwrap();
    let forged = format::sign(empty.bytes(), thumbprint, proof.signature).unwrap();
    assert!(Engine::from_bundle(&forged, Trust::Unsigned).is_ok());
    assert_eq!(refused(&forged, Trust::Key(&jwk)), BundleError::BadSignature);
}

#[test]
fn a_swap_to_a_bundle_keeps_the_state() {
    let current = Current::new(Arc::new(Engine::from_toml(CONFIG, &files()).unwrap()));
    let state = State::new(&current.load());
    let now = 1_800_000_000_000;
    let stolen = r#"{"revoke":"subject","id":"eve","expires_ms":1900000000000}"#;
    state.revoke(&serde_json::from_str(stolen).unwrap(), now);
    assert!(decide(&current.load(), &state, "/health", now).contains("\"status\":200"));
    let before = state.snapshot();
    let loaded = Arc::new(Engine::from_bundle(bundle().bytes(), Trust::Unsigned).unwrap());
    current.replace(&state, Arc::clone(&loaded)).unwrap();
    assert!(Arc::ptr_eq(&current.load(), &loaded));
    assert!(state.snapshot() == before);
    assert!(decide(&loaded, &state, "/health", now).contains("\"status\":200"));
    assert!(decide(&loaded, &state, "/health", now).contains("limit.exceeded"), "what was spent before is spent");
    // Limits that the state does not know would refuse everybody.
    let others = CONFIG.replace("per-peer", "by-peer");
    let others = Bundle::from_toml(&others, &files()).unwrap();
    let others = Arc::new(Engine::from_bundle(others.bytes(), Trust::Unsigned).unwrap());
    assert!(current.replace(&state, others).is_err());
    assert!(Arc::ptr_eq(&current.load(), &loaded));
}

#[test]
fn a_broken_configuration_makes_no_bundle() {
    let text = CONFIG.replace("2/1m", "2").replace("context.hour", "context.hours");
    let invalid = Bundle::from_toml(&text, &[]).unwrap_err().to_string();
    for wanted in ["rate", "policy.files[0]"] {
        assert!(invalid.contains(wanted), "{invalid}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), magic: bool) {
        let bytes = if magic { [b"ztb\x01\x00", &bytes[..]].concat() } else { bytes };
        prop_assert!(Engine::from_bundle(&bytes, Trust::Unsigned).is_err());
    }

    /// Sections of any content under a right checksum: an error or an engine that decides, never a panic.
    #[test]
    fn sealed_nonsense_never_panics(
        section in 0_usize..3,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let good = bundle();
        let (mut sections, _) = format::read(good.bytes()).unwrap();
        let mut content = [sections.config, sections.routes, sections.policies.unwrap()][section].to_vec();
        for (at, byte) in edits {
            let at = at.index(content.len());
            content[at] = byte;
        }
        match section {
            0 => sections.config = &content,
            1 => sections.routes = &content,
            _ => sections.policies = Some(&content),
        }
        if let Ok(engine) = Engine::from_bundle(&sections.write(), Trust::Unsigned) {
            let state = State::new(&engine);
            for path in ["/v1/orders/1", "/health"] {
                decide(&engine, &state, path, 82_800_000);
            }
        }
    }
}
