//! `zt-peer-jsonwebtoken measure TOKENS`: median nanoseconds of one `decode`, by algorithm.
//! `zt-peer-jsonwebtoken attacks CASES`: the cases that it accepts, by id.
//!
//! With the backend that it was built with. Prints one JSON document; `cargo xtask bench verify` reads it.

use std::panic::catch_unwind;
use std::time::Instant;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};

const BACKEND: &str = if cfg!(feature = "rust_crypto") { "rust_crypto" } else { "aws_lc_rs" };
const WINDOW_NS: f64 = 2e6;
const WINDOWS: usize = 101;

fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, file] = arguments.as_slice() else { return Err("measure TOKENS, or attacks CASES".to_owned()) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let given: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let rows = match mode.as_str() {
        "measure" => measure(&given)?,
        _ => attacks(&given),
    };
    println!("{}", json!({"runtime": "Rust", "rows": rows}));
    Ok(())
}

fn measure(given: &Value) -> Result<Value, String> {
    let mut rows = Vec::new();
    for case in given["cases"].as_array().ok_or("no cases")? {
        let verify = verifier(case, text(&case["issuer"]), text(&given["audience"]))?;
        let tokens: Vec<&str> = case["tokens"].as_array().ok_or("no tokens")?.iter().map(text).collect();
        let window = |calls: usize| {
            let start = Instant::now();
            for at in 0..calls {
                assert!(verify(tokens[at % tokens.len()]), "the measured token must pass");
            }
            start.elapsed().as_nanos() as f64 / calls as f64
        };
        let calls = ((WINDOW_NS / window(tokens.len())) as usize).max(1);
        let mut samples: Vec<f64> = (0..WINDOWS).map(|_| window(calls)).collect();
        samples.sort_by(f64::total_cmp);
        rows.push(json!({"verifier": name(), "alg": case["alg"], "way": "each", "ns": samples[WINDOWS / 2]}));
    }
    Ok(rows.into())
}

fn attacks(cases: &Value) -> Value {
    std::panic::set_hook(Box::new(|_| {}));
    let (mut accepted, mut panicked) = (Vec::new(), Vec::new());
    for case in cases.as_array().into_iter().flatten() {
        let accepts = || {
            verifier(case, "https://auth.example.com/", "https://api.example.com")
                .is_ok_and(|verify| verify(text(&case["token"])))
        };
        match catch_unwind(std::panic::AssertUnwindSafe(accepts)) {
            Ok(true) => accepted.push(case["id"].clone()),
            Ok(false) => {}
            Err(_) => panicked.push(case["id"].clone()),
        }
    }
    json!([{"verifier": name(), "accepted": accepted, "panicked": panicked}])
}

fn verifier(case: &Value, issuer: &str, audience: &str) -> Result<impl Fn(&str) -> bool, String> {
    let jwk = serde_json::from_value(case["jwk"].clone()).map_err(|error| error.to_string())?;
    let key = DecodingKey::from_jwk(&jwk).map_err(|error| error.to_string())?;
    let algorithm: Algorithm = text(&case["alg"]).parse().map_err(|_| "an unknown algorithm")?;
    let mut validation = Validation::new(algorithm);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok(move |token: &str| decode::<Value>(token, &key, &validation).is_ok())
}

fn name() -> String {
    format!("jsonwebtoken 11.1.0 {BACKEND}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
