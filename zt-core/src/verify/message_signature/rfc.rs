//! The examples of RFC 9421: its test cases (appendix B.2) and those along its text.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::component::Component;
use super::structured::lists_of_strings;
use super::{MAX_COMPONENTS, SignatureConfig, Signatures, base, canonical, field};
use crate::model::{Body, Code, Request, Text};

/// When the test cases were signed.
const CREATED: i64 = 1_618_884_473_000;

/// Full coverage, which the data leaves out.
const B23_INPUT: &str = r#"("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss""#;
const B23_SIGNATURE: &str = "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==";

#[expect(clippy::disallowed_methods, reason = "test data is read from files")]
fn data() -> Option<Value> {
    let data = std::env::var("ZT_DATA").unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").into());
    let text = std::fs::read(format!("{data}/verify/rfc9421_appendix_b.json")).ok();
    if text.is_none() {
        eprintln!("skipped: rfc9421_appendix_b.json is not in {data}/verify");
    }
    text.map(|text| serde_json::from_slice(&text).unwrap())
}

/// The public key of a PEM file, as a JWK.
fn jwk(data: &Value, keyid: &str) -> Value {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let Some(pem) = data["keys"][keyid].as_str() else {
        let secret = STANDARD.decode(data["shared_secret_b64"].as_str().unwrap()).unwrap();
        return json!({"kty": "oct", "k": encode(&secret)});
    };
    let der = STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    if keyid.contains("rsa") {
        // INTEGER of 257 bytes, of which the first is zero.
        let n = der.windows(5).position(|header| header == [0x02, 0x82, 0x01, 0x01, 0x00]).unwrap() + 5;
        return json!({"kty": "RSA", "n": encode(&der[n..n + 256]), "e": "AQAB"});
    }
    match der.len() {
        44 => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&der[12..])}),
        _ => json!({"kty": "EC", "crv": "P-256", "x": encode(&der[27..59]), "y": encode(&der[59..])}),
    }
}

fn request(data: &Value, label: &str, input: &str, signature: &str) -> Request<'static> {
    let text = |value: &Value| Text::from(value.as_str().unwrap().to_owned());
    let given = &data["request"];
    let lines = given["headers"].as_array().unwrap().iter();
    let mut headers: Vec<_> = lines.map(|line| (text(&line[0]), text(&line[1]))).collect();
    headers.push((Text::from("Signature-Input"), Text::from(format!("{label}={input}"))));
    headers.push((Text::from("Signature"), Text::from(format!("{label}=:{signature}:"))));
    Request {
        method: text(&given["method"]),
        scheme: Some(Text::from("https")),
        host: Some(Text::from("example.com")),
        path: Text::from("/foo"),
        query: Some(Text::from("param=Value&Pet=dog")),
        headers,
        body: Some(Body::from(given["body"].as_str().unwrap().as_bytes().to_vec())),
        body_len: Some(18),
        ..Request::default()
    }
}

