//! More keys than a table holds: what was displaced does not come back fresh without bound.

use super::*;

/// The smallest table: some 500 keys of peers.
fn small(limit: &str) -> Limiter {
    let configs: Vec<Config> = serde_json::from_str(&format!("[{limit}]")).unwrap();
    Limiter::compile(&configs, Size::from_bytes(16 << 10)).unwrap()
}

/// Most keys of peers that it holds.
const CAPACITY: u32 = 600;

/// Requests that pass of `rounds` from each of so many peers of one /16, in one second.
fn flood(limiter: &Limiter, state: &State, peers: u32, rounds: u32) -> u32 {
    let mut passed = 0;
    for round in 0..rounds {
        for number in 0..peers {
            let now = 1_000_000 + i64::from(round) * 1_000 / i64::from(rounds);
            let subject = peer(0x0a00_0000 | number);
            passed += u32::from(!limiter.check(state, Phase::Peer, &subject, now).refuses());
        }
    }
    passed
}

#[test]
fn a_flood_from_one_network_passes_no_more_than_the_table_and_the_fallback_allow() {
    let limiter =
        small(r#"{"name":"a","key":["peer"],"rate":"2/1h","ipv4_prefix":16,"fallback":{"key":["peer_prefix"]}}"#);
    let state = State::new(&limiter, 1);
    // 20,000 peers with two requests each would be 40,000; with fresh buckets for the displaced, four rounds were 80,000.
    let passed = flood(&limiter, &state, 20_000, 4);
    // Two of each that fits the table, and 32 of the network.
    assert!(passed <= 2 * CAPACITY + 32, "{passed}");
    let again = flood(&limiter, &state, 20_000, 4);
    assert!(again <= 100, "{again}: nothing comes back while it would still count");
    assert!(state.evicted() > 0);
}

#[test]
fn a_flood_from_everywhere_is_counted_as_a_whole() {
    let limiter = small(r#"{"name":"a","key":["peer"],"rate":"2/1h"}"#);
    let state = State::new(&limiter, 1);
    let mut passed = 0;
    for number in 0..200_000_u32 {
        let subject = peer(number.wrapping_mul(0x9e37_79b9));
        passed += u32::from(!limiter.check(&state, Phase::Peer, &subject, 1_000_000).refuses());
    }
    // One each until the table overflows, then 2 x 16 x 16 of all peers together, and what the networks' table holds.
    assert!((600..3_000).contains(&passed), "{passed}");
}

#[test]
fn who_is_refused_by_one_limit_takes_nobodys_place_in_the_table_of_another() {
    let limits = r#"{"name":"all","key":[],"rate":"2000/1h"},{"name":"p","key":["peer"],"rate":"9/1h"}"#;
    let configs: Vec<Config> = serde_json::from_str(&format!("[{limits}]")).unwrap();
    let limiter = Limiter::compile(&configs, Size::from_bytes(32 << 10)).unwrap();
    let state = State::new(&limiter, 1);
    let passes = |number: u32| !limiter.check(&state, Phase::Peer, &peer(number << 8), 1_000_000).refuses();
    assert!((0..2_000).all(passes));
    let (before, evicted) = (bytes(&state), state.evicted());
    assert!(evicted > 0, "there is no place left");
    assert!(!(2_000..2_500).any(passes));
    assert_eq!((bytes(&state), state.evicted()), (before, evicted));
}

#[test]
fn who_is_known_is_counted_as_ever() {
    let limiter = small(r#"{"name":"a","key":["peer"],"rate":"100/1h"}"#);
    let state = State::new(&limiter, 1);
    let known = Subject { peer: Some("192.0.2.7".parse().unwrap()), ..Subject::default() };
    let ask = || limiter.check(&state, Phase::Peer, &known, 1_000_500).details();
    // Spent most, so that it is displaced last.
    (0..50).for_each(|_| assert!(!ask().refuses()));
    flood(&limiter, &state, 20_000, 1);
    let check = ask();
    assert_eq!((check.refuses(), check.standing().unwrap().remaining), (false, 49));
    assert_eq!(check.standings.len(), 1, "no coarser count");
    let stranger = Subject { peer: Some("192.0.2.8".parse().unwrap()), ..Subject::default() };
    let told = limiter.check(&state, Phase::Peer, &stranger, 1_000_500).details().standings;
    let quotas: Vec<u32> = told.iter().map(|standing| standing.quota).collect();
    assert_eq!(quotas, [100, 1_600, 25_600], "what is told is what is counted");
    // An hour later what was displaced would have been full: nothing is missing.
    let later = 1_000_000 + 3_700_000;
    assert_eq!(limiter.check(&state, Phase::Peer, &stranger, later).details().standings.len(), 1);
}

#[test]
fn the_fallback_says_that_it_refuses() {
    let limiter = small(
        r#"{"name":"a","key":["peer"],"rate":"2/1h","ipv4_prefix":16,"fallback":{"key":["peer_prefix"],"rate":"3/1h"}}"#,
    );
    let state = State::new(&limiter, 1);
    flood(&limiter, &state, 20_000, 1);
    let refused = limiter.check(&state, Phase::Peer, &peer(0x0a00_ffff), 1_001_000).details();
    assert_eq!(refused.findings[0].detail, "limit `a/fallback`");
    let elsewhere = limiter.check(&state, Phase::Peer, &peer(0x0b00_0000), 1_001_000).details();
    assert!(!elsewhere.refuses(), "{elsewhere:?}");
}

#[test]
fn quotas_fall_back_too_and_a_snapshot_tells() {
    let limiter =
        small(r#"{"name":"a","key":["peer"],"quota":"2/1d","ipv4_prefix":16,"fallback":{"key":["peer_prefix"]}}"#);
    let state = State::new(&limiter, 1);
    let passed: u32 = (0..4).map(|_| flood(&limiter, &state, 20_000, 4)).sum();
    // Two for each place at first. Then 32 for the network, each of which gives a key a place, and with it one more. That is
    // all of the day; without a fallback each of the four were 80,000.
    assert!(passed <= 2 * CAPACITY + 2 * 32, "{passed}");
    let restored = State::new(&limiter, 1);
    restored.restore(&bytes(&state)).unwrap();
    for state in [&state, &restored] {
        let check = limiter.check(state, Phase::Peer, &peer(0x0c00_0000), 1_002_000).details();
        assert!(check.standings.len() > 1, "{check:?}");
        assert!(
            limiter.check(state, Phase::Peer, &peer(0x0c00_0000), 86_400_000).details().standings.len() == 1,
            "a new day"
        );
    }
}

#[test]
fn what_a_clock_that_was_ahead_displaced_is_not_missed_for_years() {
    const YEAR: i64 = 365 * 86_400_000;
    for count in [r#""rate":"2/1h""#, r#""quota":"2/1d""#] {
        let limiter = small(&format!(r#"{{"name":"a","key":["peer"],{count}}}"#));
        let state = State::new(&limiter, 1);
        for number in 0..20_000 {
            limiter.check(&state, Phase::Peer, &peer(number << 8), 1_000_000 + YEAR).details();
        }
        let stranger = |now| limiter.check(&state, Phase::Peer, &peer(0xc0a8_0000), now).details().standings.len();
        assert!(stranger(1_000_000) > 1, "{count}: something is missing, as far as anybody knows");
        let next = 1_000_000 + 2 * 86_400_000;
        let later = limiter.check(&state, Phase::Peer, &peer(0xc0a9_0000), next).details();
        assert_eq!(later.standings.len(), 1, "{count}: whatever it was, it is full again");
    }
}
