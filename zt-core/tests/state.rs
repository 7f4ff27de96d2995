//! Floods, hot swaps, and states that tell each other what changed.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use proptest::prelude::*;
use zt_core::engine::{Current, SnapshotError};
use zt_core::model::{Peer, Request};
use zt_core::verify::{Revocation, Revoked};
use zt_core::{Engine, State};

const NOW: i64 = 1_772_446_530_000;

/// One limit of each peer; `more` is another part of the configuration.
fn engine(rate: &str, burst: u32, memory: &str, more: &str) -> Engine {
    let text = format!(
        "version = 1\n[state]\nmemory = \"{memory}\"\n[[limit]]\nname = \"per-peer\"\nkey = [\"peer\"]\n\
         rate = \"{rate}\"\nburst = {burst}\n[[endpoint]]\nid = \"read\"\nmethod = \"GET\"\npath = \"/\"\n\
         anonymous = true\n{more}"
    );
    Engine::from_toml(&text, &[]).expect("a sound configuration")
}

fn passes(engine: &Engine, state: &State, peer: u32, now: i64) -> bool {
    let peer = Peer { ip: Some(Ipv4Addr::from(peer).into()), ..Peer::default() };
    let request = Request { method: "GET".into(), path: "/".into(), peer, ..Request::default() };
    let decision = engine.decide(state, &request, now);
    assert!(decision.outcome.passes() || decision.status == 429, "{decision:?}");
    decision.outcome.passes()
}

/// A delta of no change takes less: the envelope, and for each of the stores that nothing follows.
const NOTHING: usize = 400;

/// A flood of far more peers than there are places, while some clients ask twice as often as they may and some half as often:
/// each is answered as if there were no flood.
#[test]
fn a_flood_changes_nothing_for_those_who_are_known() {
    let engine = engine("60/1m", 10, "160KiB", "");
    let (flooded, calm) = (State::new(&engine), State::new(&engine));
    let before = flooded.memory();
    let mut hostile = 0_u32;
    let mut answers = [0_u32; 2];
    for tick in 0..80_i64 {
        let now = NOW + tick * 500;
        for client in 0..20 {
            let requests = match (client, tick) {
                // They are known before the flood is.
                (..10, 0) => 5,
                (..10, _) => 1,
                (_, tick) => u8::from(tick % 4 == 0),
            };
            for _ in 0..requests {
                let answer = passes(&engine, &flooded, client, now);
                assert_eq!(answer, passes(&engine, &calm, client, now), "client {client} at {tick}");
                answers[usize::from(answer)] += 1;
            }
        }
        // More within a second, when they count, than there are places.
        for _ in 0..2_000 {
            hostile += 1;
            passes(&engine, &flooded, 0x0a00_0000 | hostile.wrapping_mul(0x9e37_79b9) >> 8, now);
        }
    }
    assert!(answers[0] > 200 && answers[1] > 500, "{answers:?}");
    assert_eq!(flooded.memory(), before, "whatever the keys");
    let store = &flooded.report().stores[0];
    assert!(store.usage.capacity < 4_000 && store.usage.evicted > 20_000, "{store:?}");
}

/// Engines are swapped while threads decide: the state counts each request once.
#[test]
fn a_swap_under_load_loses_and_doubles_nothing() {
    const LIMIT: u32 = 20_000;
    let variants: Vec<Arc<Engine>> = ["a", "b", "c"]
        .map(|id| {
            let more = format!("[[endpoint]]\nid = \"{id}\"\nmethod = \"GET\"\npath = \"/{id}\"\n");
            Arc::new(engine(&format!("{LIMIT}/30d"), LIMIT, "1MiB", &more))
        })
        .to_vec();
    let state = State::new(&variants[0]);
    let current = Current::new(Arc::clone(&variants[0]));
    let (passed, done, swaps) = (AtomicU32::new(0), AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let deciders: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..LIMIT / 2 {
                        let counts = passes(&current.load(), &state, 7, NOW);
                        passed.fetch_add(counts.into(), Ordering::Relaxed);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                for engine in &variants {
                    current.replace(&state, Arc::clone(engine)).expect("the same limits");
                    swaps.fetch_add(1, Ordering::Relaxed);
                }
                // Looking does not disturb either.
                drop(state.snapshot());
                state.merge(&state.delta_since(0).bytes).expect("its own");
            }
        });
        let decided: Vec<_> = deciders.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        assert!(decided.iter().all(Result::is_ok));
    });
    // Half as many again came as may pass.
    assert_eq!(passed.into_inner(), LIMIT);
    assert!(swaps.into_inner() > 3);
}

