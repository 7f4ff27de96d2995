use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;
use crate::model::{Code, Outcome};

pub(super) mod alone;
mod edges;
mod facts;
mod fast_path;
mod flood;
mod mixed;
mod one_step;
mod people;
mod plain_rate;
mod several;
mod swapped;

const MIB: u64 = 1 << 20;

fn limiter(json: &str) -> Limiter {
    let configs: Vec<Config> = serde_json::from_str(json).unwrap();
    Limiter::compile(&configs, Size::from_bytes(MIB)).unwrap()
}

fn peer(number: u32) -> Subject<'static> {
    Subject { peer: Some(IpAddr::V4(Ipv4Addr::from(number))), ..Subject::default() }
}

fn at_endpoint(number: u32, endpoint: &str) -> Subject<'_> {
    Subject { endpoint: Some(endpoint), ..peer(number) }
}

fn bytes(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.write(&mut bytes);
    bytes
}

#[test]
fn a_burst_passes_then_the_rate_does() {
    let limiter = limiter(r#"[{"name":"p","key":["peer"],"rate":"60/1m","burst":3}]"#);
    let state = State::new(&limiter, 1);
    let check = |number, now| limiter.check(&state, Phase::Peer, &peer(number), now).details();
    for remaining in [2, 1, 0] {
        let check = check(1, 1_000_000);
        assert!(check.findings.is_empty());
        assert_eq!(check.standing().unwrap().remaining, remaining);
    }
    let refused = check(1, 1_000_000);
    assert_eq!(refused.findings.len(), 1);
    let finding = &refused.findings[0];
    assert_eq!((finding.code, finding.outcome, finding.monitor), (Code::LimitExceeded, Outcome::Throttle, false));
    assert_eq!(finding.detail, "limit `p`");
    let standing = refused.standing().unwrap();
    assert_eq!((standing.quota, standing.window_s, standing.retry_after_s), (60, 60, Some(1)));
    assert!(check(2, 1_000_000).findings.is_empty(), "another peer has its own");
    assert!(!check(1, 1_000_999).findings.is_empty());
    assert!(check(1, 1_001_000).findings.is_empty());
    assert!(!check(1, 1_001_000).findings.is_empty());
}

#[test]
fn a_refusal_spends_nothing_in_its_phase() {
    let limiter = limiter(
        r#"[{"name":"wide","key":["peer"],"rate":"100/1h"},
            {"name":"seen","key":["peer"],"rate":"100/1h","mode":"monitor"},
            {"name":"narrow","key":["peer","endpoint"],"rate":"1/1h"}]"#,
    );
    let state = State::new(&limiter, 1);
    assert!(limiter.check(&state, Phase::Peer, &at_endpoint(1, "a"), 0).details().findings.is_empty());
    let before = bytes(&state);
    let refused = limiter.check(&state, Phase::Peer, &at_endpoint(1, "a"), 0).details();
    assert_eq!(refused.findings[0].detail, "limit `narrow`");
    assert_eq!(refused.standing().unwrap().limit, "narrow");
    assert_eq!(bytes(&state), before);

    let fresh = limiter.check(&state, Phase::Peer, &at_endpoint(1, "b"), 0).details();
    assert_eq!(fresh.standing().unwrap().limit, "narrow", "the smallest share remains there");
}

#[test]
fn every_refusal_is_found_and_the_longest_wait_told() {
    let limiter = limiter(
        r#"[{"name":"s","key":["peer"],"rate":"1/1s"},{"name":"m","key":["peer"],"rate":"1/1m"},{"name":"l","key":["peer"],"rate":"9/1s"}]"#,
    );
    let state = State::new(&limiter, 1);
    limiter.check(&state, Phase::Peer, &peer(1), 0).details();
    let refused = limiter.check(&state, Phase::Peer, &peer(1), 0).details();
    let details: Vec<_> = refused.findings.iter().map(|finding| &*finding.detail).collect();
    assert_eq!(details, ["limit `s`", "limit `m`"]);
    let standing = refused.standing().unwrap();
    assert_eq!((standing.limit, standing.retry_after_s, standing.reset_s), ("m", Some(60), 60));
}

#[test]
fn monitor_reports_and_refuses_nothing() {
    let limiter = limiter(
        r#"[{"name":"trial","key":["peer"],"rate":"1/1h","mode":"monitor"},{"name":"real","key":["peer"],"rate":"3/1h"}]"#,
    );
    let state = State::new(&limiter, 1);
    limiter.check(&state, Phase::Peer, &peer(1), 0).details();
    let over = limiter.check(&state, Phase::Peer, &peer(1), 0).details();
    assert!(over.findings[0].monitor);
    let standing = over.standing().unwrap();
    assert_eq!(
        (standing.limit, standing.remaining),
        ("real", 1),
        "not told to clients, and no hindrance to the others"
    );
}

