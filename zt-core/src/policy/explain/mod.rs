//! Why a request is allowed or denied, and what would have to change.
//!
//! An explanation looks at every policy, one by one and without the index: it is for people who ask afterwards, not for the
//! request path. Its answer is that of [`Policy::evaluate`].

mod scoped;
mod shown;
mod walk;
mod why;

use schemars::JsonSchema;
use serde::Serialize;

use super::evaluate::World;
use super::request::{Facts, Request};
use super::table::Named;
use super::value::Uid;
use super::{Answer, Compiled, Policy, Verdict};

pub(crate) use walk::explain;

/// Why a request is allowed or denied by policies, and what would have to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explanation {
    /// Allow or deny.
    pub decision: Verdict,
    /// Whether any policy permits, whatever forbids.
    pub permitted: bool,
    /// The policies that made it so: forbids where one forbids, else permits. For each forbid, making any one of its `held`
    /// false lifts it.
    pub determining: Vec<Shown>,
    /// Policies that could not be evaluated.
    pub errors: Vec<Unevaluated>,
    /// Where nothing permits: the permits that come nearest to it, at most three. Those with the fewest parts that failed come
    /// first; of as many, those whose whole scope fits, then those for this action and resource, then in their order.
    pub nearest: Vec<NearMiss>,
    /// Policies that were looked at.
    pub policies: usize,
    /// Policies that `determining` and `errors` have no room for.
    pub left_out: usize,
}

/// A policy, and what of it held for the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shown {
    /// Its `@id`, or its file and position.
    pub id: String,
    /// The file; absent where the configuration or document holds the policies itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in that file or text, from 1.
    pub line: u32,
    /// Column in that line, from 1.
    pub column: u32,
    /// What it does where it applies.
    pub effect: Kind,
    /// The policy itself; a long one is cut.
    pub text: String,
    /// Its `@reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Parts of its scope and conditions that held, in their order.
    pub held: Vec<String>,
}

/// What a policy does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It permits.
    Permit,
    /// It forbids.
    Forbid,
}

/// A policy that could not be evaluated: Cedar skips it; under `errors = "deny"` a forbid denies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unevaluated {
    /// The policy.
    pub policy: Shown,
    /// The condition that could not be evaluated.
    pub condition: String,
    /// What of it, and what the request had there.
    pub why: String,
}

/// A permit that did not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NearMiss {
    /// The policy.
    pub policy: Shown,
    /// What would have to change, all of it.
    pub failed: Vec<Failed>,
    /// Conditions after one that failed which cannot be evaluated as long as it does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// A part of a policy that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Failed {
    /// Which part.
    pub part: Part,
    /// The part itself.
    pub text: String,
    /// What the request had there; a long value is cut.
    pub why: String,
}

/// A part of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Scope of the principal.
    Principal,
    /// Scope of the action.
    Action,
    /// Scope of the resource.
    Resource,
    /// One of the conditions of `when` and `unless` that must all hold.
    Condition,
}

/// A world that knows what its entities are in.
pub(crate) trait Kinship<'a>: World<'a> {
    /// What the entity is below.
    fn above(&self, entity: Uid<'_>) -> Vec<Uid<'a>>;
}

impl Policy {
    /// Why a request is decided as [`evaluate`](Self::evaluate) decides it, and what would have to change.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        let Compiled { program, index, errors, .. } = &self.0;
        let Some(row) = index.row(request.endpoint, request.segment, request.method) else {
            // No endpoint, no action or resource: nothing can be near.
            return walk::summed_up(program, &Answer::nothing());
        };
        let principal = request.principal();
        let symbols = self.principal_symbols(request, self.symbol(Named::new(principal.ty), principal.id));
        explain(program, &Facts { request, index, row, symbols: &symbols }, *errors)
    }
}
