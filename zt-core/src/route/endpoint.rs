//! Endpoints: a method on a path template.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::model::{EndpointRef, Millis};

/// An endpoint that the configuration or an OpenAPI document names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Place in [`Router::endpoints`](super::Router::endpoints).
    pub index: u32,
    /// The configuration's `id`, the `operationId`, or method and template. Unique.
    pub id: Arc<str>,
    /// Method, or `*` for any.
    pub method: Arc<str>,
    /// Path template as written, behind its server's base path.
    pub template: Arc<str>,
    /// Microsegment of the template; a request's own is [`Match::segment`](super::Match::segment).
    pub segment: Arc<str>,
    /// No credential is asked. Only the configuration says so.
    pub anonymous: bool,
    /// A login endpoint. Only the configuration says so.
    pub login: bool,
    /// The longest time since the end user's authentication. Only the configuration says so.
    pub reauthenticate_after: Option<Millis>,
    /// Authentication context classes, one of which is asked for. Only the configuration says so.
    pub acr_values: Arc<[String]>,
    /// The OpenAPI operation it is, when a document names it.
    pub operation: Option<Operation>,
    /// What decisions say of it, in its own segment: one count of uses for each thread to write, instead of three.
    pub(super) told: Arc<EndpointRef>,
}

impl Endpoint {
    /// What decisions say of it in a segment.
    pub(super) fn told_in(&self, segment: &Arc<str>) -> EndpointRef {
        let text = |text: &Arc<str>| Some(Arc::clone(text));
        EndpointRef { id: text(&self.id), template: text(&self.template), segment: text(segment), known: true }
    }
}

/// What an OpenAPI document says of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// `deprecated: true`.
    pub deprecated: bool,
    /// No security requirement applies to it (`security: []`, or none at all). It opens nothing.
    pub unsecured: bool,
}

/// An endpoint that a document names: all that is kept of one, so that it need not be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Documented {
    /// Its id.
    pub id: String,
    /// Its method.
    pub method: String,
    /// Its path template, behind its server's base path.
    pub template: String,
    /// What the document says of it.
    pub operation: Operation,
}

/// The endpoints of one template, by method.
#[derive(Clone, Debug, Default)]
pub(super) struct Methods {
    pub(super) named: SmallVec<[(Arc<str>, u32); 4]>,
    pub(super) any: Option<u32>,
}

impl Methods {
    /// The endpoint that names this method; GET serves HEAD (RFC 9110, section 9.3.2).
    pub(super) fn named(&self, method: &[u8]) -> Option<u32> {
        let find = |method: &[u8]| self.named.iter().find(|(name, _)| name.as_bytes() == method).map(|(_, at)| *at);
        find(method).or_else(|| if method == b"HEAD" { find(b"GET") } else { None })
    }

    /// The endpoint for any method, when this can be a method at all.
    pub(super) fn any(&self, method: &[u8]) -> Option<u32> {
        self.any.filter(|_| is_token(method))
    }

    /// One of the endpoints.
    pub(super) fn first(&self) -> Option<u32> {
        self.named.first().map(|(_, at)| *at).or(self.any)
    }
}

/// A `token` (RFC 9110, section 5.6.2).
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
