//! Every rule, against signatures that are right but for the one thing.

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::component::Component;
use super::structured::lists_of_strings;
use super::{SignatureConfig, base};
use crate::model::{Body, Code, Request, Text};
use crate::verify::{Config, State, Verified, Verifier};

const NOW: i64 = 1_800_000_000_000;
const BODY: &str = r#"{"qty":2}"#;
/// The parameters of a sound signature.
const SOUND: &str = r#";created=1800000000;keyid="k""#;

static KEY: LazyLock<Ed25519KeyPair> = LazyLock::new(|| Ed25519KeyPair::generate().unwrap());

fn config(more: Value) -> Value {
    let x = URL_SAFE_NO_PAD.encode(KEY.public_key().as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x}).to_string();
    let mut config = json!({"id": "partner", "keyid": "k", "algorithm": "ed25519", "jwk": jwk});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

fn verifier(signatures: &[Value]) -> Verifier {
    let config: Config = serde_json::from_value(json!({"signature": signatures})).unwrap();
    Verifier::compile(&config).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn post() -> Request<'static> {
    Request {
        method: Text::from("POST"),
        scheme: Some(Text::from("https")),
        host: Some(Text::from("api.example.com")),
        path: Text::from("/v1/orders"),
        query: Some(Text::from("limit=10&tag=a&tag=b")),
        body: Some(Body::new(BODY.as_bytes())),
        body_len: Some(9),
        ..Request::default()
    }
}

fn with(mut request: Request<'static>, name: &'static str, value: impl Into<String>) -> Request<'static> {
    request.headers.push((Text::from(name), Text::from(value.into())));
    request
}

fn digested(request: Request<'static>) -> Request<'static> {
    with(request, "Content-Digest", format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(BODY))))
}

