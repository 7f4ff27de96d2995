//! Attacks on the whole of verification: where one mechanism meets another.

mod hs256;

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zt_core::Engine;
use zt_core::model::{Code, Peer, Request, Text};
use zt_core::verify::{Config, Revocation, State, Verified, Verifier};
use zt_core::wire::Instance;

use self::hs256::encode;

const NOW: i64 = 1_800_000_000;
const MS: i64 = NOW * 1_000;
const DOMAIN: &str = "spiffe://example.org";
const WEB: &str = "spiffe://example.org/web";
const SECRET: &[u8] = b"only-for-this-test-0123456789abcdef";

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap())
    }

    fn jwks(&self, kid: &str, usage: &str) -> String {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        let key = json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": kid, "use": usage});
        json!({"keys": [key]}).to_string()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature))
    }

    fn token(&self, kid: &str, typ: &str, claims: &Value) -> String {
        let mut all = json!({"iss": "https://idp", "sub": "anna", "aud": "api", "exp": NOW + 600, "iat": NOW});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        self.sign(&json!({"alg": "ES256", "typ": typ, "kid": kid}), &all)
    }

    fn svid(&self, kid: &str, sub: &str) -> String {
        let claims = json!({"sub": sub, "aud": "api", "exp": NOW + 600, "iat": NOW, "jti": "svid-1"});
        self.sign(&json!({"alg": "ES256", "typ": "JWT", "kid": kid}), &claims)
    }
}

fn issuer(signer: &Signer) -> Value {
    json!({"issuer": "https://idp", "audiences": ["api"], "algorithms": ["ES256"], "jwks": signer.jwks("k1", "sig")})
}

fn domain(signer: &Signer, header: &str) -> Value {
    json!({"trust_domain": "example.org", "audiences": ["api"], "jwks": signer.jwks("b1", "jwt-svid"), "header": header})
}

/// A key of message signatures, for a workload or for the caller.
fn signature_key(keyid: &str, id: &str, speaks_as: &str) -> Value {
    let jwk = json!({"kty": "oct", "k": encode(SECRET)}).to_string();
    json!({"id": id, "keyid": keyid, "algorithm": "hmac-sha256", "jwk": jwk, "covered": ["@method"], "as": speaks_as})
}

/// `Signature-Input` and `Signature` of a `GET` by this key.
fn signed(keyid: &str, created: i64) -> [(String, String); 2] {
    let parameters = format!("(\"@method\");created={created};keyid=\"{keyid}\"");
    let base = format!("\"@method\": GET\n\"@signature-params\": {parameters}");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), base.as_bytes());
    [
        ("signature-input".to_owned(), format!("a={parameters}")),
        ("signature".to_owned(), format!("a=:{}:", STANDARD.encode(signature))),
    ]
}

fn compiled(config: Value) -> (Verifier, State) {
    let verifier = Verifier::compile(&serde_json::from_value::<Config>(config).unwrap()).unwrap();
    let state = State::new(&verifier, 7);
    (verifier, state)
}

fn get(headers: &[(String, String)]) -> Request<'static> {
    let header = |(name, value): &(String, String)| (Text::from(name.clone()), Text::from(value.clone()));
    let headers = headers.iter().map(header).collect();
    Request {
        method: Text::from("GET"),
        host: Some(Text::from("api")),
        path: Text::from("/"),
        headers,
        ..Request::default()
    }
}

fn bearer(token: &str) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {token}"))
}

