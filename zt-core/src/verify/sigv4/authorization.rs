//! What signs a request: the `Authorization` header, or the parameters of a presigned query.

use super::query::Query;
use crate::model::{Code, Millis, Request};
use crate::verify::mac::{self, Digest};
use crate::verify::{Refusal, instant};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

const MAX_HEADER_BYTES: usize = 8_192;
const MOST_HEADERS: usize = 64;
/// Seven days: the longest that AWS lets a presigned request hold.
const MAX_EXPIRES_S: i64 = 604_800;

/// A signature and what it says of itself, unproven.
#[derive(Debug)]
pub(super) struct Authorization<'r> {
    pub(super) access_key_id: &'r str,
    pub(super) date: &'r str,
    pub(super) region: &'r str,
    pub(super) service: &'r str,
    /// Everything of the credential but the access key id.
    pub(super) scope: &'r str,
    pub(super) signed_headers: &'r str,
    pub(super) signature: Digest,
    /// The time of signing, as it is written.
    pub(super) time: &'r str,
    pub(super) signed_at: Millis,
    /// How long a presigned request holds.
    pub(super) expires_in: Option<Millis>,
}

impl<'r> Authorization<'r> {
    /// `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...`, in any order.
    pub(super) fn of_header(value: &'r [u8], request: &'r Request<'_>) -> Result<Self, Refusal> {
        if value.len() > MAX_HEADER_BYTES {
            return Err(bad("`Authorization` is too long"));
        }
        let value = std::str::from_utf8(value).map_err(|_| bad("`Authorization` is not text"))?;
        let (algorithm, rest) = value.split_once(' ').ok_or(bad("`Authorization` has no parameters"))?;
        check_algorithm(algorithm)?;
        let (mut credential, mut headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim_start_matches(' ').split_once('=').ok_or(bad("a part without `=`"))?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut headers,
                "Signature" => &mut signature,
                _ => return Err(bad("an unknown part of `Authorization`")),
            };
            if slot.replace(value).is_some() {
                return Err(bad("a part of `Authorization` stands twice"));
            }
        }
        let time = only(request, "x-amz-date")?.ok_or(bad("`x-amz-date` is missing"))?;
        let missing = bad("a part of `Authorization` is missing");
        Self::new(credential.ok_or(missing)?, headers.ok_or(missing)?, signature.ok_or(missing)?, time, None)
    }

    /// `X-Amz-Algorithm`, `X-Amz-Credential`, `X-Amz-Date`, `X-Amz-Expires`, `X-Amz-SignedHeaders` and `X-Amz-Signature`.
    pub(super) fn of_query(query: &'r Query<'_>) -> Result<Self, Refusal> {
        let value = |name: &str| {
            let value = query.value(name).ok_or(bad("a parameter of a presigned request is missing"))?;
            std::str::from_utf8(value).map_err(|_| bad("a parameter of a presigned request is not text"))
        };
        check_algorithm(value("X-Amz-Algorithm")?)?;
        let seconds = value("X-Amz-Expires")?;
        let digits = seconds.len() <= 6 && !seconds.starts_with('0') && seconds.bytes().all(|b| b.is_ascii_digit());
        let expires = seconds.parse().ok().filter(|seconds| digits && (1..=MAX_EXPIRES_S).contains(seconds));
        let expires: i64 = expires.ok_or(bad("`X-Amz-Expires` is not from one second to seven days"))?;
        Self::new(
            value("X-Amz-Credential")?,
            value("X-Amz-SignedHeaders")?,
            value("X-Amz-Signature")?,
            value("X-Amz-Date")?.as_bytes(),
            Some(expires.saturating_mul(1_000)),
        )
    }

    fn new(
        credential: &'r str,
        signed_headers: &'r str,
        signature: &str,
        time: &'r [u8],
        expires_in: Option<Millis>,
    ) -> Result<Self, Refusal> {
        let not_a_scope = bad("the credential is not `<key>/<date>/<region>/<service>/aws4_request`");
        let (access_key_id, scope) = credential.split_once('/').ok_or(not_a_scope)?;
        let mut parts = scope.split('/');
        let (Some(date), Some(region), Some(service), Some("aws4_request"), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(not_a_scope);
        };
        let wrong_time = bad("the time is not written as `20150830T123600Z`");
        let signed_at = instant::basic(time).ok_or(wrong_time)?;
        let time = std::str::from_utf8(time).map_err(|_| wrong_time)?;
        if time.split_once('T').is_none_or(|(day, _)| day != date) {
            return Err(bad("the scope's date is not that of the time"));
        }
        check_headers(signed_headers)?;
        let signature = mac::from_lower_hex(signature.as_bytes());
        let signature = signature.ok_or(bad("the signature is not 64 hexadecimal digits in lower case"))?;
        Ok(Self { access_key_id, date, region, service, scope, signed_headers, signature, time, signed_at, expires_in })
    }

    /// Whether a header, its name in lower case, is signed.
    pub(super) fn signs(&self, header: &str) -> bool {
        self.signed_headers.split(';').any(|name| name == header)
    }
}

/// Names in lower case, in order, none of them twice.
fn check_headers(names: &str) -> Result<(), Refusal> {
    let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let mut last = "";
    for (nth, name) in names.split(';').enumerate() {
        if nth == MOST_HEADERS {
            return Err(bad("too many signed headers"));
        }
        if !name.bytes().all(token) || name <= last {
            return Err(bad("the signed headers are not names in lower case and in order"));
        }
        last = name;
    }
    Ok(())
}

fn check_algorithm(algorithm: &str) -> Result<(), Refusal> {
    match algorithm {
        ALGORITHM => Ok(()),
        "AWS4-ECDSA-P256-SHA256" => Err((Code::VerifySchemeRefused, "SigV4A (`AWS4-ECDSA-P256-SHA256`)")),
        _ => Err((Code::VerifySchemeRefused, "an AWS signature other than `AWS4-HMAC-SHA256`")),
    }
}

/// The only value of a header.
pub(super) fn only<'r>(request: &'r Request<'_>, header: &'r str) -> Result<Option<&'r [u8]>, Refusal> {
    let mut values = request.header(header);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(bad("a header of the signature stands twice")),
        (value, None) => Ok(value),
    }
}

pub(super) const fn bad(detail: &'static str) -> Refusal {
    (Code::VerifySignatureMalformed, detail)
}