#[test]
fn a_delta_is_small_and_is_merged_only() {
    let engine = engine("10/1m", 10, "16MiB", "");
    let (here, there) = (State::new(&engine), State::new(&engine));
    for peer in 0..5_000_u32 {
        passes(&engine, &here, peer.wrapping_mul(0x9e37_79b9), NOW);
    }
    let all = here.delta_since(0);
    there.merge(&all.bytes).expect("a delta");
    assert!(there.snapshot() == here.snapshot());
    let nothing = here.delta_since(all.epoch);
    passes(&engine, &here, 1, NOW);
    let one = here.delta_since(nothing.epoch);
    assert!(nothing.bytes.len() < NOTHING, "{}", nothing.bytes.len());
    // An entry takes 24 bytes, and brings four neighbours at most.
    assert!(one.bytes.len() <= nothing.bytes.len() + 5 * 24, "{}", one.bytes.len());
    there.merge(&one.bytes).expect("a delta");
    assert!(there.snapshot() == here.snapshot());
    assert!(there.delta_since(there.delta_since(0).epoch).bytes.len() < NOTHING);

    assert_eq!(there.restore(&one.bytes), Err(SnapshotError::Delta));
    let mut bad = one.bytes.clone();
    bad[6] = 0;
    assert_eq!(there.restore(&bad), Err(SnapshotError::Corrupt), "what it is, is under the checksum too");
    for length in 0..one.bytes.len() {
        assert!(there.merge(&one.bytes[..length]).is_err());
    }
    let own = u16::from_le_bytes([one.bytes[4], one.bytes[5]]);
    for (version, error) in [(own - 1, SnapshotError::Older(own - 1)), (own + 1, SnapshotError::Newer(own + 1))] {
        bad[4..6].copy_from_slice(&u16::to_le_bytes(version));
        assert_eq!(there.merge(&bad), Err(error));
    }
    assert!(there.snapshot() == here.snapshot(), "refused bytes change nothing");
}

/// What was heard is not told back for ever.
#[test]
fn two_who_tell_each_other_come_to_rest() {
    let engine = engine("10/1m", 10, "1MiB", "");
    let states = [State::new(&engine), State::new(&engine)];
    for peer in 0..200 {
        passes(&engine, &states[peer as usize % 2], peer, NOW);
    }
    let mut epochs = [0, 0];
    let mut sizes = Vec::new();
    for _ in 0..6 {
        for (from, to) in [(0, 1), (1, 0)] {
            let delta = states[from].delta_since(epochs[from]);
            states[to].merge(&delta.bytes).expect("a delta");
            epochs[from] = delta.epoch;
            sizes.push(delta.bytes.len());
        }
    }
    assert!(states[0].snapshot() == states[1].snapshot());
    assert!(sizes[0] > 1_000 && sizes[4..].iter().all(|size| *size < NOTHING), "{sizes:?}");
}

/// An epoch of another life of the state is none.
#[test]
fn who_asks_since_before_a_restore_gets_everything() {
    let engine = engine("10/1m", 10, "1MiB", "");
    let (old, new) = (State::new(&engine), State::new(&engine));
    let mut told = 0;
    for peer in 0..50 {
        passes(&engine, &old, peer, NOW);
        told = old.delta_since(told).epoch;
    }
    new.restore(&old.snapshot()).expect("a snapshot");
    for _ in 0..100 {
        new.delta_since(0);
    }
    let other = State::new(&engine);
    other.merge(&new.delta_since(told).bytes).expect("a delta");
    assert!(other.snapshot() == old.snapshot());
    let after = new.delta_since(0).epoch;
    assert!(after > told && after < 1 << 52, "exact in every language");
    assert!(new.delta_since(after).bytes.len() < NOTHING);
    assert!(new.delta_since(u64::MAX).bytes.len() > 1_000);
}

