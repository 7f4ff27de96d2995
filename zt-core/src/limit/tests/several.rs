//! Some of several limits, in full tables and in those of other limits: who is asked alone is asked as among others.

use proptest::prelude::*;
use smallvec::SmallVec;

use super::one_step::{all, looked_first};
use super::*;
use crate::model::Ticket;

const LIMITS: [&str; 6] = [
    r#"{"name":"a","key":["peer"],"rate":"3/1m","endpoints":["e1"]}"#,
    r#"{"name":"b","key":["peer"],"rate":"4/1h","cost":2,"endpoints":["e2","e4"],"reserve":50,"reserved_for":{"endpoints":["e4"]}}"#,
    r#"{"name":"c","key":["peer"],"quota":"5/1h","mode":"monitor","endpoints":["e1"]}"#,
    r#"{"name":"d","key":["peer_prefix"],"rate":["9/1m","20/1h"],"endpoints":["e3"],"fallback":{"key":[],"rate":"40/1h"}}"#,
    r#"{"name":"e","key":["peer"],"concurrent":2,"endpoints":["e2","e3"]}"#,
    r#"{"name":"f","key":["endpoint","peer"],"quota":"9/1d","cost":"response","endpoints":["e4"]}"#,
];

fn of(limits: &[usize]) -> Limiter {
    let json = format!("[{}]", limits.iter().map(|at| LIMITS[*at]).collect::<Vec<_>>().join(","));
    let configs: Vec<Config> = serde_json::from_str(&json).unwrap();
    // The least that each of them may have: some 500 keys.
    Limiter::compile(&configs, Size::from_bytes(16 << 10 << 3)).unwrap()
}

fn some() -> impl Strategy<Value = Vec<usize>> {
    (Just(vec![0, 1, 2, 3, 4, 5]).prop_shuffle(), 1_usize..=6).prop_map(|(limits, count)| limits[..count].to_vec())
}

#[derive(Clone, Debug)]
enum Step {
    Ask { peer: u32, endpoint: usize, lifted: Option<usize> },
    Flood { first: u32, endpoint: usize },
    End,
    Clock(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (0_u32..6, 0_usize..4, prop::option::weighted(0.3, 0_usize..6))
            .prop_map(|(peer, endpoint, lifted)| Step::Ask { peer: peer << 9, endpoint, lifted }),
        1 => (0_u32..1 << 20, 0_usize..4).prop_map(|(first, endpoint)| Step::Flood { first: first << 8, endpoint }),
        4 => Just(Step::End),
        6 => prop_oneof![0_i64..40_000, 0_i64..5_000_000, -9_000_000_i64..9_000_000].prop_map(Step::Clock),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn who_is_asked_alone_is_asked_as_among_others(asked in some(), made in some(), same: bool, steps in prop::collection::vec(step(), 1..80)) {
        let limiter = of(&asked);
        let made = if same { of(&asked) } else { of(&made) };
        let (one, two) = (State::new(&made, 1), State::new(&made, 1));
        let (mut now, mut held): (i64, Vec<SmallVec<[Ticket; 1]>>) = (1_772_446_530_000, Vec::new());
        let endpoints = ["e1", "e2", "e3", "e4"];
        for step in steps {
            match step {
                Step::Clock(by) => now += by,
                Step::End => {
                    if let Some(tickets) = held.pop() {
                        limiter.close(&one, &tickets, Some(3), now);
                        limiter.close(&two, &tickets, Some(3), now);
                    }
                }
                Step::Flood { first, endpoint } => {
                    for peer in 0..1_500 {
                        let subject = at_endpoint(first.wrapping_add(peer << 8), endpoints[endpoint]);
                        let check = limiter.check(&one, Phase::Peer, &subject, now).details();
                        prop_assert_eq!(check, looked_first(&limiter, &two, Phase::Peer, &subject, &|_| false, now));
                    }
                }
                Step::Ask { peer, endpoint, lifted } => {
                    let lifted = |name: &str| lifted.is_some_and(|at| *name == *["a", "b", "c", "d", "e", "f"][at]);
                    let subject = at_endpoint(peer, endpoints[endpoint]);
                    let check = limiter.check_but(&one, Phase::Peer, &subject, &lifted, now);
                    prop_assert_eq!(&check, &looked_first(&limiter, &two, Phase::Peer, &subject, &lifted, now));
                    if !check.tickets.is_empty() {
                        held.push(check.tickets);
                    }
                }
            }
        }
        prop_assert_eq!(all(&one), all(&two));
    }
}

/// A limit that the state does not know and that refuses nobody is reported, however many others are asked.
#[test]
fn what_is_not_known_is_reported_in_monitor_mode_too() {
    let trial = r#"{"name":"trial","key":["peer"],"rate":"1/1h","mode":"monitor"}"#;
    for counts in [r#""rate":"3/1h""#, r#""rate":["2/1s","3/1h"]"#] {
        let known = format!(r#"{{"name":"known","key":["peer"],{counts}}}"#);
        let (both, own) = (limiter(&format!("[{known},{trial}]")), limiter(&format!("[{known}]")));
        let state = State::new(&own, 1);
        for left in [2, 1, 0] {
            let check = both.check(&state, Phase::Peer, &peer(1), i64::from(3 - left) * 2_000).details();
            let found: Vec<_> = check.findings.iter().map(|finding| (&*finding.detail, finding.monitor)).collect();
            assert_eq!(found, [("limit `trial`", true)], "{counts}");
            let slowest = check.standings.last().unwrap();
            assert_eq!((check.refuses(), slowest.remaining), (false, left), "{counts}: spent, and once");
        }
        let refused = both.check(&state, Phase::Peer, &peer(1), 9_000).details();
        assert_eq!((refused.findings.len(), &refused.refused_by[..]), (2, &["known"][..]));
    }
}

/// One count of a limit refuses: what the other tells is what is left when nothing was spent of it.
#[test]
fn what_was_not_spent_is_told_as_left() {
    let limiter = limiter(r#"[{"name":"a","key":[],"rate":"9/1h","quota":"3/1d","cost":3}]"#);
    let state = State::new(&limiter, 1);
    let left = |_| limiter.check(&state, Phase::Peer, &Subject::default(), 0).details().standings[0].remaining;
    assert_eq!([(); 3].map(left), [6, 6, 6]);
}