fn signatures(keyid: &str, algorithm: &str, jwk: &Value, covered: &[&str]) -> Signatures {
    let config: SignatureConfig = serde_json::from_value(json!({
        "id": "signer", "keyid": keyid, "algorithm": algorithm, "jwk": jwk.to_string(),
        "covered": covered, "body": "uncovered",
    }))
    .unwrap();
    let mut problems = Vec::new();
    let signatures = Signatures::compile(&[config], 0, &mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    signatures
}

/// The base of a signature over a request, as `text` names its components.
fn base_of(text: &str, request: &Request<'_>) -> Result<String, (Code, &'static str)> {
    let text = format!("a={text}");
    let lists = lists_of_strings(text.as_bytes(), 1, MAX_COMPONENTS).expect("an input");
    let components: Vec<Component> = lists[0].items.iter().map(Component::read).collect::<Result<_, _>>()?;
    base::base(&lists[0], &components, request)
}

/// The lines of a base before its parameters.
fn lines(components: &str, request: &Request<'_>) -> Vec<String> {
    let base = base_of(&format!("({components})"), request).unwrap();
    let (values, _) = base.rsplit_once('\n').unwrap();
    values.lines().map(str::to_owned).collect()
}

#[test]
fn the_test_cases_of_appendix_b2() {
    let Some(data) = data() else { return };
    let mut cases: Vec<(String, String, String, String, Option<String>)> = Vec::new();
    for case in data["vectors"].as_array().unwrap() {
        let of = |name: &str| case[name].as_str().unwrap().to_owned();
        assert_eq!((of("message"), of("result")), ("request".to_owned(), "valid".to_owned()));
        cases.push((of("label"), of("alg"), of("signature_input"), of("signature"), Some(of("signature_base"))));
    }
    cases.push(("sig-b23".into(), "rsa-pss-sha512".into(), B23_INPUT.into(), B23_SIGNATURE.into(), None));
    for (label, algorithm, input, signature, expected) in &cases {
        let keyid = input.split_once("keyid=\"").unwrap().1.split_once('"').unwrap().0;
        let request = request(&data, label, input, signature);
        if let Some(expected) = expected {
            assert_eq!(base_of(input, &request).unwrap(), *expected, "{label}");
        }
        let covered = if label == "sig-b22" { r#""@query-param";name="Pet""# } else { "@authority" };
        let signatures = signatures(keyid, algorithm, &jwk(&data, keyid), &[covered]);
        let verified = signatures.verify(&request, |_, _| Ok(()), CREATED);
        if label == "sig-b21" {
            // It covers nothing. That its signature is right is for the key to say.
            assert_eq!(verified.unwrap_err().0, Code::VerifySignatureIncomplete);
            let key = crate::verify::jose::admission::read_set(
                &json!({"keys": [jwk(&data, keyid)]}).to_string(),
                &[crate::verify::Algorithm::Ps512],
            )
            .unwrap()
            .remove(0);
            let signed = base_of(input, &request).unwrap();
            assert!(key.verifying.verify(key.algorithm, signed.as_bytes(), &STANDARD.decode(signature).unwrap()));
        } else {
            let identity = verified.unwrap_or_else(|refusal| panic!("{label}: {refusal:?}")).identity.unwrap();
            assert_eq!((&*identity.principal, identity.credential_id.as_deref()), ("signer", Some(keyid)), "{label}");
            assert_eq!(identity.assurance.issued_at_ms, Some(CREATED));
        }
        // One bit of the body, where it is covered.
        let body = Some(Body::from(b"{\"hello\": \"worle\"}".to_vec()));
        let changed = signatures.verify(&Request { body, ..request }, |_, _| Ok(()), CREATED);
        if input.contains("content-digest") {
            assert_eq!(changed.unwrap_err().0, Code::VerifyBadDigest, "{label}");
        }
    }
    assert_eq!(cases.len(), 5);
}

#[test]
fn a_response_is_not_verified() {
    // B.2.4 signs a response.
    let input = r#"("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="k""#;
    assert_eq!(base_of(input, &Request::default()).unwrap_err().0, Code::VerifySignatureMalformed);
}

fn get(path: &'static str, query: Option<&'static str>, headers: &[(&'static str, &'static str)]) -> Request<'static> {
    Request {
        method: Text::from("GET"),
        scheme: Some(Text::from("https")),
        host: Some(Text::from("www.example.com")),
        path: Text::from(path),
        query: query.map(Text::from),
        headers: headers.iter().map(|(name, value)| (Text::from(*name), Text::from(*value))).collect(),
        ..Request::default()
    }
}

#[test]
fn fields_of_section_2_1() {
    let request = get(
        "/",
        None,
        &[
            ("Host", "www.example.com"),
            ("Date", "Tue, 20 Apr 2021 02:07:56 GMT"),
            ("X-OWS-Header", "   Leading and trailing whitespace.   "),
            ("Cache-Control", "max-age=60"),
            ("Cache-Control", "    must-revalidate"),
            ("Example-Dict", " a=1,    b=2;x=1;y=2,   c=(a   b   c)"),
            ("X-Empty-Header", ""),
            ("Example-Header", "value, with, lots"),
            ("Example-Header", "of, commas"),
        ],
    );
    let found =
        lines(r#""host" "x-ows-header" "cache-control" "example-dict" "x-empty-header" "example-header";bs"#, &request);
    let expected = [
        r#""host": www.example.com"#,
        r#""x-ows-header": Leading and trailing whitespace."#,
        r#""cache-control": max-age=60, must-revalidate"#,
        r#""example-dict": a=1,    b=2;x=1;y=2,   c=(a   b   c)"#,
        r#""x-empty-header": "#,
        r#""example-header";bs: :dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"#,
    ];
    assert_eq!(found, expected);
    let whole = get("/", None, &[("example-header", "value, with, lots, of, commas")]);
    let expected = r#""example-header";bs: :dmFsdWUsIHdpdGgsIGxvdHMsIG9mLCBjb21tYXM=:"#;
    assert_eq!(lines(r#""example-header";bs"#, &whole), [expected]);
}

#[test]
fn structured_fields_of_section_2_1() {
    let written = |text: &[u8]| -> String {
        let members = canonical::dictionary(text, 8).unwrap();
        members.iter().map(|(key, value)| field::keyed(key, value)).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(written(b" a=1,    b=2;x=1;y=2,   c=(a   b   c), d"), "a=1, b=2;x=1;y=2, c=(a b c), d");
    let request = get("/", None, &[("Example-Dict", " a=1, b=2;x=1;y=2, c=(a   b    c), d"), ("priority", "u=1 ,i;a")]);
    let found = lines(
        r#""example-dict";key="a" "example-dict";key="d" "example-dict";key="b" "example-dict";key="c" "priority";sf"#,
        &request,
    );
    let expected = [
        r#""example-dict";key="a": 1"#,
        r#""example-dict";key="d": ?1"#,
        r#""example-dict";key="b": 2;x=1;y=2"#,
        r#""example-dict";key="c": (a b c)"#,
        r#""priority";sf: u=1, i;a"#,
    ];
    assert_eq!(found, expected);
}

#[test]
fn derived_components_of_section_2_2() {
    let request = get("/path", Some("param=value"), &[]);
    let found = lines(r#""@method" "@target-uri" "@authority" "@scheme" "@request-target" "@path" "@query""#, &request);
    let expected = [
        r#""@method": GET"#,
        r#""@target-uri": https://www.example.com/path?param=value"#,
        r#""@authority": www.example.com"#,
        r#""@scheme": https"#,
        r#""@request-target": /path?param=value"#,
        r#""@path": /path"#,
        r#""@query": ?param=value"#,
    ];
    assert_eq!(found, expected);
    let plain = |scheme: &'static str, host: &'static str| Request {
        scheme: Some(Text::from(scheme)),
        host: Some(Text::from(host)),
        ..get("", None, &[])
    };
    for (scheme, host, expected) in [
        ("https", "WWW.Example.com:443", "www.example.com"),
        ("http", "www.example.com:80", "www.example.com"),
        ("HTTPS", "www.example.com:80", "www.example.com:80"),
        ("http", "[2001:DB8::1]:80", "[2001:db8::1]"),
    ] {
        assert_eq!(lines(r#""@authority""#, &plain(scheme, host)), [format!("\"@authority\": {expected}")]);
    }
    let empty = plain("http", "a");
    assert_eq!(
        lines(r#""@path" "@query" "@target-uri""#, &empty),
        [r#""@path": /"#, r#""@query": ?"#, r#""@target-uri": http://a/"#]
    );
}

#[test]
fn query_parameters_of_section_2_2_8() {
    let first = get("/path", Some("param=value&foo=bar&baz=batman&qux="), &[]);
    let found = lines(r#""@query-param";name="baz" "@query-param";name="qux" "@query-param";name="param""#, &first);
    let expected = [
        r#""@query-param";name="baz": batman"#,
        r#""@query-param";name="qux": "#,
        r#""@query-param";name="param": value"#,
    ];
    assert_eq!(found, expected);
    let query = "var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something";
    let second = get("/parameters", Some(query), &[]);
    let found = lines(
        r#""@query-param";name="var" "@query-param";name="bar" "@query-param";name="fa%C3%A7ade%22%3A%20""#,
        &second,
    );
    let expected = [
        r#""@query-param";name="var": this%20is%20a%20big%0Amultiline%20value"#,
        r#""@query-param";name="bar": with%20plus%20whitespace"#,
        r#""@query-param";name="fa%C3%A7ade%22%3A%20": something"#,
    ];
    assert_eq!(found, expected);
}
