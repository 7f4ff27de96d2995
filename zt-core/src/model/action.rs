//! What was done to a subject because of what it did: every action leaves one of these.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Millis;

/// What is struck and suspended: of a request, what a person could name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// One token, by its `jti`, or one key, by its id.
    Credential,
    /// A session, by `sid`.
    Session,
    /// Who was proven to ask.
    Identity,
    /// The address that the request came from; of IPv6 the first 64 bits.
    Peer,
    /// The network around it: the first 24 bits of IPv4, 56 of IPv6.
    PeerPrefix,
}

impl SubjectKind {
    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Session => "session",
            Self::Identity => "identity",
            Self::Peer => "peer",
            Self::PeerPrefix => "peer_prefix",
        }
    }

    /// Whether it is known before anything is verified.
    pub const fn is_peer(self) -> bool {
        matches!(self, Self::Peer | Self::PeerPrefix)
    }
}

/// A rung of a ladder, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Its requests pass and are looked at.
    Flag,
    /// Its requests pass once the end user has authenticated again.
    StepUp,
    /// Its requests are slowed down.
    Throttle,
    /// Its requests are refused for a time.
    Suspend,
}

impl Rung {
    /// Every rung, mildest first.
    pub const ALL: [Self; 4] = [Self::Flag, Self::StepUp, Self::Throttle, Self::Suspend];

    /// The name in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::StepUp => "step_up",
            Self::Throttle => "throttle",
            Self::Suspend => "suspend",
        }
    }
}

/// What kind of action it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// A subject reached a higher rung than it stood on.
    Rung,
    /// A subject was suspended.
    Suspended,
    /// A suspension was lifted, and what led to it forgiven.
    Lifted,
}

/// What was done to a subject of the request, which the decision names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// What was done.
    #[serde(rename = "type")]
    pub kind: ActionKind,
    /// The ladder that it stands on; absent when a person did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Arc<str>>,
    /// What of the request it was done to.
    pub subject: SubjectKind,
    /// The rung it stands on now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<Rung>,
    /// When a suspension ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Millis>,
    /// The how manieth suspension in a row it is, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// The ladder is in monitor mode: this is what would have been done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub monitor: bool,
}
