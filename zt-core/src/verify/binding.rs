//! What binds a token to its sender (`cnf`, RFC 7800).

use super::Refusal;
use crate::model::{Code, Millis, Request};

/// What a sender must prove to hold: all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Confirmation {
    /// Thumbprint of a key (`jkt`, RFC 9449, section 6.1).
    pub(super) jkt: Option<Box<str>>,
    /// Thumbprint of a client certificate (`x5t#S256`, RFC 8705, section 3.1).
    pub(super) x5t_s256: Option<Box<str>>,
}

/// Whether the request comes from who the token is bound to.
pub(super) fn check(_confirmation: &Confirmation, _request: Option<&Request<'_>>, _now: Millis) -> Result<(), Refusal> {
    Err((Code::VerifyBindingMissing, "the token is bound to a key of its sender, and there is no proof of it"))
}
