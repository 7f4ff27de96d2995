//! Verdicts on what was flagged, from observation to observation; and what is reported of them.
#![cfg(feature = "compile")]

use serde_json::{Value, json};
use zt_core::anomaly::Course;
use zt_core::model::{Decision, Outcome, Peer, Request, Response, Verdict};
use zt_core::wire::Instance;
use zt_core::{Engine, State};

const NOW: i64 = 1_772_446_530_000;
const HOUR: i64 = 3_600_000;
const CONFIG: &str = "version = 1\n[state]\nseed = 7\n[anomaly]\nbudget = 0.05\n\
                      [[limit]]\nname = \"slots\"\nkey = [\"endpoint\"]\nconcurrent = 2\n\
                      [[limit]]\nname = \"cost\"\nkey = [\"endpoint\"]\nrate = \"1000/1h\"\ncost = \"response\"\n\
                      [[endpoint]]\nid = \"orders\"\nmethod = \"GET\"\npath = \"/orders\"\nanonymous = true\n";

fn request(client: u8, query: &str) -> Request<'static> {
    let peer = Peer { ip: Some([203, 0, 113, client].into()), ..Peer::default() };
    let query = Some(query.to_owned().into());
    Request { method: "GET".into(), path: "/orders".into(), query, peer, ..Request::default() }
}

fn decide(engine: &Engine, state: &State, client: u8, query: &str, now: i64) -> Decision {
    engine.decide(state, &request(client, query), now)
}

fn done() -> Response<'static> {
    Response { status: 200, body_len: Some(300), ..Response::default() }
}

/// An engine and a state that know what is usual, and when that was.
fn served() -> (Engine, State, i64) {
    let engine = Engine::from_toml(CONFIG, &[]).expect("a configuration");
    let state = State::new(&engine);
    for n in 0..400_u16 {
        let now = NOW + i64::from(n) * 10_000;
        let decision = decide(&engine, &state, (n % 40) as u8, &format!("page={}", n % 5), now);
        engine.observe(&state, &decision, &done(), now);
    }
    (engine, state, NOW + 400 * 10_000)
}

const STRANGE: &str = "page=1&debug=1";
const OTHER: &str = "page=1&admin=1";

#[test]
fn a_verdict_hours_later_changes_the_next_decision_and_nothing_else() {
    let (engine, state, now) = served();
    let flagged = decide(&engine, &state, 1, STRANGE, now);
    assert_eq!(flagged.outcome, Outcome::Flag);
    engine.observe(&state, &flagged, &done(), now);
    // Two are under way: were the slot of the one that is over given back again, a third would pass.
    let later = now + 5 * HOUR;
    let under_way = [decide(&engine, &state, 2, "page=1", later), decide(&engine, &state, 3, "page=1", later)];
    assert!(under_way.iter().all(|decision| decision.outcome == Outcome::Allow), "{under_way:?}");
    assert_eq!(decide(&engine, &state, 4, "page=1", later).outcome, Outcome::Throttle);
    // The whole response again, and the verdict alone, in whatever number.
    let verdict = Some(Verdict::FalsePositive);
    let again = Response { verdict, cost: Some(900), ..done() };
    let alone = Response { verdict, ..Response::default() };
    for response in [&again, &alone, &again] {
        let observed = engine.observe(&state, &flagged, response, later);
        assert_eq!((observed.outcome, observed.reasons.len(), observed.status), (Outcome::Allow, 0, 200));
    }
    assert_eq!(decide(&engine, &state, 4, "page=1", later).outcome, Outcome::Throttle);
    under_way.iter().for_each(|decision| drop(engine.observe(&state, decision, &done(), later)));
    let next = decide(&engine, &state, 9, STRANGE, later);
    assert_eq!(next.outcome, Outcome::Allow, "{:?}", next.reasons);
}

#[test]
fn a_verdict_in_the_first_observation_ends_the_request_too() {
    let (engine, state, now) = served();
    for client in 1..4 {
        let flagged = decide(&engine, &state, client, STRANGE, now);
        assert_eq!(flagged.outcome, Outcome::Flag, "{:?}", flagged.reasons);
        let observed = Response { verdict: Some(Verdict::Confirmed), ..done() };
        engine.observe(&state, &flagged, &observed, now);
    }
    let report = state.anomaly_report().expect("a report");
    assert_eq!((report.verdicts.distrusted, report.verdicts.awaited), (3, 0));
}

#[test]
fn a_verdict_survives_a_restart_and_what_it_was_about_does_not() {
    let (engine, state, now) = served();
    let accepted = decide(&engine, &state, 1, STRANGE, now);
    let alone = Response { verdict: Some(Verdict::FalsePositive), ..Response::default() };
    engine.observe(&state, &accepted, &alone, now);
    let waiting = decide(&engine, &state, 2, OTHER, now);
    assert_eq!(waiting.outcome, Outcome::Flag);
    let restored = State::new(&engine);
    restored.restore(&state.snapshot()).expect("a snapshot");
    engine.observe(&restored, &waiting, &alone, now);
    assert_eq!(decide(&engine, &restored, 3, STRANGE, now).outcome, Outcome::Allow);
    let unknown = decide(&engine, &restored, 3, OTHER, now + 1);
    assert_eq!(unknown.outcome, Outcome::Flag);
}

#[test]
fn whether_the_budget_is_kept_is_reported_in_every_runtime() {
    let instance = Instance::from_toml(CONFIG, &[]).expect("a configuration");
    let report = |instance: &Instance| -> Value {
        serde_json::from_str(&instance.state_report().expect("a report")).expect("JSON")
    };
    let drift = report(&instance)["anomaly"]["drift"].clone();
    assert_eq!(
        (&drift["course"], &drift["needs"], &drift["confidence"]),
        (&json!("not_calibrated"), &json!(59), &json!(0.0))
    );
    let (_, state, _) = served();
    let drift = state.anomaly_report().expect("a report").drift;
    assert!(drift.course == Course::Calm && drift.judged > 40 && drift.confidence > 0.0, "{drift:?}");
    let plain = Instance::from_toml("version = 1\n", &[]).expect("a configuration");
    assert_eq!(report(&plain).get("anomaly"), None);
}

#[test]
fn a_verdict_is_one_of_two() {
    let instance = Instance::from_toml(CONFIG, &[]).expect("a configuration");
    let event = |verdict: &str| {
        json!({"id": "e-1", "time_ms": NOW, "request": {"method": "GET", "path": "/orders"},
               "response": {"status": 0, "verdict": verdict}})
        .to_string()
    };
    let decision = instance.decide_event(&event("confirmed")).expect("a decision");
    assert!(instance.observe_event(&event("confirmed"), &decision).is_ok());
    assert!(instance.observe_event(&event("maybe"), &decision).is_err());
    let fields = |verdict| instance.observe_fields(&decision, 0, "", 0, (None, None, Some(verdict)), NOW);
    assert!(fields("false_positive").is_ok());
    assert!(fields("maybe").unwrap_err().contains("`confirmed`"));
}
