//! The proofs of RFC 9449.

use serde_json::{Value, json};

use crate::case::{Case, Expect};

/// Each proof on the request it was made for, and on others.
pub(crate) fn proofs(file: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, proof) in file["proofs"].as_array().into_iter().flatten().enumerate() {
        let claims = &proof["claims"];
        let token = claims.get("ath").and(file["access_token_for_ath"].as_str());
        let document = |method: &str, htu: &str, seconds: i64, token: Option<&str>| {
            let rest = htu.split_once("://").map_or(htu, |(_, rest)| rest);
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let mut headers = vec![json!(["DPoP", proof["proof"]])];
            headers.extend(token.map(|token| json!(["Authorization", format!("DPoP {token}")])));
            let request = json!({"method": method, "scheme": "https", "host": host, "path": format!("/{path}"), "headers": headers});
            let time = claims["iat"].as_i64().unwrap_or_default().saturating_add(seconds).saturating_mul(1_000);
            json!({"request": request, "time_ms": time, "config": {"dpop": {}}})
        };
        let (htm, htu) = (claims["htm"].as_str().unwrap_or_default(), claims["htu"].as_str().unwrap_or_default());
        let mut case = |what: &str, document: Value, expect| {
            cases.push(Case::new("rfc9449", format!("{at}{what}"), "dpop_verify", document, expect));
        };
        case("", document(htm, htu, 1, token), Expect::Accept);
        case(", another method", document("PUT", htu, 1, token), Expect::Reject);
        case(", another path", document(htm, &format!("{htu}/x"), 1, token), Expect::Reject);
        case(", a day later", document(htm, htu, 86_400, token), Expect::Reject);
        if token.is_some() {
            case(", another token", document(htm, htu, 1, Some("another")), Expect::Reject);
        }
    }
    cases
}
