//! The parameters of a signature (RFC 9421, section 2.3).

use sfv::BareItemFromInput;

use super::structured;
use super::{Refusal, malformed};
use crate::model::Millis;

/// Longest `keyid`, `nonce` or `tag`.
pub(super) const MAX_TEXT_BYTES: usize = 256;

/// A signature's parameters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters<'a> {
    pub(super) created: Option<Millis>,
    pub(super) expires: Option<Millis>,
    pub(super) algorithm: Option<&'a str>,
    pub(super) nonce: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    /// Reads those of the registry. Another is refused: it may restrict in ways that nobody here would heed.
    pub(super) fn read(parameters: &'a structured::Parameters<'_>) -> Result<Self, Refusal> {
        let mut read = Self::default();
        for (key, value) in parameters.iter() {
            match key {
                "created" => read.created = Some(time(value)?),
                "expires" => read.expires = Some(time(value)?),
                "alg" => read.algorithm = Some(text(value)?),
                "nonce" => read.nonce = Some(text(value)?),
                "tag" => read.tag = Some(text(value)?),
                "keyid" => {
                    text(value)?;
                }
                _ => return Err(malformed("a signature parameter that is not known")),
            }
        }
        match (read.created, read.expires) {
            (Some(created), Some(expires)) if expires < created => Err(malformed("`expires` is before `created`")),
            _ => Ok(read),
        }
    }
}

/// The key that a signature names.
pub(super) fn keyid<'a>(parameters: &'a structured::Parameters<'_>) -> Option<&'a str> {
    let (_, value) = parameters.iter().find(|(key, _)| *key == "keyid")?;
    text(value).ok()
}

fn time(value: &BareItemFromInput<'_>) -> Result<Millis, Refusal> {
    match value.as_integer().map(i64::from) {
        Some(seconds) if seconds >= 0 => Ok(seconds.saturating_mul(1_000)),
        _ => Err(malformed("`created` or `expires` is not a time")),
    }
}

fn text<'a>(value: &'a BareItemFromInput<'_>) -> Result<&'a str, Refusal> {
    match value {
        BareItemFromInput::String(text) if !text.as_str().is_empty() && text.as_str().len() <= MAX_TEXT_BYTES => {
            Ok(text.as_str())
        }
        _ => Err(malformed("`keyid`, `alg`, `nonce` or `tag` is not a string of 1 to 256 characters")),
    }
}
