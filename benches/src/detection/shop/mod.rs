//! Campaigns in a shop's traffic that stay below simple limits: days 1 to 5 without attacks are learned, as a recording or online
//! from the first event, days 6 to 10 are judged online. A campaign is found when one of its core events is.

mod changes;
mod found;
mod peers;
mod replay;

use std::collections::BTreeMap;

use zt_benches::figure::Figure;

use self::changes::{CHANGES, Change, raised};
use self::found::Found;
use self::peers::{ALLOWED, PEERS};
use self::replay::{Before, Of, Replayed, Row};
use super::metrics::{Scores, interval, share};
use super::{BUDGETS, DIGITS, percent};

/// Of campaigns, at the first budget: of all, and of each kind.
const TARGET: f64 = 0.9;
const TARGET_OF_A_KIND: f64 = 0.7;

/// The table of `shop`.
pub(super) fn figures() -> Vec<Figure> {
    [("shop", Before::Recorded), ("shop from nothing", Before::Online)]
        .into_iter()
        .flat_map(|(name, before)| match Replayed::run(before) {
            Ok(replayed) => replay(name, &replayed),
            Err(reason) => vec![Figure::missing(name, "share", reason)],
        })
        .collect()
}

fn replay(name: &str, replayed: &Replayed) -> Vec<Figure> {
    let at = |(at, per_mille)| {
        let rows = ranked(name, replayed, at, per_mille).into_iter();
        budgeted(name, replayed, at, per_mille).into_iter().chain(rows)
    };
    let cost = Figure::new(format!("{name}: to decide, observe and learn an event"), replayed.micros, "us");
    let cost =
        cost.beside(format!("{} events, {} of them before the judged days", replayed.events(), replayed.early.len()));
    BUDGETS.into_iter().enumerate().flat_map(at).chain([cost]).collect()
}

/// What an engine with a budget calls unusual.
fn budgeted(name: &str, replayed: &Replayed, at: usize, per_mille: u64) -> Vec<Figure> {
    let budget = per_mille as f64 / 1e3;
    let alarm = |row: &Row| row.zt[at].risk >= 1.0 - budget;
    let title = |what: &str| format!("{name}: {what} at a budget of {}", percent(per_mille));
    let found = Found::of(replayed, alarm);
    let limited = Found::of(replayed, |row| row.peers[0] > ALLOWED);
    let mut beside = format!("{}; {ALLOWED} a minute and client: {:.3}", found.told(None), limited.share(None));
    if at > 0 {
        let same = |row: &Row| row.zt[0].risk >= 1.0 - budget;
        let (kept, normal) = (replayed.normal().filter(|row| same(row)).count(), replayed.normal().count());
        let found = Found::of(replayed, same).told(None);
        let rate = kept as f64 / normal.max(1) as f64;
        beside += &format!("; by this risk where the budget is {}: {found}, FPR {rate:.4}", percent(BUDGETS[0]));
    }
    let overall = found.figure(title("campaigns"), None).beside(beside);
    let is_first = at == 0;
    let mut figures = vec![if is_first { overall.at_least(TARGET) } else { overall }];
    figures.extend(found.kinds().into_iter().map(|kind| {
        let figure = found.figure(title(kind), Some(kind)).beside(found.told(Some(kind)));
        if is_first { figure.at_least(TARGET_OF_A_KIND) } else { figure }
    }));
    figures.push(false_alarms(replayed, title("FPR"), at, budget, alarm));
    figures.extend(while_learning(replayed, title("FPR of the days before"), alarm));
    let of = |(number, change): (usize, &Change)| {
        let title = title(change.name);
        raised(replayed, change, title, budget, |row| row.changes[number], alarm)
    };
    figures.extend(CHANGES.iter().enumerate().map(of));
    figures
}

fn false_alarms(replayed: &Replayed, title: String, at: usize, budget: f64, alarm: impl Fn(&Row) -> bool) -> Figure {
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for row in replayed.normal().filter(|row| alarm(row)) {
        *codes.entry(row.zt[at].code.unwrap_or("no code")).or_default() += 1;
    }
    let Some(estimate) = share(codes.values().sum(), replayed.normal().count()) else {
        return Figure::missing(title, "share", "no normal events");
    };
    let mut codes: Vec<(&str, usize)> = codes.into_iter().collect();
    codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let codes = codes.into_iter().map(|(code, count)| format!("{code}: {count}"));
    let beside = interval(estimate).into_iter().chain(codes).collect::<Vec<_>>().join("; ");
    Figure::new(title, estimate.value, "share").to_digits(DIGITS).at_most(budget).beside(beside)
}

/// While little is known: the days without attacks, none of which has a target.
fn while_learning(replayed: &Replayed, title: String, alarm: impl Fn(&Row) -> bool) -> Option<Figure> {
    let mut days: BTreeMap<i64, usize> = BTreeMap::new();
    let mut changes = [0; CHANGES.len()];
    for row in &replayed.early {
        let is_alarm = usize::from(alarm(row));
        *days.entry(row.day).or_default() += is_alarm;
        for (count, part) in changes.iter_mut().zip(row.changes) {
            *count += is_alarm * usize::from(part);
        }
    }
    let estimate = share(days.values().sum(), replayed.early.len())?;
    let days = days.values().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let changes = CHANGES.iter().zip(changes).filter(|(_, count)| *count > 0);
    let changes = changes.map(|(change, count)| format!("; {}: {count}", change.name)).collect::<String>();
    let figure = Figure::new(title, estimate.value, "share").to_digits(DIGITS);
    Some(figure.beside(format!("alarms by day: {days}{changes}")))
}

/// What is found above all but a share of the normal events, by zt's score and by each peer's.
fn ranked(name: &str, replayed: &Replayed, at: usize, per_mille: u64) -> Option<Figure> {
    let title = format!("{name}: campaigns at {} FPR", percent(per_mille));
    let (zt, events) = by_rank(replayed, per_mille, |row| row.zt[at].score)?;
    let peer = |(number, name): (usize, &&str)| {
        let (found, _) = by_rank(replayed, per_mille, |row| row.peers[number])?;
        Some(format!("{name}: {:.3}", found.share(None)))
    };
    let kinds = zt.kinds().into_iter().map(|kind| format!("{kind} {}", zt.told(Some(kind))));
    let whole = format!("{}, {events:.3} of their core events", zt.told(None));
    let beside = std::iter::once(whole).chain(kinds).chain(PEERS.iter().enumerate().filter_map(peer));
    Some(zt.figure(title, None).beside(beside.collect::<Vec<_>>().join("; ")))
}

/// The campaigns, and the share of their core events.
fn by_rank(replayed: &Replayed, per_mille: u64, score: impl Fn(&Row) -> f64) -> Option<(Found, f64)> {
    let rows = replayed.rows.iter().filter(|row| row.of != Of::Cover);
    let scores = Scores::new(rows.map(|row| (row.of != Of::Normal, score(row))));
    let found = scores.found(per_mille as f64 / 1e3)?;
    Some((Found::of(replayed, |row| score(row) > found.threshold), found.found.value))
}
