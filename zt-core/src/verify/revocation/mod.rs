//! What was revoked before its time: tokens, sessions, subjects and keys.

mod filter;
mod ids;
mod snapshot;
mod store;
mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use self::ids::{Ids, key};
pub(super) use self::snapshot::Snapshot;
pub(super) use self::store::Revocations;
pub(super) use self::table::Mark;
use crate::model::Millis;

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Revoked {
    /// One token, by its `jti`: `credential_id` of its decisions.
    Token,
    /// All tokens of a session, by `sid`: `session` of their decisions.
    Session,
    /// Everything of a principal that was issued before a moment.
    Subject,
    /// Everything under a key: the `kid` of an issuer's key, or the id of an API key or another credential of its own.
    Key,
}

/// A revocation: what is refused from now until it expires. A suspension is one that expires soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// What it is about.
    pub revoke: Revoked,
    /// Issuer of the tokens; absent for credentials without one, such as API keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `jti`, `sid`, principal or key id, as decisions show it.
    pub id: String,
    /// For a subject: tokens that were issued at this time or later are good. Without it, and of what has no issuer,
    /// nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before_ms: Option<Millis>,
    /// When it is over: not before the last of the tokens has expired.
    pub expires_ms: Millis,
}

#[cfg(test)]
mod tests;
