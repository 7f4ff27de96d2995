//! Policies alone. What is asked crosses as one string, names one after the other with a NUL between: reading a string
//! costs more than the decision.

use std::sync::Arc;

use napi::bindgen_prelude::External;
use napi::{Error, JsString, Result};
use napi_derive::napi;
use zt_core::model::Identity;
use zt_core::wire::{Asked, Authorized, Instance};

use crate::verifier::read;
use crate::{checked, millis};

/// What policies call for; `index.js` has the same list.
const OUTCOMES: [&str; 6] = ["allow", "flag", "step_up", "throttle", "deny", "suspend"];

/// Asks the policies: the place of what they call for in the list of outcomes.
///
/// # Errors
/// When there are no policies, or no such endpoint.
#[napi(catch_unwind)]
pub fn authorize(
    instance: &External<Instance>,
    names: JsString<'_>,
    roles: u32,
    scopes: u32,
    risk: f64,
    issued_at: f64,
    now: f64,
) -> Result<u32> {
    let answer = ask(instance, &names, (roles, scopes), risk, issued_at, now)?;
    let at = OUTCOMES.iter().position(|outcome| *outcome == answer.outcome.as_str());
    Ok(at.and_then(|at| u32::try_from(at).ok()).unwrap_or(4))
}

/// Asks the policies: names of those that made it so, of those that could not be evaluated, and of what they hide.
///
/// # Errors
/// When there are no policies, or no such endpoint.
#[napi(catch_unwind)]
pub fn determining(
    instance: &External<Instance>,
    names: JsString<'_>,
    roles: u32,
    scopes: u32,
    risk: f64,
    issued_at: f64,
    now: f64,
) -> Result<Vec<Vec<String>>> {
    let answer = ask(instance, &names, (roles, scopes), risk, issued_at, now)?;
    Ok(vec![answer.policies(), answer.errors(), answer.redact()])
}

/// `names` are the endpoint; the principal and its `acr`, or nothing, each behind a mark; roles, then scopes.
fn ask(
    instance: &Instance,
    names: &JsString<'_>,
    (roles, scopes): (u32, u32),
    risk: f64,
    issued_at: f64,
    now: f64,
) -> Result<Authorized> {
    read(names, |bytes| {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        // One more NUL would make a role of what is none.
        let count = 3 + (roles as usize).saturating_add(scopes as usize);
        if text.split('\0').count() != count {
            return Err(Error::from_reason("a name has a NUL in it"));
        }
        let mut names = text.split('\0');
        let endpoint = names.next().unwrap_or_default();
        let mut marked = || names.next().and_then(|name| name.strip_prefix('+'));
        let (principal, acr) = (marked(), marked());
        let identity = principal.map(|principal| {
            let mut identity = Identity::asserted(principal);
            identity.roles = names.by_ref().take(roles as usize).map(Box::from).collect();
            identity.scopes = names.map(Box::from).collect();
            identity.assurance.acr = acr.map(Arc::from);
            identity.assurance.issued_at_ms = (!issued_at.is_nan()).then(|| millis(issued_at));
            identity
        });
        checked(instance.authorize(endpoint, &Asked { identity, risk }, millis(now)))
    })?
}
