//! Tokens that only their sender may use: every way to show one wrongly, with keys made for this run.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zt_core::model::{Code, Peer, Request, Text};
use zt_core::verify::{Config, Scheme, State, Verified, Verifier};

const NOW: i64 = 1_800_000_000;
const URL: &str = "https://api.example.com/v1/orders";

enum Key {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap())
    }

    fn jwk(&self) -> Value {
        match self {
            Self::Ec(key) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": crv, "x": encode(x), "y": encode(y)})
            }
            Self::Ed(key) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().as_ref())}),
        }
    }

    /// RFC 7638, written another way than in the library.
    fn thumbprint(&self) -> String {
        let members: BTreeMap<String, Value> = serde_json::from_value(self.jwk()).unwrap();
        encode(Sha256::digest(serde_json::to_vec(&members).unwrap()))
    }

    fn alg(&self) -> &'static str {
        match self {
            Self::Ec(key) if key.public_key().as_ref().len() == 65 => "ES256",
            Self::Ec(_) => "ES384",
            Self::Ed(_) => "EdDSA",
        }
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = match self {
            Self::Ec(key) => key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", encode(signature))
    }
}

struct Keys {
    issuer: Key,
    sender: [Key; 3],
    verifier: Verifier,
    state: State,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let issuer = Key::ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let verifier = verifier(&issuer, json!({}));
    let state = State::new(&verifier, 7);
    let sender = [
        Key::ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Key::Ed(Ed25519KeyPair::generate().unwrap()),
        Key::ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
    ];
    Keys { issuer, sender, verifier, state }
});

