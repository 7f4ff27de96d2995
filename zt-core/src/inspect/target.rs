//! The request target: its length and its query. The path's own syntax is `route`'s.

use super::Inspector;
use super::parameters::{self, Cut};
use super::report::Report;
use crate::model::{Code, Request};

pub(super) fn inspect(inspector: &Inspector, request: &Request<'_>, report: &mut Report) {
    let query = request.query.as_ref().map(|query| query.bytes());
    let length = request.path.bytes().len().saturating_add(query.map_or(0, |query| query.len().saturating_add(1)));
    if length > inspector.max_url {
        return report.refuse(Code::InspectUrlTooLong, "path and query");
    }
    let query = query.unwrap_or_default();
    if query.iter().fold(false, |bad, byte| bad | byte.is_ascii_control()) {
        // Never in a request line (RFC 9112, section 3): whoever let it through read the line in another way.
        return report.refuse(Code::InspectControlCharacter, "query");
    }
    parameters::inspect(inspector, query, "query", Cut::No, report);
}