/// Signed as `text` says, with this label; a base that cannot be made is signed as nothing.
fn signed_as(label: &str, text: &str, request: Request<'static>) -> Request<'static> {
    let input = format!("{label}={text}");
    let signature = STANDARD.encode(KEY.sign(base_of(&input, &request).unwrap_or_default().as_bytes()));
    with(with(request, "Signature-Input", input), "Signature", format!("{label}=:{signature}:"))
}

fn base_of(input: &str, request: &Request<'_>) -> Option<String> {
    let lists = lists_of_strings(input.as_bytes(), 4, 64)?;
    let components: Vec<Component> =
        lists[0].items.iter().map(|named| Component::read(named).ok()).collect::<Option<_>>()?;
    base::base(&lists[0], &components, request).ok()
}

fn signed(components: &str, parameters: &str, request: Request<'static>) -> Request<'static> {
    signed_as("sig1", &format!("({components}){parameters}"), request)
}

const ALL: &str = r#""@method" "@target-uri" "content-digest""#;
const NO_BODY: &str = r#""@method" "@target-uri""#;

fn get() -> Request<'static> {
    Request { body: None, body_len: None, ..post() }
}

fn verify(verifier: &Verifier, request: &Request<'_>, now: i64) -> Verified {
    verifier.verify(&State::new(verifier, 7), request, now)
}

fn verdict(more: Value, request: &Request<'_>) -> Result<(), Code> {
    code(&verify(&verifier(&[config(more)]), request, NOW))
}

fn code(verified: &Verified) -> Result<(), Code> {
    match verified.findings.first() {
        None => Ok(()),
        Some(finding) => {
            assert!(verified.identity.is_none() && verified.workload.is_none() && verified.findings.len() == 1);
            Err(finding.code)
        }
    }
}

#[test]
fn a_sound_signature_is_the_caller_or_the_workload() {
    let request = signed(ALL, SOUND, digested(post()));
    let more = json!({"roles": ["partner"], "scopes": ["orders:write"]});
    let verified = verify(&verifier(&[config(more)]), &request, NOW);
    let identity = verified.identity.unwrap();
    assert_eq!((&*identity.principal, identity.credential_id.as_deref()), ("partner", Some("k")));
    assert_eq!(
        (identity.kind.as_str(), &*identity.roles[0], &*identity.scopes[0]),
        ("http_signature", "partner", "orders:write")
    );
    assert!(verified.workload.is_none() && verified.findings.is_empty());

    let verified = verify(&verifier(&[config(json!({"as": "workload"}))]), &request, NOW);
    assert!(verified.identity.is_none());
    assert_eq!(&*verified.workload.unwrap().principal, "partner");

    let nothing = verify(&verifier(&[config(json!({}))]), &post(), NOW);
    assert_eq!(nothing, Verified::default());
}

#[test]
fn beside_another_credential_it_speaks_for_the_workload_only() {
    let key = json!({"id": "user-1", "sha256": Sha256::digest("secret").iter().map(|b| format!("{b:02x}")).collect::<String>()});
    let verifier = |speaks: &str| {
        let signature = config(json!({"as": speaks}));
        let config: Config = serde_json::from_value(json!({"api_key": [key], "signature": [signature]})).unwrap();
        Verifier::compile(&config).unwrap()
    };
    let request = signed(NO_BODY, SOUND, with(get(), "x-api-key", "secret"));
    assert_eq!(code(&verify(&verifier("identity"), &request, NOW)), Err(Code::VerifyManyCredentials));
    let both = verify(&verifier("workload"), &request, NOW);
    assert_eq!((&*both.identity.unwrap().principal, &*both.workload.unwrap().principal), ("user-1", "partner"));
    // A wrong one of either refuses both.
    let mut wrong = request.clone();
    wrong.method = Text::from("PUT");
    assert_eq!(code(&verify(&verifier("workload"), &wrong, NOW)), Err(Code::VerifyBadSignature));
    let mut wrong = request;
    wrong.headers[0].1 = Text::from("other");
    assert_eq!(code(&verify(&verifier("workload"), &wrong, NOW)), Err(Code::VerifyUnknownApiKey));
}

#[test]
fn what_must_be_covered() {
    let incomplete = Err(Code::VerifySignatureIncomplete);
    for components in ["", r#""@method""#, r#""@target-uri""#, r#""@method" "@authority" "@path" "@query""#] {
        assert_eq!(verdict(json!({}), &signed(components, SOUND, get())), incomplete, "{components}");
    }
    // A body asks for its digest, however it shows.
    assert_eq!(verdict(json!({}), &signed(NO_BODY, SOUND, digested(post()))), incomplete);
    assert_eq!(verdict(json!({}), &signed(NO_BODY, SOUND, with(get(), "Content-Length", "9"))), incomplete);
    assert_eq!(verdict(json!({}), &signed(NO_BODY, SOUND, with(get(), "Transfer-Encoding", "chunked"))), incomplete);
    assert_eq!(verdict(json!({}), &signed(NO_BODY, SOUND, Request { body_len: Some(1), ..get() })), incomplete);
    let member = format!(r#"{NO_BODY} "content-digest";key="sha-256""#);
    assert_eq!(verdict(json!({}), &signed(&member, SOUND, digested(post()))), incomplete);
    assert_eq!(verdict(json!({"covered": ["@method"]}), &signed(NO_BODY, SOUND, post())), incomplete);
    assert_eq!(verdict(json!({"body": "uncovered"}), &signed(NO_BODY, SOUND, post())), Ok(()));
    assert_eq!(verdict(json!({}), &signed(NO_BODY, SOUND, with(get(), "Content-Length", "0"))), Ok(()));
    // A whole field counts in any form.
    for form in ["sf", "bs"] {
        let components = format!(r#"{NO_BODY} "content-digest";{form}"#);
        assert_eq!(verdict(json!({}), &signed(&components, SOUND, digested(post()))), Ok(()), "{form}");
    }
    let asks = |component: &str| json!({"covered": ["@method", component]});
    assert_eq!(verdict(asks("content-digest"), &signed(NO_BODY, SOUND, get())), incomplete);
    assert_eq!(verdict(asks("@authority"), &signed(NO_BODY, SOUND, get())), incomplete);
    let limit = r#""@query-param";name="limit""#;
    assert_eq!(verdict(asks(limit), &signed(NO_BODY, SOUND, get())), incomplete);
    assert_eq!(verdict(asks(limit), &signed(&format!(r#""@method" {limit}"#), SOUND, get())), Ok(()));
}

#[test]
fn parameters_that_are_asked_for() {
    let of = |more: Value, parameters: &str| verdict(more, &signed(NO_BODY, parameters, get()));
    let (incomplete, malformed) = (Err(Code::VerifySignatureIncomplete), Err(Code::VerifySignatureMalformed));
    assert_eq!(of(json!({}), r#";keyid="k""#), incomplete);
    assert_eq!(of(json!({"tag": "app"}), SOUND), incomplete);
    assert_eq!(of(json!({"tag": "app"}), &format!(r#"{SOUND};tag="apps""#)), malformed);
    assert_eq!(of(json!({"tag": "app"}), &format!(r#"{SOUND};tag="app""#)), Ok(()));
    assert_eq!(of(json!({}), &format!(r#"{SOUND};tag="any""#)), Ok(()));
    assert_eq!(of(json!({"nonce": "required"}), SOUND), incomplete);
    assert_eq!(of(json!({"nonce": "required"}), &format!(r#"{SOUND};nonce="n""#)), Ok(()));
    assert_eq!(of(json!({}), &format!(r#"{SOUND};alg="ed25519""#)), Ok(()));
    for alg in ["hmac-sha256", "rsa-v1_5-sha256", "Ed25519", "none", "EdDSA"] {
        assert_eq!(of(json!({}), &format!(r#"{SOUND};alg="{alg}""#)), Err(Code::VerifyAlgorithmRefused), "{alg}");
    }
    for parameters in [
        r#";created="1800000000";keyid="k""#,
        r#";created=1800000000.0;keyid="k""#,
        r#";created=@1800000000;keyid="k""#,
        r#";created=-1;keyid="k""#,
        r#";created;keyid="k""#,
        r#";created=1800000000;keyid="k";expires=1799999999"#,
        r#";created=1800000000;keyid="k";expires=soon"#,
        r#";created=1800000000;keyid="k";nonce=n"#,
        r#";created=1800000000;keyid="k";nonce="""#,
        r#";created=1800000000;keyid="k";tag=1"#,
        r#";created=1800000000;keyid="k";alg=ed25519"#,
        r#";created=1800000000;keyid="k";audience="api""#,
        r#";created=1800000000;keyid="k";created=1800000000"#,
        r#";created=1800000000;keyid="other";keyid="k""#,
    ] {
        assert_eq!(of(json!({}), parameters), malformed, "{parameters}");
    }
}

#[test]
fn time() {
    let verifier = verifier(&[config(json!({"max_age": "5m"}))]);
    let at = |parameters: &str, now: i64| code(&verify(&verifier, &signed(NO_BODY, parameters, get()), now));
    let stale = Err(Code::VerifySignatureStale);
    // Clock skew is 30 s.
    assert_eq!(at(SOUND, NOW - 30_001), stale);
    assert_eq!(at(SOUND, NOW - 30_000), Ok(()));
    assert_eq!(at(SOUND, NOW + 330_000), Ok(()));
    assert_eq!(at(SOUND, NOW + 330_001), stale);
    let expires = format!("{SOUND};expires=1800000060");
    assert_eq!(at(&expires, NOW + 90_000), Ok(()));
    assert_eq!(at(&expires, NOW + 90_001), stale);
    // It does not stretch the age.
    assert_eq!(at(&format!("{SOUND};expires=999999999999999"), NOW + 330_001), stale);
    assert_eq!(at(r#";created=999999999999999;keyid="k""#, NOW), stale);
    assert_eq!(at(r#";created=0;keyid="k""#, NOW), stale);
}

#[test]
fn components_that_are_refused() {
    for component in [
        r#""@status""#,
        r#""@signature-params""#,
        r#""@request-response""#,
        r#""@Method""#,
        r#""""#,
        r#""X-A""#,
        r#""x a""#,
        r#""@method";req"#,
        r#""@path";tr"#,
        r#""@path";name="a""#,
        r#""x-a";req"#,
        r#""x-a";tr"#,
        r#""x-a";foo"#,
        r#""x-a";sf=?0"#,
        r#""x-a";sf=1"#,
        r#""x-a";bs;sf"#,
        r#""x-a";bs;key="a""#,
        r#""x-a";key=a"#,
        r#""@query-param""#,
        r#""@query-param";name=limit"#,
        r#""@query-param";name="limit";req"#,
        // Twice in the request, and not there.
        r#""@query-param";name="tag""#,
        r#""@query-param";name="other""#,
        r#""x-b""#,
        // Neither known to be structured, nor a dictionary, nor a member of it.
        r#""x-a";sf"#,
        r#""date";key="a""#,
        r#""x-a";key="b""#,
        r#""@method" "@method""#,
        r#""x-a" "x-a""#,
        r#""x-a";key="a" "x-a";key="a";sf"#,
        "x-a",
        "1",
    ] {
        let request = with(with(get(), "X-A", "a=1"), "Date", "Tue, 20 Apr 2021 02:07:55 GMT");
        let found = verdict(json!({}), &signed(&format!("{NO_BODY} {component}"), SOUND, request));
        assert_eq!(found, Err(Code::VerifySignatureMalformed), "{component}");
    }
    let many: String = (0..31).map(|n| format!(r#" "@query-param";name="{n}""#)).collect();
    assert_eq!(
        verdict(json!({}), &signed(&format!("{NO_BODY}{many}"), SOUND, get())),
        Err(Code::VerifySignatureMalformed)
    );
}

#[test]
fn requests_that_cannot_be_signed_so() {
    let malformed = Err(Code::VerifySignatureMalformed);
    for request in [
        Request { scheme: None, ..get() },
        Request { host: None, ..get() },
        Request { host: None, ..with(with(get(), "Host", "a"), "Host", "b") },
        Request { path: Text::from("https://api.example.com/v1"), ..get() },
        Request { path: Text::from("*"), ..get() },
        Request { path: Text::from("/a b"), ..get() },
        Request { path: Text::from("/\u{e9}"), ..get() },
        Request { query: Some(Text::from("a\nb")), ..get() },
        Request { method: Text::from("GET\n\"@path\": /"), ..get() },
    ] {
        assert_eq!(verdict(json!({}), &signed(NO_BODY, SOUND, request)), malformed);
    }
    for query in ["a=%zz", "a=%f", "a=%ff", "%c3=1&a=2"] {
        let request = Request { query: Some(Text::from(query)), ..get() };
        let components = format!(r#"{NO_BODY} "@query-param";name="a""#);
        assert_eq!(verdict(json!({}), &signed(&components, SOUND, request)), malformed, "{query}");
    }
    for value in ["a\r\n b", "a\n\"@method\": GET", "a\rb", "a\0b", "\u{e9}"] {
        let request = with(get(), "x-a", value);
        assert_eq!(verdict(json!({}), &signed(&format!(r#"{NO_BODY} "x-a""#), SOUND, request.clone())), malformed);
        // As a byte sequence any bytes can be.
        assert_eq!(verdict(json!({}), &signed(&format!(r#"{NO_BODY} "x-a";bs"#), SOUND, request)), Ok(()));
    }
    let long = with(get(), "x-a", "a".repeat(65 << 10));
    assert_eq!(verdict(json!({}), &signed(&format!(r#"{NO_BODY} "x-a""#), SOUND, long)), malformed);
}

#[test]
fn repeated_lines_are_one_value() {
    let components = format!(r#"{NO_BODY} "x-a""#);
    let request = signed(&components, SOUND, with(with(get(), "X-A", " a"), "x-a", "b\t"));
    assert_eq!(verdict(json!({}), &request), Ok(()));
    // What another would combine to the same value passes; another order or a line less does not.
    let lines = |values: &[&'static str]| {
        let mut other = request.clone();
        other.headers.drain(..2);
        values.iter().fold(other, |request, value| with(request, "x-a", *value))
    };
    assert_eq!(verdict(json!({}), &lines(&["a, b"])), Ok(()));
    for values in [&["b", "a"][..], &["a"], &["a,b"], &["a", "b", ""]] {
        assert_eq!(verdict(json!({}), &lines(values)), Err(Code::VerifyBadSignature), "{values:?}");
    }
    // The lines as they are: then they are told apart.
    let wrapped = signed(&format!("{components};bs"), SOUND, with(with(get(), "X-A", "a"), "x-a", "b"));
    let mut joined = wrapped;
    joined.headers.drain(..2);
    assert_eq!(verdict(json!({}), &with(joined, "x-a", "a, b")), Err(Code::VerifyBadSignature));
}

#[test]
fn labels() {
    let malformed = Err(Code::VerifySignatureMalformed);
    let sound = signed(NO_BODY, SOUND, get());
    let without = |name: &str| {
        let mut request = sound.clone();
        request.headers.retain(|(header, _)| header.as_str() != Some(name));
        request
    };
    assert_eq!(verdict(json!({}), &without("Signature")), malformed);
    assert_eq!(verdict(json!({}), &without("Signature-Input")), malformed);
    assert_eq!(verdict(json!({}), &with(sound.clone(), "signature", "sig2=:AAAA:")), malformed);
    assert_eq!(verdict(json!({}), &with(sound.clone(), "signature-input", "sig2=()")), malformed);
    assert_eq!(verdict(json!({}), &with(without("Signature"), "signature", "sig2=:AAAA:")), malformed);
    // The same label twice, in lines that would be joined.
    assert_eq!(verdict(json!({}), &signed(NO_BODY, SOUND, sound.clone())), malformed);
    for signature in ["sig1=AAAA", "sig1=:AAAA:;a", "sig1=(:AAAA:)", "sig1", "sig1=:A:", ":AAAA:", "keyId=\"k\",", ""] {
        assert_eq!(verdict(json!({}), &with(without("Signature"), "signature", signature)), malformed, "{signature}");
    }
    // Another spelling of the same bytes.
    let canonical = sound.headers[1].1.as_str().unwrap().to_owned();
    for other in [canonical.replace("==:", "=:"), canonical.replace("==:", ":")] {
        assert_ne!(other, canonical);
        assert_eq!(verdict(json!({}), &with(without("Signature"), "signature", other)), malformed);
    }
    let four = (2..=4).fold(sound.clone(), |request, n| {
        with(with(request, "signature-input", format!("sig{n}=()")), "signature", format!("sig{n}=:AAAA:"))
    });
    assert_eq!(verdict(json!({}), &four), Ok(()));
    assert_eq!(
        verdict(json!({}), &with(with(four, "signature-input", "sig5=()"), "signature", "sig5=:AAAA:")),
        malformed
    );
    let long = with(get(), "signature-input", format!("a=(){}", " ".repeat(9 << 10)) + ", b=()");
    assert_eq!(verdict(json!({}), &with(long, "signature", "a=:AAAA:, b=:AAAA:")), malformed);
}

#[test]
fn which_signatures_count() {
    // Those of others are passed over; one of ours that is wrong is not.
    let theirs = r#";created=1800000000;keyid="other""#;
    let request = signed_as("theirs", &format!("({NO_BODY}){theirs}"), get());
    assert_eq!(verdict(json!({}), &request), Err(Code::VerifyUnknownKey));
    assert_eq!(verdict(json!({}), &signed(NO_BODY, ";created=1800000000", get())), Err(Code::VerifyUnknownKey));
    assert_eq!(verdict(json!({}), &signed_as("ours", &format!("({NO_BODY}){SOUND}"), request.clone())), Ok(()));
    let two = signed_as("a", &format!("({NO_BODY}){SOUND}"), signed_as("b", &format!("({NO_BODY}){SOUND}"), get()));
    assert_eq!(verdict(json!({}), &two), Ok(()));
    let mut one_wrong = two;
    let (_, value) = &mut one_wrong.headers[1];
    *value = Text::from(format!("b=:{}:", STANDARD.encode([1; 64])));
    assert_eq!(verdict(json!({}), &one_wrong), Err(Code::VerifyBadSignature));
    // Two keys: one caller and one workload, but not two callers.
    let second = |speaks: &str| config(json!({"id": "mesh", "keyid": "other", "as": speaks}));
    let both = signed_as("ours", &format!("({NO_BODY}){SOUND}"), request);
    let verified = verify(&verifier(&[config(json!({})), second("workload")]), &both, NOW);
    assert_eq!((&*verified.identity.unwrap().principal, &*verified.workload.unwrap().principal), ("partner", "mesh"));
    let verified = verify(&verifier(&[config(json!({})), second("identity")]), &both, NOW);
    assert_eq!(code(&verified), Err(Code::VerifyManyCredentials));
}

#[test]
fn the_body_is_what_was_signed() {
    let of = |digest: String, request: Request<'static>| {
        verdict(json!({}), &signed(ALL, SOUND, with(request, "content-digest", digest)))
    };
    let sha256 = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(BODY)));
    let sha512 = format!("sha-512=:{}:", STANDARD.encode(Sha512::digest(BODY)));
    let wrong = format!("sha-512=:{}:", STANDARD.encode(Sha512::digest("x")));
    let bad = Err(Code::VerifyBadDigest);
    assert_eq!(of(sha256.clone(), post()), Ok(()));
    assert_eq!(of(format!("{sha512}, {sha256}"), post()), Ok(()));
    assert_eq!(of(format!("md5=:AAAA:, {sha512}"), post()), Ok(()));
    assert_eq!(of(format!("{sha256}, {wrong}"), post()), bad);
    assert_eq!(of(format!("{wrong}, {sha256}"), post()), bad);
    assert_eq!(of("md5=:AAAA:".to_owned(), post()), bad);
    for form in ["", "sha-256", "sha-256=1", "sha-256=(:AAAA:)", "sha-256=::", "nonsense\"", "sha-256=:AAAA:"] {
        assert_eq!(of(form.to_owned(), post()), bad, "{form}");
    }
    assert_eq!(of(format!("{wrong}, {sha512}"), post()), bad);
    assert_eq!(of(sha256.to_uppercase(), post()), bad);
    assert_eq!(of(sha256.replace("=:", ":"), post()), bad);
    // Not whole.
    assert_eq!(of(sha256.clone(), Request { body_len: Some(10), ..post() }), bad);
    assert_eq!(of(sha256.clone(), Request { body_len: Some(8), ..post() }), bad);
    assert_eq!(of(sha256.clone(), Request { body: None, ..post() }), bad);
    assert_eq!(of(sha256, Request { body_len: None, ..post() }), Ok(()));
    let empty = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest("")));
    assert_eq!(of(empty.clone(), get()), Ok(()));
    assert_eq!(of(empty.clone(), Request { body_len: Some(0), ..get() }), Ok(()));
    assert_eq!(of(empty.clone(), with(get(), "content-length", "9")), bad);
    assert_eq!(of(empty, post()), bad);
    // One line more than was signed breaks the signature, not only the digest.
    let added = with(signed(ALL, SOUND, digested(post())), "content-digest", "sha-512=:AAAA:");
    assert_eq!(verdict(json!({}), &added), Err(Code::VerifyBadSignature));
    // Where only a member is signed, the body still has to be what every digest says.
    let member = signed(&format!(r#"{NO_BODY} "content-digest";key="sha-256""#), SOUND, digested(post()));
    assert_eq!(verdict(json!({"body": "uncovered"}), &member), Ok(()));
    assert_eq!(verdict(json!({"body": "uncovered"}), &with(member, "content-digest", wrong)), bad);
}

#[test]
fn nonces_are_used_once_everything_else_holds() {
    let signatures = |more: Value| {
        let config: SignatureConfig = serde_json::from_value(config(more)).unwrap();
        super::Signatures::compile(&[config], 30_000, &mut Vec::new())
    };
    let asked = |more: Value, parameters: &str, body: &'static str| {
        let mut request = signed(ALL, parameters, digested(post()));
        request.body = Some(Body::new(body.as_bytes()));
        let mut asked = Vec::new();
        let first_time = |parts: &[&[u8]], until: i64| {
            asked.push((parts.join(&b'|'), until));
            Ok(())
        };
        let _ = signatures(more).verify(&request, first_time, NOW);
        asked
    };
    let with_nonce = format!(r#"{SOUND};nonce="n""#);
    let parts = b"signature|k|n".to_vec();
    assert_eq!(asked(json!({}), SOUND, BODY), []);
    assert_eq!(asked(json!({}), &with_nonce, BODY), [(parts.clone(), NOW + 330_000)]);
    assert_eq!(
        asked(json!({"nonce": "required"}), &format!("{with_nonce};expires=1800000010"), BODY),
        [(parts, NOW + 40_000)]
    );
    assert_eq!(asked(json!({}), &with_nonce, r#"{"qty":3}"#), []);
    assert_eq!(asked(json!({"tag": "a"}), &with_nonce, BODY), []);
    let request = signed(ALL, &with_nonce, digested(post()));
    let again = signatures(json!({})).verify(&request, |_, _| Err((Code::VerifyProofReplayed, "used before")), NOW);
    assert_eq!(again.unwrap_err().0, Code::VerifyProofReplayed);
}

#[test]
fn mistakes_are_told_at_once() {
    let problems = |configs: &[Value]| -> Vec<String> {
        let config: Config = serde_json::from_value(json!({"signature": configs})).unwrap();
        let problems = Verifier::compile(&config).unwrap_err();
        assert!(problems.iter().all(|problem| problem.mend.is_some()));
        problems.into_iter().map(|problem| problem.key.replace("verify.signature", "")).collect()
    };
    let more = json!({"id": "", "keyid": "", "max_age": "25h", "covered": [], "tag": "\n", "jwk": "{}"});
    assert_eq!(problems(&[config(more)]), ["[0].id", "[0].keyid", "[0].tag", "[0].max_age", "[0].covered", "[0].jwk"]);
    for covered in
        ["@status", "X-A", "a\" \"b", "\"a\" \"b\"", "a\");b=(", "\"a\";req", "@query-param", "\"a\");created=(", ""]
    {
        assert_eq!(problems(&[config(json!({"covered": [covered]}))]), ["[0].covered"], "{covered}");
    }
    assert_eq!(problems(&[config(json!({})), config(json!({"id": "b"}))]), ["[1].keyid"]);
    assert_eq!(problems(&[config(json!({"algorithm": "ecdsa-p256-sha256"}))]), ["[0].jwk"]);
    let sound = config(json!({}))["jwk"].as_str().unwrap().to_owned();
    for jwk in
        [format!("{sound},{}", sound.replace("kty", "ktx")), format!("{sound},{sound}"), String::new(), "[]".into()]
    {
        assert_eq!(problems(&[config(json!({"jwk": jwk}))]), ["[0].jwk"], "{jwk}");
    }
    let private = sound.replace('}', r#","d":"AAAA"}"#);
    assert_eq!(problems(&[config(json!({"jwk": private}))]), ["[0].jwk"]);
    let short = r#"{"kty":"oct","k":"c2hvcnQ"}"#;
    assert_eq!(problems(&[config(json!({"jwk": short, "algorithm": "hmac-sha256"}))]), ["[0].jwk"]);
    let mut without = config(json!({}));
    without.as_object_mut().unwrap().remove("jwk");
    assert_eq!(problems(&[without]), ["[0].jwk"]);
    for wrong in [json!({"algorithm": "EdDSA"}), json!({"as": "both"}), json!({"nonce": "maybe"}), json!({"alg": "x"})]
    {
        assert!(serde_json::from_value::<SignatureConfig>(config(wrong)).is_err());
    }
    let secret = json!({"jwk": r#"{"kty":"oct","k":"SECRET"}"#});
    assert!(!format!("{:?}", serde_json::from_value::<SignatureConfig>(config(secret)).unwrap()).contains("SECRET"));
}

static SOUND_REQUEST: LazyLock<(Verifier, Request<'static>)> = LazyLock::new(|| {
    let components = format!(r#"{ALL} "@query-param";name="limit" "x-a";key="a" "x-b";bs "x-b""#);
    let request = with(with(with(digested(post()), "X-A", "a=1, b"), "X-B", "b"), "X-B", "c");
    (verifier(&[config(json!({}))]), signed(&components, &format!(r#"{SOUND};nonce="n";tag="t""#), request))
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// One byte of anything that is signed, or of the signature, is another.
    #[test]
    fn a_changed_request_is_never_accepted(place in 0_usize..12, at: prop::sample::Index, byte: u8) {
        let (verifier, sound) = &*SOUND_REQUEST;
        prop_assert_eq!(code(&verify(verifier, sound, NOW)), Ok(()));
        let mut changed = sound.clone();
        let target = match place {
            0 => &mut changed.method,
            1 => changed.scheme.as_mut().unwrap(),
            2 => changed.host.as_mut().unwrap(),
            3 => &mut changed.path,
            4 => changed.query.as_mut().unwrap(),
            5 => {
                let mut body = BODY.as_bytes().to_vec();
                *at.get_mut(&mut body) = byte;
                let same = body == BODY.as_bytes();
                changed.body = Some(Body::from(body));
                prop_assert_eq!(code(&verify(verifier, &changed, NOW)).is_ok(), same);
                return Ok(());
            }
            6 | 7 => &mut changed.headers[5].1,
            8 | 9 => &mut changed.headers[4].1,
            _ => &mut changed.headers[at.index(4)].1,
        };
        let mut bytes = target.bytes().to_vec();
        let before = bytes.clone();
        *at.get_mut(&mut bytes) = byte;
        *target = Text::from(bytes.clone());
        // Not signed: the case of the scheme, white space around a line, what `x-a` holds beside the member `a`.
        let free = bytes.trim_ascii() == before.trim_ascii()
            || before.starts_with(b"a=1")
            || place == 1 && bytes.eq_ignore_ascii_case(&before);
        // In `Signature-Input` other white space between members, and a label renamed in one field only.
        let input = before.starts_with(b"sig1=(");
        let accepted = code(&verify(verifier, &changed, NOW)).is_ok();
        if !free && !(input && bytes.is_ascii() && without_spaces(&bytes) == without_spaces(&before)) {
            prop_assert!(!accepted, "{changed:?}");
        }
    }

    #[test]
    fn any_fields_never_panic(input in "[ -~\\t]{0,80}", signature in "[ -~\\t]{0,80}", digest in "[ -~]{0,40}") {
        let (verifier, _) = &*SOUND_REQUEST;
        let request = with(with(with(post(), "signature-input", input), "signature", signature), "content-digest", digest);
        let verified = verify(verifier, &request, NOW);
        prop_assert!(verified.identity.is_none() && verified.findings.len() == 1);
    }

    #[test]
    fn any_input_never_panics(
        components in prop::collection::vec(r#""(@?[a-z-]{1,12})"(;(sf|bs|req|tr|key="a"|name="[a-z%]{0,3}"|x=[0-9?:@."]{0,4})){0,2}"#, 0..6),
        parameters in r#"(;(created|expires|nonce|alg|tag|keyid)(=("k"|-?[0-9]{1,16}|\?1|:AA==:|a))?){0,5}"#,
        query in "[a-z%+&=\u{e9}]{0,20}",
        value in "[ -~\\n\u{e9}]{0,20}",
    ) {
        let (verifier, _) = &*SOUND_REQUEST;
        let request = Request { query: Some(Text::from(query)), ..with(post(), "x-a", value) };
        let request = signed(&components.join(" "), &parameters, request);
        let _ = verify(verifier, &request, NOW);
    }
}

fn without_spaces(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != b' ').collect()
}
