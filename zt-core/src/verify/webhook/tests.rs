use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{Body, Text};

const AT: i64 = 1_800_000_000;
const NOW: Millis = AT * 1_000;
const SECRET: &str = "a test secret of some length";

fn compile(configs: Value) -> Webhooks {
    let mut problems = Vec::new();
    let configs: Vec<WebhookConfig> = serde_json::from_value(configs).unwrap();
    let webhooks = Webhooks::compile(&configs, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    webhooks
}

fn one(format: &str) -> Webhooks {
    compile(json!([{"id": "sender", "format": format, "secrets": [SECRET], "roles": ["hook"]}]))
}

fn request<'r>(headers: &[(&'r str, &'r str)], body: &'r [u8]) -> Request<'r> {
    Request {
        headers: headers.iter().map(|(name, value)| (Text::from(*name), Text::from(*value))).collect(),
        body: Some(Body::new(body)),
        body_len: Some(body.len() as u64),
        ..Request::default()
    }
}

fn sender(webhooks: &Webhooks, headers: &[(&str, &str)], body: &[u8]) -> Result<Option<String>, Code> {
    let found = webhooks.sender(&request(headers, body), NOW, |_, _| Ok(()));
    found.map(|found| found.map(|identity| identity.principal.to_string())).map_err(|(code, _)| code)
}

fn mac_of(secret: &[u8], parts: &[&str]) -> Digest {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    MacKey::new(secret).unwrap().mac(&parts)
}

fn hex_of(parts: &[&str]) -> String {
    mac::to_hex(&mac_of(SECRET.as_bytes(), parts))
}

fn v1(parts: &[&str]) -> String {
    format!("v1,{}", STANDARD.encode(mac_of(SECRET.as_bytes(), parts)))
}

use super::mac::Digest;

/// The published example of the specification (github.com/standard-webhooks/standard-webhooks).
#[test]
fn the_standard_s_own_example() {
    let webhooks =
        compile(json!([{"id": "s", "format": "standard", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}]));
    let headers = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];
    let body = br#"{"test": 2432232314}"#;
    let found = webhooks.sender(&request(&headers, body), 1_614_265_330_000, |_, _| Ok(()));
    assert_eq!(found.unwrap().unwrap().principal.as_ref(), "s");
}

/// The published example of GitHub's documentation, "Validating webhook deliveries".
#[test]
fn github_s_own_example() {
    let webhooks = compile(json!([{"id": "g", "format": "github", "secrets": ["It's a Secret to Everybody"]}]));
    let header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(sender(&webhooks, &[("X-Hub-Signature-256", header)], b"Hello, World!"), Ok(Some("g".to_owned())));
}

#[test]
fn each_format_verifies_and_says_who() {
    let id = [("webhook-id", "msg_1"), ("webhook-timestamp", "1800000000")];
    let standard = v1(&["msg_1.1800000000.", "{}"]);
    let with = |value| [id[0], id[1], ("Webhook-Signature", value)];
    assert_eq!(sender(&one("standard"), &with(&standard), b"{}"), Ok(Some("sender".to_owned())));
    let stripe = format!("t=1800000000,v1={}", hex_of(&["1800000000.", "{}"]));
    let webhooks = one("stripe");
    let found =
        webhooks.sender(&request(&[("Stripe-Signature", &stripe)], b"{}"), NOW, |_, _| Ok(())).unwrap().unwrap();
    assert_eq!((found.kind, &*found.principal, &*found.roles[0]), (IdentityKind::Webhook, "sender", "hook"));
    // Without the header it is no webhook.
    assert_eq!(sender(&webhooks, &[("host", "a")], b"{}"), Ok(None));
    assert_eq!(sender(&webhooks, &[("Stripe-Signature", &stripe)], b"{ }"), Err(Code::VerifyBadSignature));
}

#[test]
fn any_of_several_signatures_and_a_bounded_number_of_them() {
    let good = hex_of(&["1800000000.", "{}"]);
    let bad = "0".repeat(64);
    let header = |count: usize| format!("t=1800000000,{}v1={good}", format!("v1={bad},").repeat(count));
    assert_eq!(sender(&one("stripe"), &[("stripe-signature", &header(7))], b"{}"), Ok(Some("sender".to_owned())));
    for count in [8, 9, 20] {
        let found = sender(&one("stripe"), &[("stripe-signature", &header(count))], b"{}");
        assert_eq!(found, Err(Code::VerifySignatureMalformed), "{count}");
    }
    let good = v1(&["m.1800000000.", "{}"]);
    let bad = format!("v1,{}", STANDARD.encode([0; 32]));
    for (count, expected) in [(7, Ok(Some("sender".to_owned()))), (8, Err(Code::VerifySignatureMalformed))] {
        let value = format!("{}{good}", format!("{bad} ").repeat(count));
        let headers = [("webhook-id", "m"), ("webhook-timestamp", "1800000000"), ("webhook-signature", &*value)];
        assert_eq!(sender(&one("standard"), &headers, b"{}"), expected);
    }
    // Another version is not ours to judge.
    let value = format!("v1a,AAAA {good} v2,x");
    let headers = [("webhook-id", "m"), ("webhook-timestamp", "1800000000"), ("webhook-signature", &*value)];
    assert_eq!(sender(&one("standard"), &headers, b"{}"), Ok(Some("sender".to_owned())));
    let headers = [("webhook-id", "m"), ("webhook-timestamp", "1800000000"), ("webhook-signature", "v1a,AAAA")];
    assert_eq!(sender(&one("standard"), &headers, b"{}"), Err(Code::VerifySignatureMalformed));
}