fn with_certificate(mut request: Request<'static>, uri: &str) -> Request<'static> {
    request.peer = Peer { client_cert_uris: vec![uri.to_owned().into()], ..Peer::default() };
    request
}

fn revoke(state: &State, revocation: Value) {
    state.revoke(&serde_json::from_value::<Revocation>(revocation).unwrap(), MS);
}

fn code(verified: &Verified) -> Option<Code> {
    verified.findings.first().map(|finding| finding.code)
}

#[test]
fn a_revoked_svid_is_refused_by_whatever_way() {
    let signer = Signer::new();
    for (kind, id) in [("token", "svid-1"), ("subject", WEB), ("key", "b1")] {
        let revocation = json!({"revoke": kind, "issuer": DOMAIN, "id": id, "expires_ms": MS + 600_000});
        let svid = signer.svid("b1", WEB);
        let (verifier, state) = compiled(json!({"spiffe": [domain(&signer, "authorization")]}));
        assert_eq!(code(&verifier.verify_token(&state, svid.as_bytes(), MS)), None);
        assert_eq!(code(&verifier.verify(&state, &get(&[bearer(&svid)]), MS)), None);
        revoke(&state, revocation.clone());
        let bearer = verifier.verify(&state, &get(&[bearer(&svid)]), MS);
        assert_eq!(code(&bearer), Some(Code::VerifyRevoked), "bearer, {kind}");
        let alone = verifier.verify_token(&state, svid.as_bytes(), MS);
        assert_eq!(code(&alone), Some(Code::VerifyRevoked), "the token alone, {kind}");

        let (verifier, state) = compiled(json!({"spiffe": [domain(&signer, "x-workload-token")]}));
        revoke(&state, revocation);
        let beside = verifier.verify(&state, &get(&[("x-workload-token".to_owned(), svid)]), MS);
        assert_eq!(code(&beside), Some(Code::VerifyRevoked), "beside, {kind}");
    }
}

#[test]
fn a_wish_for_keys_is_not_lost_to_another_refusal() {
    let signer = Signer::new();
    let config =
        json!({"dpop": {}, "issuer": [issuer(&signer)], "signature": [signature_key("s1", "robot", "identity")]});
    let rotated = signer.token("k2", "at+jwt", &json!({}));
    let scheme = |scheme: &str| ("authorization".to_owned(), format!("{scheme} {rotated}"));
    let broken = [("signature-input".to_owned(), "a=(".to_owned()), ("signature".to_owned(), "a=::".to_owned())];
    for headers in [vec![scheme("Bearer")], vec![scheme("DPoP")], [vec![scheme("Bearer")], broken.to_vec()].concat()] {
        let (verifier, state) = compiled(config.clone());
        let verified = verifier.verify(&state, &get(&headers), MS);
        assert_eq!(code(&verified), Some(Code::VerifyUnknownKey));
        assert_eq!(verified.refresh_wanted.as_deref(), Some("https://idp"), "{headers:?}");
    }
}

#[test]
fn a_clock_that_was_ahead_does_not_silence_the_wish_for_keys() {
    let signer = Signer::new();
    let (verifier, state) = compiled(json!({"issuer": [issuer(&signer)]}));
    let rotated = signer.token("k2", "at+jwt", &json!({}));
    let wanted = |now| verifier.verify_token(&state, rotated.as_bytes(), now).refresh_wanted.is_some();
    assert!(wanted(MS + 86_400_000) && wanted(MS) && !wanted(MS + 59_999) && !wanted(MS - 1) && wanted(MS + 60_000));
}

#[test]
fn a_refused_token_leaves_nobody_behind() {
    let signer = Signer::new();
    let (verifier, state) = compiled(
        json!({"issuer": [issuer(&signer)], "signature": [signature_key("s1", "robot", "identity")], "workload": [{"id": "robot", "uris": [WEB]}]}),
    );
    let rotated = signer.token("k2", "at+jwt", &json!({}));
    let headers = [vec![bearer(&rotated)], signed("s1", NOW).to_vec()].concat();
    let verified = verifier.verify(&state, &with_certificate(get(&headers), WEB), MS);
    assert_eq!(code(&verified), Some(Code::VerifyUnknownKey));
    assert!(verified.identity.is_none() && verified.workload.is_none(), "{verified:?}");
}

#[test]
fn the_roles_claim_of_another_issuer_makes_no_access_token() {
    let signer = Signer::new();
    let mut first = issuer(&signer);
    first["token_types"] = json!(["JWT"]);
    let mut second = issuer(&signer);
    second["issuer"] = json!("https://other");
    second["roles_claim"] = json!("groups");
    let id_token = signer.token("k1", "JWT", &json!({"azp": "api", "groups": ["staff"]}));
    for config in [json!({"issuer": [first]}), json!({"issuer": [first, second]})] {
        let (verifier, state) = compiled(config);
        let verified = verifier.verify_token(&state, id_token.as_bytes(), MS);
        assert_eq!(code(&verified), Some(Code::VerifyIdToken));
    }
}

#[test]
fn a_revoked_credential_is_not_hidden_by_another_of_the_same_workload() {
    let signer = Signer::new();
    let (verifier, state) = compiled(json!({
        "issuer": [issuer(&signer)],
        "signature": [signature_key("s1", "gateway", "workload")],
        "workload": [{"id": "gateway", "uris": [WEB, "urn:old"]}],
    }));
    let headers = [vec![bearer(&signer.token("k1", "at+jwt", &json!({})))], signed("s1", NOW).to_vec()].concat();
    let request = with_certificate(get(&headers), WEB);
    assert_eq!(code(&verifier.verify(&state, &request, MS)), None);
    revoke(&state, json!({"revoke": "key", "id": "s1", "expires_ms": MS + 600_000}));
    assert_eq!(code(&verifier.verify(&state, &request, MS)), Some(Code::VerifyRevoked));
}

#[test]
fn a_certificate_is_revoked_by_every_name_that_it_is_known_by() {
    let (verifier, state) = compiled(json!({"workload": [{"id": "gateway", "uris": [WEB, "urn:old"]}]}));
    let mut request = with_certificate(get(&[]), WEB);
    request.peer.client_cert_uris.push("urn:old".into());
    assert_eq!(code(&verifier.verify(&state, &request, MS)), None);
    revoke(&state, json!({"revoke": "key", "id": "urn:old", "expires_ms": MS + 600_000}));
    assert_eq!(code(&verifier.verify(&state, &request, MS)), Some(Code::VerifyRevoked));
}

#[test]
fn a_certificate_and_a_workload_token_of_different_workloads() {
    let signer = Signer::new();
    let (verifier, state) = compiled(json!({
        "issuer": [issuer(&signer)],
        "spiffe": [domain(&signer, "x-workload-token")],
        "workload": [{"id": "billing", "uris": ["urn:billing"]}],
    }));
    let svid = ("x-workload-token".to_owned(), signer.svid("b1", WEB));
    let token = bearer(&signer.token("k1", "at+jwt", &json!({})));
    for headers in [vec![svid.clone(), token], vec![svid]] {
        let verified = verifier.verify(&state, &with_certificate(get(&headers), "urn:billing"), MS);
        assert_eq!(code(&verified), Some(Code::VerifyManyCredentials), "{headers:?}");
    }
}

#[test]
fn an_issuer_is_not_a_trust_domain() {
    let signer = Signer::new();
    let mut issuer = issuer(&signer);
    issuer["issuer"] = json!(DOMAIN);
    let config = json!({"issuer": [issuer], "spiffe": [domain(&signer, "authorization")]});
    let problems = Verifier::compile(&serde_json::from_value::<Config>(config).unwrap()).unwrap_err();
    assert_eq!(problems[0].key, "verify.issuer[0].issuer");
}

#[test]
fn headers_of_workload_tokens_are_the_same_in_any_case() {
    let signer = Signer::new();
    let mut other = domain(&signer, "X-Workload-Token");
    other["trust_domain"] = json!("other.org");
    let (verifier, state) = compiled(json!({"spiffe": [domain(&signer, "x-workload-token"), other]}));
    for sub in [WEB, "spiffe://other.org/web"] {
        let verified = verifier.verify(&state, &get(&[("X-WORKLOAD-TOKEN".to_owned(), signer.svid("b1", sub))]), MS);
        assert_eq!(code(&verified), None, "{sub}");
    }
}

#[test]
fn who_is_revoked_does_not_come_back_by_signing_again() {
    let (verifier, state) = compiled(json!({"signature": [signature_key("s1", "robot", "identity")]}));
    let request = get(&signed("s1", NOW + 1));
    assert_eq!(code(&verifier.verify(&state, &request, MS)), None);
    revoke(&state, json!({"revoke": "subject", "id": "robot", "issued_before_ms": MS, "expires_ms": MS + 600_000}));
    assert_eq!(code(&verifier.verify(&state, &request, MS)), Some(Code::VerifyRevoked));
}

#[test]
fn a_body_that_nobody_announced_is_not_taken_for_none() {
    let post = |name: &str, value: &str| {
        let mut request = get(&[(name.to_owned(), value.to_owned())]);
        request.method = Text::from("POST");
        request
    };
    let parameters = format!("(\"@method\");created={NOW};keyid=\"s1\"");
    let base = format!("\"@method\": POST\n\"@signature-params\": {parameters}");
    let mut signature = post("signature-input", &format!("a={parameters}"));
    let value =
        format!("a=:{}:", STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), base.as_bytes())));
    signature.headers.push((Text::from("signature"), Text::from(value)));
    let empty = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), b"");
    let digits: String = empty.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let webhook = post("x-hub-signature-256", &format!("sha256={digits}"));
    let (verifier, state) = compiled(json!({
        "signature": [signature_key("s1", "robot", "identity")],
        "webhook": [{"id": "w", "format": "github", "secrets": [std::str::from_utf8(SECRET).unwrap()]}],
    }));
    for (request, refused) in [(signature, Code::VerifySignatureIncomplete), (webhook, Code::VerifyBadDigest)] {
        for (version, told, expected) in
            [("1.1", None, None), ("2", Some(0), None), ("2", None, Some(refused)), ("3", None, Some(refused))]
        {
            let request = Request { http_version: Some(Text::from(version)), body_len: told, ..request.clone() };
            assert_eq!(code(&verifier.verify(&state, &request, MS)), expected, "{version} {told:?}");
        }
    }
}

