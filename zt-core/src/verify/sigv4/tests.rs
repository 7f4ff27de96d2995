#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test may read files")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::canonical::Canonical;
use super::check::UNSIGNED;
use super::*;
use crate::model::{Body, IdentityKind, Text};
use crate::verify::body;
use crate::verify::mac::{self, MacKey};

const NOW: Millis = 1_440_938_160_000;
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TIME: &str = "20150830T123600Z";
const SCOPE: &str = "20150830/us-east-1/service/aws4_request";

fn compile(change: Value) -> Sigv4 {
    let mut config = json!({"id": "billing", "access_key_id": "AKIDEXAMPLE", "secret": SECRET, "region": "us-east-1",
        "service": "service", "roles": ["writer"]});
    for (key, value) in change.as_object().unwrap() {
        config[key] = value.clone();
    }
    let mut problems = Vec::new();
    let sigv4 = Sigv4::compile(&[serde_json::from_value(config).unwrap()], &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    sigv4
}

fn signer(sigv4: &Sigv4, request: &Request<'_>, now: Millis) -> Result<Arc<Identity>, Refusal> {
    let header = request.header("authorization").next();
    assert!(header.is_some() || is_presigned(request));
    sigv4.signer(header, request, now)
}

/// HTTP/1.1 as the suite writes it; a line that begins with a space goes on with the value before.
fn http(text: &str) -> Request<'static> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let (method, target) = line.strip_suffix(" HTTP/1.1").unwrap().split_once(' ').unwrap();
    let (path, query) = Request::split_target(target.as_bytes());
    let mut request = Request {
        method: Text::from(method.to_owned()),
        path: path.into_owned(),
        query: query.map(Text::into_owned),
        body: (!body.is_empty()).then(|| Body::from(body.as_bytes().to_vec())),
        ..Request::default()
    };
    for line in headers.lines().filter(|line| !line.is_empty()) {
        match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((name, value)) => {
                request.headers.push((Text::from(name.to_owned()), Text::from(value.to_owned())));
            }
            None => {
                let (name, value) = request.headers.pop().unwrap();
                request.headers.push((name, Text::from([value.bytes(), b"\n", line.as_bytes()].concat())));
            }
        }
    }
    request
}

