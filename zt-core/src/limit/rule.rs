//! A limit, compiled.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;

use super::calendar::Calendar;
use super::config::{Config, Fallback};
use super::fallback::{self, Level};
use super::in_flight::InFlight;
use super::key::{PEER_V6_PREFIX, Parts};
use super::mistakes::mistakes;
use super::rate::{Bucket, LONGEST_FILL};
use super::who::{Reserve, Spared};
use super::window::{Kind, Window};
use super::written::Cost;
use super::{KeyPart, Phase, Subject};
use crate::base::bounded::KeyHasher;
use crate::base::units::Rate;
use crate::model::{Code, Finding, Mode, Problem};

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
    endpoints: Box<[Arc<str>]>,
    segments: Box<[Arc<str>]>,
    /// Where its tables are.
    pub(super) place: Range<usize>,
    /// Whether the end of a request matters.
    pub(super) holds_tickets: bool,
}

pub(super) fn compile(configs: &[Config]) -> Result<Box<[Rule]>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut rules: Vec<Rule> = Vec::with_capacity(configs.len());
    for (at, config) in configs.iter().enumerate() {
        let table = format!("limit[{at}]");
        let mut found = mistakes(config);
        if !names.insert(config.name.as_str()) {
            found.push(
                Problem::new("name", format!("a limit named `{}` is there already", config.name))
                    .mend("name it differently"),
            );
        }
        let first = rules.last().map_or(0, |rule| rule.place.end);
        rules.push(rule(config, first, &mut found));
        problems.extend(found.into_iter().map(|problem| problem.under(&table)));
    }
    if problems.is_empty() { Ok(rules.into()) } else { Err(problems) }
}

fn rule(config: &Config, first: usize, problems: &mut Vec<Problem>) -> Rule {
    let key = Parts::new(&config.key, config.ipv4_prefix.unwrap_or(24), config.ipv6_prefix.unwrap_or(56));
    let kinds = kinds(config, problems);
    let several = kinds.len() > 1;
    let name = &*config.name;
    let label = |which: &str| if several { format!("{name}/{which}") } else { name.to_owned() };
    let windows: Vec<Window> =
        kinds.iter().map(|(which, kind)| window(name, label(which), &key, kind.clone())).collect();
    let reserve = config.reserve.zip(config.reserved_for.as_ref());
    for window in windows
        .iter()
        .filter(|window| config.reserve.is_some_and(|r| r < 100 && window.reserve(r) >= window.capacity()))
    {
        let message =
            format!("the reserve leaves nothing of the {} of `{}` to others", window.capacity(), window.label);
        problems.push(Problem::new("reserve", message).mend("lower it, or raise what can pass at once"));
    }
    let spared = Spared::compile(&config.except.clone().unwrap_or_default(), problems);
    let fallback = levels(config, &key, &kinds, problems);
    let tables = fallback.iter().map(|level| level.windows.len()).fold(windows.len(), usize::saturating_add);
    let names = |names: &[String]| names.iter().map(|name| Arc::from(name.as_str())).collect();
    Rule {
        name: name.into(),
        phase: key.phase(),
        key,
        mode: config.mode,
        holds_tickets: config.cost == Some(Cost::Response) || windows.iter().any(|window| !window.is_kept()),
        windows: windows.into(),
        fallback,
        cost: config.cost.clone().unwrap_or(Cost::Fixed(NonZeroU32::MIN)),
        reserve: reserve.map(|(per_cent, reserved)| Reserve::new(per_cent, reserved)),
        learned: config.learned,
        for_all: config.endpoints.is_empty() && config.segments.is_empty() && spared.is_empty(),
        spared,
        endpoints: names(&config.endpoints),
        segments: names(&config.segments),
        place: first..first.saturating_add(tables),
    }
}

/// What is counted, with what tells it apart.
fn kinds(config: &Config, problems: &mut Vec<Problem>) -> Vec<(String, Kind)> {
    let mut kinds: Vec<(String, Kind)> = Vec::new();
    let debts = config.cost == Some(Cost::Response);
    for (at, rate) in config.rate.0.iter().enumerate() {
        match bucket(*rate, config.burst) {
            Ok(quota) => kinds.push((rate.per.to_string(), Kind::Rate(Bucket::new(quota, *rate, debts)))),
            Err(problem) if config.rate.0.len() == 1 || problem.key != "rate" => problems.push(problem),
            Err(problem) => problems.push(Problem { key: format!("rate[{at}]"), ..problem }),
        }
    }
    kinds.extend(config.quota.map(|Rate { count, per }| {
        ("quota".to_owned(), Kind::Calendar(Calendar { count, per_ms: per.millis().unsigned_abs() }))
    }));
    kinds.extend(config.concurrent.map(|most| {
        let hold_ms = config.hold.map_or(60_000, |hold| hold.millis().unsigned_abs());
        ("concurrent".to_owned(), Kind::InFlight(InFlight { most: most.get(), hold_ms }))
    }));
    kinds
}