#[test]
fn a_revocation_that_no_token_can_have_is_refused() {
    let engine = Engine::new(&zt_core::Config::default()).unwrap();
    let instance =
        Instance::new(Arc::new(Engine::new(&zt_core::Config::default()).unwrap()), zt_core::State::new(&engine));
    let revoke = |kind: &str, issuer: &str| {
        instance.revoke(&format!(r#"{{"revoke":"{kind}","id":"x",{issuer}"expires_ms":{MS}}}"#), MS)
    };
    for kind in ["token", "session"] {
        assert!(revoke(kind, "").is_err() && revoke(kind, "\"issuer\":\"https://idp\",").is_ok());
    }
    assert!(revoke("subject", "").is_ok() && revoke("key", "").is_ok());
}

#[test]
fn a_second_name_of_the_server_is_not_signed() {
    let mut key = signature_key("s1", "robot", "identity");
    key["covered"] = json!(["@authority"]);
    let (verifier, state) = compiled(json!({"signature": [key]}));
    let parameters = format!("(\"@authority\");created={NOW};keyid=\"s1\"");
    let base = format!("\"@authority\": api\n\"@signature-params\": {parameters}");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), base.as_bytes());
    let [input, value] = [format!("a={parameters}"), format!("a=:{}:", STANDARD.encode(signature))];
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for (host, expected) in [("api", None), ("admin", Some(Code::VerifySignatureMalformed))] {
        let request = get(&[own("signature-input", &input), own("signature", &value), own("host", host)]);
        assert_eq!(code(&verifier.verify(&state, &request, MS)), expected, "{host}");
    }
}

