//! A request with one count is asked in one step: that says and spends what looking first would have.

use proptest::prelude::*;
use smallvec::SmallVec;

use super::*;
use crate::base::bounded::Key;
use crate::limit::state::Table;
use crate::model::{Identity, IdentityKind, Ticket};

/// What every request took before there was a step for one count.
pub(super) fn looked_first<'l>(
    limiter: &'l Limiter,
    state: &State,
    phase: Phase,
    subject: &Subject<'_>,
    lifted: &dyn Fn(&str) -> bool,
    now: Millis,
) -> Details<'l> {
    let (mut check, mut counters) = (Details::default(), Counters::new());
    for rule in limiter.rules.iter().filter(|rule| rule.phase == phase && rule.covers(subject) && !lifted(&rule.name)) {
        match state.tables(limiter, rule) {
            Some(tables) => count(rule, tables, state, subject, &mut counters),
            None => check.refuse(rule, &rule.name),
        }
    }
    check.looking_first(&with_coarser(&counters, state, subject, now), now)
}

/// The entries of a table, and until when what it has lost matters.
pub(super) type Kept = (Vec<(Key, u64)>, u64);

/// Everything that is remembered, what is missing, and how often a clock was found to have gone back.
pub(super) fn all(state: &State) -> (Vec<Kept>, u64) {
    let of = |table: &Table| (table.entries.entries(), table.entries.pressed_until());
    (state.tables.iter().map(of).collect(), state.clock_jumps())
}

/// As a stranger does who comes now: who is known does not ask what is missing, and so does not put it right.
pub(super) fn put_right(limiter: &Limiter, state: &State, now: Millis) {
    let windows = limiter.rules.iter().flat_map(Rule::tables).zip(&state.tables);
    windows.for_each(|(window, table)| {
        window.is_pressed(table, now);
    });
}

/// Between the look and the spending somebody else may have spent the rest: then what was taken of other limits is given
/// back, and nothing is held.
#[test]
fn what_was_spent_beside_a_refusal_is_given_back() {
    let limiter = limiter(
        r#"[{"name":"wide","key":["peer"],"rate":"9/1h"},
            {"name":"slots","key":["peer"],"concurrent":4,"hold":"1h"},
            {"name":"narrow","key":["peer","endpoint"],"rate":"1/1h"}]"#,
    );
    let (state, now) = (State::new(&limiter, 1), 1_772_446_530_000);
    assert!(!limiter.check(&state, Phase::Peer, &at_endpoint(1, "e"), now).refuses());
    let before = all(&state);
    let (mut details, mut counters) = (Details::default(), Counters::new());
    for rule in &limiter.rules {
        count(rule, state.tables(&limiter, rule).unwrap(), &state, &at_endpoint(1, "e"), &mut counters);
    }
    details.ask(&counters, now, true);
    assert_eq!((details.refused_by.as_slice(), details.tickets.len()), (&["narrow"][..], 0));
    assert_eq!(all(&state), before);
}

