//! What a refused client is told.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::model::{Decision, ResponseDecision};
use crate::wire;

/// The problem document (RFC 9457) of a decision, with its status and headers.
pub(super) fn answer(decision: &Decision) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(decision.status).ok().filter(|status| status.is_client_error());
    let mut response = problem(status.unwrap_or(StatusCode::FORBIDDEN), wire::problem_document(decision));
    add_headers(decision, response.headers_mut());
    response
}

/// The problem document in the place of a response that cannot be redacted.
pub(super) fn unredactable(observed: &ResponseDecision) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(observed.status).ok().filter(|status| status.is_client_error());
    problem(status.unwrap_or(StatusCode::FORBIDDEN), wire::response_problem_document(observed))
}

/// The connection broke, or the body's framing did: there is nothing whole to decide about.
pub(super) fn broken_body() -> Response<Full<Bytes>> {
    problem(StatusCode::BAD_REQUEST, r#"{"type":"about:blank","title":"Bad Request","status":400}"#.to_owned())
}

/// Adds the decision's headers to a response.
pub(super) fn add_headers(decision: &Decision, headers: &mut HeaderMap) {
    for (name, value) in &decision.response_headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
}

fn problem(status: StatusCode, document: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(document));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