#[test]
fn nonces_that_anybody_can_make_are_a_mistake() {
    let config = json!({"dpop": {"nonce": "required"}});
    let problems = Verifier::compile(&serde_json::from_value::<Config>(config).unwrap()).unwrap_err();
    assert_eq!(problems[0].key, "verify.dpop.nonce_secret");
}

#[test]
fn an_engine_shows_no_seed() {
    let mut config = zt_core::Config::default();
    config.state.seed = Some(0x5eed_5eed_5eed_5eed);
    let engine = Engine::new(&config).unwrap();
    let text = format!("{engine:?} {:?}", zt_core::State::new(&engine));
    assert!(!text.contains(&0x5eed_5eed_5eed_5eed_u64.to_string()), "{text}");
}

#[test]
fn debug_forms_hold_no_secret() {
    let signer = Signer::new();
    let seed = 0x5eed_5eed_5eed_5eed_u64;
    let mut issuer = issuer(&signer);
    issuer["algorithms"] = json!(["HS256"]);
    issuer["jwks"] = json!(json!({"keys": [{"kty": "oct", "k": encode(SECRET)}]}).to_string());
    let config: Config = serde_json::from_value(json!({
        "issuer": [issuer],
        "signature": [signature_key("s1", "robot", "identity")],
        "dpop": {"nonce": "required", "nonce_secret": "nonce-secret-0123456789abcdef0123456789"},
        "webhook": [{"id": "w", "format": "github", "secrets": ["webhook-secret-0123456789"]}],
        "sigv4": [{"id": "a", "access_key_id": "AKID", "secret": "sigv4-secret-0123456789", "region": "r", "service": "s"}],
    }))
    .unwrap();
    let verifier = Verifier::compile(&config).unwrap();
    let state = State::new(&verifier, seed);
    let claims = json!({"iss": "https://idp", "sub": "anna", "aud": "api", "exp": NOW + 600});
    let token = hs256::sign(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims, SECRET);
    let signature = token.rsplit('.').next().unwrap();
    let verified = verifier.verify_token(&state, token.as_bytes(), MS);
    assert_eq!((code(&verified), state.cached_tokens()), (None, 1));
    let bytes = |bytes: &[u8]| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    for text in [format!("{config:?}"), format!("{verifier:?}"), format!("{state:?}"), format!("{verified:?}")] {
        for secret in [
            seed.to_string(),
            format!("{seed:x}"),
            bytes(SECRET),
            encode(SECRET),
            bytes(b"nonce-secret"),
            "nonce-secret".to_owned(),
            "webhook-secret".to_owned(),
            "sigv4-secret".to_owned(),
            signature.to_owned(),
            bytes(&signature.as_bytes()[..16]),
        ] {
            assert!(!text.contains(&secret), "{secret} in {} bytes", text.len());
        }
    }
}

