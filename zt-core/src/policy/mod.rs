//! May they? Policies in Cedar, compiled at load.
//!
//! Policies are written in [Cedar](https://www.cedarpolicy.com): default deny, and a forbid overrides every permit. They
//! are parsed and strictly validated by `cedar-policy`, then compiled to a small evaluator of our own that has exactly
//! Cedar's semantics, finds the few policies whose scope fits a request by an index, and allocates nothing.
//!
//! # What policies see
//! | | entity | is in |
//! |---|---|---|
//! | principal | `User::"<subject>"`, `ApiKey::"<id>"`, `Workload::"<id>"`, `Anonymous::"anonymous"` | its `Role::"..."` and `Scope::"..."` |
//! | action | `Action::"<endpoint id>"` | `Action::"<METHOD>"`, and `Action::"read"` (GET, HEAD, OPTIONS) or `Action::"write"` |
//! | resource | `Endpoint::"<endpoint id>"` | `Segment::"<segment>"` |
//!
//! `context` has `method`, `credential` (`"jwt"`, `"api_key"`, `"asserted"` or `"none"`), `roles`, `scopes`, `risk` (per
//! mille), `hour`, `weekday` (1 is Monday), `now` and `now_s` in UTC; and, where they are known, `path`, `host`, `ip`,
//! `asn`, `country`, `subject`, `tenant`, `client_id`, `issuer`, `acr`, `auth_age_s`, `token_age_s` and `bound`. Strict
//! validation makes a policy ask `context has acr && ...` before it uses one of those. `[[policy.context]]` declares more.
//!
//! # Graded denials
//! A forbid may carry `@on_deny("step_up")`, `"throttle"`, `"flag"` or `"deny"` (the default), `@reason("...")`, and with
//! `step_up` an `@acr("...")` and a `@max_age("5m")`. The most severe one that matches wins. `@id("...")` names a policy.
//!
//! # Templates
//! A policy with `?principal` or `?resource` in its scope is a template. Each `[[policy.link]]` makes a policy of one, by
//! an entity for each slot.
//!
//! # Redaction
//! A permit, or a forbid that flags, may carry `@redact("customer.ssn, notes")`: these members of a JSON response are
//! hidden ([paths](crate::base::member_path)). A field is hidden as soon as one policy hides it that had a say; another
//! that permits the same without `@redact` does not show it.
//!
//! # Exemptions
//! A permit may carry `@exempt("per-user, per-tenant")`: where it is among those that permit a request, these limits do
//! not refuse it. They are limits that are checked when the caller is known.
//!
//! # Errors
//! A policy that fails at run time (an overflow, say) is skipped by Cedar, which for a forbid means that it fails open.
//! Here a forbid that fails denies, unless `errors = "cedar"` asks for Cedar's way. Either way it is reported.

#[cfg(feature = "compile")]
pub mod analysis;
mod answer;
mod check;
mod datetime;
mod declared;
#[cfg(feature = "compile")]
mod difference;
mod effect;
mod evaluate;
mod exempt;
pub mod explain;
mod facts;
mod flat;
mod index;
mod ip;
mod like;
#[cfg(feature = "compile")]
mod logic;
mod lookup;
mod mentions;
mod print;
mod program;
mod request;
mod scope;
mod table;
mod value;
mod vocabulary;

#[cfg(feature = "compile")]
mod compile;
#[cfg(feature = "compile")]
pub mod raw;

use std::collections::BTreeMap;

use crate::model::Outcome;
#[cfg(not(feature = "compile"))]
use crate::model::{Problem, Source};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(feature = "compile")]
pub use analysis::analyse;
pub use answer::{Answer, Verdict};
pub use declared::{Attribute, AttributeConfig, AttributeSource, AttributeType, Reads};
#[cfg(feature = "compile")]
pub use difference::{Anonymous, Change, Difference, Place, Redacted, Turn, difference};
#[cfg(feature = "compile")]
pub(crate) use difference::{Moved, difference_of};
pub use effect::Effect;
pub use exempt::Exemption;
pub use explain::Explanation;
pub(crate) use mentions::Mentions;
pub use request::Request;
#[cfg(feature = "compile")]
pub(crate) use vocabulary::METHODS;
#[cfg(feature = "compile")]
pub use vocabulary::schema;
pub use vocabulary::{Endpoint, Vocabulary};

use answer::Tally;
use effect::{Denial, Redactions};
use evaluate::Evaluation;
use index::{Entry, Index, key_eq, key_in};
use program::Program;
use request::{Facts, Symbols};
use table::{Named, Table};
use vocabulary::{ROLE, SCOPE};

/// The table `[policy]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Files of Cedar policies; the host reads them.
    pub files: Vec<String>,
    /// Cedar policies themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Policies made of templates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub link: Vec<Link>,
    /// What a forbid that cannot be evaluated does.
    pub errors: ErrorMode,
    /// Attributes of the request context beside the fixed ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<AttributeConfig>,
}

/// `[[policy.link]]`: a policy made of a template, by an entity for each slot that the template has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The `@id` of the template.
    pub template: String,
    /// Name of the policy that this makes.
    pub id: String,
    /// For `?principal`, as in a policy: `User::"anna"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// For `?resource`, as in a policy: `Segment::"orders"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// What a forbid that cannot be evaluated does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorMode {
    /// It denies: stricter than Cedar.
    #[default]
    Deny,
    /// It is skipped, as in Cedar.
    Cedar,
}