#[test]
fn every_case_of_the_aws_suite_verifies_in_both_forms() {
    let data = std::env::var("ZT_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned());
    let Ok(text) = std::fs::read_to_string(format!("{data}/verify/aws_sigv4_suite.json")) else {
        eprintln!("no AWS Signature Version 4 suite: nothing tested");
        return;
    };
    let suite: Value = serde_json::from_str(&text).unwrap();
    let cases = suite["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 26);
    for case in cases {
        let (name, context) = (case["name"].as_str().unwrap(), &case["context"]);
        let mut change = json!({"normalize_path": context["normalize"]});
        if let Some(token) = context["credentials"]["token"].as_str() {
            change["session_token"] = token.into();
        }
        if context["omit_session_token"] == true {
            change["session_token_unsigned"] = true.into();
        }
        let sigv4 = compile(change);
        for form in ["header", "query"] {
            let request = http(case[format!("{form}-signed-request")].as_str().unwrap());
            let authorization = request.header("authorization").next();
            let query = Query::read(&request).unwrap();
            let signed = match authorization {
                Some(header) => Authorization::of_header(header, &request).unwrap(),
                None => Authorization::of_query(&query).unwrap(),
            };
            let payload = mac::to_hex(&mac::sha256(body::whole(&request).unwrap()));
            let canonical = Canonical {
                request: &request,
                query: &query,
                without: if context["omit_session_token"] == true {
                    &["X-Amz-Signature", "X-Amz-Security-Token"]
                } else {
                    &["X-Amz-Signature"]
                },
                normalize_path: context["normalize"] == true,
                signed_headers: signed.signed_headers,
                payload: &payload,
            };
            let text = String::from_utf8(canonical.text().unwrap()).unwrap();
            assert_eq!(case[format!("{form}-canonical-request")], text, "{name}, {form}");
            assert_eq!(
                case[format!("{form}-string-to-sign")],
                canonical.to_sign(signed.time, signed.scope).unwrap(),
                "{name}, {form}"
            );
            let found = signer(&sigv4, &request, NOW);
            assert_eq!(found.as_ref().map(|identity| &*identity.principal), Ok("billing"), "{name}, {form}");
        }
    }
}

/// A request, its header form signed here for whatever is asked.
struct Draft {
    request: Request<'static>,
    time: &'static str,
    scope: &'static str,
    signed_headers: &'static str,
    payload: String,
    secret: &'static str,
}

impl Draft {
    fn new() -> Self {
        let text = "POST /orders/7?b=2&a=1 HTTP/1.1\nHost:api.example.com\nContent-Type:text/plain\n\nhello";
        Self {
            request: http(text),
            time: TIME,
            scope: SCOPE,
            signed_headers: "content-type;host;x-amz-date",
            payload: mac::to_hex(&mac::sha256(b"hello")),
            secret: SECRET,
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.request.headers.push((Text::from(name), Text::from(value.into())));
        self
    }

    fn signature(&self, without: &[&str]) -> String {
        let query = Query::read(&self.request).unwrap();
        let canonical = Canonical {
            request: &self.request,
            query: &query,
            without,
            normalize_path: true,
            signed_headers: self.signed_headers,
            payload: &self.payload,
        };
        // What cannot be signed at all is refused before its signature is looked at.
        let text = canonical.to_sign(self.time, self.scope).unwrap_or_default();
        let parts: Vec<&str> = self.scope.split('/').collect();
        let key = parts.iter().fold(format!("AWS4{}", self.secret).into_bytes(), |key, part| {
            MacKey::new(&key).unwrap().mac(&[part.as_bytes()]).to_vec()
        });
        mac::to_hex(&MacKey::new(&key).unwrap().mac(&[text.as_bytes()]))
    }

    fn signed(self) -> Request<'static> {
        let draft = if self.request.header("x-amz-date").next().is_some() {
            self
        } else {
            let time = self.time;
            self.with("X-Amz-Date", time)
        };
        let signature = draft.signature(&[]);
        let (scope, headers) = (draft.scope, draft.signed_headers);
        draft
            .with(
                "Authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={headers}, Signature={signature}"
                ),
            )
            .request
    }

    fn presigned(mut self, expires: &str, more: &str) -> Request<'static> {
        self.signed_headers = "host";
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE/{}&X-Amz-Date={}&X-Amz-Expires={expires}\
             &X-Amz-SignedHeaders=host{more}",
            self.scope, self.time
        );
        self.request.query = Some(Text::from(query.clone()));
        let signature = self.signature(&["X-Amz-Signature"]);
        self.request.query = Some(Text::from(format!("{query}&X-Amz-Signature={signature}")));
        self.request
    }
}

fn code(change: Value, request: &Request<'_>) -> Result<(), Code> {
    signer(&compile(change), request, NOW).map(drop).map_err(|(code, _)| code)
}