type Everything = (Verifier, State, Vec<(String, String)>, Vec<String>);

/// A verifier that takes everything, and headers and queries that attack it from all sides at once.
fn everything() -> Everything {
    let signer = Signer::new();
    let (verifier, state) = compiled(json!({
        "dpop": {"nonce": "required", "nonce_secret": encode([7; 32])},
        "issuer": [issuer(&signer)],
        "spiffe": [domain(&signer, "x-workload-token")],
        "signature": [signature_key("s1", "robot", "identity"), signature_key("s2", "gateway", "workload")],
        "workload": [{"id": "billing", "uris": ["urn:billing"]}],
        "api_key": [{"id": "partner", "sha256": zt_core::verify::api_key::sha256("a key of a partner")}],
        "webhook": [
            {"id": "st", "format": "stripe", "secrets": ["webhook-secret-0123456789"]},
            {"id": "sw", "format": "standard", "secrets": ["webhook-secret-0123456789"]},
        ],
        "sigv4": [{"id": "a", "access_key_id": "AKID", "secret": "sigv4-secret-0123456789", "region": "r", "service": "s"}],
    }));
    let far = signer.token("k1", "at+jwt", &json!({"exp": 253_402_300_799_i64, "iat": 0, "auth_time": 0}));
    let bound = signer.token("k1", "at+jwt", &json!({"cnf": {"jkt": encode([1; 32])}}));
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![
        bearer(&far),
        bearer(&signer.token("k1", "at+jwt", &json!({}))),
        bearer(&signer.token("k2", "at+jwt", &json!({}))),
        own("authorization", &format!("DPoP {bound}")),
        own("dpop", &bound),
        own("authorization", "Basic eDp5"),
        own(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKID/99991231/r/s/aws4_request, SignedHeaders=host, Signature=00",
        ),
        own("x-amz-date", "99991231T235959Z"),
        own("x-api-key", "a key of a partner"),
        own("x-workload-token", &signer.svid("b1", WEB)),
        own("x-workload-token", &signer.svid("b2", WEB)),
        own("stripe-signature", "t=999999999999,v1=00"),
        own("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        own("webhook-id", "m"),
        own("webhook-timestamp", "999999999999"),
        own("content-length", "7"),
    ];
    headers.extend(["s1", "s2"].into_iter().flat_map(|keyid| signed(keyid, NOW)));
    headers.extend(signed("s1", 999_999_999_999_999));
    let queries = [
        "",
        "access_token=x",
        "X-Amz-Signature=1",
        "a=%",
        "X-Amz-Credential=AKID/19700101/r/s/aws4_request&X-Amz-Date=19700101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0000000000000000000000000000000000000000000000000000000000000000",
    ];
    (verifier, state, headers, queries.map(str::to_owned).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is shown at whatever time: no panic, nobody behind a refusal, and at most one credential of the caller's.
    #[test]
    fn everything_at_once(
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        query in any::<prop::sample::Index>(),
        certificate: bool,
        now in prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, MS - 1, MS, MS, MS, MS + 1, i64::MAX - 1, i64::MAX]),
    ) {
        static ALL: std::sync::LazyLock<Everything> = std::sync::LazyLock::new(everything);
        let (verifier, state, headers, queries) = &*ALL;
        let shown: Vec<_> = chosen.iter().map(|index| index.get(headers).clone()).collect();
        let mut request = get(&shown);
        request.query = Some(Text::from(query.get(queries).clone()));
        if certificate {
            request = with_certificate(request, "urn:billing");
        }
        let verified = verifier.verify(state, &request, now);
        if !verified.findings.is_empty() {
            prop_assert!(verified.identity.is_none() && verified.workload.is_none(), "{:?}", verified);
        }
        let names = |name: &str| shown.iter().filter(|(other, _)| other == name).count();
        let own = names("authorization") + names("x-api-key") + usize::from(request.query.as_ref().is_some_and(|q| q.bytes().starts_with(b"X-Amz")));
        prop_assert!(own < 2 || verified.identity.is_none());
        for code in verified.findings.iter().map(|finding| finding.code) {
            for challenge in verifier.challenges(verified.scheme, code, zt_core::verify::StepUp::default()) {
                prop_assert!(challenge.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{challenge}");
            }
        }
    }

    /// Bytes with a sound envelope and any content: an error or a state, never a panic, and an error changes nothing.
    #[test]
    fn a_snapshot_of_anything(cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), short: prop::sample::Index, random: Vec<u8>, whole: bool, delta: bool) {
        let (_, state) = snapshots();
        let good = state.snapshot();
        let mut body = good[15..good.len() - 16].to_vec();
        for (at, byte) in &cuts {
            let at = at.index(body.len());
            body[at] = *byte;
        }
        if !whole {
            body.truncate(short.index(body.len()));
            body.extend(random);
        }
        let mut bytes = good[..6].to_vec();
        bytes.push(u8::from(delta));
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(body);
        let checksum = Sha256::digest(&bytes);
        bytes.extend(&checksum[..16]);
        let before = state.snapshot();
        if state.restore(&bytes).is_err() {
            prop_assert_eq!(state.snapshot(), before.clone());
        }
        let before = state.snapshot();
        if state.merge(&bytes).is_err() {
            prop_assert_eq!(state.snapshot(), before);
        }
    }
}

