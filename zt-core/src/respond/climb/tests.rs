//! Ladders over time, against a plain model; the bound; clocks; snapshots and merges.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::*;
use crate::base::units::Size;
use crate::model::{Identity, IdentityKind};
use crate::respond::{Config, Suspension, SuspensionError};

const NOW: Millis = 1_772_446_530_000;
const SECOND: Millis = 1_000;
const MINUTE: Millis = 60 * SECOND;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

fn responder(ladders: &str) -> Responder {
    let config: Config = serde_json::from_str(&format!(r#"{{"ladder":[{ladders}]}}"#)).unwrap();
    Responder::compile(&config, Size::from_bytes(64 << 10)).unwrap()
}

fn ladder(subject: &str, more: &str) -> Responder {
    responder(&format!(
        r#"{{"name":"x","subject":"{subject}","codes":["verify.*","inspect.*","policy.*","limit.*"]{more}}}"#
    ))
}

const ALL_RUNGS: &str = r#","flag":2,"throttle":6,"suspend":10,"escalate":3"#;

fn anna() -> Identity {
    let mut identity = Identity::new(IdentityKind::Jwt, "anna");
    identity.issuer = Some("i".into());
    identity
}

fn at(address: u32) -> Suspect<'static> {
    Suspect { peer: Some(IpAddr::V4(Ipv4Addr::from(address))), identity: None }
}

fn proofs(count: usize) -> Vec<Finding> {
    vec![Finding::new(Code::InspectBadQuery, ""); count]
}

fn behaviours(count: usize) -> Vec<Finding> {
    vec![Finding::new(Code::LimitExceeded, ""); count]
}

fn outcome_of(graded: &Graded) -> Outcome {
    graded.findings.iter().filter(|f| !f.monitor).map(|f| f.outcome).max().unwrap_or_default()
}

fn suspended(responder: &Responder, state: &State, suspect: &Suspect<'_>, now: Millis) -> bool {
    let graded = responder.check(state, &[OF_PEERS.as_slice(), &OF_IDENTITIES].concat(), suspect, now);
    graded.findings.iter().any(|finding| finding.code == Code::RespondSuspended)
}

#[test]
fn rungs_are_climbed_and_left_with_hysteresis() {
    let responder = ladder("peer", ALL_RUNGS);
    let state = State::new(&responder, 1);
    let check = |now| outcome_of(&responder.check_peer(&state, &at(1), now));
    let strike = |count, now| responder.strike(&state, &at(1), &proofs(count), now);
    assert_eq!(outcome_of(&strike(1, NOW)), Outcome::Allow);
    assert_eq!(check(NOW), Outcome::Allow);
    let graded = strike(1, NOW);
    assert_eq!((outcome_of(&graded), graded.actions[0].rung), (Outcome::Flag, Some(Rung::Flag)));
    assert_eq!(check(NOW), Outcome::Flag);
    // Left below half of 2: when no strike is left.
    assert_eq!(check(NOW + 2 * MINUTE - 1), Outcome::Flag);
    assert_eq!(check(NOW + 2 * MINUTE), Outcome::Allow);
    // The request that reaches the throttle rung is the first that passes on it.
    let now = NOW + HOUR;
    assert_eq!(outcome_of(&strike(6, now)), Outcome::Flag);
    let graded = responder.check_peer(&state, &at(1), now + 1);
    assert_eq!((outcome_of(&graded), graded.retry_after_s), (Outcome::Throttle, Some(1)));
    assert_eq!(check(now + 1_000), Outcome::Flag);
    assert_eq!(check(now + 1_001), Outcome::Throttle);
    // 3 strikes hold the rung of 6, 2 do not.
    assert_eq!(check(now + 4 * MINUTE - 1), Outcome::Flag);
    assert_eq!(check(now + 4 * MINUTE - 1), Outcome::Throttle);
    assert_eq!(check(now + 4 * MINUTE), Outcome::Flag);
    assert_eq!(check(now + 4 * MINUTE), Outcome::Flag);
    let now = now + 4 * MINUTE;
    let graded = strike(8, now);
    assert_eq!((outcome_of(&graded), graded.retry_after_s), (Outcome::Suspend, Some(300)));
    let action = &graded.actions[0];
    assert_eq!((action.kind, action.until_ms, action.level), (ActionKind::Suspended, Some(now + 5 * MINUTE), Some(1)));
    let graded = responder.check_peer(&state, &at(1), now + MINUTE);
    assert_eq!((outcome_of(&graded), graded.retry_after_s), (Outcome::Deny, Some(240)));
    assert!(responder.check_peer(&state, &at(2), now).findings.is_empty(), "another address");
    // Nothing counts while it is suspended, and it ends when it was to end.
    assert!(strike(50, now + MINUTE).findings.is_empty());
    assert_ne!(check(now + 5 * MINUTE), Outcome::Deny);
}

#[test]
fn each_suspension_is_longer_and_is_forgotten_in_the_end() {
    let responder = ladder("peer", r#","suspend":2,"escalate":3,"longest":"1h","forget":"7d""#);
    let state = State::new(&responder, 1);
    let mut now = NOW;
    for (level, minutes) in [(1, 5), (2, 15), (3, 45), (4, 60), (5, 60)] {
        let graded = responder.strike(&state, &at(1), &proofs(2), now);
        let action = &graded.actions[0];
        assert_eq!((action.level, action.until_ms), (Some(level), Some(now + minutes * MINUTE)));
        now += minutes * MINUTE + DAY;
    }
    now += 7 * DAY;
    assert_eq!(responder.strike(&state, &at(1), &proofs(2), now).actions[0].level, Some(1));
}

#[test]
fn behaviour_alone_never_suspends_an_identity() {
    let responder = ladder("identity", ALL_RUNGS);
    let state = State::new(&responder, 1);
    let anna = anna();
    let suspect = Suspect { peer: None, identity: Some(&anna) };
    for minute in 0..10_000 {
        let now = NOW + minute * MINUTE;
        responder.strike(&state, &suspect, &behaviours(20), now);
        responder.strike(&state, &suspect, &proofs(usize::from(minute % 4 == 0) * 2), now);
        assert!(!suspended(&responder, &state, &suspect, now));
    }
    let end = NOW + 10_000 * MINUTE;
    assert_eq!(outcome_of(&responder.strike(&state, &suspect, &proofs(10), end)), Outcome::Suspend);
    // An address has no such protection.
    let responder = ladder("peer", ALL_RUNGS);
    let state = State::new(&responder, 1);
    assert_eq!(outcome_of(&responder.strike(&state, &at(1), &behaviours(10), NOW)), Outcome::Suspend);
    // Who shares the one entry of no address is throttled at most.
    responder.strike(&state, &Suspect::default(), &proofs(100), NOW);
    assert!(!suspended(&responder, &state, &Suspect::default(), NOW));
    let _ = responder.check_peer(&state, &Suspect::default(), NOW);
    assert_eq!(outcome_of(&responder.check_peer(&state, &Suspect::default(), NOW)), Outcome::Throttle);
}

#[test]
fn an_authentication_after_the_last_strike_meets_the_step_up() {
    let responder = ladder("identity", r#","step_up":2,"throttle":4"#);
    let state = State::new(&responder, 1);
    let mut anna = anna();
    let strike = |anna: &Identity, count, now| {
        responder.strike(&state, &Suspect { peer: None, identity: Some(anna) }, &proofs(count), now)
    };
    let graded = strike(&anna, 2, NOW);
    assert_eq!((outcome_of(&graded), graded.max_age_s), (Outcome::StepUp, Some(0)));
    for (authenticated, seconds, outcome, max_age_s) in [
        (None, 10, Outcome::StepUp, Some(9)),
        (Some(NOW - HOUR), 10, Outcome::StepUp, Some(9)),
        (Some(NOW), 10, Outcome::StepUp, Some(9)),
        (Some(NOW + SECOND), 10, Outcome::Flag, None),
    ] {
        anna.assurance.auth_time_ms = authenticated;
        let suspect = Suspect { peer: None, identity: Some(&anna) };
        let graded = responder.check_identity(&state, &suspect, NOW + seconds * SECOND);
        assert_eq!((outcome_of(&graded), graded.max_age_s), (outcome, max_age_s), "{authenticated:?}");
    }
    // A higher rung asks for no less.
    assert_eq!(outcome_of(&strike(&anna, 4, NOW + MINUTE)), Outcome::StepUp);
    let suspect = Suspect { peer: None, identity: Some(&anna) };
    let check = |now| outcome_of(&responder.check_identity(&state, &suspect, now));
    assert_eq!(check(NOW + MINUTE + 1), Outcome::Throttle);
    assert_eq!(check(NOW + MINUTE + SECOND), Outcome::StepUp);
}

#[test]
fn a_ladder_in_monitor_mode_reports_and_does_nothing() {
    let responder = ladder("peer", r#","suspend":1,"mode":"monitor""#);
    let state = State::new(&responder, 1);
    let graded = responder.strike(&state, &at(1), &proofs(1), NOW);
    assert!(graded.actions[0].monitor && graded.findings[0].monitor && graded.retry_after_s.is_none());
    let graded = responder.check_peer(&state, &at(1), NOW);
    assert!(graded.findings[0].monitor && graded.retry_after_s.is_none());
}

#[test]
fn what_calls_for_nothing_is_no_strike() {
    let responder = ladder("peer", r#","flag":1"#);
    let state = State::new(&responder, 1);
    let rehearsed = Finding { monitor: true, ..Finding::new(Code::PolicyForbidden, "") };
    let harmless = Finding::new(Code::PolicyError, "").calling_for(Outcome::Allow);
    let ordinary = Finding::new(Code::VerifyNonceRequired, "");
    let own = Finding::new(Code::RespondStrikes, "");
    assert!(responder.strike(&state, &at(1), &[rehearsed, harmless, ordinary, own], NOW).findings.is_empty());
    assert!(state.is_empty());
}

#[test]
fn a_clock_that_comes_back_frees_nobody_late() {
    let responder = ladder("peer", r#","flag":1,"suspend":4,"longest":"1h","suspend_for":"1h""#);
    let state = State::new(&responder, 1);
    let ahead = NOW + 365 * DAY;
    responder.strike(&state, &at(1), &proofs(4), ahead);
    responder.strike(&state, &at(2), &proofs(1), ahead);
    assert!(suspended(&responder, &state, &at(1), NOW), "it fails closed");
    assert_eq!(state.rewound(), 1);
    assert!(!suspended(&responder, &state, &at(1), NOW + HOUR));
    // All strikes that a meter holds, and not those of a year.
    assert_eq!(outcome_of(&responder.check_peer(&state, &at(2), NOW)), Outcome::Flag);
    assert_eq!(outcome_of(&responder.check_peer(&state, &at(2), NOW + 8 * MINUTE)), Outcome::Allow);
    assert_eq!(state.rewound(), 2);
}

#[test]
fn a_clock_that_goes_ahead_forgives() {
    let responder = ladder("peer", r#","suspend":1"#);
    let state = State::new(&responder, 1);
    responder.strike(&state, &at(1), &proofs(1), NOW);
    assert!(!suspended(&responder, &state, &at(1), i64::MAX));
    assert!(suspended(&responder, &state, &at(1), i64::MIN));
}

#[test]
fn the_suspended_are_never_displaced() {
    let responder = ladder("peer", r#","throttle":2,"suspend":3,"suspend_for":"1h""#);
    let state = State::new(&responder, 1);
    responder.strike(&state, &at(1), &proofs(3), NOW);
    for address in 2..50_000 {
        responder.strike(&state, &at(address << 8), &proofs(2), NOW + 1);
    }
    assert!(state.evicted() > 40_000 && state.len() <= state.capacity());
    assert!(suspended(&responder, &state, &at(1), NOW + HOUR - 1));
    assert!(!suspended(&responder, &state, &at(1), NOW + HOUR));
}

#[test]
fn at_the_bound_nobody_suspended_gets_in() {
    let responder = ladder("peer", r#","suspend":1,"suspend_for":"1h""#);
    let state = State::new(&responder, 1);
    let many = u32::try_from(state.capacity() * 2).unwrap();
    // All of one network of the attacker's: only the last bits differ, and 256 networks of it.
    let hostile = |number: u32| at(0x0a00_0000 | number);
    for number in 0..many {
        responder.strike(&state, &hostile(number), &proofs(1), NOW);
    }
    for number in 0..many {
        assert!(suspended(&responder, &state, &hostile(number), NOW + HOUR - 1), "{number}");
    }
    let innocent = (0..1_000).filter(|n| suspended(&responder, &state, &at(0xc000_0000 | n << 8), NOW + 1)).count();
    assert!(innocent < 150, "{innocent} of 1000");
    // Over when the last is free.
    assert!((0..many).all(|number| !suspended(&responder, &state, &hostile(number), NOW + HOUR)));
}

/// A state with no place for anybody more, where every mark holds.
fn crowded(responder: &Responder) -> State {
    let state = State::new(responder, 1);
    for number in 0..u32::try_from(state.capacity() * 8).unwrap() {
        responder.strike(&state, &at(number << 8), &proofs(1), NOW);
    }
    assert!((0..1_000).all(|n| suspended(responder, &state, &at(0x0a00_0001 | n << 8), NOW + 1)), "all marks hold");
    state
}

#[test]
fn who_has_no_address_shares_no_mark() {
    let responder = ladder("peer", r#","suspend":1,"suspend_for":"1h""#);
    let state = crowded(&responder);
    assert!(!suspended(&responder, &state, &Suspect::default(), NOW + 1));
}

#[test]
fn a_person_frees_also_where_a_mark_holds() {
    let responder = ladder("peer", r#","suspend":1,"suspend_for":"1h""#);
    let state = crowded(&responder);
    let marked = at(0x0a00_0001);
    let freed = Suspension { until_ms: None, ..person(SubjectKind::Peer, "10.0.0.1", 0) };
    responder.unsuspend(&state, &freed, NOW + 1).unwrap();
    assert!(!suspended(&responder, &state, &marked, NOW + 2));
    assert!(suspended(&responder, &state, &at(0), NOW + 2), "who has an entry is suspended as before");
}

fn person(subject: SubjectKind, id: &str, until_ms: Millis) -> Suspension {
    let named = !subject.is_peer();
    Suspension {
        subject,
        kind: named.then_some(IdentityKind::Jwt),
        issuer: named.then(|| "i".to_owned()),
        id: id.to_owned(),
        until_ms: Some(until_ms),
    }
}

#[test]
fn a_person_suspends_and_frees() {
    let responder = responder("");
    let state = State::new(&responder, 1);
    let mut anna = anna();
    anna.credential_id = Some("t-1".into());
    anna.session = Some("s-1".into());
    let suspect = Suspect { peer: Some("203.0.113.7".parse().unwrap()), identity: Some(&anna) };
    for (subject, id) in [
        (SubjectKind::Identity, "anna"),
        (SubjectKind::Credential, "t-1"),
        (SubjectKind::Session, "s-1"),
        (SubjectKind::Peer, "203.0.113.7"),
        (SubjectKind::PeerPrefix, "203.0.113.0/24"),
        (SubjectKind::PeerPrefix, "203.0.113.99"),
    ] {
        let suspension = person(subject, id, NOW + HOUR);
        assert!(!suspended(&responder, &state, &suspect, NOW));
        responder.suspend(&state, &suspension, NOW).unwrap();
        assert!(suspended(&responder, &state, &suspect, NOW + HOUR - 1), "{id}");
        assert!(!suspended(&responder, &state, &suspect, NOW + HOUR), "{id}");
        assert!(!suspended(&responder, &state, &at(7), NOW), "{id}");
        responder.unsuspend(&state, &Suspension { until_ms: None, ..suspension }, NOW).unwrap();
    }
    let refused = |suspension: Suspension| responder.suspend(&state, &suspension, NOW).unwrap_err();
    let anna = || person(SubjectKind::Identity, "anna", NOW + HOUR);
    assert_eq!(refused(Suspension { kind: None, ..anna() }), SuspensionError::NoKind(SubjectKind::Identity));
    assert_eq!(refused(Suspension { until_ms: None, ..anna() }), SuspensionError::NoEnd);
    assert_eq!(refused(Suspension { until_ms: Some((NOW + HOUR) / 1_000), ..anna() }), SuspensionError::LongPast);
    let session = Suspension { subject: SubjectKind::Session, issuer: None, ..anna() };
    assert_eq!(refused(session), SuspensionError::NoIssuer);
    assert_eq!(refused(Suspension { subject: SubjectKind::Peer, ..anna() }), SuspensionError::OfAddress);
    assert_eq!(refused(person(SubjectKind::Peer, "anna", NOW + HOUR)), SuspensionError::NoAddress);
    assert_eq!(refused(person(SubjectKind::PeerPrefix, "203.0.113.0/25", NOW + HOUR)), SuspensionError::NoNetwork);
}

#[test]
fn freeing_forgives_strikes_and_escalation() {
    let responder = ladder("peer", r#","suspend":2"#);
    let state = State::new(&responder, 1);
    for level in [1, 1] {
        assert_eq!(responder.strike(&state, &at(1), &proofs(2), NOW).actions[0].level, Some(level));
        let mut freed = person(SubjectKind::Peer, "0.0.0.1", NOW);
        freed.until_ms = None;
        responder.unsuspend(&state, &freed, NOW).unwrap();
        assert!(!suspended(&responder, &state, &at(1), NOW));
        assert!(responder.strike(&state, &at(1), &proofs(1), NOW).actions.is_empty());
        responder.unsuspend(&state, &freed, NOW).unwrap();
    }
}

fn bytes(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.write(&mut bytes);
    bytes
}

fn merged(responder: &Responder, states: &[&State]) -> State {
    let all = State::new(responder, 1);
    for state in states {
        let bytes = bytes(state);
        all.merge(all.read(&bytes).unwrap());
    }
    all
}

#[test]
fn a_lifting_wins_over_what_others_still_hold() {
    let responder = ladder("peer", r#","suspend":1,"suspend_for":"1h""#);
    let [a, b] = [(); 2].map(|()| State::new(&responder, 1));
    responder.strike(&a, &at(1), &proofs(1), NOW);
    b.merge(b.read(&bytes(&a)).unwrap());
    assert!(suspended(&responder, &b, &at(1), NOW));
    let freed = Suspension { until_ms: None, ..person(SubjectKind::Peer, "0.0.0.1", 0) };
    responder.unsuspend(&b, &freed, NOW + 1).unwrap();
    for state in [merged(&responder, &[&a, &b]), merged(&responder, &[&b, &a])] {
        assert!(!suspended(&responder, &state, &at(1), NOW + 2));
    }
    responder.suspend(&a, &person(SubjectKind::Peer, "0.0.0.1", NOW + DAY), NOW + 2).unwrap();
    let all = merged(&responder, &[&b, &a]);
    assert!(suspended(&responder, &all, &at(1), NOW + 3), "the later word");
}

#[test]
fn a_snapshot_of_another_seed_or_of_other_bytes_is_refused() {
    let responder = ladder("peer", r#","suspend":1"#);
    let (state, other) = (State::new(&responder, 1), State::new(&responder, 2));
    responder.strike(&state, &at(1), &proofs(1), NOW);
    let mut written = bytes(&state);
    assert_eq!(other.read(&written).unwrap_err(), crate::base::bounded::OTHER_SEED);
    for length in (0..written.len()).step_by(7) {
        assert!(state.read(&written[..length]).is_err(), "{length}");
    }
    written.push(0);
    assert_eq!(state.read(&written).unwrap_err(), "too long");
}

#[test]
fn two_full_tables_merge_to_the_same_from_either_side() {
    let responder = ladder("peer", r#","suspend":3,"suspend_for":"1h""#);
    let [a, b] = [1, 2].map(|side: u32| {
        let state = State::new(&responder, 1);
        for number in 0..2_000 {
            let strikes = usize::try_from((number * side) % 4).unwrap();
            responder.strike(&state, &at(number << 6), &proofs(strikes), NOW + i64::from(number * side));
        }
        state
    });
    assert_eq!(bytes(&merged(&responder, &[&a, &b])), bytes(&merged(&responder, &[&b, &a])));
}

fn history() -> impl Strategy<Value = Vec<(u32, u8, u8, i64)>> {
    prop::collection::vec((0..12_u32, 0..4_u8, 0..4_u8, 0..20 * MINUTE), 0..40)
}

fn live(responder: &Responder, history: &[(u32, u8, u8, i64)]) -> State {
    let state = State::new(responder, 1);
    for (address, proven, behaved, offset) in history {
        let findings = [proofs((*proven).into()), behaviours((*behaved).into())].concat();
        let now = NOW + offset;
        let _ = responder.check_peer(&state, &at(*address), now);
        responder.strike(&state, &at(*address), &findings, now);
        let named = person(SubjectKind::Peer, &Ipv4Addr::from(*address).to_string(), now + HOUR);
        match (proven, behaved) {
            (3, 3) => drop(responder.suspend(&state, &named, now)),
            (3, 2) => drop(responder.unsuspend(&state, &named, now)),
            _ => {}
        }
    }
    state
}

proptest! {
    #[test]
    fn merges_commute_associate_and_repeat(parts in prop::array::uniform3(history())) {
        let responder = ladder("peer", ALL_RUNGS);
        let [a, b, c] = parts.each_ref().map(|part| live(&responder, part));
        let merged = |states: &[&State]| merged(&responder, states);
        prop_assert_eq!(bytes(&merged(&[&a, &b])), bytes(&merged(&[&b, &a])));
        prop_assert_eq!(bytes(&merged(&[&merged(&[&a, &b]), &c])), bytes(&merged(&[&a, &merged(&[&b, &c])])));
        prop_assert_eq!(bytes(&merged(&[&a, &a])), bytes(&a));
    }

    #[test]
    fn any_bytes_never_panic(history in history(), at_byte: usize, byte: u8, noise: Vec<u8>) {
        let responder = ladder("peer", ALL_RUNGS);
        let state = live(&responder, &history);
        let before = bytes(&state);
        let _ = state.read(&noise);
        let mut bad = before.clone();
        let at_byte = at_byte % bad.len();
        bad[at_byte] ^= byte;
        let _ = state.read(&bad);
        prop_assert_eq!(bytes(&state), before, "reading changes nothing");
    }

    #[test]
    fn more_evidence_is_never_milder(
        history in history(), proven in 0..6_usize, behaved in 0..6_usize, more in 0..6_usize, of_proof: bool, wait in 0..HOUR,
    ) {
        let responder = ladder("peer", ALL_RUNGS);
        let now = NOW + wait;
        let entry = |findings: &[Finding]| {
            let state = live(&responder, &history);
            let graded = responder.strike(&state, &at(3), findings, now);
            let subject = at(3).subject(SubjectKind::Peer, &state.hasher).unwrap();
            let entry = state.ladders[0].entries.get(subject.key).map(|packed| Entry::of(&packed)).unwrap_or_default();
            // Without evidence nothing is written: both are seen as they stand now.
            (outcome_of(&graded), responder.ladders[0].settled(entry, instant(now)).0)
        };
        let less = [proofs(proven), behaviours(behaved)].concat();
        let extra = if of_proof { proofs(more) } else { behaviours(more) };
        let (little, before) = entry(&less);
        let (much, after) = entry(&[less.clone(), extra.clone()].concat());
        prop_assert!(much >= little);
        prop_assert!(after.all >= before.all && after.proof >= before.proof);
        prop_assert!(after.until >= before.until && after.rung >= before.rung);
        // The order of evidence does not matter.
        prop_assert_eq!(entry(&[extra, less].concat()), (much, after));
    }
}

/// Strikes one by one, each with the time at which it is forgiven; suspensions one by one. No packing, no arrival times.
#[derive(Default)]
struct Model {
    all: Vec<i64>,
    proof: Vec<i64>,
    /// 0 is none, 4 is suspended.
    rung: usize,
    suspensions: Vec<(i64, i64)>,
    last_pass: Option<i64>,
}

const THRESHOLDS: [usize; 4] = [2, 4, 6, 10];
const MOST: usize = 20;

impl Model {
    fn left(strikes: &[i64], now: i64) -> usize {
        strikes.iter().filter(|forgiven| **forgiven > now).count()
    }

    fn add(strikes: &mut Vec<i64>, count: usize, now: i64) {
        for _ in 0..count {
            let last = strikes.last().copied().unwrap_or(now).max(now);
            strikes.push(last + MINUTE);
        }
        strikes.retain(|forgiven| *forgiven > now);
        if strikes.len() > MOST || strikes.last().is_some_and(|last| *last > now + MOST as i64 * MINUTE) {
            *strikes = (1..=MOST as i64).map(|nth| now + nth * MINUTE).collect();
        }
    }

    fn settle(&mut self, now: i64) {
        let stood = self.rung;
        self.rung = match self.suspensions.last() {
            Some((_, until)) if *until > now => 4,
            _ => {
                let left = Self::left(&self.all, now);
                let holds = |rung: &usize| {
                    let threshold = THRESHOLDS[rung - 1];
                    left >= threshold || (stood >= *rung && 2 * left >= threshold)
                };
                (1..=3).rev().find(holds).unwrap_or(0)
            }
        };
    }

    /// Whether it may pass on the throttle rung.
    fn pass(&mut self, now: i64) -> bool {
        let free = self.last_pass.is_none_or(|last| last + SECOND <= now);
        if free {
            self.last_pass = Some(now);
        }
        free
    }

    fn check(&mut self, now: i64) -> Outcome {
        self.settle(now);
        match self.rung {
            0 => Outcome::Allow,
            1 => Outcome::Flag,
            2 => Outcome::StepUp,
            3 => match self.pass(now) {
                true => Outcome::StepUp,
                false => Outcome::Throttle,
            },
            _ => Outcome::Deny,
        }
    }

    fn strike(&mut self, proven: usize, behaved: usize, now: i64) -> Option<usize> {
        self.settle(now);
        if self.rung == 4 || proven + behaved == 0 {
            return None;
        }
        let before = self.rung;
        Self::add(&mut self.all, proven + behaved, now);
        Self::add(&mut self.proof, proven, now);
        self.settle(now);
        if Self::left(&self.proof, now) >= THRESHOLDS[3] {
            let in_a_row = |(at, pair): (usize, &[(i64, i64)])| (pair[1].0 - pair[0].1 > 7 * DAY).then_some(at + 1);
            let with_this: Vec<(i64, i64)> = self.suspensions.iter().copied().chain([(now, now)]).collect();
            let first = with_this.windows(2).enumerate().filter_map(in_a_row).next_back().unwrap_or(0);
            let earlier = self.suspensions.len() - first;
            let span = (0..earlier).fold(5 * MINUTE, |span, _| (span * 3).min(DAY));
            self.suspensions.push((now, now + span));
            self.rung = 4;
        }
        let rose = (self.rung > before).then_some(self.rung);
        if rose == Some(3) {
            self.pass(now);
        }
        rose
    }
}

fn months() -> impl Strategy<Value = Vec<(i64, u8, u8)>> {
    let step = prop_oneof![
        4 => 0..2 * SECOND,
        4 => 0..3 * MINUTE,
        2 => 0..12 * MINUTE,
        1 => 0..DAY,
        1 => 0..20 * DAY,
    ];
    prop::collection::vec((step, 0..6_u8, 0..4_u8), 1..250)
}

proptest! {
    #[test]
    fn months_of_requests_go_as_in_the_model(requests in months()) {
        let responder =
            ladder("identity", r#","flag":2,"step_up":4,"throttle":6,"suspend":10,"escalate":3,"forget":"7d""#);
        let state = State::new(&responder, 1);
        let (anna, mut model, mut now) = (anna(), Model::default(), NOW);
        let suspect = Suspect { peer: None, identity: Some(&anna) };
        for (step, proven, behaved) in requests {
            now += step;
            prop_assert_eq!(outcome_of(&responder.check_identity(&state, &suspect, now)), model.check(now));
            let findings = [proofs(proven.into()), behaviours(behaved.into())].concat();
            let graded = responder.strike(&state, &suspect, &findings, now);
            let rose = model.strike(proven.into(), behaved.into(), now);
            let rungs: Vec<_> = graded.actions.iter().map(|action| action.rung.map_or(0, |rung| rung as usize + 1)).collect();
            prop_assert_eq!(rungs, rose.into_iter().collect::<Vec<_>>());
            if let Some(action) = graded.actions.first().filter(|action| action.rung == Some(Rung::Suspend)) {
                let (_, until) = model.suspensions.last().copied().unwrap();
                prop_assert_eq!(action.until_ms, Some(until));
            }
        }
        prop_assert!(state.rewound() == 0, "no clock went back");
    }
}