fn detail(request: &Request<'_>) -> &'static str {
    signer(&compile(json!({})), request, NOW).unwrap_err().1
}

#[test]
fn a_signed_request_says_who_signed_it() {
    let identity = signer(&compile(json!({})), &Draft::new().signed(), NOW).unwrap();
    assert_eq!((identity.kind, &*identity.principal), (IdentityKind::AwsSigv4, "billing"));
    assert_eq!(identity.credential_id.as_deref(), Some("AKIDEXAMPLE"));
    assert_eq!(&*identity.roles[0], "writer");
    assert_eq!(code(json!({}), &Draft::new().presigned("60", "")), Ok(()));
}

#[test]
fn time() {
    let sigv4 = compile(json!({}));
    let at = |request: &Request<'_>, now| signer(&sigv4, request, now).map(drop).map_err(|(code, _)| code);
    let stale = Err(Code::VerifySignatureStale);
    let request = Draft::new().signed();
    for (offset, expected) in [(-300_000, Ok(())), (300_000, Ok(())), (-300_001, stale), (300_001, stale)] {
        assert_eq!(at(&request, NOW + offset), expected, "{offset}");
    }
    let request = Draft::new().presigned("604800", "");
    for (offset, expected) in
        [(-300_000, Ok(())), (604_799_999, Ok(())), (-300_001, stale), (604_800_000, stale), (i64::MAX - NOW, stale)]
    {
        assert_eq!(at(&request, NOW + offset), expected, "{offset}");
    }
    for expires in ["604801", "0", "-1", "060", "%2B60", "", "99999999999999999999"] {
        let request = Draft::new().presigned(expires, "");
        assert_eq!(at(&request, NOW), Err(Code::VerifySignatureMalformed), "{expires}");
    }
}

#[test]
fn scope() {
    for (time, scope) in [
        ("20150829T235959Z", SCOPE),
        (TIME, "20150831/us-east-1/service/aws4_request"),
        (TIME, "20150830/eu-west-1/service/aws4_request"),
        (TIME, "20150830/us-east-1/s3/aws4_request"),
        (TIME, "20150830/us-east-1/service/aws5_request"),
        (TIME, "20150830/us-east-1/service/aws4_request/x"),
        (TIME, "20150830/us-east-1/service"),
    ] {
        let header = Draft { time, scope, ..Draft::new() };
        assert_eq!(code(json!({}), &header.signed()), Err(Code::VerifySignatureMalformed), "{scope}");
        let query = Draft { time, scope, ..Draft::new() };
        assert_eq!(code(json!({}), &query.presigned("60", "")), Err(Code::VerifySignatureMalformed), "{scope}");
    }
    let request = Draft::new().signed();
    assert_eq!(code(json!({"access_key_id": "AKIDOTHER"}), &request), Err(Code::VerifyUnknownKey));
    let other = Draft { secret: "another secret of this length", ..Draft::new() };
    assert_eq!(code(json!({}), &other.signed()), Err(Code::VerifyBadSignature));
}

#[test]
fn what_must_be_signed() {
    let incomplete = Err(Code::VerifySignatureIncomplete);
    for signed_headers in ["x-amz-date", "content-type;host"] {
        assert_eq!(code(json!({}), &Draft { signed_headers, ..Draft::new() }.signed()), incomplete, "{signed_headers}");
    }
    assert_eq!(
        code(json!({"required_headers": []}), &Draft { signed_headers: "x-amz-date", ..Draft::new() }.signed()),
        incomplete
    );
    assert_eq!(code(json!({"required_headers": ["Content-Type"]}), &Draft::new().signed()), Ok(()));
    assert_eq!(code(json!({"required_headers": ["digest"]}), &Draft::new().signed()), incomplete);
    for signed_headers in
        ["host;content-type;x-amz-date", "Host;x-amz-date", "host;host;x-amz-date", ";host;x-amz-date"]
    {
        let request = Draft { signed_headers, ..Draft::new() }.signed();
        assert_eq!(code(json!({}), &request), Err(Code::VerifySignatureMalformed), "{signed_headers}");
    }
    let mut request = Draft::new().signed();
    request.headers.retain(|(name, _)| name.bytes() != b"Content-Type");
    assert_eq!(detail(&request), "a signed header is missing");
}

#[test]
fn one_host_whoever_says_it() {
    let mut request = Draft::new().signed();
    request.host = Some(Text::from("API.example.com"));
    assert_eq!(code(json!({}), &request), Ok(()));
    request.host = Some(Text::from("other.example.com"));
    assert_eq!(detail(&request), "`Host` is not the request's authority");
    let mut draft = Draft::new();
    draft.request.headers.remove(0);
    draft.request.host = Some(Text::from("api.example.com"));
    let request = draft.signed();
    assert_eq!(code(json!({}), &request), Ok(()));
}

#[test]
fn the_payload() {
    let digest = || mac::to_hex(&mac::sha256(b"hello"));
    assert_eq!(code(json!({}), &Draft::new().with("x-amz-content-sha256", digest()).signed()), Ok(()));
    let mut changed = Draft::new().with("x-amz-content-sha256", digest()).signed();
    changed.body = Some(Body::new(b"hullo"));
    assert_eq!(code(json!({}), &changed), Err(Code::VerifyBadDigest));
    let mut cut = Draft::new().signed();
    cut.body_len = Some(6);
    assert_eq!(code(json!({}), &cut), Err(Code::VerifyBadDigest));

    let unsigned = || {
        let draft = Draft { payload: UNSIGNED.to_owned(), ..Draft::new() };
        draft.with("x-amz-content-sha256", UNSIGNED).signed()
    };
    assert_eq!(code(json!({}), &unsigned()), Err(Code::VerifySignatureIncomplete));
    assert_eq!(code(json!({"unsigned_payload": true}), &unsigned()), Ok(()));
    let presigned = || Draft { payload: UNSIGNED.to_owned(), ..Draft::new() }.presigned("60", "");
    assert_eq!(code(json!({}), &presigned()), Err(Code::VerifyBadSignature));
    assert_eq!(code(json!({"unsigned_payload": true}), &presigned()), Ok(()));

    for word in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"] {
        let draft = Draft { payload: word.to_owned(), ..Draft::new() };
        assert_eq!(
            detail(&draft.with("x-amz-content-sha256", word).signed()),
            "a payload that is signed in chunks (`STREAMING-...`)"
        );
    }
    for word in [digest().to_uppercase(), "unsigned-payload".to_owned(), String::new()] {
        let draft = Draft { payload: word.clone(), ..Draft::new() };
        let request = draft.with("x-amz-content-sha256", word.clone()).signed();
        assert_eq!(code(json!({"unsigned_payload": true}), &request), Err(Code::VerifySignatureMalformed), "{word}");
    }
}