fn revocation(id: u8) -> Revocation {
    Revocation {
        revoke: Revoked::Session,
        issuer: Some("i".to_owned()),
        id: id.to_string(),
        issued_before_ms: None,
        expires_ms: NOW + 60_000,
    }
}

#[derive(Clone, Debug)]
enum Act {
    Request { node: usize, peer: u32 },
    Revoke { node: usize, id: u8 },
    Tell { from: usize, to: usize },
    Wait(i64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..3_usize, 0..6_u32).prop_map(|(node, peer)| Act::Request { node, peer }),
        1 => (0..3_usize, 0..40_u8).prop_map(|(node, id)| Act::Revoke { node, id }),
        2 => (0..3_usize, 0..3_usize).prop_map(|(from, to)| Act::Tell { from, to }),
        1 => (1..3_000_i64).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is told when: deltas in the end say what whole snapshots would have.
    #[test]
    fn deltas_and_snapshots_agree(acts in prop::collection::vec(act(), 0..120)) {
        let engine = engine("5/1m", 5, "512KiB", "");
        let [by_delta, by_snapshot] = [0, 1].map(|_| [0; 3].map(|_| State::new(&engine)));
        let (mut told, mut now) = (BTreeMap::new(), NOW);
        for act in acts {
            match act {
                Act::Request { node, peer } => {
                    let answers = [&by_delta, &by_snapshot].map(|states| passes(&engine, &states[node], peer, now));
                    prop_assert_eq!(answers[0], answers[1]);
                }
                Act::Revoke { node, id } => [&by_delta, &by_snapshot].iter().for_each(|states| states[node].revoke(&revocation(id), now)),
                Act::Tell { from, to } => {
                    let epoch: &mut u64 = told.entry((from, to)).or_default();
                    let delta = by_delta[from].delta_since(*epoch);
                    *epoch = delta.epoch;
                    by_delta[to].merge(&delta.bytes).unwrap();
                    by_snapshot[to].merge(&by_snapshot[from].snapshot()).unwrap();
                }
                Act::Wait(span) => now += span,
            }
        }
        for (a, b) in by_delta.iter().zip(&by_snapshot) {
            prop_assert!(a.snapshot() == b.snapshot());
        }
    }

    /// The order of merges does not matter, nor how often each comes, whole or in deltas.
    #[test]
    fn merges_commute_associate_and_repeat(peers in prop::collection::vec((0..3_usize, any::<u32>()), 0..400), order in Just(vec![0_usize, 1, 2, 0]).prop_shuffle()) {
        let engine = engine("5/1m", 5, "512KiB", "");
        let parts = [0; 3].map(|_| State::new(&engine));
        for (at, (part, peer)) in peers.iter().enumerate() {
            passes(&engine, &parts[*part], *peer, NOW + at as i64);
            if at % 16 == 0 {
                parts[*part].revoke(&revocation(at as u8), NOW);
            }
        }
        let deltas = parts.each_ref().map(|part| part.delta_since(0).bytes);
        let merged = |parts: &[&[u8]]| {
            let state = State::new(&engine);
            parts.iter().for_each(|part| state.merge(part).unwrap());
            state.snapshot()
        };
        let [a, b, c] = deltas.each_ref().map(Vec::as_slice);
        let all = merged(&[a, b, c]);
        prop_assert!(all == merged(&order.iter().map(|at| &*deltas[*at]).collect::<Vec<_>>()));
        prop_assert!(all == merged(&[&merged(&[b, c]), a]));
        prop_assert!(all == merged(&[&all, &all]));
    }

