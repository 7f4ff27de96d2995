//! `[[limit]]`: what is counted, and how often it may happen.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyPart, Phase};
use crate::base::bounded::KeyHasher;
use crate::base::units::Rate;
use crate::model::{Mode, Problem};

/// One `[[limit]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name, in reasons and in the `RateLimit` fields: letters, digits and `-_.:/`, at most 64.
    pub name: String,
    /// What is counted apart. Empty: all requests together.
    pub key: Vec<KeyPart>,
    /// Requests per span of time.
    pub rate: Rate,
    /// Requests that may come at once; the rate's number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
    /// Whether a refusal is enforced or only reported.
    #[serde(default)]
    pub mode: Mode,
    /// Endpoints (by id) that it is for. With no endpoints and no segments it is for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// Segments that it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// Bits of an IPv4 address that `peer_prefix` keeps; 24 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_prefix: Option<u8>,
    /// Bits of an IPv6 address that `peer_prefix` keeps; 56 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_prefix: Option<u8>,
}

/// A limit, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Box<str>,
    pub(super) parts: Box<[KeyPart]>,
    pub(super) ipv4_prefix: u8,
    pub(super) ipv6_prefix: u8,
    pub(super) phase: Phase,
    pub(super) mode: Mode,
    pub(super) quota: Quota,
    pub(super) rate: Rate,
    pub(super) endpoints: Box<[Arc<str>]>,
    pub(super) segments: Box<[Arc<str>]>,
    /// What it counts and how fast, hashed: the same limit in another configuration has the same.
    pub(super) id: u128,
}

/// The longest time from an empty to a full bucket. Together with [`super::gcra::LAST_NS`] it keeps governor's
/// unchecked arithmetic far below the end of a `u64`.
pub(super) const LONGEST_FILL: Duration = Duration::from_secs(366 * 24 * 3600);
const LONGEST_NAME: usize = 64;
const PEER_V6_PREFIX: u8 = 64;

pub(super) fn compile(configs: &[Config]) -> Result<Box<[Rule]>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut rules = Vec::with_capacity(configs.len());
    for (at, config) in configs.iter().enumerate() {
        let table = format!("limit[{at}]");
        let mut found = mistakes(config);
        if !names.insert(config.name.as_str()) {
            found.push(
                Problem::new("name", format!("a limit named `{}` is there already", config.name))
                    .mend("name it differently"),
            );
        }
        match quota(config) {
            Ok(quota) => rules.push(rule(config, quota)),
            Err(problem) => found.push(problem),
        }
        problems.extend(found.into_iter().map(|problem| problem.under(&table)));
    }
    if problems.is_empty() { Ok(rules.into()) } else { Err(problems) }
}

/// Everything that is wrong with one table besides its rate.
fn mistakes(config: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    if config.name.is_empty() || config.name.len() > LONGEST_NAME || !config.name.bytes().all(allowed) {
        found.push(
            Problem::new("name", "the name goes into a response header and must be short and plain")
                .mend("use 1 to 64 letters, digits, `-`, `_`, `.`, `:` or `/`"),
        );
    }
    let mut parts = BTreeSet::new();
    for (at, part) in config.key.iter().enumerate() {
        if !parts.insert(part) {
            found.push(Problem::new(format!("key[{at}]"), format!("`{part}` is there twice")).mend("remove one"));
        }
    }
    let prefixes = [("ipv4_prefix", config.ipv4_prefix, 8..=32), ("ipv6_prefix", config.ipv6_prefix, 16..=128)];
    for (key, prefix, range) in prefixes {
        let Some(prefix) = prefix else { continue };
        if !range.contains(&prefix) {
            let mend = format!("use {} to {}", range.start(), range.end());
            found.push(Problem::new(key, format!("{prefix} bits make no useful network")).mend(mend));
        }
        if !config.key.contains(&KeyPart::PeerPrefix) {
            found.push(Problem::new(key, "nothing uses it").mend("add `peer_prefix` to `key`, or remove it"));
        }
    }
    found
}

/// The rate as governor takes it: the time for one request, rounded down to a nanosecond, and the burst.
fn quota(config: &Config) -> Result<Quota, Problem> {
    let Rate { count, per } = config.rate;
    let window = Duration::from_millis(per.millis().unsigned_abs());
    let period = window.checked_div(count).unwrap_or_default();
    let Some(quota) = Quota::with_period(period) else {
        return Err(Problem::new("rate", format!("`{}` is faster than one request a nanosecond", config.rate))
            .mend("leave the limit out"));
    };
    let burst = config.burst.or(NonZeroU32::new(count)).unwrap_or(NonZeroU32::MIN);
    match period.checked_mul(burst.get()) {
        Some(fill) if fill <= LONGEST_FILL => Ok(quota.allow_burst(burst)),
        _ => {
            let key = if window > LONGEST_FILL || config.burst.is_none() { "rate" } else { "burst" };
            Err(Problem::new(
                key,
                format!("at `{}` a burst of {burst} takes more than 366 days to come back", config.rate),
            )
            .mend("lower the burst or shorten the span"))
        }
    }
}

