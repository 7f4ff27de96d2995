//! What is odd about a set of policies, found without a request: policies that can never match or that another one
//! makes useless, names that none uses, endpoints for nobody and for everybody, permits that are too broad.
//!
//! What is called so is so for every request: where the analysis cannot be certain it is silent.

mod everybody;
mod never_matches;
mod nobody;
mod over_broad;
mod shadowed;
mod unused;

use serde::Serialize;

use super::Policy;
use super::logic::Rules;
use super::program::Rule;

/// Findings of one kind at most; how many more there are is said in one of their own kind.
const FINDINGS_MAX: usize = 1_000;
/// Rows at which conditions that ask for the action or resource are looked at.
const ROWS_MAX: usize = 1_024;
/// Longest piece of a policy that a message quotes, in characters.
const QUOTE_MAX: usize = 120;
/// Names that a message lists.
const NAMES_MAX: usize = 5;

/// What is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A permit that no request can meet.
    PermitNeverMatches,
    /// A forbid that no request can meet: it guards nothing.
    ForbidNeverMatches,
    /// A policy without which every verdict is the same, because of another one of its effect.
    PolicyShadowed,
    /// A permit that a forbid takes back, always.
    PermitAlwaysForbidden,
    /// A role that callers have and no policy names.
    RoleNotUsed,
    /// An OAuth scope that callers have and no policy names.
    ScopeNotUsed,
    /// A segment in which nothing is permitted.
    SegmentNotUsed,
    /// An endpoint that nobody may call.
    EndpointNobodyMayCall,
    /// Endpoints that a permit opens to everybody, under no condition.
    EndpointEverybodyMayCall,
    /// A permit of everything, or of all writing, to everybody.
    PermitOverBroad,
}

/// One thing that is odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// The policy, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The file of the policy, where it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line of the policy, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column of the policy, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The endpoints that it is about, where it is about some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// What is odd, in a sentence.
    pub message: String,
    /// What to do.
    pub mend: String,
}

/// What the configuration says beside its policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// Roles that the configuration gives to callers.
    pub roles: &'a [&'a str],
    /// OAuth scopes that the configuration gives to callers.
    pub scopes: &'a [&'a str],
    /// Ids of endpoints that ask for no credential.
    pub anonymous: &'a [&'a str],
}

impl std::fmt::Display for Finding {
    /// One line: where, what, and what to do.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "{line}:{column}: ")?,
            (Some(line), None) => write!(f, "{line}: ")?,
            _ => {}
        }
        write!(f, "{}; {}", self.message, self.mend)
    }
}

impl Finding {
    fn new(kind: Kind, message: String, mend: &str) -> Self {
        let (policy, file, line, column) = (None, None, None, None);
        Self { kind, policy, file, line, column, endpoints: Vec::new(), message, mend: mend.to_owned() }
    }

    fn of(kind: Kind, rule: &Rule, message: String, mend: &str) -> Self {
        Self {
            policy: Some((*rule.id).to_owned()),
            file: rule.origin.file.as_deref().map(str::to_owned),
            line: Some(rule.origin.line),
            column: Some(rule.origin.column),
            ..Self::new(kind, message, mend)
        }
    }
}

/// Everything that is odd about policies, by kind and then in their order; at most a thousand of each kind.
pub fn analyse(policy: &Policy, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let rules = Rules::new(&policy.0);
    let (dead, mut found) = never_matches::find(&rules);
    found.extend(shadowed::find(&rules, &dead));
    found.extend(unused::find(&rules, surroundings));
    found.extend(nobody::find(&rules, surroundings));
    found.extend(everybody::find(&rules, surroundings));
    found.extend(over_broad::find(&rules));
    found.sort_by_key(|finding| finding.kind);
    let mut kept: Vec<Finding> = Vec::with_capacity(found.len().min(FINDINGS_MAX));
    for of_kind in found.chunk_by(|a, b| a.kind == b.kind) {
        kept.extend(of_kind.iter().take(FINDINGS_MAX).cloned());
        if let (Some(more), Some(first)) = (of_kind.len().checked_sub(FINDINGS_MAX).filter(|n| *n > 0), of_kind.first())
        {
            kept.push(Finding::new(first.kind, format!("{more} more of this kind are left out"), "mend these first"));
        }
    }
    kept
}

/// The first names of many.
fn some_of(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(NAMES_MAX) {
        Some(more) if more > 0 => format!("{} and {more} more", quoted.join(", ")),
        _ => quoted.join(", "),
    }
}

/// A piece of a policy, cut where it is long.
fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTE_MAX) {
        Some((at, _)) => format!("`{}...`", text.get(..at).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}
