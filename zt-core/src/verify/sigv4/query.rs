//! The query of a signed request: decoded, and in canonical form.

use std::borrow::Cow;

use super::canonical::encode;
use crate::base::percent;
use crate::model::{Code, Request};
use crate::verify::Refusal;

/// Parameters that are looked at.
const MOST_PARAMETERS: usize = 256;
/// Parameters with a meaning to the signature, in the only case in which they have it.
const OF_SIGNATURE: [&str; 8] = [
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];
/// Those that no other request has.
const PRESIGNED: [&str; 3] = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"];

/// Names and values, decoded.
#[derive(Debug)]
pub(super) struct Query<'r>(Vec<Pair<'r>>);

type Pair<'r> = (Cow<'r, [u8]>, Cow<'r, [u8]>);

/// Whether the query says that it signs the request, well or badly.
pub(in crate::verify) fn is_presigned(request: &Request<'_>) -> bool {
    let query = request.query.as_ref().map_or(&b""[..], |query| query.bytes());
    query.split(|byte| *byte == b'&').any(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or(pair);
        let name = percent::decode(name).unwrap_or(name.into());
        PRESIGNED.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    })
}

impl<'r> Query<'r> {
    /// Reads the query strictly: every form that two readers may take for different things is refused.
    pub(super) fn read(request: &'r Request<'_>) -> Result<Self, Refusal> {
        let mut pairs = Vec::new();
        let Some(query) = request.query.as_ref().map(|query| query.bytes()).filter(|query| !query.is_empty()) else {
            return Ok(Self(pairs));
        };
        for pair in query.split(|byte| *byte == b'&') {
            if pairs.len() == MOST_PARAMETERS {
                return Err(bad("too many parameters in the query"));
            }
            if pair.is_empty() {
                return Err(bad("an empty parameter in the query"));
            }
            if pair.contains(&b'+') {
                return Err(bad("a raw `+` in the query, which readers take for a plus or for a space"));
            }
            let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(at).unwrap_or((pair, &[]));
            let value = value.get(1..).unwrap_or_default();
            let decoded =
                |bytes: &'r [u8]| percent::decode(bytes).map_err(|_| bad("a broken percent-encoding in the query"));
            pairs.push((decoded(name)?, decoded(value)?));
        }
        for (at, (name, _)) in pairs.iter().enumerate() {
            let amz = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"x-amz-"));
            if amz && pairs.iter().take(at).any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(bad("an `X-Amz-` parameter stands twice"));
            }
            if amz
                && OF_SIGNATURE.iter().any(|due| name.eq_ignore_ascii_case(due.as_bytes()) && **name != *due.as_bytes())
            {
                return Err(bad("an `X-Amz-` parameter of the signature in another case"));
            }
        }
        Ok(Self(pairs))
    }

    /// Whether a name stands twice.
    pub(super) fn repeats(&self) -> bool {
        let mut names: Vec<&[u8]> = self.0.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
    }

    /// The value of a parameter, decoded.
    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| **known == *name.as_bytes()).map(|(_, value)| &**value)
    }

    /// The canonical query, without the parameters with these names: encoded, then in order.
    pub(super) fn canonical(&self, without: &[&str]) -> Vec<u8> {
        let counts = |name: &[u8]| !without.iter().any(|other| other.as_bytes() == name);
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = self
            .0
            .iter()
            .filter(|(name, _)| counts(name))
            .map(|(name, value)| (encode(name, b""), encode(value, b"")))
            .collect();
        pairs.sort_unstable();
        let mut text = Vec::new();
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push(b'&');
            }
            text.extend_from_slice(&name);
            text.push(b'=');
            text.extend_from_slice(&value);
        }
        text
    }
}

const fn bad(detail: &'static str) -> Refusal {
    (Code::VerifySignatureMalformed, detail)
}