#[test]
fn session_tokens() {
    let token = "AQoDYXdzEPT//////////wEXAMPLE";
    let covered = || Draft { signed_headers: "content-type;host;x-amz-date;x-amz-security-token", ..Draft::new() };
    let with = |draft: Draft, token: &str| draft.with("X-Amz-Security-Token", token).signed();
    assert_eq!(code(json!({}), &with(covered(), token)), Ok(()));
    assert_eq!(code(json!({}), &with(Draft::new(), token)), Err(Code::VerifySignatureIncomplete));
    let due = json!({"session_token": token});
    assert_eq!(code(due.clone(), &with(covered(), token)), Ok(()));
    assert_eq!(code(due.clone(), &with(covered(), "another")), Err(Code::VerifyBadSignature));
    assert_eq!(code(due.clone(), &Draft::new().signed()), Err(Code::VerifyBadSignature));
    let after = json!({"session_token": token, "session_token_unsigned": true});
    assert_eq!(code(due, &with(Draft::new(), token)), Err(Code::VerifySignatureIncomplete));
    assert_eq!(code(after.clone(), &with(Draft::new(), token)), Ok(()));
    assert_eq!(code(after, &with(Draft::new(), "another")), Err(Code::VerifyBadSignature));
    let twice = with(covered().with("x-amz-security-token", token), token);
    assert_eq!(code(json!({}), &twice), Err(Code::VerifySignatureMalformed));
}