/// One limit with one count, as they may be written.
fn limit() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        r#"["peer"]"#,
        r#"["peer_prefix"]"#,
        r#"["endpoint","peer"]"#,
        r#"["identity"]"#,
        "[]",
    ]);
    let count = prop::sample::select(vec![
        r#""rate":"3/1s""#,
        r#""rate":"20/1h","burst":4"#,
        r#""rate":"5/1m","cost":"body/10B""#,
        r#""rate":"9/1m","cost":"response""#,
        r#""rate":"9/1m","learned":true"#,
        r#""quota":"6/1m""#,
        r#""quota":"30/1d","cost":7"#,
        r#""quota":"9/1h","cost":"response""#,
        r#""concurrent":2,"hold":"10s""#,
    ]);
    let reserve = prop::sample::select(vec!["", r#","reserve":40,"reserved_for":{"endpoints":["e1"]}"#]);
    let fallback = prop::sample::select(vec!["", r#","fallback":{"key":[],"rate":"4/1m"}"#]);
    let mode = prop::sample::select(vec!["enforce", "enforce", "monitor"]);
    (key, count, reserve, fallback, mode).prop_map(|(key, count, reserve, fallback, mode)| {
        let fallback = if key == "[]" { "" } else { fallback };
        format!(r#"[{{"name":"a","key":{key},{count},"mode":"{mode}"{reserve}{fallback}}}]"#)
    })
}

#[derive(Clone, Debug)]
enum Step {
    Ask { peer: u32, endpoint: bool, body: u64, learned: u32 },
    End { cost: u32 },
    Clock(i64),
    Lost { table: usize, ahead_ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let clock = prop_oneof![0_i64..2_000, 0_i64..90_000, -5_000_000_i64..5_000_000, -90_000_000_i64..90_000_000];
    prop_oneof![
        12 => (0_u32..4, any::<bool>(), 0_u64..60, 0_u32..3_000)
            .prop_map(|(peer, endpoint, body, learned)| Step::Ask { peer, endpoint, body, learned }),
        2 => (0_u32..30).prop_map(|cost| Step::End { cost }),
        3 => clock.prop_map(Step::Clock),
        1 => (0_usize..4, 0_u64..9_000_000).prop_map(|(table, ahead_ms)| Step::Lost { table, ahead_ms }),
    ]
}

/// What the table would remember of a loss that matters until then.
fn lose(limiter: &Limiter, state: &State, at: usize, until_ms: u64) {
    let windows = limiter.rules.iter().flat_map(Rule::tables);
    if let Some((table, window)) = state.tables.iter().zip(windows).nth(at) {
        table.entries.press_until(match window.kind {
            window::Kind::Rate(_) => until_ms * 1_000_000,
            window::Kind::Calendar(calendar) => (until_ms / calendar.per_ms) << 32 | 3,
            window::Kind::InFlight(_) => 0,
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn one_step_is_as_good_as_two(json in limit(), steps in prop::collection::vec(step(), 1..80)) {
        let configs: Vec<Config> = serde_json::from_str(&json).unwrap();
        let Ok(limiter) = Limiter::compile(&configs, Size::from_bytes(MIB)) else { return Ok(()) };
        let (one, two) = (State::new(&limiter, 1), State::new(&limiter, 1));
        let (mut now, mut held): (i64, Vec<SmallVec<[Ticket; 1]>>) = (1_772_446_530_000, Vec::new());
        for step in steps {
            match step {
                Step::Clock(by) => now += by,
                Step::Lost { table, ahead_ms } => {
                    for state in [&one, &two] {
                        lose(&limiter, state, table, now.unsigned_abs() + ahead_ms);
                    }
                }
                Step::End { cost } => {
                    if let Some(tickets) = held.pop() {
                        limiter.close(&one, &tickets, Some(cost), now);
                        limiter.close(&two, &tickets, Some(cost), now);
                    }
                }
                Step::Ask { peer: number, endpoint, body, learned } => {
                    let identity = Identity::new(IdentityKind::Jwt, format!("i{number}"));
                    let factor = |_: &str| Some(learned);
                    let endpoint = if endpoint { "e1" } else { "e2" };
                    let subject = Subject {
                        identity: Some(&identity),
                        body_len: Some(body),
                        learned: Some(&factor),
                        ..at_endpoint(0x0a00_0000 + (number << 7), endpoint)
                    };
                    for phase in [Phase::Peer, Phase::Identity] {
                        let check = limiter.check(&one, phase, &subject, now).details();
                        prop_assert_eq!(&check, &looked_first(&limiter, &two, phase, &subject, &|_| false, now), "{}", &json);
                        if !check.tickets.is_empty() {
                            held.push(check.tickets);
                        }
                    }
                }
            }
            [&one, &two].into_iter().for_each(|state| put_right(&limiter, state, now));
            prop_assert_eq!(all(&one), all(&two), "{}", &json);
        }
    }
}
