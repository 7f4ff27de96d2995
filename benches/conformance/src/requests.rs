//! Suites of signed requests: RFC 9421 and AWS Signature Version 4.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::case::{Case, Expect};

/// When the test cases of RFC 9421 were signed.
const RFC9421_AT: i64 = 1_618_884_473_000;
/// 2015-08-30T12:36:00Z.
const SIGV4_AT: i64 = 1_440_938_160_000;

/// The test cases of appendix B.2, each also with a signature of another and, where it covers one, another `Host`.
pub(crate) fn signatures(file: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for vector in file["vectors"].as_array().into_iter().flatten() {
        let of = |name: &str| vector[name].as_str().unwrap_or_default();
        let (label, input, signature) = (of("label"), of("signature_input"), of("signature"));
        let keyid = input.split_once("keyid=\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
        let covered: &[&str] = match of("section") {
            "B.2.1" => &["@method"],
            "B.2.2" => &["\"@query-param\";name=\"Pet\"", "@authority"],
            _ => &["@authority"],
        };
        let config = json!({"signature": [{
            "id": "signer", "keyid": keyid, "algorithm": of("alg"), "jwk": jwk(file, keyid).to_string(),
            "covered": covered, "body": "uncovered",
        }]});
        let request = |host: &str, signature: &str| {
            let given = &file["request"];
            let mut headers: Vec<Value> = given["headers"].as_array().cloned().unwrap_or_default();
            headers.retain(|line| line[0] != "host");
            headers.push(json!(["Host", host]));
            headers.push(json!(["Signature-Input", format!("{label}={input}")]));
            headers.push(json!(["Signature", format!("{label}=:{signature}:")]));
            let request = json!({
                "method": given["method"], "scheme": "https", "host": host, "path": "/foo",
                "query": "param=Value&Pet=dog", "headers": headers, "body": given["body"], "body_len": 18,
            });
            json!({"request": request, "time_ms": RFC9421_AT, "config": config})
        };
        let case = |id: String, document, expect| Case::new("rfc9421", id, "request_verify", document, expect);
        let section = of("section");
        cases.push(case(section.to_owned(), request("example.com", signature), Expect::Accept));
        cases.push(case(format!("{section}, another host"), request("example.org", signature), Expect::Reject));
        let flipped: String = signature.chars().rev().collect();
        cases.push(case(format!("{section}, another signature"), request("example.com", &flipped), Expect::Reject));
    }
    cases
}

/// The key of this id, as a JWK.
fn jwk(file: &Value, keyid: &str) -> Value {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let Some(pem) = file["keys"][keyid].as_str() else {
        let secret = STANDARD.decode(file["shared_secret_b64"].as_str().unwrap_or_default()).unwrap_or_default();
        return json!({"kty": "oct", "k": encode(&secret)});
    };
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(lines).unwrap_or_default();
    // INTEGER of 257 bytes, of which the first is zero: the modulus.
    if let Some(at) = der.windows(5).position(|header| header == [0x02, 0x82, 0x01, 0x01, 0x00]) {
        return json!({"kty": "RSA", "n": encode(der.get(at + 5..at + 261).unwrap_or_default()), "e": "AQAB"});
    }
    let last = |from: usize, to: usize| der.get(der.len().saturating_sub(from)..der.len().saturating_sub(to));
    match der.len() {
        44 => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(last(32, 0).unwrap_or_default())}),
        _ => json!({"kty": "EC", "crv": "P-256", "x": encode(last(64, 32).unwrap_or_default()),
                    "y": encode(last(32, 0).unwrap_or_default())}),
    }
}

/// Both forms of every case of the AWS suite, each also for another secret.
pub(crate) fn sigv4(file: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for case in file["cases"].as_array().into_iter().flatten() {
        let (name, context) = (case["name"].as_str().unwrap_or_default(), &case["context"]);
        for form in ["header", "query"] {
            let Some(request) = http(case[format!("{form}-signed-request")].as_str().unwrap_or_default()) else {
                continue;
            };
            for (what, expect) in [("", Expect::Accept), (", another secret", Expect::Reject)] {
                let secret = context["credentials"]["secret_access_key"].as_str().unwrap_or_default();
                let mut key = json!({
                    "id": "caller", "access_key_id": context["credentials"]["access_key_id"],
                    "secret": format!("{secret}{}", if what.is_empty() { "" } else { "x" }),
                    "region": context["region"], "service": context["service"],
                    "normalize_path": context["normalize"], "repeated_query_names": true,
                });
                if let Some(token) = context["credentials"]["token"].as_str() {
                    key["session_token"] = token.into();
                }
                if context["omit_session_token"] == true {
                    key["session_token_unsigned"] = true.into();
                }
                let document = json!({"request": request, "time_ms": SIGV4_AT, "config": {"sigv4": [key]}});
                cases.push(Case::new("aws-sigv4", format!("{name}, {form}{what}"), "request_verify", document, expect));
            }
        }
    }
    cases
}

/// HTTP/1.1 as the suite writes it; a line that begins with a space goes on with the value before.
fn http(text: &str) -> Option<Value> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (line, lines) = head.split_once('\n').unwrap_or((head, ""));
    let (method, target) = line.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => headers.last_mut()?.1 += &format!("\n{line}"),
        }
    }
    let mut request = json!({"method": method, "scheme": "https", "path": path, "headers": headers});
    if let Some(query) = query {
        request["query"] = query.into();
    }
    if !body.is_empty() {
        request["body"] = body.into();
        request["body_len"] = body.len().into();
    }
    Some(request)
}
