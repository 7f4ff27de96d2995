//! What a decision did to a subject, as documents say it (`actions`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What was done.
    #[serde(rename = "type")]
    pub kind: ActionKind,
    /// The ladder that it stands on.
    #[serde(default)]
    pub ladder: Option<Arc<str>>,
    /// To what.
    pub subject: SubjectKind,
    /// The rung that was reached.
    #[serde(default)]
    pub rung: Option<Rung>,
    /// It was not done: the ladder is in monitor mode.
    #[serde(default)]
    pub monitor: bool,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// A subject reached a higher rung.
    Rung,
    /// It was suspended.
    Suspended,
    /// A suspension was lifted.
    Lifted,
}

/// To what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// One token or key.
    Credential,
    /// A session.
    Session,
    /// Who was proven to ask.
    Identity,
    /// An address.
    Peer,
    /// A network.
    PeerPrefix,
}

/// A rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// Looked at.
    Flag,
    /// Asked to authenticate again.
    StepUp,
    /// Slowed down.
    Throttle,
    /// Refused for a time.
    Suspend,
}
