//! Threads decide at full speed while engines are swapped, snapshots taken, and states told of each other: no count is lost,
//! none given twice, memory does not grow.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use zt_benches::fixture::NOW;
use zt_core::engine::Current;
use zt_core::model::{Peer, Request};
use zt_core::{Engine, State};

use crate::machine::resident;

/// What a peer may in a minute, and how often each thread has it ask.
const LIMIT: u32 = 100;
const ASKED: u32 = 75;
/// Peers of one batch, within one minute of the simulated clock.
const PEERS: u32 = 2_000;
const THREADS: usize = 2;
/// What an allocator may take beside the state.
const SLACK: u64 = 16 << 20;

/// `soak [--minutes N]`.
pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    let minutes = match arguments {
        [] => Some(10.0),
        ["--minutes", minutes] => minutes.parse().ok().filter(|minutes: &f64| (0.0..1e6).contains(minutes)),
        _ => None,
    };
    let Some(minutes) = minutes else {
        println!("zt-bench soak [--minutes N]");
        return ExitCode::from(2);
    };
    match soak(Duration::from_secs_f64(minutes * 60.0)) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("soak: {error}");
            ExitCode::FAILURE
        }
    }
}

fn engine(id: &str) -> Result<Arc<Engine>, String> {
    let text = format!(
        "version = 1\n[state]\nmemory = \"4MiB\"\n[[limit]]\nname = \"per-peer\"\nkey = [\"peer\"]\nrate = \"{LIMIT}/1m\"\n\
         [[endpoint]]\nid = \"{id}\"\nmethod = \"GET\"\npath = \"/\"\nanonymous = true\n"
    );
    Engine::from_toml(&text, &[]).map(Arc::new).map_err(|invalid| invalid.to_string())
}

fn soak(span: Duration) -> Result<String, String> {
    let engines = [engine("one")?, engine("two")?, engine("three")?];
    let [first, ..] = &engines;
    let (state, other) = (State::new(first), State::new(first));
    let current = Current::new(Arc::clone(first));
    let (done, swaps, told) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (mut batches, mut settled, mut most) = (0_u32, 0, 0);
    let start = Instant::now();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| meddle(&current, &state, &other, &engines, &done, &swaps, &told));
        let mut outcome = Ok(());
        while start.elapsed() < span && outcome.is_ok() {
            outcome = batch(&current, &state, batches);
            batches += 1;
            let resident = resident();
            // Until every table and arena has been touched once.
            if start.elapsed() < span / 4 {
                settled = settled.max(resident);
            }
            most = most.max(resident);
        }
        done.store(true, Ordering::SeqCst);
        outcome
    });
    outcome?;
    if most > settled + SLACK {
        return Err(format!("memory grew from {settled} to {most} bytes"));
    }
    let decisions = u64::from(batches) * u64::from(PEERS * ASKED) * THREADS as u64;
    Ok(format!(
        "{:.1} minutes: {decisions} decisions, each count right for {} peers; {} swaps, {} snapshots and deltas merged; \
         memory {} MiB after a quarter of the time, {} MiB at most",
        span.as_secs_f64() / 60.0,
        u64::from(batches) * u64::from(PEERS),
        swaps.into_inner(),
        told.into_inner(),
        settled >> 20,
        most >> 20,
    ))
}

/// Of what the threads ask for each peer, as much passes as may.
fn batch(current: &Current, state: &State, number: u32) -> Result<(), String> {
    let now = NOW + i64::from(number) * 60_000;
    let passed: Vec<AtomicU32> = (0..PEERS).map(|_| AtomicU32::new(0)).collect();
    let address =
        |at: usize| Ipv4Addr::from(number.wrapping_mul(PEERS).wrapping_add(at as u32).wrapping_mul(0x9e37_79b1));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ASKED {
                    for (at, passed) in passed.iter().enumerate() {
                        let peer = Peer { ip: Some(address(at).into()), ..Peer::default() };
                        let request = Request { method: "GET".into(), path: "/".into(), peer, ..Request::default() };
                        let passes = current.load().decide(state, &request, now).outcome.passes();
                        passed.fetch_add(passes.into(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    match passed.iter().position(|passed| passed.load(Ordering::Relaxed) != LIMIT) {
        None => Ok(()),
        Some(at) => Err(format!("batch {number}: {:?} of {LIMIT} passed for peer {at}", passed[at])),
    }
}

/// Swaps, snapshots, deltas there and back, restores elsewhere.
fn meddle(
    current: &Current,
    state: &State,
    other: &State,
    engines: &[Arc<Engine>; 3],
    done: &AtomicBool,
    swaps: &AtomicU64,
    told: &AtomicU64,
) {
    let (mut here, mut there) = (0, 0);
    for engine in engines.iter().cycle() {
        if done.load(Ordering::SeqCst) {
            return;
        }
        assert!(current.replace(state, Arc::clone(engine)).is_ok(), "the limits are the same");
        swaps.fetch_add(1, Ordering::Relaxed);
        let delta = state.delta_since(here);
        assert!(other.merge(&delta.bytes).is_ok());
        here = delta.epoch;
        let delta = other.delta_since(there);
        assert!(state.merge(&delta.bytes).is_ok());
        there = delta.epoch;
        let round = told.fetch_add(1, Ordering::Relaxed);
        if round.is_multiple_of(16) {
            assert!(other.restore(&state.snapshot()).is_ok());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