fn verifier(issuer: &Key, dpop: Value) -> Verifier {
    let jwks = json!({"keys": [issuer.jwk()]}).to_string();
    let config = json!({
        "dpop": dpop,
        "issuer": [{"issuer": "i", "audiences": ["api"], "algorithms": ["ES256"], "jwks": jwks}],
    });
    Verifier::compile(&serde_json::from_value::<Config>(config).unwrap()).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn token(cnf: Option<Value>) -> String {
    let mut claims = json!({"iss": "i", "sub": "user-1", "aud": "api", "exp": NOW + 600, "iat": NOW});
    if let Some(cnf) = cnf {
        claims["cnf"] = cnf;
    }
    KEYS.issuer.sign(r#"{"alg":"ES256","typ":"at+jwt"}"#, &claims.to_string())
}

/// What is done to a proof, and what that must be called.
type Bend = (&'static str, fn(&mut Proof), Code);

/// The parts of a proof, to be bent.
struct Proof {
    header: Value,
    claims: Value,
}

impl Proof {
    fn of(key: &Key, token: &str) -> Self {
        Self {
            header: json!({"typ": "dpop+jwt", "alg": key.alg(), "jwk": key.jwk()}),
            claims: json!({
                "jti": encode(fresh()), "htm": "POST", "htu": URL, "iat": NOW, "ath": encode(Sha256::digest(token)),
            }),
        }
    }

    fn sign(&self, key: &Key) -> String {
        key.sign(&self.header.to_string(), &self.claims.to_string())
    }
}

fn fresh() -> [u8; 16] {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

fn request(authorization: &str, proofs: &[&str]) -> Request<'static> {
    let mut headers = vec![(Text::from("Authorization"), Text::from(authorization.to_owned()))];
    headers.extend(proofs.iter().map(|proof| (Text::from("dpop"), Text::from((*proof).to_owned()))));
    Request {
        method: Text::from("POST"),
        scheme: Some(Text::from("https")),
        host: Some(Text::from("api.example.com")),
        path: Text::from("/v1/orders"),
        query: Some(Text::from("a=b")),
        headers,
        ..Request::default()
    }
}

fn verify(request: &Request<'_>) -> Verified {
    KEYS.verifier.verify(&KEYS.state, request, NOW * 1_000)
}

fn code(verified: &Verified) -> Option<Code> {
    assert!(verified.identity.is_none() != verified.findings.is_empty());
    verified.findings.first().map(|finding| finding.code)
}

#[test]
fn a_proof_of_each_kind_passes_once() {
    for key in &KEYS.sender {
        let token = token(Some(json!({"jkt": key.thumbprint()})));
        let request = request(&format!("dpop {token}"), &[&Proof::of(key, &token).sign(key)]);
        let verified = verify(&request);
        let identity = verified.identity.clone().unwrap_or_else(|| panic!("{} {:?}", key.alg(), verified.findings));
        assert_eq!((&*identity.principal, identity.assurance.bound.as_deref()), ("user-1", Some("dpop")));
        assert_eq!(verified.scheme, Scheme::Dpop);
        assert_eq!(code(&verify(&request)), Some(Code::VerifyProofReplayed));
    }
}

#[test]
fn proofs_that_are_bent() {
    let [key, other, _] = &KEYS.sender;
    let token = token(Some(json!({"jkt": key.thumbprint()})));
    let bends: &[Bend] = &[
        ("no typ", |p| drop(p.header.as_object_mut().unwrap().remove("typ")), Code::VerifyBadProof),
        ("typ JWT", |p| p.header["typ"] = json!("JWT"), Code::VerifyBadProof),
        ("typ at+jwt", |p| p.header["typ"] = json!("at+jwt"), Code::VerifyBadProof),
        ("alg none", |p| p.header["alg"] = json!("none"), Code::VerifyBadProof),
        ("alg HS256", |p| p.header["alg"] = json!("HS256"), Code::VerifyBadProof),
        ("alg ES384", |p| p.header["alg"] = json!("ES384"), Code::VerifyBadProof),
        ("alg RS256, not accepted", |p| p.header["alg"] = json!("RS256"), Code::VerifyBadProof),
        ("no jwk", |p| drop(p.header.as_object_mut().unwrap().remove("jwk")), Code::VerifyBadProof),
        ("jwk a string", |p| p.header["jwk"] = json!(p.header["jwk"].to_string()), Code::VerifyBadProof),
        ("private key", |p| p.header["jwk"]["d"] = json!(encode([1; 32])), Code::VerifyBadProof),
        (
            "secret key",
            |p| p.header["jwk"] = json!({"kty": "oct", "k": encode([1, 2].repeat(16))}),
            Code::VerifyBadProof,
        ),
        ("key for encryption", |p| p.header["jwk"]["use"] = json!("enc"), Code::VerifyBadProof),
        ("off the curve", |p| p.header["jwk"]["y"] = p.header["jwk"]["x"].clone(), Code::VerifyBadProof),
        ("crit", |p| p.header["crit"] = json!(["exp"]), Code::VerifyBadProof),
        ("jku", |p| p.header["jku"] = json!("https://evil.example"), Code::VerifyBadProof),
        ("no jti", |p| drop(p.claims.as_object_mut().unwrap().remove("jti")), Code::VerifyBadProof),
        ("no htm", |p| drop(p.claims.as_object_mut().unwrap().remove("htm")), Code::VerifyBadProof),
        ("no htu", |p| drop(p.claims.as_object_mut().unwrap().remove("htu")), Code::VerifyBadProof),
        ("no iat", |p| drop(p.claims.as_object_mut().unwrap().remove("iat")), Code::VerifyBadProof),
        ("no ath", |p| drop(p.claims.as_object_mut().unwrap().remove("ath")), Code::VerifyBadProof),
        ("jti a number", |p| p.claims["jti"] = json!(5), Code::VerifyBadProof),
        ("jti empty", |p| p.claims["jti"] = json!(""), Code::VerifyBadProof),
        ("jti long", |p| p.claims["jti"] = json!("j".repeat(257)), Code::VerifyBadProof),
        ("iat a string", |p| p.claims["iat"] = json!(NOW.to_string()), Code::VerifyBadProof),
        ("htm GET", |p| p.claims["htm"] = json!("GET"), Code::VerifyBadProof),
        ("htm post", |p| p.claims["htm"] = json!("post"), Code::VerifyBadProof),
        ("another host", |p| p.claims["htu"] = json!("https://evil.example/v1/orders"), Code::VerifyBadProof),
        ("another path", |p| p.claims["htu"] = json!("https://api.example.com/v1/order"), Code::VerifyBadProof),
        ("another scheme", |p| p.claims["htu"] = json!("http://api.example.com/v1/orders"), Code::VerifyBadProof),
        ("another port", |p| p.claims["htu"] = json!("https://api.example.com:8443/v1/orders"), Code::VerifyBadProof),
        ("a user in it", |p| p.claims["htu"] = json!("https://u@api.example.com/v1/orders"), Code::VerifyBadProof),
        ("no URL", |p| p.claims["htu"] = json!("/v1/orders"), Code::VerifyBadProof),
        ("too old", |p| p.claims["iat"] = json!(NOW - 71), Code::VerifyProofStale),
        ("of the future", |p| p.claims["iat"] = json!(NOW + 11), Code::VerifyProofStale),
        ("expired", |p| p.claims["exp"] = json!(NOW - 10), Code::VerifyProofStale),
        ("not yet", |p| p.claims["nbf"] = json!(NOW + 11), Code::VerifyProofStale),
        ("ath of another token", |p| p.claims["ath"] = json!(encode(Sha256::digest("x"))), Code::VerifyBadProof),
        ("ath in base64", |p| p.claims["ath"] = json!(STANDARD.encode([0xff; 32])), Code::VerifyBadProof),
        ("ath the token", |p| p.claims["ath"] = json!("x"), Code::VerifyBadProof),
    ];
    for (what, bend, expected) in bends.iter().copied() {
        let mut proof = Proof::of(key, &token);
        bend(&mut proof);
        let verified = verify(&request(&format!("DPoP {token}"), &[&proof.sign(key)]));
        assert_eq!(code(&verified), Some(expected), "{what}: {:?}", verified.findings);
    }
    for (what, harmless) in [
        ("query", "https://api.example.com/v1/orders?other=1"),
        ("fragment", "https://api.example.com/v1/orders#f"),
        ("case", "HTTPS://API.EXAMPLE.COM/v1/orders"),
        ("port", "https://api.example.com:443/v1/orders"),
        ("encoding", "https://api.example.com/v1/%6frders"),
    ] {
        let mut proof = Proof::of(key, &token);
        proof.claims["htu"] = json!(harmless);
        let verified = verify(&request(&format!("DPoP {token}"), &[&proof.sign(key)]));
        assert_eq!(code(&verified), None, "{what}: {:?}", verified.findings);
    }

    let dpop = format!("DPoP {token}");
    let good = || Proof::of(key, &token).sign(key);
    // Signed by another key than the one it brings.
    let verified = verify(&request(&dpop, &[&Proof::of(key, &token).sign(&Key::ec(&ECDSA_P256_SHA256_FIXED_SIGNING))]));
    assert_eq!(code(&verified), Some(Code::VerifyBadProof));
    // Sound, by a key that the token is not bound to.
    let verified = verify(&request(&dpop, &[&Proof::of(other, &token).sign(other)]));
    assert_eq!(code(&verified), Some(Code::VerifyBindingMismatch));
    assert_eq!(code(&verify(&request(&dpop, &[]))), Some(Code::VerifyBadProof));
    assert_eq!(code(&verify(&request(&dpop, &[&good(), &good()]))), Some(Code::VerifyBadProof));
    let twice = good();
    assert_eq!(code(&verify(&request(&dpop, &[&twice, &twice]))), Some(Code::VerifyBadProof));
    assert_eq!(code(&verify(&request(&dpop, &[&format!("{},{}", good(), good())]))), Some(Code::VerifyBadProof));
    assert_eq!(code(&verify(&request(&dpop, &[&twice]))), None, "none of that has used it up");
}

#[test]
fn the_same_jti_of_another_key_is_another_proof() {
    let mut seen = Vec::new();
    for key in &KEYS.sender[..2] {
        let token = token(Some(json!({"jkt": key.thumbprint()})));
        let mut proof = Proof::of(key, &token);
        proof.claims["jti"] = json!("one jti for two keys");
        seen.push(code(&verify(&request(&format!("DPoP {token}"), &[&proof.sign(key)]))));
    }
    assert_eq!(seen, [None, None]);
}

#[test]
fn tokens_under_the_wrong_scheme() {
    let key = &KEYS.sender[0];
    let bound = token(Some(json!({"jkt": key.thumbprint()})));
    let proof = Proof::of(key, &bound).sign(key);
    assert_eq!(code(&verify(&request(&format!("Bearer {bound}"), &[]))), Some(Code::VerifyBindingMissing));
    assert_eq!(code(&verify(&request(&format!("Bearer {bound}"), &[&proof]))), Some(Code::VerifyBindingMissing));
    let plain = token(None);
    let proof = Proof::of(key, &plain).sign(key);
    assert_eq!(code(&verify(&request(&format!("DPoP {plain}"), &[&proof]))), Some(Code::VerifyBindingMissing));
    assert_eq!(code(&verify(&request(&format!("Bearer {plain}"), &[]))), None);
    let config = json!({"issuer": [{"issuer": "i", "audiences": ["api"], "algorithms": ["ES256"],
        "sender_constrained": "required", "jwks": json!({"keys": [KEYS.issuer.jwk()]}).to_string()}]});
    let strict = Verifier::compile(&serde_json::from_value::<Config>(config).unwrap()).unwrap();
    let state = State::new(&strict, 1);
    let verify = |request: &Request<'_>| code(&strict.verify(&state, request, NOW * 1_000));
    assert_eq!(verify(&request(&format!("Bearer {plain}"), &[])), Some(Code::VerifyBindingMissing));
    assert_eq!(verify(&request(&format!("DPoP {bound}"), &[&proof])), Some(Code::VerifySchemeRefused));
    assert_eq!(verify(&request(&format!("Bearer {bound}"), &[])), Some(Code::VerifyBindingMissing));
}

#[test]
fn nonces_are_handed_out_and_asked_for() {
    let key = &KEYS.sender[0];
    let asking =
        verifier(&KEYS.issuer, json!({"nonce": "required", "nonce_lifetime": "60s", "nonce_secret": encode([7; 32])}));
    let state = State::new(&asking, 7);
    let token = token(Some(json!({"jkt": key.thumbprint()})));
    let show = |nonce: Option<&str>, now: i64| {
        let mut proof = Proof::of(key, &token);
        proof.claims["iat"] = json!(now);
        if let Some(nonce) = nonce {
            proof.claims["nonce"] = json!(nonce);
        }
        let verified = asking.verify(&state, &request(&format!("DPoP {token}"), &[&proof.sign(key)]), now * 1_000);
        let handed_out = verified.response_headers.first().map(|(name, nonce)| {
            assert_eq!(name, "DPoP-Nonce");
            nonce.clone()
        });
        (code(&verified), handed_out)
    };
    let start = NOW - NOW % 60;
    let (refused, nonce) = show(None, start);
    assert_eq!(refused, Some(Code::VerifyNonceRequired));
    let nonce = nonce.unwrap();
    assert_eq!(show(Some(&nonce), start + 59), (None, None));
    let (passed, next) = show(Some(&nonce), start + 60);
    assert_eq!(passed, None, "of the step before");
    let next = next.unwrap();
    assert_ne!(next, nonce);
    assert_eq!(show(Some(&next), start + 60), (None, None));
    assert_eq!(show(Some(&nonce), start + 120).0, Some(Code::VerifyNonceRequired));
    assert_eq!(show(Some("made up"), start).0, Some(Code::VerifyNonceRequired));
}

#[test]
fn a_proof_that_was_used_elsewhere_is_used_here_after_a_merge() {
    let key = &KEYS.sender[0];
    let token = token(Some(json!({"jkt": key.thumbprint()})));
    let request = request(&format!("DPoP {token}"), &[&Proof::of(key, &token).sign(key)]);
    let [one, other, restarted] = [(); 3].map(|()| State::new(&KEYS.verifier, 7));
    let show = |state: &State| code(&KEYS.verifier.verify(state, &request, NOW * 1_000));
    assert_eq!(show(&one), None);
    let mut bytes = Vec::new();
    one.write(&mut bytes);
    other.merge(other.read(&bytes).unwrap());
    restarted.restore(restarted.read(&bytes).unwrap());
    for state in [one, other, restarted] {
        assert_eq!(show(&state), Some(Code::VerifyProofReplayed));
    }
}

#[test]
fn tokens_bound_to_a_certificate() {
    let own = Sha256::digest("a certificate");
    let token = token(Some(json!({"x5t#S256": encode(own)})));
    let with = |certificate: Option<String>, scheme: &str| {
        let peer = Peer { client_cert_sha256: certificate.map(Into::into), ..Peer::default() };
        verify(&Request { peer, ..request(&format!("{scheme} {token}"), &[]) })
    };
    let verified = with(Some(encode(own)), "Bearer");
    assert_eq!(verified.identity.unwrap().assurance.bound.as_deref(), Some("mtls"));
    assert_eq!(code(&with(None, "Bearer")), Some(Code::VerifyBindingMissing));
    assert_eq!(code(&with(Some(encode(Sha256::digest("another"))), "Bearer")), Some(Code::VerifyBindingMismatch));
    assert_eq!(code(&with(Some(URL_SAFE_NO_PAD.encode(own) + "="), "Bearer")), Some(Code::VerifyBindingMissing));
    assert_eq!(code(&with(Some(String::new()), "Bearer")), Some(Code::VerifyBindingMissing));
    assert_eq!(code(&with(Some(encode(own)), "DPoP")), Some(Code::VerifyBindingMissing));
}

#[test]
fn a_certificate_header_from_the_client_proves_nothing() {
    let own = encode(Sha256::digest("a certificate"));
    let token = token(Some(json!({"x5t#S256": own})));
    let mut request = request(&format!("Bearer {token}"), &[]);
    for name in ["client-cert", "x-client-cert", "x-forwarded-client-cert", "x-ssl-client-sha256"] {
        request.headers.push((Text::from(name), Text::from(own.clone())));
    }
    assert_eq!(code(&verify(&request)), Some(Code::VerifyBindingMissing));
}

#[test]
fn confirmations_that_ask_for_something_else() {
    let digest = encode([0xfb; 32]);
    for cnf in [
        json!({}),
        json!(null),
        json!([]),
        json!({"jkt": digest, "x5t#S256": digest}),
        json!({"jwk": KEYS.sender[0].jwk()}),
        json!({"kid": "a"}),
        json!({"jkt": digest, "kid": "a"}),
        json!({"x5t#S256": STANDARD.encode([0xfb; 32])}),
        json!({"x5t#S256": format!("{digest}=")}),
        json!({"x5t#S256": "fb".repeat(32)}),
    ] {
        let verified = verify(&request(&format!("Bearer {}", token(Some(cnf.clone()))), &[]));
        assert_eq!(code(&verified), Some(Code::VerifyBadClaims), "{cnf}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_mutated_proof_is_never_accepted(which in 0_usize..2, at: prop::sample::Index, byte in prop_oneof![any::<u8>(), prop::sample::select(b"AZaz09-_.=".to_vec())], how in 0..4) {
        let key = &KEYS.sender[which];
        let token = token(Some(json!({"jkt": key.thumbprint()})));
        let good = Proof::of(key, &token).sign(key);
        let mut proof = good.clone().into_bytes();
        let at = at.index(proof.len());
        match how {
            0 => proof[at] = byte,
            1 => proof.insert(at, byte),
            2 => drop(proof.remove(at)),
            _ => proof.truncate(at),
        }
        prop_assume!(proof != good.as_bytes());
        let mut mutated = request(&format!("DPoP {token}"), &[]);
        mutated.headers.push((Text::from("DPoP"), Text::from(proof)));
        prop_assert!(verify(&mutated).identity.is_none());
    }

    #[test]
    fn any_claims_of_a_signed_proof_never_panic(name in "jti|htm|htu|iat|ath|nonce|nbf|exp|x", value in r#"-?[0-9]{1,20}|"[^"\\]{0,20}"|null|\[\]|\{\}|\[\[1\],\{"a":1\}\]"#) {
        let key = &KEYS.sender[1];
        let token = token(Some(json!({"jkt": key.thumbprint()})));
        let mut proof = Proof::of(key, &token);
        if let Ok(value) = serde_json::from_str::<Value>(&value) {
            proof.claims[name] = value;
        }
        let verified = verify(&request(&format!("DPoP {token}"), &[&proof.sign(key)]));
        prop_assert!(verified.identity.is_some() == verified.findings.is_empty());
    }
}