fn rule(config: &Config, quota: Quota) -> Rule {
    let names = |names: &[String]| names.iter().map(|name| Arc::from(name.as_str())).collect();
    let after = config
        .key
        .iter()
        .any(|part| matches!(part, KeyPart::Identity | KeyPart::Tenant | KeyPart::Role | KeyPart::Claim(_)));
    let mut rule = Rule {
        name: config.name.as_str().into(),
        parts: config.key.clone().into(),
        ipv4_prefix: config.ipv4_prefix.unwrap_or(24),
        ipv6_prefix: config.ipv6_prefix.unwrap_or(56),
        phase: if after { Phase::Identity } else { Phase::Peer },
        mode: config.mode,
        quota,
        rate: config.rate,
        endpoints: names(&config.endpoints),
        segments: names(&config.segments),
        id: 0,
    };
    rule.id = rule.identity();
    rule
}

impl Rule {
    /// Name, key, speed and burst. Not its place, mode or endpoints: those do not change what an entry means.
    fn identity(&self) -> u128 {
        let period = self.quota.replenish_interval().as_nanos() as u64;
        let mut hasher = KeyHasher::new(0);
        hasher.part(self.name.as_bytes()).number(period).number(self.quota.burst_size().get().into());
        hasher.number(self.parts.len() as u64);
        for part in &self.parts {
            hasher.part(part.to_string().as_bytes());
        }
        for prefix in [self.ipv4_prefix, self.ipv6_prefix, PEER_V6_PREFIX] {
            hasher.number(prefix.into());
        }
        hasher.key().to_u128()
    }

    /// Bits of the peer's address that count: for `peer` and for `peer_prefix`, IPv4 and IPv6.
    pub(super) const fn prefixes(&self, part: &KeyPart) -> (u8, u8) {
        match part {
            KeyPart::PeerPrefix => (self.ipv4_prefix, self.ipv6_prefix),
            _ => (32, PEER_V6_PREFIX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let configs = [
            config(r#"{"name":"a\"b","key":["peer","peer"],"rate":"1/1s","ipv4_prefix":3}"#),
            config(r#"{"name":"x","key":[],"rate":"1/300d","burst":2}"#),
            config(r#"{"name":"x","key":[],"rate":"4000000000/1ms"}"#),
            config(r#"{"name":"y","key":["peer_prefix"],"rate":"1/400d","ipv6_prefix":129}"#),
        ];
        let problems = compile(&configs).unwrap_err();
        let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "limit[0].name",
                "limit[0].key[1]",
                "limit[0].ipv4_prefix",
                "limit[0].ipv4_prefix",
                "limit[1].burst",
                "limit[2].name",
                "limit[2].rate",
                "limit[3].ipv6_prefix",
                "limit[3].rate"
            ]
        );
        assert!(problems.iter().all(|problem| problem.mend.is_some()));
    }

    #[test]
    fn the_key_decides_the_phase() {
        let phase = |key: &str| {
            let config = config(&format!(r#"{{"name":"x","key":{key},"rate":"1/1s"}}"#));
            compile(&[config]).unwrap()[0].phase
        };
        assert_eq!(phase(r#"["peer","header:x","endpoint","segment","peer_prefix"]"#), Phase::Peer);
        for part in ["identity", "tenant", "role", "claim:a"] {
            assert_eq!(phase(&format!(r#"["peer","{part}"]"#)), Phase::Identity, "{part}");
        }
    }

    #[test]
    fn what_an_entry_means_is_the_identity_of_a_limit() {
        let id = |json: &str| compile(&[config(json)]).unwrap()[0].id;
        let base = id(r#"{"name":"x","key":["peer"],"rate":"100/1m"}"#);
        assert_eq!(base, id(r#"{"name":"x","key":["peer"],"rate":"100/1m","mode":"monitor","endpoints":["e"]}"#));
        for other in [
            r#"{"name":"y","key":["peer"],"rate":"100/1m"}"#,
            r#"{"name":"x","key":["peer_prefix"],"rate":"100/1m"}"#,
            r#"{"name":"x","key":["peer"],"rate":"101/1m"}"#,
            r#"{"name":"x","key":["peer"],"rate":"100/1m","burst":7}"#,
        ] {
            assert_ne!(base, id(other), "{other}");
        }
    }
}
