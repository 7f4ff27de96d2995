//! From the tables of a configuration to limits.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;

use super::KeyPart;
use super::calendar::Calendar;
use super::config::{Config, Fallback};
use super::fallback::{self, Level};
use super::in_flight::InFlight;
use super::key::Parts;
use super::mistakes::mistakes;
use super::rate::{Bucket, LONGEST_FILL};
use super::rule::{self, Rule};
use super::who::{Reserve, Spared};
use super::window::{Kind, Window};
use super::written::Cost;
use crate::base::units::Rate;
use crate::model::Problem;

/// Every mistake is told, not the first only.
pub(super) fn rules(configs: &[Config]) -> Result<Box<[Rule]>, Vec<Problem>> {
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
        rules.push(one(config, first, &mut found));
        problems.extend(found.into_iter().map(|problem| problem.under(&table)));
    }
    if problems.is_empty() { Ok(rules.into()) } else { Err(problems) }
}

fn one(config: &Config, first: usize, problems: &mut Vec<Problem>) -> Rule {
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
    Window { label: label.into(), id: rule::identity(name, key, &kind), told: kind.told(), kind }
}
