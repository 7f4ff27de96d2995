//! Hostile keys by the million: peers, tokens, subjects and paths that nobody has seen before. Memory stays, and clients that
//! are known are answered as if there were no flood.

mod hostile;
mod plot;

use std::time::Instant;

use zt_benches::figure::Figure;
use zt_benches::fixture::NOW;
use zt_core::State;

use self::hostile::{Hostile, engine, known};
use crate::machine::resident;

/// Known clients; the first half asks twice as often as it may, the others half as often.
const CLIENTS: u32 = 100;
/// Hostile requests in half a second of the simulated clock: far more than there are places for what counts then.
const PER_TICK: u64 = 250_000;
const TICK_MS: i64 = 500;
/// What the process may take beside the state.
const SLACK: f64 = 16.0;

pub(crate) struct Options<'a> {
    keys: u64,
    plot: &'a str,
    pub(crate) json: Option<&'a str>,
}

impl<'a> Options<'a> {
    pub(crate) fn read(arguments: &[&'a str]) -> Option<Self> {
        let mut options = Self { keys: 50_000_000, plot: "target/flood.svg", json: None };
        for option in arguments.chunks(2) {
            match option {
                ["--keys", keys] => options.keys = keys.replace('_', "").parse().ok()?,
                ["--plot", file] => options.plot = file,
                ["--json", file] => options.json = Some(file),
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Memory at one moment.
pub(crate) struct Sample {
    pub(crate) keys: u64,
    /// What the state says, MiB.
    pub(crate) state: f64,
    /// What the process has, MiB.
    pub(crate) resident: f64,
}

pub(crate) fn figures(options: &Options<'_>) -> Vec<Figure> {
    all(options).unwrap_or_else(|error| vec![Figure::missing("flood", "MiB", error)])
}

fn all(options: &Options<'_>) -> Result<Vec<Figure>, String> {
    let engine = engine()?;
    let (flooded, calm) = (State::new(&engine), State::new(&engine));
    let mut hostile = Hostile::new();
    let before = mib(resident());
    let bound = 64.0;
    let (mut samples, mut others, mut refused, mut wrong) = (Vec::new(), 0_u64, 0_u64, 0_u64);
    let start = Instant::now();
    let (mut sent, mut tick) = (0, 0_i64);
    while sent < options.keys {
        let now = NOW + tick * TICK_MS;
        for client in 0..CLIENTS {
            let requests = match (client < CLIENTS / 2, tick) {
                // They are known before the flood is.
                (true, 0) => 5,
                (true, _) => 1,
                (false, tick) => u8::from(tick % 4 == 0),
            };
            for _ in 0..requests {
                let [answer, right] = [&flooded, &calm].map(|state| engine.decide(state, &known(client), now).outcome);
                others += 1;
                refused += u64::from(!right.passes());
                wrong += u64::from(answer != right);
            }
        }
        for _ in 0..PER_TICK.min(options.keys - sent) {
            hostile.send(&engine, &flooded, now);
            sent += 1;
            if sent % (options.keys / 400).max(1) == 0 {
                let state = flooded.memory().total as f64 / f64::from(1 << 20);
                samples.push(Sample { keys: sent, state, resident: mib(resident()) });
            }
        }
        tick += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    plot::write(options.plot, &samples, bound).map_err(|error| format!("{}: {error}", options.plot))?;
    let most = |of: fn(&Sample) -> f64| samples.iter().map(of).fold(0.0, f64::max);
    let report = flooded.report();
    let evicted: u64 = report.stores.iter().map(|store| store.usage.evicted).sum();
    Ok(vec![
        Figure::new("hostile requests, each with new keys", sent as f64, "").beside(format!("{evicted} keys evicted")),
        Figure::new("of them a second", sent as f64 / seconds, "/s"),
        Figure::new("most memory of the state", most(|sample| sample.state), "MiB").at_most(bound),
        Figure::new("most that the process grew", most(|sample| sample.resident) - before, "MiB")
            .at_most(bound + SLACK)
            .beside(format!("drawn in {}", options.plot)),
        Figure::new("answers to known clients that a flood changed", wrong as f64, "")
            .at_most(0.0)
            .beside(format!("of {others}; {refused} refusals")),
    ])
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