#[test]
fn malformed_headers() {
    let malformed = Err(Code::VerifySignatureMalformed);
    let good = hex_of(&["1800000000.", "{}"]);
    for value in [
        String::new(),
        format!("v1={good}"),
        "t=1800000000".to_owned(),
        format!("t=1800000000,t=1800000000,v1={good}"),
        format!("t=01800000000,v1={good}"),
        format!("t=+1800000000,v1={good}"),
        format!("t=1800000000.0,v1={good}"),
        format!("t=9999999999999,v1={good}"),
        format!("t=1800000000,v1={}", good.to_uppercase()),
        format!("t=1800000000,v1={}", &good[..62]),
        format!("t=1800000000,v1={good},v1="),
    ] {
        assert_eq!(sender(&one("stripe"), &[("stripe-signature", &value)], b"{}"), malformed, "{value}");
    }
    let good = v1(&["m.1800000000.", "{}"]);
    for (id, at, value) in [
        ("", "1800000000", good.as_str()),
        ("a.1", "1800000000", good.as_str()),
        ("m\u{e9}", "1800000000", good.as_str()),
        ("m", "1800000000 ", good.as_str()),
        ("m", "1800000000", good.trim_end_matches('=')),
        ("m", "1800000000", &good.replace("v1,", "v1=")),
    ] {
        let headers = [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", value)];
        assert_eq!(sender(&one("standard"), &headers, b"{}"), malformed, "{id} {at} {value}");
    }
    assert_eq!(sender(&one("standard"), &[("webhook-signature", &good), ("webhook-id", "m")], b"{}"), malformed);
    let twice =
        [("webhook-id", "m"), ("webhook-id", "m"), ("webhook-timestamp", "1800000000"), ("webhook-signature", &*good)];
    assert_eq!(sender(&one("standard"), &twice, b"{}"), malformed);
    let good = format!("sha256={}", hex_of(&["{}"]));
    assert_eq!(sender(&one("github"), &[("x-hub-signature-256", &good.to_uppercase())], b"{}"), malformed);
    let twice = [("x-hub-signature-256", &*good), ("X-Hub-Signature-256", &*good)];
    assert_eq!(sender(&one("github"), &twice, b"{}"), malformed);
}

/// `a` at 1 with the body `2.b` is signed like `a.1` at 2 with the body `b`.
#[test]
fn nothing_moves_from_the_body_into_the_id() {
    let value = v1(&["a.1800000000.", "1800000001.{}"]);
    let headers = |id, at| [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", &*value)];
    assert_eq!(sender(&one("standard"), &headers("a", "1800000000"), b"1800000001.{}"), Ok(Some("sender".to_owned())));
    assert!(sender(&one("standard"), &headers("a.1800000000", "1800000001"), b"{}").is_err());
}

#[test]
fn stale_cut_and_seen() {
    let value = format!("t=1800000000,v1={}", hex_of(&["1800000000.", "{}"]));
    let (webhooks, request) = (one("stripe"), request(&[("stripe-signature", &value)], b"{}"));
    for (offset, expected) in [(300_000, true), (-300_000, true), (300_001, false), (-300_001, false)] {
        let found = webhooks.sender(&request, NOW + offset, |_, _| Ok(()));
        assert_eq!(
            found.map(|_| true).or_else(|(code, _)| (code == Code::VerifySignatureStale).then_some(false).ok_or(code)),
            Ok(expected)
        );
    }
    let cut = Request { body_len: Some(3), ..request.clone() };
    assert_eq!(webhooks.sender(&cut, NOW, |_, _| Ok(())).unwrap_err().0, Code::VerifyBadDigest);
    // The store is asked once, with what is signed, and until the message is stale anyway.
    let seen = (Code::VerifyProofReplayed, "seen");
    let found = webhooks.sender(&request, NOW, |parts, until| {
        assert_eq!(until, NOW + 300_000);
        assert_eq!(parts[..3], [&b"webhook"[..], b"sender", b"1800000000"]);
        Err(seen)
    });
    assert_eq!(found.unwrap_err(), seen);
    let forged = value.replace("v1=", "v1=00");
    let forged = Request { headers: vec![(Text::from("stripe-signature"), Text::from(forged))], ..request };
    assert!(webhooks.sender(&forged, NOW, |_, _| panic!("asked for a forged one")).is_err());
}

#[test]
fn rotation_and_shared_headers() {
    let webhooks = compile(json!([
        {"id": "one", "format": "github", "header": "X-Signature", "secrets": ["an old secret of some length", "a new secret of some length"]},
        {"id": "two", "format": "github", "header": "x-signature", "secrets": [SECRET]},
        {"id": "three", "format": "stripe", "secrets": [SECRET]},
    ]));
    for (secret, id) in
        [("an old secret of some length", "one"), ("a new secret of some length", "one"), (SECRET, "two")]
    {
        let value = format!("sha256={}", mac::to_hex(&mac_of(secret.as_bytes(), &["{}"])));
        assert_eq!(sender(&webhooks, &[("X-SIGNATURE", &value)], b"{}"), Ok(Some(id.to_owned())));
    }
    let value = format!("sha256={}", mac::to_hex(&mac_of(b"a third secret of some length", &["{}"])));
    assert_eq!(sender(&webhooks, &[("x-signature", &value)], b"{}"), Err(Code::VerifyBadSignature));
    let both = [("x-signature", &*value), ("stripe-signature", "t=1,v1=0")];
    assert_eq!(sender(&webhooks, &both, b"{}"), Err(Code::VerifyManyCredentials));
    let svix = compile(json!([{"id": "s", "format": "standard", "header": "Svix-Signature", "secrets": [SECRET]}]));
    let value = v1(&["m.1800000000.", "{}"]);
    let headers = [("SVIX-ID", "m"), ("svix-timestamp", "1800000000"), ("svix-signature", &*value)];
    assert_eq!(sender(&svix, &headers, b"{}"), Ok(Some("s".to_owned())));
}

#[test]
fn mistakes_are_told_at_once() {
    let configs: Vec<WebhookConfig> = serde_json::from_value(json!([
        {"id": "", "format": "stripe", "tolerance": "2h"},
        {"id": "a", "format": "standard", "header": "x-sign", "secrets": ["", "fifteen bytes..", "whsec_!!", "whsec_AAAA"]},
        {"id": "b", "format": "github", "header": "authorization", "secrets": ["sixteen bytes...", "x"], "secret_files": ["f"]},
        {"id": "c", "format": "stripe", "header": "x-sign", "secrets": ["sixteen bytes..."]},
    ]))
    .unwrap();
    let mut problems = Vec::new();
    Webhooks::compile(&configs, &mut problems);
    let keys: Vec<&str> = problems.iter().map(|problem| &*problem.key).collect();
    let expected = [
        "[0].id",
        "[0].tolerance",
        "[0].secrets",
        "[1].header",
        "[1].secrets[0]",
        "[1].secrets[1]",
        "[1].secrets[2]",
        "[1].secrets[3]",
        "[2].header",
        "[2].secret_files[0]",
        "[3].header",
    ];
    assert_eq!(keys, expected.map(|key| format!("verify.webhook{key}")));
    assert!(!format!("{configs:?}").contains("sixteen"));
}

proptest! {
    #[test]
    fn a_changed_message_is_never_accepted(
        id in "[a-zA-Z0-9_-]{1,20}", body: Vec<u8>, what in 0_usize..4, flip in 1_u8..=255
    ) {
        let webhooks = one("standard");
        let key = MacKey::new(SECRET.as_bytes()).unwrap();
        let mut digest = key.mac(&[id.as_bytes(), b".1800000000.", &body]);
        let verify = |id: &str, at: &str, digest: &Digest, body: &[u8]| {
            let value = format!("v1,{}", STANDARD.encode(digest));
            sender(&webhooks, &[("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", &value)], body)
        };
        prop_assert_eq!(verify(&id, "1800000000", &digest, &body), Ok(Some("sender".to_owned())));
        let refused = match what {
            0 => verify(&format!("{id}x"), "1800000000", &digest, &body),
            1 => verify(&id, "1800000001", &digest, &body),
            2 => {
                digest[usize::from(flip % 32)] ^= flip;
                verify(&id, "1800000000", &digest, &body)
            }
            _ => {
                let mut body = body.clone();
                body.push(flip);
                verify(&id, "1800000000", &digest, &body)
            }
        };
        prop_assert_eq!(refused, Err(Code::VerifyBadSignature));
    }

    #[test]
    fn any_bytes_are_answered(value: Vec<u8>, id: Vec<u8>, at: Vec<u8>) {
        for format in [WebhookFormat::Standard, WebhookFormat::Stripe, WebhookFormat::Github] {
            let headers = [("webhook-id", &id), ("webhook-timestamp", &at), (format.header(), &value)];
            let headers = headers.iter().map(|(name, value)| (Text::from(*name), Text::from(value.as_slice()))).collect();
            let request = Request { headers, ..Request::default() };
            let webhooks = one(serde_json::to_value(format).unwrap().as_str().unwrap());
            prop_assert!(webhooks.sender(&request, NOW, |_, _| Ok(())).is_err());
        }
    }
}