    /// The bound on what nodes let pass together that tell each other every `D`: in no span between two tellings more than
    /// each its burst and what comes back meanwhile; and who was refused by one is refused by all once all have heard.
    #[test]
    fn nodes_admit_no_more_than_the_stated_bound(
        nodes in 2..5_usize, burst in 1..20_u32, every_ms in 100..5_000_i64, load in prop::collection::vec((0..5_usize, 0..400_i64), 1..600),
    ) {
        let engine = engine("60/1m", burst, "512KiB", "");
        let states: Vec<State> = (0..nodes).map(|_| State::new(&engine)).collect();
        let mut told = vec![0; nodes];
        let (mut now, mut next, mut span_passed, mut passed) = (NOW, NOW + every_ms, 0_u64, 0_u64);
        let mut refused: Option<i64> = None;
        // One a second, rounded up: what has come back by the end of a span.
        let restored = |ms: i64| (ms as u64).div_ceil(1_000);
        for (node, step) in load {
            now += step;
            while now >= next {
                let deltas: Vec<_> = states.iter().zip(&told).map(|(state, told)| state.delta_since(*told)).collect();
                for (state, delta) in states.iter().flat_map(|state| deltas.iter().map(move |delta| (state, delta))) {
                    state.merge(&delta.bytes).unwrap();
                }
                told = deltas.iter().map(|delta| delta.epoch).collect();
                // Who was to wait at one of them would have had to at any of them, had they heard.
                if let Some(at) = refused.take() {
                    let all: Vec<bool> = states.iter().map(|state| {
                        let copy = State::new(&engine);
                        copy.restore(&state.snapshot()).unwrap();
                        passes(&engine, &copy, 1, at)
                    }).collect();
                    prop_assert!(all.iter().all(|passes| !passes), "{:?}", all);
                }
                (span_passed, next) = (0, next + every_ms);
            }
            if passes(&engine, &states[node % nodes], 1, now) {
                (span_passed, passed) = (span_passed + 1, passed + 1);
            } else {
                refused = Some(now);
            }
            let bound = nodes as u64 * (u64::from(burst) + restored(every_ms));
            prop_assert!(span_passed <= bound, "{} of {} in one span", span_passed, bound);
            let bound = nodes as u64 * (u64::from(burst) + restored(now - NOW));
            prop_assert!(passed <= bound, "{} of {} in all", passed, bound);
        }
    }
}

/// Deltas are taken while threads decide, revoke and suspend: nothing falls between two of them.
#[test]
fn no_change_falls_between_two_deltas() {
    let more = "[[respond.ladder]]\nname = \"l\"\nsubject = \"peer\"\ncodes = [\"limit.*\"]\nthrottle = 2\n";
    let engine = engine("2/1h", 2, "16MiB", more);
    let (here, there) = (State::new(&engine), State::new(&engine));
    let (writing, deltas) = (AtomicU32::new(3), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for writer in 0..3_u32 {
            let (engine, here, writing, deltas) = (&engine, &here, &writing, &deltas);
            scope.spawn(move || {
                // And until there were enough deltas between the changes.
                for number in (0..).take_while(|number| *number < 3_000_u32 || deltas.load(Ordering::SeqCst) < 20) {
                    // One time for all: what a clock that goes back takes away is not told.
                    let now = NOW;
                    let peer = Peer { ip: Some(Ipv4Addr::from(number / 3 % 997).into()), ..Peer::default() };
                    let request = Request { method: "GET".into(), path: "/".into(), peer, ..Request::default() };
                    engine.decide(here, &request, now);
                    let revocation = Revocation {
                        revoke: Revoked::Subject,
                        issuer: None,
                        id: format!("{writer} {number}"),
                        issued_before_ms: None,
                        expires_ms: now + 60_000,
                    };
                    here.revoke(&revocation, now);
                }
                writing.fetch_sub(1, Ordering::SeqCst);
            });
        }
        for _ in 0..2 {
            let (here, there, writing, deltas) = (&here, &there, &writing, &deltas);
            scope.spawn(move || {
                let mut told = 0;
                loop {
                    let last = writing.load(Ordering::SeqCst) == 0;
                    let delta = here.delta_since(told);
                    there.merge(&delta.bytes).expect("a delta");
                    told = delta.epoch;
                    deltas.fetch_add(1, Ordering::SeqCst);
                    if last {
                        break;
                    }
                }
            });
        }
    });
    assert!(here.snapshot() == there.snapshot());
}