fn snapshots() -> (Engine, zt_core::State) {
    let mut config = zt_core::Config::default();
    config.verify.revocation_memory = serde_json::from_value(json!("4KiB")).unwrap();
    config.verify.replay_memory = serde_json::from_value(json!("16KiB")).unwrap();
    let engine = Engine::new(&config).unwrap();
    let state = zt_core::State::new(&engine);
    for id in 0..100 {
        let revocation = json!({"revoke": "subject", "id": id.to_string(), "expires_ms": MS + 600_000});
        state.revoke(&serde_json::from_value(revocation).unwrap(), MS);
    }
    (engine, state)
}

/// While keys are replaced and tokens remembered on many threads, whoever begins after a key was removed is refused.
#[test]
fn a_removed_key_is_gone_whatever_was_remembered_meanwhile() {
    let signer = Signer::new();
    let (with, without) = (signer.jwks("k1", "sig"), Signer::new().jwks("k1", "sig"));
    let mut config = zt_core::Config::default();
    config.verify = serde_json::from_value(json!({"issuer": [issuer(&signer)]})).unwrap();
    let engine = Engine::new(&config).unwrap();
    let state = zt_core::State::new(&engine);
    let instance = Instance::new(Arc::new(engine), state);
    let tokens: Vec<String> = (0..8).map(|n| signer.token("k1", "at+jwt", &json!({"jti": n.to_string()}))).collect();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    for token in &tokens {
                        let _ = instance.verify_token(token.as_bytes(), MS);
                    }
                }
            });
        }
        for _ in 0..100 {
            instance.replace_keys("https://idp", &without).unwrap();
            for token in &tokens {
                assert_eq!(code(&instance.verify_token(token.as_bytes(), MS)), Some(Code::VerifyBadSignature));
            }
            instance.replace_keys("https://idp", &with).unwrap();
            assert_eq!(code(&instance.verify_token(tokens[0].as_bytes(), MS)), None);
            let revocation = json!({"revoke": "token", "issuer": "https://idp", "id": "7", "expires_ms": MS + 1});
            instance.revoke(&revocation.to_string(), MS).unwrap();
            assert_eq!(code(&instance.verify_token(tokens[7].as_bytes(), MS)), Some(Code::VerifyRevoked));
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}
