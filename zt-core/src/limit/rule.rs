//! A limit, compiled.

use std::ops::Range;
use std::sync::Arc;

use super::calendar::Calendar;
use super::fallback::Level;
use super::in_flight::InFlight;
use super::key::{PEER_V6_PREFIX, Parts};
use super::who::{Reserve, Spared};
use super::window::{Kind, Window};
use super::written::Cost;
use super::{Phase, Subject};
use crate::base::bounded::KeyHasher;
use crate::model::{Code, Finding, Mode};

/// A limit, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) key: Parts,
    pub(super) phase: Phase,
    pub(super) mode: Mode,
    pub(super) windows: Box<[Window]>,
    /// Coarser and coarser.
    pub(super) fallback: Box<[Level]>,
    pub(super) cost: Cost,
    pub(super) reserve: Option<Reserve>,
    pub(super) spared: Spared,
    pub(super) learned: bool,
    /// Whether it is for every endpoint and spares nobody.
    pub(super) for_all: bool,
    pub(super) endpoints: Box<[Arc<str>]>,
    pub(super) segments: Box<[Arc<str>]>,
    /// Where its tables are.
    pub(super) place: Range<usize>,
    /// Whether the end of a request matters.
    pub(super) holds_tickets: bool,
}

/// Of a count: name, key, speed (as it is written: its time for one request is rounded) and burst. Not its place, mode or
/// endpoints: those do not change what an entry means.
pub(super) fn identity(name: &str, key: &Parts, kind: &Kind) -> u128 {
    let mut hasher = KeyHasher::new(0);
    hasher.part(name.as_bytes());
    match kind {
        Kind::Rate(bucket) => {
            let written = bucket.rate.per.millis().unsigned_abs();
            hasher.number(bucket.period_ns()).number(written).number(bucket.capacity().into())
        }
        &Kind::Calendar(Calendar { count, per_ms }) => hasher.part(b"quota").number(per_ms).number(count.into()),
        &Kind::InFlight(InFlight { most, hold_ms }) => hasher.part(b"slots").number(hold_ms).number(most.into()),
    };
    hasher.number(key.parts.len() as u64);
    for part in &key.parts {
        hasher.part(part.to_string().as_bytes());
    }
    for prefix in [key.ipv4_prefix, key.ipv6_prefix, PEER_V6_PREFIX] {
        hasher.number(prefix.into());
    }
    hasher.key().to_u128()
}

/// Of the tables of all of them, in their order.
pub(super) fn identity_of_all(rules: &[Rule]) -> u64 {
    let mut hasher = KeyHasher::new(0);
    for window in rules.iter().flat_map(Rule::tables) {
        hasher.part(&window.id.to_le_bytes());
    }
    hasher.key().to_u128() as u64
}

