use proptest::prelude::*;

use super::*;
use crate::model::{Body, Code, Header};

fn inspector() -> Inspector {
    Inspector::compile(&Config::default()).unwrap()
}

fn codes(request: &Request<'_>) -> Vec<(Code, Outcome)> {
    inspector().inspect(request).iter().map(|finding| (finding.code, finding.outcome)).collect()
}

fn with_headers<'a>(headers: &[(&'a str, &'a str)]) -> Vec<(Code, Outcome)> {
    let headers: Vec<Header<'a>> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let request = Request { method: "GET".into(), path: "/".into(), headers, ..Request::default() };
    codes(&request)
}

fn with_query(query: &[u8]) -> Vec<(Code, Outcome)> {
    codes(&Request { method: "GET".into(), path: "/".into(), query: Some(query.into()), ..Request::default() })
}

fn post<'a>(kind: &'a str, body: &'a [u8]) -> Request<'a> {
    Request {
        method: "POST".into(),
        path: "/".into(),
        headers: vec![("Content-Type".into(), kind.into())],
        body: Some(Body::new(body)),
        ..Request::default()
    }
}

fn with_body(kind: &str, body: impl AsRef<[u8]>) -> Vec<(Code, Outcome)> {
    codes(&post(kind, body.as_ref()))
}

const FLAG: Outcome = Outcome::Flag;
const DENY: Outcome = Outcome::Deny;

