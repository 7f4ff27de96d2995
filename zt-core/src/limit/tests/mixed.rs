//! Several counts of one limit: all are spent, or none.

use proptest::prelude::*;
use smallvec::SmallVec;

use super::*;
use crate::base::bounded::Key;
use crate::model::{Identity, IdentityKind, Ticket};

const MIXED: &str = r#"[
    {"name":"a","key":["peer"],"rate":["4/1s","20/1m"],"quota":"50/1h","concurrent":3,"hold":"10s"},
    {"name":"trial","key":["peer"],"rate":"2/1s","quota":"9/1m","mode":"monitor"},
    {"name":"b","key":["peer","endpoint"],"rate":"3/1s","cost":"body/10B"}]"#;

fn sized(number: u32, bytes: u64) -> Subject<'static> {
    Subject { body_len: Some(bytes), ..at_endpoint(number, "e") }
}

/// Everything that is remembered, requests under way too.
fn all(state: &State) -> Vec<Vec<(Key, u64)>> {
    state.tables.iter().map(|table| table.entries.entries()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A request that is refused leaves everything as it was but what limits in monitor mode count; one that passes is
    /// counted by all that are enforced.
    #[test]
    fn all_or_none_of_every_kind(steps in prop::collection::vec((0_i64..1_500, 0_u32..2, 0_u64..40, any::<bool>()), 1..120)) {
        let limiter = limiter(MIXED);
        let state = State::new(&limiter, 1);
        let (mut now, mut held): (i64, Vec<SmallVec<[Ticket; 1]>>) = (1_000_000, Vec::new());
        for (step, number, bytes, ends) in steps {
            now += step;
            if ends && !held.is_empty() {
                limiter.release(&state, &held.remove(0), now);
                continue;
            }
            let before = all(&state);
            let check = limiter.check(&state, Phase::Peer, &sized(number, bytes), now).details();
            prop_assert_eq!(check.refuses(), !check.refused_by.is_empty());
            if check.refuses() {
                prop_assert_eq!(all(&state), before);
                prop_assert!(check.tickets.is_empty());
            } else {
                prop_assert_eq!(check.tickets.len(), 1, "of the limit that counts what is under way");
                let after = all(&state);
                for (at, window) in limiter.rules.iter().flat_map(Rule::tables).enumerate() {
                    let counts = !window.label.starts_with("trial") && !window.label.contains("/fallback");
                    prop_assert!(!counts || after[at] != before[at], "{}", window.label);
                }
                held.push(check.tickets);
            }
        }
    }

    /// Whatever is asked, at most so many pass in any span of time: the model counts them.
    #[test]
    fn no_span_of_the_calendar_and_no_moment_has_more(steps in prop::collection::vec((0_i64..4_000, any::<bool>()), 1..200)) {
        let limiter = limiter(r#"[{"name":"a","key":[],"quota":"15/1m","concurrent":4,"hold":"1h"}]"#);
        let state = State::new(&limiter, 1);
        let (mut now, mut held, mut passed) = (0, Vec::new(), std::collections::BTreeMap::<i64, u32>::new());
        for (step, ends) in steps {
            now += step;
            if ends && !held.is_empty() {
                limiter.close(&state, &held.remove(0) as &SmallVec<[Ticket; 1]>, None, now);
                continue;
            }
            let due = held.len() < 4 && passed.get(&(now / 60_000)).is_none_or(|passed| *passed < 15);
            let check = limiter.check(&state, Phase::Peer, &Subject::default(), now).details();
            prop_assert_eq!(!check.refuses(), due);
            if due {
                held.push(check.tickets);
                *passed.entry(now / 60_000).or_default() += 1;
            }
        }
    }

    #[test]
    fn snapshots_and_merges_know_every_kind(a in prop::collection::vec((0_u32..9, 0_i64..100_000), 0..60), b in prop::collection::vec((0_u32..9, 0_i64..100_000), 0..60)) {
        let limiter = limiter(MIXED);
        let after = |steps: &[(u32, i64)]| {
            let state = State::new(&limiter, 5);
            for (number, now) in steps {
                let check = limiter.check(&state, Phase::Peer, &sized(*number, 1), *now).details();
                limiter.release(&state, &check.tickets, *now);
            }
            state
        };
        let (a, b) = (bytes(&after(&a)), bytes(&after(&b)));
        let merged = |parts: &[&[u8]]| {
            let state = State::new(&limiter, 5);
            parts.iter().for_each(|part| state.merge(part).unwrap());
            bytes(&state)
        };
        prop_assert_eq!(merged(&[&a, &b]), merged(&[&b, &a]));
        prop_assert_eq!(merged(&[&a, &a]), a.clone());
        let restored = State::new(&limiter, 5);
        restored.restore(&a).unwrap();
        prop_assert_eq!(bytes(&restored), a);
    }
}

#[test]
fn every_window_is_told_of_the_tightest_limit() {
    let limiter = limiter(r#"[{"name":"a","key":[],"rate":["2/1s","5/1h"],"quota":"100/1d","concurrent":4}]"#);
    let state = State::new(&limiter, 1);
    let check = |now| limiter.check(&state, Phase::Peer, &Subject::default(), now).details();
    assert!(!check(0).refuses() && !check(0).refuses());
    let refused = check(0);
    assert_eq!(refused.findings.len(), 1, "one for each limit");
    assert_eq!(refused.findings[0].detail, "limit `a/1s`");
    let names: Vec<&str> = refused.standings.iter().map(|standing| standing.limit).collect();
    assert_eq!(names, ["a/1s", "a/1h", "a/quota", "a/concurrent"]);
    let text: Vec<String> = headers(&refused.standings).into_iter().map(|(_, value)| value).collect();
    assert_eq!(text[0], "1");
    assert!(text[1].contains("\"a/quota\";q=100;w=86400, ") && text[2].contains("\"a/1h\";r=3;t="), "{text:?}");
}

#[test]
fn costs_are_read_from_the_request() {
    let left = |cost: &str, subject: &Subject<'_>| {
        let limiter = limiter(&format!(r#"[{{"name":"a","key":["identity"],"rate":"100/1h","cost":{cost}}}]"#));
        let state = State::new(&limiter, 1);
        100 - limiter.check(&state, Phase::Identity, subject, 0).standing().unwrap().remaining
    };
    let anna = Identity::new(IdentityKind::Jwt, "anna");
    let who = Subject { identity: Some(&anna), ..Subject::default() };
    assert_eq!(left("7", &who), 7);
    for (bytes, cost) in
        [(None, 1), (Some(0), 1), (Some(1), 1), (Some(4_096), 1), (Some(4_097), 2), (Some(u64::MAX), 100)]
    {
        assert_eq!(left(r#""body/4KiB""#, &Subject { body_len: bytes, ..who }), cost, "{bytes:?}");
    }
    for (text, cost) in
        [("5", 5), ("0", 1), ("-3", 1), ("x", 1), ("1.5", 1), ("4000", 100), ("99999999999999999999", 1)]
    {
        let claim = |name: &str| (name == "units").then(|| text.to_owned());
        assert_eq!(left(r#""claim:units""#, &Subject { claim: Some(&claim), ..who }), cost, "{text}");
    }
    assert_eq!(left(r#""claim:units""#, &who), 1);
}

#[test]
fn what_was_learned_scales_the_cost_where_a_limit_says_so() {
    let left = |learned: bool, per_mille: Option<u32>| {
        let limiter = limiter(&format!(r#"[{{"name":"a","key":[],"rate":"100/1h","cost":3,"learned":{learned}}}]"#));
        let factor = |limit: &str| per_mille.filter(|_| limit == "a");
        let subject = Subject { learned: Some(&factor), ..Subject::default() };
        100 - limiter.check(&State::new(&limiter, 1), Phase::Peer, &subject, 0).standing().unwrap().remaining
    };
    assert_eq!(left(true, None), 3);
    assert_eq!(left(false, Some(9_000)), 3);
    for (per_mille, cost) in [(0, 1), (1, 1), (334, 2), (1_000, 3), (1_001, 4), (9_000, 27), (u32::MAX, 100)] {
        assert_eq!(left(true, Some(per_mille)), cost, "{per_mille}");
    }
}

#[test]
fn what_a_response_cost_is_charged_after_the_fact() {
    let limiter = limiter(r#"[{"name":"a","key":["peer"],"rate":"60/1m","quota":"1000/1d","cost":"response"}]"#);
    let state = State::new(&limiter, 1);
    let check = |now| limiter.check(&state, Phase::Peer, &peer(1), now).details();
    let first = check(0);
    assert_eq!(first.tickets.len(), 1);
    limiter.close(&state, &first.tickets, Some(100), 0);
    // 100 of 60 at one a second: 41 seconds until one is there.
    assert!(check(40_999).refuses());
    let later = check(41_000);
    assert_eq!(later.standings[1].remaining, 1_000 - 101);
    // What says no more than was taken, or nothing, costs nothing more.
    for cost in [None, Some(0), Some(1)] {
        let before = bytes(&state);
        limiter.close(&state, &later.tickets, cost, 41_000);
        assert_eq!(bytes(&state), before, "{cost:?}");
    }
    let strange = Ticket { limit: "gone".into(), ..first.tickets[0].clone() };
    let empty = Ticket { key: crate::model::TicketKey(0), ..first.tickets[0].clone() };
    let before = bytes(&state);
    limiter.close(&state, &[strange, empty], Some(9), 41_000);
    assert_eq!(bytes(&state), before);
}

#[test]
fn requests_under_way_are_no_part_of_a_snapshot() {
    let limiter = limiter(r#"[{"name":"a","key":[],"rate":"9/1h","concurrent":2}]"#);
    let state = State::new(&limiter, 1);
    let check = || limiter.check(&state, Phase::Peer, &Subject::default(), 0).details();
    let held = check().tickets;
    let snapshot = bytes(&state);
    let other = State::new(&limiter, 1);
    other.restore(&snapshot).unwrap();
    assert_eq!(limiter.check(&other, Phase::Peer, &Subject::default(), 0).details().standings[1].remaining, 1);
    // And what is under way here stays so.
    check();
    state.restore(&snapshot).unwrap();
    assert_eq!(check().refused_by[..], ["a"]);
    limiter.release(&state, &held, 0);
    assert!(!check().refuses());
}

#[test]
fn a_clock_that_was_far_ahead_is_reported() {
    let limiter = limiter(r#"[{"name":"a","key":[],"rate":"1/1s"}]"#);
    let state = State::new(&limiter, 1);
    let check = |now| limiter.check(&state, Phase::Peer, &Subject::default(), now).refuses();
    assert!(!check(1_000_000_000_000) && state.clock_jumps() == 0);
    assert!(check(999_999_999_999), "a millisecond back is waited for");
    assert_eq!(state.clock_jumps(), 0);
    assert!(check(1_000_000));
    assert_eq!(state.clock_jumps(), 1);
    assert!(!check(1_001_000), "and it is over as soon as the bucket fills");
}

#[test]
fn a_clock_that_was_far_ahead_is_put_right_in_every_count() {
    let limiter =
        limiter(r#"[{"name":"a","key":[],"rate":["1/1s","2/1m"],"quota":"3/1d","concurrent":2,"hold":"10s"}]"#);
    let state = State::new(&limiter, 1);
    let check = |now| limiter.check(&state, Phase::Peer, &Subject::default(), now).details();
    assert!(!check(1_000_000_000_000).refuses());
    assert!(check(1_000_000).refuses());
    assert_eq!(state.clock_jumps(), 4);
    // Both rates are empty: the slower one has its next in half a minute. The slot is free again, the quota has one used.
    assert!(check(1_029_999).refuses());
    let passed = check(1_030_000);
    assert_eq!((passed.refuses(), passed.standings[2].remaining), (false, 1));
    assert_eq!(state.clock_jumps(), 4);
}
