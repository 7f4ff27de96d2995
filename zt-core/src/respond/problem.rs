//! The body of a refusal: a problem document (RFC 9457), made once for every runtime.

use serde::Serialize;

use crate::model::{Code, Decision};

/// `application/problem+json` text for a decision that refuses.
///
/// Codes only: no rule, no detail, nothing that helps an attacker.
pub fn problem(decision: &Decision) -> String {
    let codes: Vec<Code> = decision.reasons.iter().filter(|r| r.weight > 0.0).map(|r| r.code).collect();
    let document = Document {
        r#type: format!("urn:zt:outcome:{}", decision.outcome.as_str()),
        title: title(decision.status),
        status: decision.status,
        detail: codes.first().map_or("", |code| code.sentence()),
        instance: &decision.id,
        reasons: &codes,
    };
    serde_json::to_string(&document).unwrap_or_else(|_| format!("{{\"status\":{}}}", decision.status))
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'static str,
    instance: &'a str,
    reasons: &'a [Code],
}

/// The reason phrase of a status that zt answers with (RFC 9110, section 15).
pub const fn title(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        _ => "Forbidden",
    }
}
