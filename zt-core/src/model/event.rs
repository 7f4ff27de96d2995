//! One line of recorded traffic.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Millis, Request, Response};

/// One recorded request, with its response when there was one. Unknown fields are ignored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The host's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it was received: the engine's clock for this event.
    pub time_ms: Millis,
    /// The request.
    pub request: Request<'static>,
    /// The response, observed after the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response<'static>>,
    /// Who it was; only where no credential can be verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What only the host knows of a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// Evaluation data only: `normal` or an attack family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Event {
    /// The label of what is no attack; every other is a family of attacks.
    pub const NORMAL: &'static str = "normal";

    /// The request, carrying the event's id and subject.
    pub fn into_request(self) -> Request<'static> {
        Request { id: self.id.map(Cow::Owned), subject: self.subject.map(Cow::Owned), ..self.request }
    }
}

/// A login attempt on an endpoint that the configuration marks `login = true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// The name that was tried.
    pub username: String,
    /// Whether it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeded: Option<bool>,
}
