//! Snapshots whose checksum is right and whose content somebody made up: refused whole, or a state like any other.
#![cfg(feature = "compile")]

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use zt_core::model::{Millis, Peer, Request};
use zt_core::verify::{Revocation, Revoked};
use zt_core::{Engine, State};

const NOW: i64 = 1_772_446_530_000;
/// Magic, version, kind, length; and the checksum.
const HEAD: usize = 15;
const CHECKSUM: usize = 16;

const CONFIG: &str = r#"
version = 1
[state]
memory = "512KiB"
[verify]
revocation_memory = "4KiB"
[[limit]]
name = "rates"
key = ["peer"]
rate = ["3/1s", "5/1h"]
[[limit]]
name = "quota"
key = ["peer"]
quota = "4/1d"
[[limit]]
name = "slots"
key = ["peer"]
concurrent = 2
hold = "1m"
[[respond.ladder]]
name = "peers"
subject = "peer"
codes = ["limit.*", "route.*"]
flag = 1
throttle = 2
suspend = 4
decay = "1/1m"
suspend_for = "5m"
[[endpoint]]
method = "GET"
path = "/"
anonymous = true
"#;

fn engine() -> Engine {
    Engine::from_toml(CONFIG, &[]).unwrap_or_else(|invalid| panic!("{invalid}"))
}

fn request(peer: u8, path: &'static str) -> Request<'static> {
    let peer = Peer { ip: Some([192, 0, 2, peer].into()), ..Peer::default() };
    Request { method: "GET".into(), path: path.into(), peer, ..Request::default() }
}

/// Something in every store, and revocations that have no place of their own.
fn filled(engine: &Engine) -> State {
    let state = State::new(engine);
    for round in 0..60_u8 {
        let path = if round % 3 == 0 { "/else" } else { "/" };
        engine.decide(&state, &request(round % 7, path), NOW + i64::from(round) * 700);
    }
    for number in 0..200 {
        let revocation = Revocation {
            revoke: Revoked::Subject,
            issuer: None,
            id: number.to_string(),
            issued_before_ms: None,
            expires_ms: NOW + 60_000,
        };
        state.revoke(&revocation, NOW);
    }
    for peer in 0..20_u8 {
        let suspension =
            serde_json::json!({"subject": "peer", "id": format!("192.0.2.{peer}"), "until_ms": NOW + 60_000});
        let suspension = serde_json::from_value(suspension).unwrap();
        engine.suspend(&state, &suspension, NOW).unwrap();
    }
    state
}

fn sealed(body: &[u8]) -> Vec<u8> {
    let mut out = b"ZTST\x04\x00\x00".to_vec();
    out.extend((body.len() as u64).to_le_bytes());
    out.extend(body);
    let checksum = Sha256::digest(&out);
    out.extend(&checksum[..CHECKSUM]);
    out
}

/// Other words in place of those that are there.
fn hostile() -> impl Strategy<Value = Vec<(prop::sample::Index, Vec<u8>)>> {
    let word = prop_oneof![
        any::<[u8; 8]>().prop_map(|word| word.to_vec()),
        Just(vec![0xff; 8]),
        Just(vec![0; 8]),
        any::<u8>().prop_map(|byte| vec![byte]),
        (NOW..NOW * 8).prop_map(|time| time.to_le_bytes().to_vec()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), word), 1..4)
}

fn made_up(changes: &[(prop::sample::Index, Vec<u8>)], sound: &[u8]) -> Vec<u8> {
    let mut body = sound[HEAD..sound.len() - CHECKSUM].to_vec();
    for (at, word) in changes {
        let at = at.index(body.len());
        let end = body.len().min(at + word.len());
        body[at..end].copy_from_slice(&word[..end - at]);
    }
    sealed(&body)
}

/// It decides, and tells others what it holds.
fn lives(engine: &Engine, state: &State) {
    for now in [0, NOW, NOW + 3_600_000, Millis::MAX, NOW] {
        for peer in 0..3 {
            engine.decide(state, &request(peer, "/"), now);
            engine.decide(state, &request(peer, "/else"), now);
        }
    }
    let other = State::new(engine);
    other.restore(&state.snapshot()).expect("what a state gives is one");
    assert!(other.snapshot() == state.snapshot());
    other.merge(&state.delta_since(0).bytes).expect("a delta of a state");
    assert!(other.snapshot() == state.snapshot());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_made_up_state_is_refused_whole_or_lives(changes in hostile()) {
        let engine = engine();
        let filled = filled(&engine);
        let before = filled.snapshot();
        let bytes = made_up(&changes, &before);
        let (merged, restored) = (State::new(&engine), State::new(&engine));
        let empty = merged.snapshot();
        let taken = merged.merge(&bytes);
        prop_assert_eq!(&taken, &restored.restore(&bytes));
        prop_assert_eq!(&taken, &filled.merge(&bytes));
        if taken.is_err() {
            prop_assert!(merged.snapshot() == empty && restored.snapshot() == empty && filled.snapshot() == before);
            return Ok(());
        }
        let again = merged.snapshot();
        merged.merge(&bytes).unwrap();
        prop_assert!(merged.snapshot() == again, "once more changes nothing");
        merged.merge(&before).unwrap();
        prop_assert!(merged.snapshot() == filled.snapshot(), "the order of merges does not matter");
        for state in [&merged, &restored] {
            lives(&engine, state);
        }
    }
}