#[test]
fn other_algorithms_are_refused_by_name() {
    let mut request = Draft::new().signed();
    for (scheme, told) in [
        ("AWS4-ECDSA-P256-SHA256", "SigV4A (`AWS4-ECDSA-P256-SHA256`)"),
        ("AWS4-HMAC-SHA512", "an AWS signature other than `AWS4-HMAC-SHA256`"),
        ("aws4-hmac-sha256", "an AWS signature other than `AWS4-HMAC-SHA256`"),
    ] {
        let (name, value) = request.headers.pop().unwrap();
        let rest = value.as_str().unwrap().split_once(' ').unwrap().1.to_owned();
        request.headers.push((name, Text::from(format!("{scheme} {rest}"))));
        assert_eq!(detail(&request), told);
    }
    let mut request = Draft::new().presigned("60", "");
    let query = request.query.unwrap().as_str().unwrap().replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256");
    request.query = Some(Text::from(query));
    assert_eq!(detail(&request), "SigV4A (`AWS4-ECDSA-P256-SHA256`)");
}

#[test]
fn the_query_is_read_strictly() {
    for (query, why) in [
        ("a=1&&b=2", "an empty parameter in the query"),
        ("a=1+2", "a raw `+` in the query, which readers take for a plus or for a space"),
        ("a=%2", "a broken percent-encoding in the query"),
        ("X-Amz-Meta=1&x-amz-meta=2", "an `X-Amz-` parameter stands twice"),
        ("x-amz-date=1", "an `X-Amz-` parameter of the signature in another case"),
        ("a=1&a=2", "a name stands twice in the query, and the order of its values is not signed"),
        ("a=1&%61=2", "a name stands twice in the query, and the order of its values is not signed"),
    ] {
        let mut request = Draft::new().signed();
        request.query = Some(Text::from(query));
        assert_eq!(detail(&request), why, "{query}");
    }
    let mut draft = Draft::new();
    draft.request.query = Some(Text::from("a=1&a=2"));
    assert_eq!(code(json!({"repeated_query_names": true}), &draft.signed()), Ok(()));
    let request = Draft::new().presigned("60", "&X-Amz-Foo=1");
    assert_eq!(code(json!({}), &request), Ok(()));
    for twice in ["&X-Amz-Expires=60", "&X-Amz-Date=20150830T123600Z", "&X-Amz-Signature=0"] {
        let mut request = Draft::new().presigned("60", "");
        let query = [request.query.unwrap().bytes(), twice.as_bytes()].concat();
        request.query = Some(Text::from(query));
        assert_eq!(detail(&request), "an `X-Amz-` parameter stands twice", "{twice}");
    }
}

#[test]
fn the_header_is_read_strictly() {
    let request = Draft::new().signed();
    let value = request.header("authorization").next().map(|value| std::str::from_utf8(value).unwrap()).unwrap();
    let (head, signature) = value.rsplit_once('=').unwrap();
    for bad in [
        value.replace(", Signature", "; Signature"),
        value.replace("AKIDEXAMPLE", "AKID/EXAMPLE"),
        format!("{value}, Signature={signature}"),
        format!("{value}, X=1"),
        format!("{head}={}", signature.to_uppercase()),
        format!("{head}={}", &signature[1..]),
        "AWS4-HMAC-SHA256".to_owned(),
        "AWS4-HMAC-SHA256 ".to_owned(),
        value.replace(' ', "\t"),
    ] {
        let result = compile(json!({})).signer(Some(bad.as_bytes()), &request, NOW);
        let code = result.unwrap_err().0;
        assert!(matches!(code, Code::VerifySignatureMalformed | Code::VerifySchemeRefused), "{bad}: {code}");
    }
    let compact = value.replace(", ", ",");
    assert!(compile(json!({})).signer(Some(compact.as_bytes()), &request, NOW).is_ok());
}

