//! AWS Signature Version 4, for callers that sign with AWS libraries: in the `Authorization` header or in the query
//! (AWS IAM User Guide, "AWS Signature Version 4 for API requests").
//!
//! A request holds for five minutes from its time ("in most cases, a request must reach AWS within five minutes of the
//! time stamp in the request", the same guide; S3 and older services give fifteen), and a presigned one as long as it
//! says, up to seven days. Within that time it can be sent again: the scheme has no nonce.
//!
//! Not offered, and refused by name: SigV4A (another algorithm, several regions) and payloads that are signed in chunks
//! (`STREAMING-...`), whose chunks would have to be taken apart.

mod authorization;
mod canonical;
mod config;
mod query;

use std::sync::Arc;

use self::authorization::{Authorization, bad, only};
use self::canonical::Canonical;
pub use self::config::Sigv4Config;
use self::query::Query;
pub(super) use self::query::is_presigned;
use super::mac::{self, Digest, MacKey};
use super::secret::{LEAST_SECRET_BYTES, Secret};
use super::{Refusal, body};
use crate::model::{Code, Identity, IdentityKind, Millis, Problem, Request};

/// What AWS's most patient services give.
const MAX_TOLERANCE: Millis = 900_000;
const TOKEN_HEADER: &str = "x-amz-security-token";
const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Every access key, in the configuration's order.
#[derive(Debug, Default)]
pub(super) struct Sigv4(Vec<AccessKey>);

#[derive(Debug)]
struct AccessKey {
    access_key_id: Box<str>,
    region: Box<str>,
    service: Box<str>,
    /// Under `AWS4` and the secret.
    secret: Option<MacKey>,
    tolerance: Millis,
    unsigned_payload: bool,
    normalize_path: bool,
    repeated_query_names: bool,
    /// In lower case, `host` among them.
    required_headers: Vec<Box<str>>,
    /// SHA-256 of the session token.
    session_token: Option<Digest>,
    session_token_unsigned: bool,
    identity: Arc<Identity>,
}

impl Sigv4 {
    pub(super) fn compile(configs: &[Sigv4Config], problems: &mut Vec<Problem>) -> Self {
        let mut keys: Vec<AccessKey> = Vec::with_capacity(configs.len());
        for (at, config) in configs.iter().enumerate() {
            let key = AccessKey::compile(at, config, problems);
            let same = |other: &AccessKey| {
                (&other.access_key_id, &other.region, &other.service) == (&key.access_key_id, &key.region, &key.service)
            };
            if keys.iter().any(same) {
                let message = "the same access key, region and service as another entry";
                let problem = Problem::new(format!("verify.sigv4[{at}].access_key_id"), message);
                problems.push(problem.mend("write each once"));
            }
            keys.push(key);
        }
        Self(keys)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who signed this request: by this `Authorization` header, or else by its query.
    pub(super) fn signer(
        &self,
        authorization: Option<&[u8]>,
        request: &Request<'_>,
        now: Millis,
    ) -> Result<Arc<Identity>, Refusal> {
        if self.is_empty() {
            return Err((Code::VerifySchemeRefused, "no `[[verify.sigv4]]` is configured"));
        }
        let query = Query::read(request)?;
        let signed = match authorization {
            Some(_) if is_presigned(request) => {
                return Err((Code::VerifyManyCredentials, "signed in `Authorization` and in the query"));
            }
            Some(header) => Authorization::of_header(header, request)?,
            None => Authorization::of_query(&query)?,
        };
        let mut keys = self.0.iter().filter(|key| *key.access_key_id == *signed.access_key_id).peekable();
        keys.peek().ok_or((Code::VerifyUnknownKey, "no such access key"))?;
        let key = keys.find(|key| *key.region == *signed.region && *key.service == *signed.service);
        let key = key.ok_or(bad("the scope is of another region or service"))?;
        key.check(&signed, &query, request)?;
        key.check_time(&signed, now)?;
        Ok(Arc::clone(&key.identity))
    }
}

impl AccessKey {
    fn compile(at: usize, config: &Sigv4Config, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.sigv4[{at}].{key}"), message).mend(mend));
        };
        if config.id.is_empty() || config.id.chars().any(char::is_control) {
            problem("id", "empty, or with control characters", "name the caller that holds the access key");
        }
        let part = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"/,=".contains(&b));
        for (key, text) in
            [("access_key_id", &config.access_key_id), ("region", &config.region), ("service", &config.service)]
        {
            if !part(text) {
                problem(key, "empty, or with characters that a scope cannot have", "write it as the caller signs it");
            }
        }
        let secret = config.secret.as_ref().map(Secret::expose);
        match secret {
            None => problem("secret", "no secret", "write `secret_file`, or the secret itself as `secret`"),
            Some(secret) if secret.len() < LEAST_SECRET_BYTES => {
                let key = if config.secret_file.is_some() { "secret_file" } else { "secret" };
                problem(key, "shorter than 16 bytes", "make a longer one");
            }
            Some(_) => {}
        }
        if !(1..=MAX_TOLERANCE).contains(&config.tolerance.millis()) {
            problem("tolerance", "zero, or more than fifteen minutes", "write \"5m\"");
        }
        let mut required_headers: Vec<Box<str>> =
            config.required_headers.iter().map(|name| name.to_ascii_lowercase().into()).collect();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if required_headers.iter().any(|name| name.is_empty() || !name.bytes().all(token)) {
            problem("required_headers", "not all of them are names of headers", "write such as [\"host\"]");
        }
        required_headers.push("host".into());
        if config.session_token_unsigned && config.session_token.is_none() {
            let message = "without a session token to compare with";
            problem("session_token_unsigned", message, "write `session_token_file`, or leave it out");
        }
        if config.session_token.as_ref().is_some_and(|token| token.expose().is_empty()) {
            problem("session_token", "empty", "write the token, or leave it out");
        }
        let identity = Identity {
            credential_id: Some(config.access_key_id.as_str().into()),
            roles: config.roles.iter().map(|role| role.as_str().into()).collect(),
            ..Identity::new(IdentityKind::AwsSigv4, config.id.as_str())
        };
        Self {
            access_key_id: config.access_key_id.as_str().into(),
            region: config.region.as_str().into(),
            service: config.service.as_str().into(),
            secret: secret.and_then(|secret| MacKey::new(format!("AWS4{secret}").as_bytes())),
            tolerance: config.tolerance.millis(),
            unsigned_payload: config.unsigned_payload,
            normalize_path: config.normalize_path,
            repeated_query_names: config.repeated_query_names,
            required_headers,
            session_token: config.session_token.as_ref().map(|token| mac::sha256(token.expose().as_bytes())),
            session_token_unsigned: config.session_token_unsigned,
            identity: Arc::new(identity),
        }
    }

    /// Checks the signature and that it covers what it must.
    fn check(&self, signed: &Authorization<'_>, query: &Query<'_>, request: &Request<'_>) -> Result<(), Refusal> {
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

    fn check_time(&self, signed: &Authorization<'_>, now: Millis) -> Result<(), Refusal> {
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

#[cfg(test)]
mod tests;
