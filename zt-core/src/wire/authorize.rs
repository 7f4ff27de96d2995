//! Policies alone: for hosts that route and verify on their own.

use std::sync::Arc;

use crate::Engine;
use crate::model::{Identity, Millis, Outcome};
use crate::policy::{Answer, Policy, Request};

use super::Instance;

/// Who asks for what, in the host's own words.
#[derive(Debug)]
pub struct Asked {
    /// Who asks; nobody in particular when absent.
    pub identity: Option<Identity>,
    /// Calibrated risk, 0..=1.
    pub risk: f64,
}

/// What policies say of it.
#[derive(Debug)]
pub struct Authorized {
    /// The most severe of what the policies call for.
    pub outcome: Outcome,
    engine: Arc<Engine>,
    answer: Answer,
}

impl Authorized {
    /// Whether the request goes on to the handler.
    pub fn allowed(&self) -> bool {
        self.outcome.passes()
    }

    /// Names of the policies that made it so: forbids where one forbids, else permits.
    pub fn policies(&self) -> Vec<String> {
        self.names(&self.answer.determining)
    }

    /// Names of the policies that could not be evaluated.
    pub fn errors(&self) -> Vec<String> {
        self.names(&self.answer.errors)
    }

    /// Members of a JSON response that are hidden where the request passes.
    pub fn redact(&self) -> Vec<String> {
        self.engine.policy().map_or_else(Vec::new, |policy| policy.effect(&self.answer).redact)
    }

    fn names(&self, policies: &[u32]) -> Vec<String> {
        let policy = self.engine.policy();
        let name = |at: &u32| policy.and_then(|policy| policy.id(*at)).map(str::to_owned);
        policies.iter().filter_map(name).collect()
    }
}

impl Instance {
    /// Asks the policies, and nothing else, whether somebody may use an endpoint. What a decision would have read of
    /// the request itself, such as its address or a declared attribute, is absent.
    ///
    /// # Errors
    /// When there are no policies, or no endpoint of this id.
    pub fn authorize(&self, endpoint: &str, asked: &Asked, now: Millis) -> Result<Authorized, String> {
        let engine = self.engine();
        let policy: &Policy = engine.policy().ok_or("the configuration has no `[policy]`")?;
        let at = policy.endpoint(endpoint).ok_or_else(|| format!("there is no endpoint `{endpoint}`"))?;
        let method = engine.router().endpoints().get(at).map_or("", |endpoint| &endpoint.method);
        let identity = asked.identity.as_ref();
        let answer =
            policy.evaluate(&Request { identity, endpoint: at, method, risk: asked.risk, now, ..Request::default() });
        let outcome = policy.outcome(&answer);
        Ok(Authorized { outcome, answer, engine })
    }
}