#[test]
fn mistakes_are_told_at_once() {
    let configs: Vec<Sigv4Config> = serde_json::from_value(json!([
        {"id": "", "access_key_id": "a/b", "region": "", "service": "s,t", "tolerance": "16m", "required_headers": ["a b"],
         "session_token_unsigned": true},
        {"id": "a", "access_key_id": "A", "region": "r", "service": "s", "secret": "short", "session_token": ""},
        {"id": "b", "access_key_id": "A", "region": "r", "service": "s", "secret": "long enough to be one"},
    ]))
    .unwrap();
    let mut problems = Vec::new();
    Sigv4::compile(&configs, &mut problems);
    let keys: Vec<&str> = problems.iter().map(|problem| &*problem.key).collect();
    let expected = [
        "[0].id",
        "[0].access_key_id",
        "[0].region",
        "[0].service",
        "[0].secret",
        "[0].tolerance",
        "[0].required_headers",
        "[0].session_token_unsigned",
        "[1].secret",
        "[1].session_token",
        "[2].access_key_id",
    ];
    assert_eq!(keys, expected.map(|key| format!("verify.sigv4{key}")));
    assert!(!format!("{configs:?}").contains("long enough"));
}

#[test]
fn both_forms_at_once_are_two_credentials() {
    let mut draft = Draft::new();
    draft.request.query = Some(Text::from("X-Amz-Signature=0"));
    assert_eq!(code(json!({}), &draft.signed()), Err(Code::VerifyManyCredentials));
}

proptest! {
    /// Whatever is signed verifies, and with any one part of it changed it does not.
    #[test]
    fn a_changed_request_is_never_accepted(
        path in "(/[a-z0-9_~%-]{0,6}){1,4}",
        names in proptest::collection::btree_map("[a-zA-Z0-9._]{1,6}", "[ -*,-~]{0,8}", 0..5),
        value in "[!-~]{1,20}",
        body: Vec<u8>,
        what in 0_usize..7,
        flip in 1_u8..=255,
    ) {
        let mut draft = Draft::new();
        let path = path.replace('%', "%25");
        draft.request.path = Text::from(path.clone());
        let encoded = |text: &str| String::from_utf8(canonical::encode(text.as_bytes(), b"")).unwrap();
        let query: Vec<String> = names.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        draft.request.query = Some(Text::from(query.join("&")));
        draft.payload = mac::to_hex(&mac::sha256(&body));
        draft.request.body = Some(Body::from(body.clone()));
        draft.request.headers[1].1 = Text::from(value.clone());
        let mut request = draft.signed();
        prop_assert_eq!(code(json!({}), &request), Ok(()));
        let date = request.headers.len() - 2;
        let authorization = request.headers.len() - 1;
        match what {
            0 => request.path = Text::from(format!("{path}x")),
            1 => request.query = Some(Text::from(format!("{}&Z=1", query.join("&")).trim_start_matches('&').to_owned())),
            2 => request.headers[1].1 = Text::from(format!("{value}x")),
            3 => {
                let mut body = body;
                match body.first_mut() {
                    Some(byte) => *byte ^= flip,
                    None => body.push(flip),
                }
                request.body = Some(Body::from(body));
            }
            4 => request.method = Text::from("PUT"),
            5 => request.headers[date].1 = Text::from("20150830T123601Z"),
            _ => {
                let mut value = request.headers[authorization].1.bytes().to_vec();
                let at = value.len() - 1 - usize::from(flip % 64);
                value[at] ^= flip;
                request.headers[authorization].1 = Text::from(value);
            }
        }
        let refused = code(json!({}), &request);
        prop_assert!(refused.is_err());
    }

    #[test]
    fn any_bytes_are_answered(value: Vec<u8>, query: Vec<u8>, path: Vec<u8>) {
        let sigv4 = compile(json!({"normalize_path": false}));
        let header = [b"AWS4-HMAC-SHA256 Credential=".as_slice(), &value].concat();
        let headers = vec![(Text::from("x-amz-date"), Text::from(TIME))];
        let request = Request { path: Text::from(path), query: Some(Text::from(query)), headers, ..Request::default() };
        prop_assert!(sigv4.signer(Some(&header), &request, NOW).is_err());
        prop_assert!(sigv4.signer(None, &request, NOW).is_err());
    }
}