/// Compiled policies.
#[derive(Clone, Debug)]
pub struct Policy(Compiled);

/// Plain data behind [`Policy`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Compiled {
    program: Program,
    index: Index,
    /// Symbols of the program's entities.
    #[serde(skip)]
    symbols: Table,
    denials: BTreeMap<u32, Denial>,
    redactions: Redactions,
    /// Limits that permits exempt from; of the annotations.
    #[serde(skip)]
    exemptions: exempt::Exemptions,
    errors: ErrorMode,
    #[serde(default)]
    reads: Reads,
}

#[cfg(not(feature = "compile"))]
impl Policy {
    /// Refuses: this build has no compiler for policies.
    ///
    /// # Errors
    /// Always.
    pub fn compile(_: &Config, _: &[Source<'_>], _: &Vocabulary<'_>) -> Result<Self, Vec<Problem>> {
        let problem = Problem::new("policy", "this build has no compiler for policies");
        Err(vec![problem.mend("build with the feature `compile`")])
    }
}

impl Policy {
    /// Decides one request. An endpoint that the vocabulary does not have is denied.
    pub fn evaluate(&self, request: &Request<'_>) -> Answer {
        let Compiled { program, index, errors, .. } = &self.0;
        let Some(row) = index.row(request.endpoint, request.segment, request.method) else { return Answer::nothing() };
        let principal = request.principal();
        let own = self.symbol(Named::new(principal.ty), principal.id);
        let symbols = self.principal_symbols(request, own);
        let world = Facts { request, index, row, symbols: &symbols };
        let mut evaluation = Evaluation::new(program, &world);
        let mut tally = Tally::default();
        let mut consider = |entries: &[Entry]| {
            for entry in entries {
                if entry.ty.is_none_or(|ty| program.name(ty) == Some(principal.ty)) {
                    tally.add(entry.rule, entry.effect, evaluation.holds(entry.body));
                }
            }
        };
        for class in row.classes.iter().copied() {
            consider(index.for_any(class));
            let there = |symbol: &u32| index.may_have(class, *symbol);
            if let Some(own) = own.filter(there) {
                consider(index.entries(class, key_eq(own)));
            }
            for symbol in symbols.iter().copied().filter(there) {
                consider(index.entries(class, key_in(symbol)));
            }
        }
        tally.answer(*errors)
    }

    /// What an answer means for the request.
    pub fn effect(&self, answer: &Answer) -> Effect {
        let Compiled { program, denials, redactions, exemptions, errors, .. } = &self.0;
        let effect = Effect::new(program, denials, *errors, answer).redacting(redactions, *errors, answer);
        effect.exempting(exemptions, answer)
    }

    /// Whether it was compiled for these endpoints, in this order.
    pub(crate) fn is_for<'e>(&self, mut endpoints: impl ExactSizeIterator<Item = &'e str>) -> bool {
        let Index { first_row, rows, .. } = &self.0.index;
        let named = |at: &u32, id: &str| rows.get(*at as usize).is_some_and(|row| *row.id == *id);
        first_row.len() == endpoints.len()
            && first_row.iter().all(|at| endpoints.next().is_some_and(|id| named(at, id)))
    }

    /// What must be read of a request before policies are asked.
    pub fn reads(&self) -> &Reads {
        &self.0.reads
    }

    /// The most severe of what an answer calls for: that of its [`effect`](Self::effect), in less time.
    pub fn outcome(&self, answer: &Answer) -> Outcome {
        Effect::outcome(&self.0.program, &self.0.denials, self.0.errors, answer)
    }

    /// The number of an endpoint, by its id.
    pub fn endpoint(&self, id: &str) -> Option<usize> {
        self.0.index.endpoint(id)
    }

    /// Number of policies.
    pub fn len(&self) -> usize {
        self.0.program.rules.len()
    }

    /// Whether there is no policy, and so everything is denied.
    pub fn is_empty(&self) -> bool {
        self.0.program.rules.is_empty()
    }

    /// Name of a policy: its `@id`, or its file and position.
    pub fn id(&self, policy: u32) -> Option<&str> {
        self.0.program.rules.get(policy as usize).map(|rule| &*rule.id)
    }

    /// An annotation of a policy.
    pub fn annotation(&self, policy: u32, key: &str) -> Option<&str> {
        self.0.program.rules.get(policy as usize)?.annotations.get(key).map(|value| &**value)
    }

    fn symbol(&self, ty: Named<'_>, id: &str) -> Option<u32> {
        self.0.symbols.find(ty, id)
    }

    fn principal_symbols(&self, request: &Request<'_>, own: Option<u32>) -> Symbols {
        let mut symbols = Symbols::new();
        symbols.extend(own);
        for (ty, names) in [(ROLE, request.roles()), (SCOPE, request.scopes())] {
            if !names.is_empty() {
                let ty = Named::new(ty);
                symbols.extend(names.iter().filter_map(|name| self.symbol(ty, name)));
            }
        }
        symbols.sort_unstable();
        symbols.dedup();
        symbols
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Policy {
    /// Refuses what evaluation could not trust: an index out of range, an expression that is too deep, runs in a circle
    /// or is shared.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut compiled = Compiled::deserialize(deserializer)?;
        compiled.complete();
        match compiled.check() {
            Ok(()) => Ok(Self(compiled)),
            Err(why) => Err(serde::de::Error::custom(format_args!("compiled policies: {why}"))),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "compile")]
mod tests;
