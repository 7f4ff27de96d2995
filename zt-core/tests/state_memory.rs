//! What a state says of its memory, beside what an allocator counts; a test of its own because its allocator counts.

mod hs256;

use allocation_counter::measure;
use serde_json::json;
use zt_core::model::{Peer, Request, Text};
use zt_core::verify::{Revocation, Revoked};
use zt_core::{Engine, State};

const NOW: i64 = 1_772_446_530_000;

fn engine(memory: &str) -> Engine {
    let issuer = hs256::issuer_table();
    let text = format!(
        r#"
version = 1
[state]
memory = "{memory}"
[[endpoint]]
id = "read"
method = "GET"
path = "/v1/orders/{{id}}"
[[limit]]
name = "per-peer"
key = ["peer"]
rate = "10/1m"
[[limit]]
name = "per-caller"
key = ["identity", "endpoint"]
rate = "100/1m"
{issuer}
"#
    );
    Engine::from_toml(&text, &[]).expect("a sound configuration")
}

/// A token of another subject for each number, of a usual length.
fn token(number: u32) -> String {
    hs256::token(&json!({
        "iss": hs256::ISSUER, "aud": hs256::AUDIENCE, "sub": format!("user-{number}"), "exp": NOW / 1_000 + 600,
        "jti": format!("{number:08x}-6a0f"), "scope": "orders:read orders:write", "roles": ["buyer", "seller"],
        "sid": format!("session-{number}"), "name": "x".repeat(number as usize % 300),
    }))
}

fn decide(engine: &Engine, state: &State, number: u32, token: Option<&str>) {
    let header = |token| (Text::from("authorization"), Text::from(format!("Bearer {token}")));
    let request = Request {
        method: "GET".into(),
        path: format!("/v1/orders/{number}").into(),
        headers: token.map(header).into_iter().collect(),
        peer: Peer { ip: Some(std::net::Ipv4Addr::from(number).into()), ..Peer::default() },
        ..Request::default()
    };
    engine.decide(state, &request, NOW + i64::from(number) / 100);
}

/// The state and what the allocator gave for it and has not got back.
fn counted(make: impl FnOnce() -> State) -> (State, i64) {
    let mut state = None;
    let counted = measure(|| state = Some(make()));
    (state.expect("made"), counted.bytes_current)
}

fn within_a_tenth(state: &State, counted: i64, what: &str) {
    let said = state.memory().total as i64;
    assert!((said - counted).abs() <= counted / 10, "{what}: it says {said}, the allocator {counted}");
}

#[test]
fn what_it_says_is_what_the_allocator_counts() {
    for (memory, bytes) in [("1MiB", 1_usize << 20), ("8MiB", 8 << 20), ("64MiB", 64 << 20)] {
        let engine = engine(memory);
        // Whatever is made once in a process, and is no state's.
        decide(&engine, &State::new(&engine), 1, Some(&token(1)));
        let (state, empty) = counted(|| State::new(&engine));
        within_a_tenth(&state, empty, memory);
        assert!(state.memory().total <= bytes && empty <= bytes as i64);
    }
}

#[test]
fn also_after_a_flood() {
    for (memory, bytes) in [("1MiB", 1 << 20), ("8MiB", 8 << 20)] {
        let engine = engine(memory);
        decide(&engine, &State::new(&engine), 1, Some(&token(1)));
        let (state, counted) = counted(|| {
            let state = State::new(&engine);
            for number in 0..2_500 {
                decide(&engine, &state, number, Some(&token(number)));
            }
            for number in 0..16_000_u32 {
                decide(&engine, &state, number.wrapping_mul(0x9e37_79b9), None);
            }
            for number in 0..4_000 {
                let revocation = Revocation {
                    revoke: Revoked::Token,
                    issuer: Some(hs256::ISSUER.to_owned()),
                    id: number.to_string(),
                    issued_before_ms: None,
                    expires_ms: NOW + 600_000,
                };
                state.revoke(&revocation, NOW);
            }
            state
        });
        within_a_tenth(&state, counted, memory);
        assert!(counted <= bytes, "{counted} of {memory}");
        let report = state.report();
        let store = |name: &str| report.stores.iter().find(|store| store.store == name).expect("a store").usage;
        for name in ["limit:per-peer", "verify.cache", "verify.revocations"] {
            assert!(store(name).entries > 0, "{name}: {:?}", store(name));
            assert!(store(name).entries <= store(name).capacity, "{name}: {:?}", store(name));
            assert!(memory == "8MiB" || store(name).evicted > 0, "{name}: {:?}", store(name));
        }
    }
}