#[test]
fn a_limit_can_be_for_some_endpoints() {
    let limiter =
        limiter(r#"[{"name":"login","key":["peer"],"rate":"1/1h","endpoints":["logIn"],"segments":["accounts"]}]"#);
    let state = State::new(&limiter, 1);
    let check = |subject: &Subject<'_>| limiter.check(&state, Phase::Peer, subject, 0).details();
    assert_eq!(check(&at_endpoint(1, "other")), Details::default());
    assert_eq!(check(&peer(1)), Details::default());
    assert!(check(&at_endpoint(1, "logIn")).findings.is_empty());
    let in_segment = Subject { segment: Some("accounts"), ..at_endpoint(1, "other") };
    assert!(!check(&in_segment).findings.is_empty(), "the same bucket: the key is the peer alone");
}

#[test]
fn a_state_of_other_limits_refuses() {
    let one = limiter(r#"[{"name":"a","key":["peer"],"rate":"9/1h"}]"#);
    let two = limiter(r#"[{"name":"b","key":["peer"],"rate":"9/1h"},{"name":"a","key":["peer"],"rate":"9/1h"}]"#);
    let check = two.check(&State::new(&one, 1), Phase::Peer, &peer(1), 0).details();
    assert_eq!(check.findings.len(), 1);
    assert_eq!(check.findings[0].detail, "limit `b`");
}

#[test]
fn no_memory_is_a_problem_and_no_limits_are_none() {
    let configs: Vec<Config> = serde_json::from_str(r#"[{"name":"a","key":["peer"],"rate":"9/1h"}]"#).unwrap();
    let problems = Limiter::compile(&configs, Size::from_bytes(100)).unwrap_err();
    assert_eq!(problems[0].key, "state.memory");
    assert!(problems[0].mend.as_ref().unwrap().starts_with("give them 16KiB at least"), "{problems:?}");
    let none = Limiter::compile(&[], Size::from_bytes(0)).unwrap();
    let state = State::new(&none, 1);
    assert_eq!(none.check(&state, Phase::Peer, &peer(1), 0).details(), Details::default());
    state.restore(&bytes(&state)).unwrap();
}

#[test]
fn a_million_random_keys_take_no_more_memory() {
    let limiter =
        limiter(r#"[{"name":"a","key":["peer"],"rate":"10/1m"},{"name":"b","key":[],"rate":"1000000000/1m"}]"#);
    let state = State::new(&limiter, 1);
    let before = state.memory();
    assert!(before <= 1 << 20, "{before}");
    let victim = peer(u32::MAX);
    while limiter.check(&state, Phase::Peer, &victim, 0).details().findings.is_empty() {}
    let mut refused = 0;
    for number in 0..1_000_000_u32 {
        let subject = peer(number.wrapping_mul(0x9e37_79b9));
        let check = limiter.check(&state, Phase::Peer, &subject, i64::from(number) / 100_000).details();
        refused += u64::from(check.refuses());
    }
    assert_eq!(state.memory(), before);
    // Once the table overflows, keys that it does not know are refused by the fallback, and displace nobody.
    assert!(state.evicted() + refused > 900_000, "{} {refused}", state.evicted());
    assert!(
        !limiter.check(&state, Phase::Peer, &victim, 1_000).details().findings.is_empty(),
        "a flood does not free who is refused"
    );
    let other = state.tables(&limiter, &limiter.rules[1]).unwrap();
    assert_eq!(other[0].entries.len(), 1, "nor touch another limit's keys");
}

#[test]
fn threads_together_pass_no_more_than_the_limit() {
    let limiter = limiter(
        r#"[{"name":"a","key":["peer"],"rate":"1000/1h"},{"name":"b","key":["peer","endpoint"],"rate":"600/1h"}]"#,
    );
    let state = State::new(&limiter, 1);
    let passed = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for endpoint in ["x", "y"] {
            let (limiter, state, passed) = (&limiter, &state, &passed);
            scope.spawn(move || {
                for _ in 0..5_000 {
                    if limiter.check(state, Phase::Peer, &at_endpoint(1, endpoint), 0).details().findings.is_empty() {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    // A refusal that takes back may come too late for a request beside it: fewer can pass, never more.
    assert!((900..=1_000).contains(&passed.load(Ordering::Relaxed)), "{passed:?}");
}

/// Two limits, so that a snapshot has two sections; small tables, so that they overflow.
fn small() -> Limiter {
    let configs: Vec<Config> = serde_json::from_str(
        r#"[{"name":"a","key":["peer"],"rate":"10/1m"},{"name":"b","key":["peer_prefix"],"rate":"100/1m"}]"#,
    )
    .unwrap();
    Limiter::compile(&configs, Size::from_bytes(32 << 10)).unwrap()
}

fn after(limiter: &Limiter, schedule: &[(u32, i64)]) -> State {
    let state = State::new(limiter, 5);
    for (number, now) in schedule {
        limiter.check(&state, Phase::Peer, &peer(*number), *now).details();
    }
    state
}

fn schedule() -> impl Strategy<Value = Vec<(u32, i64)>> {
    // Some come again, and some are of a crowd that overflows the tables.
    prop::collection::vec((prop_oneof![0_u32..50, any::<u32>()], 0_i64..10_000), 0..1500)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn merging_commutes_associates_and_repeats(a in schedule(), b in schedule(), c in schedule()) {
        let limiter = small();
        let [a, b, c] = [a, b, c].map(|schedule| bytes(&after(&limiter, &schedule)));
        let merged = |parts: &[&[u8]]| {
            let state = State::new(&limiter, 5);
            for part in parts {
                state.merge(part).unwrap();
            }
            bytes(&state)
        };
        let (ab, bc) = (merged(&[&a, &b]), merged(&[&b, &c]));
        prop_assert_eq!(&ab, &merged(&[&b, &a]));
        prop_assert_eq!(merged(&[&ab, &c]), merged(&[&a, &bc]));
        prop_assert_eq!(&merged(&[&a, &a]), &a);
        prop_assert_eq!(&merged(&[&ab, &b]), &ab);
    }

    #[test]
    fn a_snapshot_restores_to_the_same_bytes_and_decisions(before in schedule(), later in schedule()) {
        let limiter = small();
        let state = after(&limiter, &before);
        let restored = after(&limiter, &later);
        restored.restore(&bytes(&state)).unwrap();
        prop_assert_eq!(bytes(&restored), bytes(&state));
        for (number, now) in later.iter().take(100) {
            let checks = [&state, &restored].map(|state| limiter.check(state, Phase::Peer, &peer(*number), *now).details());
            prop_assert_eq!(&checks[0], &checks[1]);
        }
    }

    #[test]
    fn a_spoiled_snapshot_changes_nothing_or_is_one(at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<prop::sample::Index>()) {
        let limiter = small();
        let state = after(&limiter, &[(1, 1), (2, 2), (3, 3)]);
        let good = bytes(&state);
        let mut bad = good.clone();
        bad[at.index(good.len())] ^= 1 << bit;
        let target = after(&limiter, &[(9, 9)]);
        let before = bytes(&target);
        for spoiled in [&good[..cut.index(good.len())], &bad] {
            if target.restore(spoiled).is_err() {
                prop_assert_eq!(bytes(&target), &before[..]);
            } else {
                target.restore(&before).unwrap();
            }
        }
        prop_assert!(target.restore(&good[..cut.index(good.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let state = State::new(&small(), 5);
        let _ = state.restore(&bytes);
        let _ = state.merge(&bytes);
    }
}

#[test]
fn a_snapshot_tells_what_is_wrong() {
    // All requests together: a limit has one table then.
    let limiter = limiter(r#"[{"name":"a","key":[],"rate":"10/1m"},{"name":"b","key":[],"rate":"100/1m"}]"#);
    let state = after(&limiter, &[(1, 1), (2, 2)]);
    let good = bytes(&state);
    assert_eq!(State::new(&limiter, 6).restore(&good), Err(SnapshotError::OtherSeed));
    assert_eq!(state.restore(&good[..good.len() - 1]), Err(SnapshotError::Cut));
    assert_eq!(state.restore(&[&good[..], b"x"].concat()), Err(SnapshotError::TooLong(1)));
    let mut huge = good.clone();
    huge[28..36].fill(0xff);
    assert_eq!(state.restore(&huge), Err(SnapshotError::Cut));
    let mut late = good.clone();
    late[36 + 16..36 + 24].fill(0xff);
    assert_eq!(state.restore(&late), Err(SnapshotError::BadEntry));
    let mut twice = good;
    twice[12..28].fill(0xff);
    assert_eq!(state.restore(&twice), Err(SnapshotError::Disordered));
}

#[test]
fn a_snapshot_outlives_edits_of_other_limits() {
    let old = limiter(r#"[{"name":"a","key":["peer"],"rate":"1/1h"},{"name":"gone","key":["peer"],"rate":"1/1h"}]"#);
    let state = State::new(&old, 1);
    old.check(&state, Phase::Peer, &peer(1), 0).details();
    let new = limiter(r#"[{"name":"new","key":["peer"],"rate":"9/1h"},{"name":"a","key":["peer"],"rate":"1/1h"}]"#);
    let moved = State::new(&new, 1);
    moved.restore(&bytes(&state)).unwrap();
    let refused = new.check(&moved, Phase::Peer, &peer(1), 0).details();
    assert_eq!(refused.findings[0].detail, "limit `a`");

    let edited = limiter(r#"[{"name":"a","key":["peer"],"rate":"2/1h"}]"#);
    let fresh = State::new(&edited, 1);
    fresh.restore(&bytes(&state)).unwrap();
    assert!(fresh.is_empty(), "old arrival times mean nothing at another rate");
}
