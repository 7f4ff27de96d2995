//! The guide to limits: its blocks are a configuration, and every request of its tables is answered as it says.
#![cfg(feature = "compile")]

use std::collections::BTreeSet;

use zt_core::model::{Peer, Request, Response, Text};
use zt_core::{Engine, State};

const GUIDE: &str = include_str!("../../docs/limits.md");
/// Monday 2026-03-02, 10:15:30 UTC.
const NOW: i64 = 1_772_446_530_000;

fn config() -> String {
    let blocks = GUIDE.split("```toml\n").skip(1).map(|rest| &rest[..rest.find("```").expect("its end")]);
    blocks.collect::<Vec<_>>().join("\n")
}

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = GUIDE.lines().filter(|line| line.starts_with('|'));
    let rows = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    rows.filter(|row| row.len() == 4 && row[0].ends_with(" s"))
}

#[test]
fn every_request_is_answered_as_the_guide_says() {
    let engine = Engine::from_toml(&config(), &[]).unwrap_or_else(|invalid| panic!("{invalid}"));
    let state = State::new(&engine);
    let (mut wrong, mut limits) = (Vec::new(), BTreeSet::new());
    for row in rows() {
        let [at, caller, asked, answer] = row[..] else { unreachable!("four cells") };
        let now = NOW + at.trim_end_matches(" s").parse::<i64>().expect("seconds") * 1_000;
        let quoted = asked.split('`').nth(1).expect("a request");
        let (method, path) = quoted.split_once(' ').expect("a method and a path");
        let after = |word: &str| asked.split(word).nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
        let headers = match caller {
            "anna" | "bert" | "cleo" => vec![(Text::from("x-api-key"), Text::from(format!("test-only-key-{caller}")))],
            _ => Vec::new(),
        };
        let ip = caller.parse().unwrap_or_else(|_| "203.0.113.7".parse().expect("an address"));
        let request = Request {
            method: method.into(),
            path: path.into(),
            headers,
            body_len: after(" of "),
            peer: Peer { ip: Some(ip), ..Peer::default() },
            ..Request::default()
        };
        let decision = engine.decide(&state, &request, now);
        let mut got = decision.outcome.as_str().to_owned();
        if let Some(reason) = decision.reasons.iter().find(|reason| reason.weight > 0.0) {
            let wait = decision.response_headers.iter().find(|(name, _)| name == "Retry-After");
            let limit = reason.detail.trim_start_matches("limit ");
            limits.insert(limit.trim_matches('`').split('/').next().expect("a name").to_owned());
            got = format!("{got}, {limit}, wait {}", wait.map_or("", |(_, seconds)| seconds.as_str()));
        }
        if answer == "allow, held" {
            got += ", held";
            assert!(!decision.tickets.is_empty(), "{row:?}");
        } else {
            let cost = after("costs ").and_then(|cost| u32::try_from(cost).ok());
            engine.observe(&state, &decision, &Response { status: 200, cost, ..Response::default() }, now);
        }
        if got != answer {
            wrong.push(format!("{row:?}: {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let named: BTreeSet<String> =
        config().split("[[limit]]").skip(1).map(|table| table.split('"').nth(1).expect("a name").to_owned()).collect();
    assert_eq!(limits, named, "every limit of the guide refuses something");
}