#[test]
fn clean_requests_have_no_findings() {
    assert_eq!(with_headers(&[("Host", "a.example:8080"), ("X-A", "tab\tand caf\u{e9}"), ("Content-Length", "0")]), []);
    assert_eq!(with_query("a=%C3%A9&b=x%0Ay&c=é".as_bytes()), []);
    assert_eq!(with_query(b""), []);
    assert_eq!(with_body("application/json; charset=utf-8", r#"{"a":[1,{"b":null}]}"#), []);
    assert_eq!(with_body("application/x-ndjson", "{\"a\":1}\n\n{\"a\":2}\n"), []);
    assert_eq!(with_body("application/json-seq", "\u{1e}{\"a\":1}\n\u{1e}2\n"), []);
    assert_eq!(with_body("application/x-www-form-urlencoded", "a=1&b=%F0%9F%98%80"), []);
    assert_eq!(with_body("text/plain", r#"{"beacon":true}"#), []);
    assert_eq!(with_body("text/plain", "{not json"), []);
    assert_eq!(with_body("image/png", b"\x89PNG\0\xff"), []);
    assert_eq!(with_body("application/json", ""), []);
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n\0\u{1}binary\r\n--b--\r\n";
    assert_eq!(with_body("multipart/form-data; boundary=b", multipart), []);
}

#[test]
fn header_syntax() {
    for name in ["", "a b", "a:", ":authority", "a\0", "é"] {
        assert_eq!(with_headers(&[(name, "x")]), [(Code::InspectBadHeader, DENY)], "{name:?}");
    }
    for value in ["a\0", "a\r\nB: c", "\x7f", "a\nb"] {
        assert_eq!(with_headers(&[("x", value)]), [(Code::InspectBadHeader, DENY)], "{value:?}");
    }
    assert_eq!(with_headers(&[("Host", "a/b")]), [(Code::InspectBadHeader, DENY)]);
    let detail = |name: &'static str| {
        let request = Request { headers: vec![(name.into(), "s3cret\0".into())], ..Request::default() };
        inspector().inspect(&request)[0].detail.clone()
    };
    assert_eq!(detail("X-A"), "header `x-a`");
    assert_eq!(detail("a`b"), "header `a?b`");
    for misread in ["authorization:bearer-s3cret", "s3cret\r\n", ""] {
        assert_eq!(detail(misread), "the name of a header", "it may be a whole line");
    }
}

#[test]
fn headers_that_conflict() {
    let conflict = [(Code::InspectConflictingHeaders, DENY)];
    assert_eq!(with_headers(&[("Host", "a"), ("host", "a")]), conflict);
    assert_eq!(with_headers(&[("Content-Length", "1"), ("Content-Length", "1")]), conflict);
    for length in ["", "+1", "1, 1", "0x1", "-1", "18446744073709551616"] {
        assert_eq!(with_headers(&[("Content-Length", length)]), conflict, "{length}");
    }
    assert_eq!(with_headers(&[("Content-Length", "1"), ("Transfer-Encoding", "chunked")]), conflict);
    assert_eq!(with_headers(&[("Transfer-Encoding", "gzip, Chunked ")]), []);
    for coding in ["xchunked", "chunked, identity", "identity", ""] {
        assert_eq!(with_headers(&[("Transfer-Encoding", coding)]), conflict, "{coding}");
    }
    assert_eq!(with_headers(&[("Transfer-Encoding", "chunked"), ("transfer-encoding", "chunked")]), conflict);
    assert_eq!(with_headers(&[("Content-Type", "text/plain"), ("Content-Type", "application/json")]), conflict);
    let unclean = [(Code::InspectConflictingHeaders, FLAG)];
    assert_eq!(with_headers(&[("X-HTTP-Method-Override", "DELETE")]), conflict);
    assert_eq!(with_headers(&[("X-HTTP-Method-Override", "get")]), []);
    assert_eq!(with_headers(&[("X-Original-URL", "/admin")]), conflict);
    assert_eq!(with_headers(&[("X-Original-URL", "/")]), []);
    let host = |host: &'static str| {
        codes(&Request {
            host: Some(host.into()),
            headers: vec![("Host".into(), "a.example".into())],
            ..Request::default()
        })
    };
    assert_eq!(host("A.example:443"), []);
    assert_eq!(host("b.example"), unclean);
}

#[test]
fn sizes() {
    let many: Vec<_> = (0..101).map(|_| ("a", "")).collect();
    assert_eq!(with_headers(&many), [(Code::InspectHeadersTooLarge, DENY)]);
    assert_eq!(with_headers(&[("a", &"x".repeat(16 << 10))]), [(Code::InspectHeadersTooLarge, DENY)]);
    assert_eq!(with_headers(&[("a", &"x".repeat((16 << 10) - 1))]), []);
    assert_eq!(with_query(&[b'a'; (16 << 10) - 2]), []);
    assert_eq!(with_query(&[b'a'; (16 << 10) - 1]), [(Code::InspectUrlTooLong, DENY)]);
    assert_eq!(with_query("a&".repeat(999).as_bytes()), []);
    assert_eq!(with_query("a&".repeat(1_000).as_bytes()), [(Code::InspectBadQuery, DENY)]);
    assert_eq!(with_body("image/png", vec![0; 1 << 20]), []);
    assert_eq!(with_body("image/png", vec![0; (1 << 20) + 1]), [(Code::InspectBodyTooLarge, DENY)]);
    let cut = Request { body_len: Some((1 << 20) + 1), ..post("image/png", b"x") };
    assert_eq!(codes(&cut), [(Code::InspectBodyTooLarge, DENY)]);
    assert_eq!(with_headers(&[("Content-Length", "1048577")]), [(Code::InspectBodyTooLarge, DENY)]);
    assert_eq!(inspector().body_limit(), 1 << 20);
}

#[test]
fn queries_and_forms() {
    let cases: &[(&[u8], Code, Outcome)] = &[
        (b"a=%", Code::InspectBadQuery, FLAG),
        (b"a=100%&b=%u4F60", Code::InspectBadQuery, FLAG),
        (b"a=%ff", Code::InspectBadQuery, FLAG),
        (b"a=\xc4\xe3", Code::InspectBadQuery, FLAG),
        (b"a=%C3&b=%A9", Code::InspectBadQuery, FLAG),
        (b"a=%C0%AE", Code::InspectBadQuery, FLAG),
        (b"a=%00", Code::InspectControlCharacter, DENY),
        (b"a=%1b[0m", Code::InspectControlCharacter, FLAG),
    ];
    for (text, code, outcome) in cases {
        assert_eq!(with_query(text), [(*code, *outcome)], "{}", String::from_utf8_lossy(text));
        let form = with_body("application/x-www-form-urlencoded", text);
        assert_eq!(form, [(*code, *outcome)], "{}", String::from_utf8_lossy(text));
    }
    // Raw control characters cannot be in a request line, but a form may hold a line break.
    assert_eq!(with_query(b"a=\n"), [(Code::InspectControlCharacter, DENY)]);
    assert_eq!(with_body("application/x-www-form-urlencoded", "a=\r\n"), []);
    assert_eq!(
        inspector().inspect(&Request { query: Some("%C1%9C".into()), ..Request::default() })[0].detail,
        "overlong utf-8 in the query"
    );
}

#[test]
fn json_bodies() {
    let cases: &[(&str, Code)] = &[
        ("{\"a\":1", Code::InspectJsonMalformed),
        ("{'a':1}", Code::InspectJsonMalformed),
        ("{}{}", Code::InspectJsonMalformed),
        ("\u{feff}{}", Code::InspectJsonMalformed),
        ("a=1", Code::InspectJsonMalformed),
        ("\"\\ud800\"", Code::InspectJsonMalformed),
        ("{\"a\":1,\"\\u0061\":2}", Code::InspectJsonDuplicateKey),
        ("1e99999", Code::InspectJsonTooLarge),
    ];
    for (text, code) in cases {
        assert_eq!(with_body("application/json", text), [(*code, DENY)], "{text}");
        assert_eq!(with_body("application/vnd.api+json", text), [(*code, DENY)], "{text}");
        assert_eq!(with_body("application/x-ndjson", format!("1\n{text}\n\"\\u0000\"")), [(*code, DENY)], "{text}");
        assert_eq!(with_body("application/x-ndjson", format!("\"\\u0000\"\n{text}\n")), [(*code, DENY)], "{text}");
    }
    assert_eq!(with_body("application/json", "[".repeat(33)), [(Code::InspectJsonTooDeep, DENY)]);
    assert_eq!(with_body("text/plain", "[".repeat(33)), [(Code::InspectJsonTooDeep, FLAG)]);
    let many = |count: usize| vec!["0"; count].join(",");
    assert_eq!(with_body("application/json", format!("[{}]", many(10_000))), [(Code::InspectJsonTooLarge, DENY)]);
    assert_eq!(with_body("application/x-ndjson", "1\n".repeat(10_001)), [(Code::InspectJsonTooLarge, DENY)]);
    assert_eq!(with_body("application/json", "1".repeat(129)), [(Code::InspectJsonTooLarge, DENY)]);
    assert_eq!(with_body("application/json", "[1e-0009, 1E308]"), []);
    assert_eq!(with_body("application/json", r#"["\u0000"]"#), [(Code::InspectControlCharacter, FLAG)]);
    assert_eq!(with_body("application/json", r#"["\\u0000"]"#), []);
}

#[test]
fn content_types() {
    let wrong = |outcome| [(Code::InspectContentType, outcome)];
    assert_eq!(with_body("json", "{}"), wrong(DENY));
    assert_eq!(with_body("application/json, application/json", "{}"), wrong(DENY));
    assert_eq!(with_headers(&[("Content-Type", "%{#a}")]), wrong(DENY));
    assert_eq!(with_headers(&[("Content-Type", "")]), []);
    assert_eq!(with_body("", "x"), wrong(FLAG));
    assert_eq!(with_body("application/json; charset=utf-16", "{}"), wrong(DENY));
    assert_eq!(with_body("application/x-www-form-urlencoded", r#"{"a":"100%"}"#), wrong(FLAG));
    let double = [(Code::InspectJsonDuplicateKey, FLAG), (Code::InspectContentType, FLAG)];
    assert_eq!(with_body("application/x-www-form-urlencoded", r#"{"a":1,"a":2}"#), double);
    for boundary in ["", "; boundary=\"\"", "; boundary=\"a \"", "; boundary=\"<a>\""] {
        assert_eq!(with_body(&format!("multipart/form-data{boundary}"), "--a--"), wrong(DENY), "{boundary}");
    }
    let multipart = |body: &str| with_body("multipart/form-data; boundary=b", body);
    assert_eq!(multipart("a=1"), wrong(DENY));
    assert_eq!(multipart("x --b--"), wrong(DENY));
    assert_eq!(multipart("hidden\r\n--b\r\n\r\n1\r\n--b--"), wrong(FLAG));
    assert_eq!(multipart("--b\r\n\r\n1\r\n"), wrong(FLAG));
    let part = |name: &str| format!("--b\r\nContent-Disposition: form-data; filename=\"{name}\"\r\n\r\n1\r\n--b--");
    assert_eq!(multipart(&part("a.php\0.jpg")), [(Code::InspectControlCharacter, DENY)]);
    assert_eq!(multipart(&part("\u{1b}")), [(Code::InspectControlCharacter, FLAG)]);
    assert_eq!(multipart(&"--b\r\n\r\n\r\n".repeat(1_001)), [(Code::InspectBadQuery, DENY)]);
}

#[test]
fn a_content_coding_is_no_way_around() {
    let coded = |kind, body| {
        let mut request = post(kind, body);
        request.headers.push(("Content-Encoding".into(), "gzip".into()));
        codes(&request)
    };
    let unread = [(Code::InspectContentType, FLAG)];
    assert_eq!(coded("application/json", b"\x1f\x8b\x08\0\xff"), unread);
    assert_eq!(coded("application/x-www-form-urlencoded", b"\x1f\x8b\x08\0\xff"), unread);
    assert_eq!(coded("application/json", b"{\"a\":1,\"a\":\"\xff\"}"), [(Code::InspectJsonDuplicateKey, DENY)]);
    assert_eq!(coded("application/x-www-form-urlencoded", b"a=%00"), [(Code::InspectControlCharacter, DENY)]);
}

#[test]
fn the_end_of_a_cut_body_is_not_judged() {
    let cut = |kind, body: &'static [u8]| codes(&Request { body_len: Some(1_000), ..post(kind, body) });
    assert_eq!(cut("application/json", b"{\"a\":[1,2,\"\xe4\xb8"), []);
    assert_eq!(cut("application/json", b"{\"a\":1,\"a\":"), [(Code::InspectJsonDuplicateKey, DENY)]);
    assert_eq!(cut("application/x-ndjson", b"{}\n{"), []);
    assert_eq!(cut("application/x-ndjson", b"{\n{"), [(Code::InspectJsonMalformed, DENY)]);
    assert_eq!(cut("application/x-www-form-urlencoded", b"a=%e4%b8"), []);
    assert_eq!(cut("application/x-www-form-urlencoded", b"a=%e4%b"), []);
    assert_eq!(cut("application/x-www-form-urlencoded", b"a=%&b=%"), [(Code::InspectBadQuery, FLAG)]);
    assert_eq!(cut("multipart/form-data; boundary=b", b"--b\r\n\r\n1"), []);
}

#[test]
fn what_is_unclean_is_the_configurations_choice() {
    let with = |unclean, mode| {
        let inspector = Inspector::compile(&Config { unclean, mode, ..Config::default() }).unwrap();
        inspector.inspect(&Request { query: Some("%".into()), ..Request::default() })
    };
    assert!(with(Outcome::Allow, Mode::Enforce).is_empty());
    assert_eq!(with(Outcome::Deny, Mode::Enforce)[0].outcome, DENY);
    assert!(with(Outcome::Deny, Mode::Monitor)[0].monitor);
}

#[test]
fn every_mistake_in_a_configuration_is_told() {
    let mut config = Config { unclean: Outcome::Suspend, max_headers: 0, ..Config::default() };
    config.json.depth = 0;
    let problems = Inspector::compile(&config).unwrap_err();
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["inspect.unclean", "inspect.max_headers", "inspect.json.depth"]);
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![any::<Vec<u8>>(), "[%&=0-9a-f{}\\[\\]\",:b\r\n-]{0,40}".prop_map(String::into_bytes)]
}

proptest! {
    #[test]
    fn any_request_gets_few_findings_that_never_show_values(
        name in bytes(), value in bytes(), query in bytes(), body in bytes(), body_len: Option<u64>,
        kind in prop::sample::select(vec![
            "application/json", "application/x-ndjson", "application/x-www-form-urlencoded", "text/plain",
            "multipart/form-data; boundary=b", "", "?",
        ]),
        known in prop::sample::select(vec!["Host", "Content-Length", "Transfer-Encoding", "Content-Encoding"]),
    ) {
        let request = Request {
            query: Some(query.into()),
            headers: vec![
                (name.clone().into(), value.clone().into()),
                (known.into(), value.into()),
                ("Content-Type".into(), kind.into()),
            ],
            body: Some(Body::new(&body)),
            body_len,
            ..Request::default()
        };
        let findings = inspector().inspect(&request);
        prop_assert!(findings.len() <= 16);
        for finding in findings {
            prop_assert!(finding.detail.len() <= 80 && finding.detail.is_ascii());
        }
    }
}
