//! What hides members of a JSON response while it streams.

use napi::bindgen_prelude::{Buffer, External};
use napi::{Error, Result};
use napi_derive::napi;
use zt_core::respond::{Redactor, STALE_HEADERS};
use zt_core::wire;

/// What redacts the response with this head; nothing where there is nothing to redact.
///
/// # Errors
/// When it cannot be redacted, the lines are not `count`, or `decision` is not one.
#[napi(catch_unwind)]
pub fn redactor(
    instance: &External<wire::Instance>,
    decision: String,
    status: u16,
    lines: String,
    count: u32,
) -> Result<Option<External<Redactor>>> {
    let redactor = super::checked(instance.redactor_fields(&decision, status, &lines, count as usize))?;
    Ok(redactor.map(External::new))
}

/// Takes the next piece; what is to be sent of it.
///
/// # Errors
/// When the body cannot be read.
#[napi(catch_unwind)]
pub fn redactor_push(redactor: &mut External<Redactor>, piece: &[u8]) -> Result<Buffer> {
    let mut out = Vec::with_capacity(piece.len());
    redactor.push(piece, &mut out).map_err(|error| Error::from_reason(error.to_string()))?;
    Ok(out.into())
}

/// Ends the body.
///
/// # Errors
/// When it is not whole.
#[napi(catch_unwind)]
pub fn redactor_finish(redactor: &External<Redactor>) -> Result<()> {
    super::checked(redactor.finish())
}

/// Headers, in lower case, that no longer hold.
#[napi]
pub fn stale_headers() -> Vec<String> {
    STALE_HEADERS.iter().map(|name| (*name).to_owned()).collect()
}
