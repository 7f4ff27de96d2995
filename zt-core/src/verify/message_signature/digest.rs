//! `Content-Digest` (RFC 9530): the body is what was signed.

use sha2::{Digest as _, Sha256, Sha512};

use super::byte_sequences::byte_sequences;
use super::{Refusal, field};
use crate::model::{Code, Request};
use crate::verify::body;

/// Most digests in one field.
const MAX_DIGESTS: usize = 8;

/// Whether the request has a body, as far as can be known here.
pub(super) fn has_body(request: &Request<'_>) -> bool {
    match (&request.body, request.body_len) {
        (Some(body), _) if !body.bytes().is_empty() => true,
        (_, Some(length)) => length > 0,
        _ => body::is_expected(request),
    }
}

/// Checks the body against the digests: each one of a known algorithm must match, and there must be one.
///
/// The body is the content as received, before any content coding is undone. Digests by other algorithms are passed over;
/// those that RFC 9530 calls insecure (`md5`, `sha`, `unixsum`, `unixcksum`, `adler`, `crc32c`) are among them.
pub(super) fn check(request: &Request<'_>) -> Result<(), Refusal> {
    let bad = |detail| (Code::VerifyBadDigest, detail);
    let text = field::combined(request, "content-digest")?.ok_or(bad("`content-digest` is missing"))?;
    let digests = byte_sequences(text.as_bytes(), MAX_DIGESTS).ok_or(bad("`content-digest` is malformed"))?;
    let body = request.body.as_ref().map(|body| body.bytes()).unwrap_or_default();
    let whole = match request.body_len {
        Some(length) => u64::try_from(body.len()).is_ok_and(|found| found == length),
        None => request.body.is_some() || !has_body(request),
    };
    if !whole {
        return Err(bad("the body was not handed over whole"));
    }
    let mut known = 0_usize;
    for (algorithm, digest) in &digests {
        let matches = match *algorithm {
            "sha-256" => digest.as_slice() == Sha256::digest(body).as_slice(),
            "sha-512" => digest.as_slice() == Sha512::digest(body).as_slice(),
            _ => continue,
        };
        if !matches {
            return Err(bad("the body is not what `content-digest` says"));
        }
        known = known.saturating_add(1);
    }
    match known {
        0 => Err(bad("`content-digest` has neither `sha-256` nor `sha-512`")),
        _ => Ok(()),
    }
}
