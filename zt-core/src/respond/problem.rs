//! The body of a refusal: a problem document (RFC 9457), made once for every runtime.

use serde::Serialize;

use crate::model::{Code, Decision, Outcome, Reason, ResponseDecision};

/// `application/problem+json` text for a decision that refuses.
///
/// Codes only: no rule, no detail, nothing that helps an attacker.
pub fn problem(decision: &Decision) -> String {
    write(&decision.id, decision.outcome, decision.status, &decision.reasons)
}

/// The same, in the place of a response that is not sent.
pub fn response_problem(decision: &ResponseDecision) -> String {
    write(&decision.id, decision.outcome, decision.status, &decision.reasons)
}

fn write(id: &str, outcome: Outcome, status: u16, reasons: &[Reason]) -> String {
    let codes: Vec<Code> = reasons.iter().filter(|r| r.weight > 0.0).map(|r| r.code).collect();
    let document = Document {
        r#type: format!("urn:zt:outcome:{}", outcome.as_str()),
        title: title(status),
        status,
        detail: codes.first().map_or("", |code| code.sentence()),
        instance: id,
        reasons: &codes,
    };
    serde_json::to_string(&document).unwrap_or_else(|_| format!("{{\"status\":{status}}}"))
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