impl Rule {
    /// Its windows and those of its fallback, in the order of their tables.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Window> {
        self.windows.iter().chain(self.fallback.iter().flat_map(|level| &level.windows))
    }

    /// The limit is exceeded, in this window.
    pub(super) fn finding(&self, label: &str) -> Finding {
        let finding = Finding::new(Code::LimitExceeded, format!("limit `{label}`"));
        Finding { monitor: self.mode == Mode::Monitor, ..finding }
    }

    /// Whether the limit is for this request: for its endpoint, and not for everybody but its sender.
    #[inline]
    pub(super) fn covers(&self, subject: &Subject<'_>) -> bool {
        self.for_all || self.is_for(subject)
    }

    /// Not inlined, as it is asked of few.
    #[inline(never)]
    fn is_for(&self, subject: &Subject<'_>) -> bool {
        let named =
            |names: &[Arc<str>], name: Option<&str>| name.is_some_and(|name| names.iter().any(|n| **n == *name));
        let everywhere = self.endpoints.is_empty() && self.segments.is_empty();
        let here = everywhere || named(&self.endpoints, subject.endpoint) || named(&self.segments, subject.segment);
        here && !self.spared.spares(subject)
    }

    /// What a request counts for, at least 1.
    #[inline]
    pub(super) fn cost_of(&self, subject: &Subject<'_>) -> u32 {
        match self.cost {
            Cost::Fixed(cost) if !self.learned => cost.get(),
            _ => self.worked_out(subject),
        }
    }

    /// Per cent that must remain after it.
    #[inline]
    pub(super) fn reserve_from(&self, subject: &Subject<'_>) -> u8 {
        match &self.reserve {
            Some(reserve) => reserve.kept_from(subject),
            None => 0,
        }
    }

    #[inline(never)]
    fn worked_out(&self, subject: &Subject<'_>) -> u32 {
        let cost = match &self.cost {
            Cost::Fixed(cost) => u64::from(cost.get()),
            Cost::Body(size) => subject.body_len.unwrap_or(0).div_ceil(size.bytes().max(1)),
            Cost::Claim(name) => subject.claim.and_then(|claim| claim(name)?.parse().ok()).unwrap_or(1),
            Cost::Response => 1,
        };
        let factor = subject.learned.filter(|_| self.learned).and_then(|learned| learned(&self.name));
        let cost = factor.map_or(cost, |per_mille| cost.saturating_mul(per_mille.into()).div_ceil(1_000));
        u32::try_from(cost).unwrap_or(u32::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::compile;
    use super::super::config::Config;
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_key_decides_the_phase() {
        let phase = |key: &str| {
            let config = config(&format!(r#"{{"name":"x","key":{key},"rate":"1/1s"}}"#));
            compile::rules(&[config]).unwrap()[0].phase
        };
        assert_eq!(phase(r#"["peer","header:x","endpoint","segment","peer_prefix"]"#), Phase::Peer);
        for part in ["identity", "tenant", "role", "claim:a"] {
            assert_eq!(phase(&format!(r#"["peer","{part}"]"#)), Phase::Identity, "{part}");
        }
    }

    #[test]
    fn what_an_entry_means_is_the_identity_of_a_limit() {
        let id = |json: &str| compile::rules(&[config(json)]).unwrap()[0].windows[0].id;
        let base = id(r#"{"name":"x","key":["peer"],"rate":"100/1m"}"#);
        assert_eq!(base, id(r#"{"name":"x","key":["peer"],"rate":"100/1m","mode":"monitor","endpoints":["e"]}"#));
        assert_eq!(base, id(r#"{"name":"x","key":["peer"],"rate":["100/1m","1000/1h"],"quota":"5000/1d"}"#));
        for other in [
            r#"{"name":"y","key":["peer"],"rate":"100/1m"}"#,
            r#"{"name":"x","key":["peer_prefix"],"rate":"100/1m"}"#,
            r#"{"name":"x","key":["peer"],"rate":"101/1m"}"#,
            r#"{"name":"x","key":["peer"],"rate":"100/1m","burst":7}"#,
            r#"{"name":"x","key":["peer"],"quota":"100/1m"}"#,
            r#"{"name":"x","key":["peer"],"concurrent":100}"#,
        ] {
            assert_ne!(base, id(other), "{other}");
        }
    }

    #[test]
    fn no_two_tables_are_the_same() {
        let rule = &compile::rules(&[config(
            r#"{"name":"x","key":["peer"],"rate":["20/1s","1000/1h"],"quota":"5000/1d","concurrent":5,"fallback":{"rate":"20/1s"}}"#,
        )])
        .unwrap()[0];
        let ids: BTreeSet<u128> = rule.tables().map(|window| window.id).collect();
        assert_eq!((ids.len(), rule.tables().count(), rule.fallback.len()), (6, 6, 2));
        // The times of one request of these differ by less than a nanosecond.
        let close = &compile::rules(&[config(r#"{"name":"x","key":["peer"],"rate":["2000000/2ms","2000000/3ms"]}"#)])
            .unwrap()[0];
        let ids: BTreeSet<u128> = close.tables().map(|window| window.id).collect();
        assert_eq!(ids.len(), close.tables().count());
        let labels: Vec<&str> = rule.windows.iter().map(|window| &*window.label).collect();
        assert_eq!(labels, ["x/1s", "x/1h", "x/quota", "x/concurrent"]);
    }
}