/// The rate as governor takes it: the time for one request, rounded down to a nanosecond, and the burst.
fn bucket(rate: Rate, burst: Option<NonZeroU32>) -> Result<Quota, Problem> {
    let Rate { count, per } = rate;
    let window = Duration::from_millis(per.millis().unsigned_abs());
    let period = window.checked_div(count).unwrap_or_default();
    let Some(quota) = Quota::with_period(period) else {
        return Err(Problem::new("rate", format!("`{rate}` is faster than one request a nanosecond"))
            .mend("leave the limit out"));
    };
    let most = burst.or(NonZeroU32::new(count)).unwrap_or(NonZeroU32::MIN);
    match period.checked_mul(most.get()) {
        Some(fill) if fill <= LONGEST_FILL => Ok(quota.allow_burst(most)),
        _ => {
            let key = if window > LONGEST_FILL || burst.is_none() { "rate" } else { "burst" };
            Err(Problem::new(key, format!("at `{rate}` a burst of {most} takes more than 366 days to come back"))
                .mend("lower the burst or shorten the span"))
        }
    }
}

/// The coarser counts of a limit: its own, or the next coarser key; and after that all of it.
fn levels(config: &Config, key: &Parts, kinds: &[(String, Kind)], problems: &mut Vec<Problem>) -> Box<[Level]> {
    let Fallback { key: own, rate } = config.fallback.clone().unwrap_or_default();
    let Some(parts) = own.or_else(|| fallback::coarser(&key.parts)) else { return Box::default() };
    let wide = |kinds: &[Kind]| kinds.iter().filter_map(fallback::widened).collect::<Vec<_>>();
    let first = match rate.map(|rate| (rate, bucket(rate, None))) {
        Some((rate, Ok(quota))) => {
            vec![Kind::Rate(Bucket::new(quota, rate, config.cost == Some(Cost::Response)))]
        }
        Some((_, Err(problem))) => {
            problems.push(Problem { key: "fallback.rate".to_owned(), ..problem });
            return Box::default();
        }
        None => wide(&kinds.iter().map(|(_, kind)| kind.clone()).collect::<Vec<_>>()),
    };
    let whole = wide(&first);
    let level = |parts: &[KeyPart], kinds: Vec<Kind>| {
        let key = Parts::new(parts, key.ipv4_prefix, key.ipv6_prefix);
        let labelled = fallback::labels(&config.name, parts, &kinds).zip(&kinds);
        let windows = labelled.map(|(label, kind)| window(&config.name, label, &key, kind.clone())).collect();
        Level { windows, key }
    };
    let mut levels = Vec::new();
    if !parts.is_empty() {
        levels.push(level(&parts, first));
        levels.push(level(&[], whole));
    } else {
        levels.push(level(&[], first));
    }
    levels.retain(|level| !level.windows.is_empty());
    levels.into()
}

fn window(name: &str, label: String, key: &Parts, kind: Kind) -> Window {
    Window { label: label.into(), id: identity(name, key, &kind), told: kind.told(), kind }
}

/// Name, key, speed (as it is written: its time for one request is rounded) and burst. Not its place, mode or endpoints: those do not change what an entry means.
fn identity(name: &str, key: &Parts, kind: &Kind) -> u128 {
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
    use super::*;

    fn config(json: &str) -> Config {
        serde_json::from_str(json).unwrap()
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
        let id = |json: &str| compile(&[config(json)]).unwrap()[0].windows[0].id;
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
        let rule = &compile(&[config(
            r#"{"name":"x","key":["peer"],"rate":["20/1s","1000/1h"],"quota":"5000/1d","concurrent":5,"fallback":{"rate":"20/1s"}}"#,
        )])
        .unwrap()[0];
        let ids: BTreeSet<u128> = rule.tables().map(|window| window.id).collect();
        assert_eq!((ids.len(), rule.tables().count(), rule.fallback.len()), (6, 6, 2));
        // The times of one request of these differ by less than a nanosecond.
        let close =
            &compile(&[config(r#"{"name":"x","key":["peer"],"rate":["2000000/2ms","2000000/3ms"]}"#)]).unwrap()[0];
        let ids: BTreeSet<u128> = close.tables().map(|window| window.id).collect();
        assert_eq!(ids.len(), close.tables().count());
        let labels: Vec<&str> = rule.windows.iter().map(|window| &*window.label).collect();
        assert_eq!(labels, ["x/1s", "x/1h", "x/quota", "x/concurrent"]);
    }
}
