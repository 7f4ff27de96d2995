//! `[verify.cache]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::units::Size;
use crate::model::Problem;

/// `[verify.cache]`: verified tokens are remembered, so that a repeated one costs no signature.
///
/// Whatever may change between two requests is checked each time all the same: times, revocations, the key and what
/// the configuration asks, the binding to the sender.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// The most memory for remembered tokens and their claims, of what the state has in all; `"0B"` remembers none.
    /// Unless given, a share of `state.memory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// The most tokens; unless given, one for each KiB of `memory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<u32>,
    /// What is kept to know a token again.
    pub token_at_rest: TokenAtRest,
}

/// What of a token stays in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenAtRest {
    /// The token itself, compared byte by byte: quickest.
    #[default]
    Exact,
    /// Its SHA-256, so that nobody who reads the memory can use it.
    Digest,
}

/// Most memory for it: more is a slip of the pen.
const MAX_MEMORY_BYTES: u64 = 16 << 30;
/// Bytes of memory for each entry, unless the configuration says how many there are: most tokens take more.
const ENTRY_BYTES: usize = 1 << 10;
/// Fewer bytes of memory for each entry would leave no room for tokens beside the table.
const LEAST_ENTRY_BYTES: u64 = 256;

impl CacheConfig {
    /// Finds what is wrong with it, where it has so many bytes.
    pub(in crate::verify) fn check(&self, bytes: usize, problems: &mut Vec<Problem>) {
        if self.memory.is_some_and(|memory| memory.bytes() > MAX_MEMORY_BYTES) {
            problems.push(Problem::new("verify.cache.memory", "more than 16 GiB").mend("write \"16MiB\" or so"));
        }
        let entries = u64::from(self.entries.unwrap_or_default());
        if self.entries == Some(0) || entries.saturating_mul(LEAST_ENTRY_BYTES) > bytes as u64 {
            let problem = Problem::new("verify.cache.entries", "none, or more than `memory` has room for");
            problems.push(problem.mend("leave it out; to remember no token write memory = \"0B\""));
        }
    }

    /// Entries that there is a place for in so many bytes.
    pub(super) fn places(&self, bytes: usize) -> usize {
        let entries = self.entries.and_then(|entries| usize::try_from(entries).ok());
        entries.unwrap_or(bytes / ENTRY_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told() {
        let problems = |json: &str| {
            let mut problems = Vec::new();
            serde_json::from_str::<CacheConfig>(json).unwrap().check(16 << 20, &mut problems);
            problems.into_iter().map(|problem| problem.key).collect::<Vec<_>>()
        };
        assert!(problems("{}").is_empty() && problems(r#"{"memory":"0B"}"#).is_empty());
        assert_eq!(problems(r#"{"memory":"17GiB"}"#), ["verify.cache.memory"]);
        assert_eq!(problems(r#"{"entries":0}"#), ["verify.cache.entries"]);
        assert_eq!(problems(r#"{"entries":600000}"#), ["verify.cache.entries"]);
        assert!(serde_json::from_str::<CacheConfig>(r#"{"token_at_rest":"off"}"#).is_err());
    }
}
