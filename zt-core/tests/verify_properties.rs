//! What holds for every token: only what a trusted key signed is accepted, and nothing panics.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::json;
use zt_core::model::{Request, Text};
use zt_core::verify::{Algorithm, Config, State, Verified, Verifier};

const NOW: i64 = 1_800_000_000;

/// Keys made for this run, and a verifier that trusts each of them for an issuer of its own.
struct Keys {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    secret: hmac::Key,
    verifier: Verifier,
    state: State,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::generate().unwrap();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    let mut secret = [0; 48];
    aws_lc_rs::rand::fill(&mut secret).unwrap();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (x, y) = ec.public_key().as_ref()[1..].split_at(32);
    let issuer = |algorithm: &str, key: serde_json::Value| json!({"issuer": algorithm, "audiences": ["api"], "algorithms": [algorithm], "jwks": json!({"keys": [key]}).to_string()});
    let config: Config = serde_json::from_value(json!({"issuer": [
        issuer("EdDSA", json!({"kty": "OKP", "crv": "Ed25519", "x": encode(ed.public_key().as_ref()), "kid": "k"})),
        issuer("ES256", json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": "k"})),
        issuer("HS256", json!({"kty": "oct", "k": encode(&secret), "kid": "k"})),
    ]}))
    .unwrap();
    let verifier = Verifier::compile(&config).unwrap();
    let state = State::new(&verifier, 7);
    Keys { ed, ec, secret: hmac::Key::new(hmac::HMAC_SHA256, &secret), verifier, state }
});

fn token(algorithm: Algorithm, claims: &serde_json::Value) -> String {
    let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": "k"});
    let signed =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = match algorithm {
        Algorithm::EdDsa => KEYS.ed.sign(signed.as_bytes()).as_ref().to_vec(),
        Algorithm::Es256 => KEYS.ec.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec(),
        _ => hmac::sign(&KEYS.secret, signed.as_bytes()).as_ref().to_vec(),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims(algorithm: Algorithm) -> serde_json::Value {
    json!({"iss": algorithm, "sub": "user-1", "aud": "api", "exp": NOW + 60, "iat": NOW, "roles": ["a"], "jti": "j"})
}

fn verify(token: &[u8]) -> Verified {
    let value = [b"Bearer ", token].concat();
    let request = Request { headers: vec![(Text::from("Authorization"), Text::from(value))], ..Request::default() };
    KEYS.verifier.verify(&KEYS.state, &request, NOW * 1_000)
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Algorithm::EdDsa), Just(Algorithm::Es256), Just(Algorithm::Hs256)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_signed_is_read_back(algorithm in algorithm(), sub in "[^\\pC]{1,40}", roles: Vec<String>, extra: String) {
        let mut claims = claims(algorithm);
        claims["sub"] = json!(sub);
        claims["roles"] = json!(roles);
        claims["extra"] = json!(extra);
        let verified = verify(token(algorithm, &claims).as_bytes());
        let identity = verified.identity.ok_or_else(|| TestCaseError::fail(format!("{:?}", verified.findings)))?;
        prop_assert_eq!(&*identity.principal, &sub);
        prop_assert_eq!(identity.roles.iter().map(|role| role.to_string()).collect::<Vec<_>>(), roles);
        prop_assert_eq!(verified.claims.scalar("extra"), Some(zt_core::verify::Scalar::String(extra.into())));
    }

    #[test]
    fn a_changed_token_is_refused(
        algorithm in algorithm(),
        at: prop::sample::Index,
        by: u8,
        how in 0..4,
        base64 in "[A-Za-z0-9_-]",
    ) {
        let sound = token(algorithm, &claims(algorithm));
        let mut changed = sound.clone().into_bytes();
        let at = at.index(changed.len());
        match how {
            0 => changed[at] = by,
            1 => changed[at] = base64.as_bytes()[0],
            2 => changed.insert(at, by),
            _ => drop(changed.remove(at)),
        }
        prop_assume!(changed != sound.as_bytes());
        let verified = verify(&changed);
        prop_assert!(verified.identity.is_none() && verified.findings.len() == 1 && verified.claims.json().is_empty());
    }

    #[test]
    fn parts_of_two_tokens_do_not_mix(first in algorithm(), second in algorithm(), which in 0usize..3) {
        let (mut other, mine) = (claims(second), token(first, &claims(first)));
        other["sub"] = json!("user-2");
        let other = token(second, &other);
        let mut parts: Vec<&str> = mine.split('.').collect();
        parts[which] = other.split('.').nth(which).unwrap();
        let mixed = parts.join(".");
        prop_assert!(mixed == mine || verify(mixed.as_bytes()).identity.is_none());
    }

    #[test]
    fn any_bytes_never_panic(token: Vec<u8>, header: Vec<u8>, claims: Vec<u8>) {
        prop_assert!(verify(&token).identity.is_none());
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let token = format!("{}.{}.{}", encode(&header), encode(&claims), encode(&token));
        prop_assert!(verify(token.as_bytes()).identity.is_none());
    }

    #[test]
    fn unsigned_claims_never_panic(algorithm in algorithm(), name in "iss|sub|aud|exp|nbf|iat|roles|scope|cnf|x", json in "[0-9.eE-]{1,9}|\"[a-z \\\\u0-9]{0,9}\"|\\[[0-9,\"\\[\\]]{0,9}\\]|\\{\\}|null") {
        let header = json!({"alg": algorithm, "typ": "at+jwt", "kid": "k"}).to_string();
        let claims = format!("{{\"{name}\":{json}}}");
        let token = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        prop_assert!(verify(token.as_bytes()).identity.is_none());
    }
}
