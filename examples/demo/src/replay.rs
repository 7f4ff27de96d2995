//! Recorded traffic through an engine, each event's own time as the clock.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest as _, Sha256};
use zt_core::model::{Code, Decision, Event};
use zt_core::{Engine, State};

use crate::{Result, traffic};

const CONFIG: &str = include_str!("../replay.toml");

/// What to replay and where to write.
#[derive(Debug, Default)]
pub(crate) struct Options {
    out: Option<PathBuf>,
    events: Option<PathBuf>,
    config: Option<PathBuf>,
    sample: Option<u64>,
}

impl Options {
    /// Reads command line arguments.
    pub(crate) fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("`{name}` lacks a value"))?;
            match name.as_str() {
                "--out" => options.out = Some(value.into()),
                "--write-events" => options.events = Some(value.into()),
                "--write-config" => options.config = Some(value.into()),
                "--sample" => options.sample = Some(value.parse()?),
                _ => return Err(format!("`{name}` is not an option").into()),
            }
        }
        Ok(options)
    }
}

/// How often each code refused, in normal and in hostile requests.
#[derive(Debug, Default)]
struct Tally {
    requests: [u64; 2],
    refused: [u64; 2],
    by_code: BTreeMap<&'static str, [u64; 2]>,
}

impl Tally {
    fn add(&mut self, decision: &Decision, hostile: usize) {
        self.requests[hostile] += 1;
        if decision.outcome.passes() {
            return;
        }
        self.refused[hostile] += 1;
        if let Some(code) = decision.reasons.first().map(|reason| Code::as_str(reason.code)) {
            self.by_code.entry(code).or_default()[hostile] += 1;
        }
    }
}

/// Replays and prints what came of it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let engine = Engine::from_toml(CONFIG, &[])?;
    let state = State::new(&engine);
    let traffic = traffic::open()?;
    let length = options.sample.unwrap_or(u64::MAX).min(traffic.length);
    println!("{}; {length} requests, under examples/demo/replay.toml", traffic.from);

    let mut out = options.out.as_ref().map(File::create).transpose()?.map(BufWriter::new);
    let mut events = options.events.as_ref().map(File::create).transpose()?.map(BufWriter::new);
    options.config.as_ref().map(|path| fs::write(path, CONFIG)).transpose()?;
    let mut tally = Tally::default();
    let mut times = Vec::new();
    let mut digest = Sha256::new();
    let bar = ProgressBar::new(length).with_style(ProgressStyle::with_template("{bar:50} {pos}/{len} {per_sec}")?);
    for (number, line) in (1_u64..=length).zip(traffic.lines) {
        let line = line?;
        let event: Event = serde_json::from_str(&line).map_err(|error| format!("line {number}: {error}"))?;
        let hostile = usize::from(event.label.as_deref().is_some_and(|label| label != "normal"));
        let (now, request) = (event.time_ms, event.into_request());
        let start = Instant::now();
        let decision = engine.decide(&state, &request, now);
        times.push(start.elapsed());
        tally.add(&decision, hostile);

        let text = serde_json::to_string(&decision)? + "\n";
        digest.update(&text);
        if let Some(out) = &mut out {
            out.write_all(text.as_bytes())?;
        }
        if let Some(events) = &mut events {
            writeln!(events, "{line}")?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    out.map(|mut out| out.flush()).transpose()?;
    events.map(|mut events| events.flush()).transpose()?;
    print(&tally, times);
    let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("SHA-256 of all decisions, the same in every runtime (`cargo xtask demo --runtimes`): {hex}");
    Ok(())
}

fn print(tally: &Tally, mut times: Vec<Duration>) {
    times.sort_unstable();
    let total: Duration = times.iter().sum();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "{:.0} decisions per second on one thread; p50 {:.2} us, p99 {:.2} us",
        times.len() as f64 / total.as_secs_f64().max(f64::MIN_POSITIVE),
        micros(at(0.5)),
        micros(at(0.99))
    );
    println!("\n{:<32} {:>10} {:>10}", "refused for", "normal", "attack");
    println!("{}", "-".repeat(54));
    for (code, [normal, attack]) in &tally.by_code {
        println!("{code:<32} {normal:>10} {attack:>10}");
    }
    let of = |label: usize| format!("{}/{}", tally.refused[label], tally.requests[label]);
    println!("{:<32} {:>10} {:>10}", "all", of(0), of(1));
    println!(
        "for structure only: no token, endpoint or policy is asked here, and injection patterns are not looked for"
    );
}
