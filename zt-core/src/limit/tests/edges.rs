//! Where one more, or one nanosecond more, makes the difference.

use super::*;

fn passes(limits: &str, endpoint: &str) -> usize {
    let limiter = limiter(limits);
    let state = State::new(&limiter, 1);
    (0..99).take_while(|_| !limiter.check(&state, Phase::Peer, &at_endpoint(1, endpoint), 0).refuses()).count()
}

/// What can pass at once is the burst, not what the rate says of its whole span; of it a reserve is so many per cent,
/// rounded up, and a request counts for no more than what remains.
#[test]
fn costs_and_reserves_are_of_what_can_pass_at_once() {
    let limit = |more: &str| {
        format!(
            r#"[{{"name":"a","key":["peer"],"rate":"60/1m","burst":10,"reserve":41,"reserved_for":{{"endpoints":["e1"]}}{more}}}]"#
        )
    };
    assert_eq!((passes(&limit(""), "e1"), passes(&limit(""), "e2")), (10, 5));
    let dear = limit(r#","cost":9"#);
    assert_eq!((passes(&dear, "e1"), passes(&dear, "e2")), (1, 1));
}

/// What is missing matters until its bucket would be full, and no longer; when it was written under a clock that was ahead,
/// that is told once.
#[test]
fn what_is_missing_matters_to_the_nanosecond() {
    const NOW: i64 = 1_772_446_530_000;
    const NOW_NS: u64 = NOW as u64 * 1_000_000;
    let limiter = limiter(r#"[{"name":"a","key":["peer"],"rate":"2/1h"}]"#);
    for (until, counts, jumps) in [
        (0, 1, 0),
        (NOW_NS, 1, 0),
        (NOW_NS + 1, 2, 0),
        // An hour to fill, an hour of skew.
        (NOW_NS + 7_200_000_000_000, 2, 0),
        (NOW_NS + 7_200_000_000_001, 2, 1),
        (u64::MAX, 2, 1),
    ] {
        let state = State::new(&limiter, 1);
        state.tables[0].entries.press_until(until);
        for number in 0..3 {
            let check = limiter.check(&state, Phase::Peer, &peer(number << 9), NOW).details();
            assert_eq!((check.standings.len(), state.clock_jumps()), (counts, jumps), "{until} {number}");
        }
    }
}

/// However little it is: a table cannot be smaller than its smallest.
#[test]
fn no_more_memory_is_taken_than_was_given() {
    for (key, rates) in
        [("\"peer\"", 1), ("\"peer\"", 3), ("\"identity\"", 2), ("\"identity\",\"endpoint\"", 1), ("", 1)]
    {
        let rates: Vec<String> = (1..=rates).map(|at| format!("\"{at}/{at}s\"")).collect();
        for limits in [1, 30] {
            let limit = |at| format!(r#"{{"name":"l{at}","key":[{key}],"rate":[{}]}}"#, rates.join(","));
            let limits: Vec<String> = (0..limits).map(limit).collect();
            let configs: Vec<Config> = serde_json::from_str(&format!("[{}]", limits.join(","))).unwrap();
            let least = limits.len() * rates.len() * (16 << 10);
            for given in (least..3 * least).step_by(least / 40 + 7) {
                let limiter = Limiter::compile(&configs, Size::from_bytes(given as u64)).unwrap();
                let taken = State::new(&limiter, 1).memory();
                assert!(taken <= given && taken > given / 4 * 3, "{taken} of {given}: {} by {key}", limits.len());
            }
        }
    }
}
