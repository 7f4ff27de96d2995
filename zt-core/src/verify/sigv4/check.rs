//! Whether a signature verifies, covers what it must, and is of this time.

use super::access_key::AccessKey;
use super::authorization::{Authorization, bad, only};
use super::canonical::Canonical;
use super::query::Query;
use crate::model::{Code, Millis, Request};
use crate::verify::mac::{self, MacKey};
use crate::verify::{Refusal, body};

const TOKEN_HEADER: &str = "x-amz-security-token";
const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

impl AccessKey {
    /// Checks the signature and that it covers what it must.
    pub(super) fn check(
        &self,
        signed: &Authorization<'_>,
        query: &Query<'_>,
        request: &Request<'_>,
    ) -> Result<(), Refusal> {
        let presigned = signed.expires_in.is_some();
        if self.required_headers.iter().any(|name| !signed.signs(name)) {
            return Err((Code::VerifySignatureIncomplete, "`host` or a header of `required_headers` is not signed"));
        }
        if !presigned && !signed.signs("x-amz-date") {
            return Err((Code::VerifySignatureIncomplete, "`x-amz-date` is not signed"));
        }
        if query.repeats() && !self.repeated_query_names {
            return Err(bad("a name stands twice in the query, and the order of its values is not signed"));
        }
        one_host(request)?;
        self.check_token(signed, query, request)?;
        let payload = self.payload(query, request, presigned)?;
        let without: &[&str] = match presigned {
            false => &[],
            true if self.session_token_unsigned => &["X-Amz-Signature", TOKEN_PARAMETER],
            true => &["X-Amz-Signature"],
        };
        let canonical = Canonical {
            request,
            query,
            without,
            normalize_path: self.normalize_path,
            signed_headers: signed.signed_headers,
            payload: &payload,
        };
        let text = canonical.to_sign(signed.time, signed.scope)?;
        let due = self.signing_key(signed).map(|key| key.mac(&[text.as_bytes()]));
        match due.is_some_and(|due| mac::same(&due, &signed.signature)) {
            true => Ok(()),
            false => Err((Code::VerifyBadSignature, "the signature does not verify")),
        }
    }

    /// The key for one day, region and service.
    fn signing_key(&self, signed: &Authorization<'_>) -> Option<MacKey> {
        let date = self.secret.as_ref()?.mac(&[signed.date.as_bytes()]);
        let region = MacKey::new(&date)?.mac(&[signed.region.as_bytes()]);
        let service = MacKey::new(&region)?.mac(&[signed.service.as_bytes()]);
        MacKey::new(&MacKey::new(&service)?.mac(&[b"aws4_request"]))
    }

    /// The payload's line of the canonical request.
    fn payload(&self, query: &Query<'_>, request: &Request<'_>, presigned: bool) -> Result<String, Refusal> {
        let named = match (only(request, "x-amz-content-sha256")?, query.value("X-Amz-Content-Sha256")) {
            (Some(_), Some(_)) if presigned => return Err(bad("the payload's digest stands twice")),
            (None, in_query) if presigned => in_query,
            (header, _) => header,
        };
        let unsigned = match named {
            Some(named) if named == UNSIGNED.as_bytes() => true,
            None => presigned && self.unsigned_payload,
            Some(_) => false,
        };
        if unsigned {
            return match self.unsigned_payload {
                true => Ok(UNSIGNED.to_owned()),
                false => Err((Code::VerifySignatureIncomplete, "`UNSIGNED-PAYLOAD`: the body is not signed")),
            };
        }
        let named = match named {
            Some(named) if named.starts_with(b"STREAMING-") => {
                return Err(bad("a payload that is signed in chunks (`STREAMING-...`)"));
            }
            Some(named) => Some(mac::from_lower_hex(named).ok_or(bad("`x-amz-content-sha256` is not a digest"))?),
            None => None,
        };
        let digest = mac::sha256(body::whole(request)?);
        match named.is_none_or(|named| mac::same(&named, &digest)) {
            true => Ok(mac::to_hex(&digest)),
            false => Err((Code::VerifyBadDigest, "the body is not that of `x-amz-content-sha256`")),
        }
    }

    /// A session token is the configured one; without one, a token must at least be signed.
    fn check_token(&self, signed: &Authorization<'_>, query: &Query<'_>, request: &Request<'_>) -> Result<(), Refusal> {
        let presigned = signed.expires_in.is_some();
        let (token, covered) = match (only(request, TOKEN_HEADER)?, query.value(TOKEN_PARAMETER)) {
            (Some(_), Some(_)) => return Err(bad("the session token stands twice")),
            (None, Some(_)) if !presigned => return Err(bad("a session token in the query of a signed header")),
            (Some(token), None) => (Some(token), signed.signs(TOKEN_HEADER)),
            (None, token) => (token, presigned && !self.session_token_unsigned),
        };
        match (token, &self.session_token) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err((Code::VerifyBadSignature, "the session token is missing")),
            (Some(_), _) if !covered && !self.session_token_unsigned => {
                Err((Code::VerifySignatureIncomplete, "the session token is not signed"))
            }
            (Some(token), Some(due)) if !mac::same(&mac::sha256(token), due) => {
                Err((Code::VerifyBadSignature, "another session token than this access key's"))
            }
            (Some(_), _) => Ok(()),
        }
    }

    /// Checks that the signature is neither stale nor of the future.
    pub(super) fn check_time(&self, signed: &Authorization<'_>, now: Millis) -> Result<(), Refusal> {
        let stale = |detail| Err((Code::VerifySignatureStale, detail));
        if signed.signed_at > now.saturating_add(self.tolerance) {
            return stale("signed in the future");
        }
        match signed.expires_in {
            Some(time) if now >= signed.signed_at.saturating_add(time) => stale("`X-Amz-Expires` has passed"),
            None if signed.signed_at < now.saturating_sub(self.tolerance) => {
                stale("signed longer ago than `tolerance`")
            }
            _ => Ok(()),
        }
    }
}

/// The `Host` header is signed; what the host calls the authority must be the same.
fn one_host(request: &Request<'_>) -> Result<(), Refusal> {
    let (header, told) = (only(request, "host")?, request.host.as_ref().map(|host| host.bytes()));
    match (header, told) {
        (Some(header), Some(told)) if !header.trim_ascii().eq_ignore_ascii_case(told) => {
            Err(bad("`Host` is not the request's authority"))
        }
        _ => Ok(()),
    }
}
