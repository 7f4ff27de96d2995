//! Authorization: zt beside what is used for it in Rust, Python and Node, on the same policies and requests.

mod cedar;
mod peers;
mod zt;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use zt_benches::figure::Figure;
use zt_benches::measure::quietest_tenth;
use zt_benches::workload::{REQUESTS, Workload};

/// Numbers of policies.
pub(crate) const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

const AT_MOST_NS: f64 = 250.0;
const FLAT: f64 = 1.5;
const BINDINGS: f64 = 100.0;
const LOAD_MS: f64 = 1_000.0;

/// The table of `policy`.
pub(crate) fn figures() -> Vec<Figure> {
    all().unwrap_or_else(|error| vec![Figure::missing("policy", "ns", error)])
}

/// Nanoseconds of one decision, by engine and number of policies.
#[derive(Debug, Default)]
pub(crate) struct Rows(BTreeMap<(String, usize), f64>);

impl Rows {
    fn of(&self, engine: &str, policies: usize) -> Option<f64> {
        self.0.get(&(engine.to_owned(), policies)).copied()
    }
}

fn all() -> Result<Vec<Figure>, String> {
    let mut rows = Rows::default();
    let mut load = Vec::new();
    for policies in SIZES {
        let workload = Workload::new(policies);
        let started = Instant::now();
        let zt = zt::Subject::new(&workload)?;
        load.push((policies, started.elapsed()));
        let cedar = cedar::Subject::new(&workload)?;
        cedar.check(&workload, if policies > 1_000 { 40 } else { REQUESTS })?;
        let took = quiet(&mut [
            &mut |at| zt.decides_and_says(at),
            &mut |at| cedar.decides(&workload.requests[at], &workload),
            &mut |at| cedar.decides_prebuilt(at),
        ]);
        let names = [zt::NAME, cedar::NAME, cedar::PREBUILT];
        rows.0.extend(names.into_iter().zip(took).map(|(name, ns)| ((name.to_owned(), policies), ns)));
    }
    let mut figures = own()?;
    figures.extend(zt::allocations());
    figures.extend(load.into_iter().map(|(policies, took)| {
        let figure = Figure::new(format!("load of {policies} policies"), ms(took), "ms").beside("text to compiled");
        if policies == 10_000 { figure.at_most(LOAD_MS) } else { figure }
    }));
    figures.extend(beside_cedar(&rows));
    figures.extend(peers::figures(&rows));
    Ok(figures)
}

/// All sizes by turns: a slow minute of the machine must not look like a slow size.
fn own() -> Result<Vec<Figure>, String> {
    let mut sizes = Vec::new();
    for policies in SIZES {
        let workload = Workload::new(policies);
        let zt = zt::Subject::new(&workload)?;
        zt.check(&workload)?;
        sizes.push(zt);
    }
    let mut calls: Vec<Box<dyn FnMut(usize) + '_>> = Vec::new();
    for zt in &sizes {
        calls.push(Box::new(|at| zt.decides_and_says(at)));
        calls.push(Box::new(|at| zt.decides(at)));
    }
    let mut calls: Vec<&mut dyn FnMut(usize)> = calls.iter_mut().map(|call| &mut **call as _).collect();
    let took = quiet(&mut calls);
    let (whole, alone): (Vec<f64>, Vec<f64>) = took.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    let mut figures = Vec::new();
    for ((policies, ns), alone) in SIZES.iter().zip(&whole).zip(&alone) {
        let figure = Figure::new(format!("one of {policies} policies"), *ns, "ns").at_most(AT_MOST_NS);
        figures.push(figure.beside(format!("evaluation alone {alone:.0} ns")));
    }
    let flatness = |all: &[f64]| all.iter().copied().fold(0.0, f64::max) / all.iter().copied().fold(f64::MAX, f64::min);
    let figure = Figure::new("slowest / quickest of these", flatness(&whole), "ratio").at_most(FLAT);
    figures.push(figure.beside(format!("evaluation alone {:.2}", flatness(&alone))));
    Ok(figures)
}

fn beside_cedar(rows: &Rows) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (engine, targets) in [(cedar::NAME, [None, Some(300.0), None, Some(10_000.0)]), (cedar::PREBUILT, [None; 4])] {
        for (policies, target) in SIZES.into_iter().zip(targets) {
            figures.extend(beside(rows, engine, policies, target));
        }
    }
    figures
}

/// A peer by zt in Rust.
fn beside(rows: &Rows, engine: &str, policies: usize, target: Option<f64>) -> Option<Figure> {
    let (peer, zt) = (rows.of(engine, policies)?, rows.of(zt::NAME, policies)?);
    let figure = Figure::new(format!("{policies}: {engine} / zt"), peer / zt, "ratio");
    let figure = figure.beside(format!("{:.2} us, zt {:.3}", peer / 1e3, zt / 1e3));
    Some(match target {
        Some(target) => figure.at_least(target),
        None => figure,
    })
}

/// Blocks of each subject at most, how long one should take, and how long one subject may take in all.
const BLOCKS: usize = 401;
const BLOCK: Duration = Duration::from_micros(400);
const IN_ALL: Duration = Duration::from_secs(2);

/// Nanoseconds per call of each subject, by turns so that all meet the same noise, each call with another request and
/// what it needs in the caches. Of the blocks the quietest tenth counts: the machine's noise only ever adds.
fn quiet(subjects: &mut [&mut dyn FnMut(usize)]) -> Vec<f64> {
    struct Timed {
        calls: usize,
        at: usize,
        samples: Vec<f64>,
        spent: Duration,
    }
    let mut timed: Vec<Timed> = Vec::new();
    for subject in subjects.iter_mut() {
        // Warms up on the way.
        let started = Instant::now();
        let mut calls = 0;
        while calls < 8 || (calls < 4 * REQUESTS && started.elapsed() < IN_ALL / 8) {
            subject(calls % REQUESTS);
            calls += 1;
        }
        let each = started.elapsed().as_nanos() / calls as u128;
        let calls = (BLOCK.as_nanos() / each.max(1)).max(1) as usize;
        timed.push(Timed { calls, at: 0, samples: Vec::new(), spent: Duration::ZERO });
    }
    for _ in 0..BLOCKS {
        for (subject, timed) in subjects.iter_mut().zip(&mut timed) {
            if timed.spent > IN_ALL {
                continue;
            }
            let mut block = || {
                let started = Instant::now();
                (timed.at..timed.at + timed.calls).for_each(|call| subject(call % REQUESTS));
                started.elapsed()
            };
            // Once for the caches, which are full of the subject before.
            block();
            let took = block();
            timed.at = (timed.at + timed.calls) % REQUESTS;
            timed.spent += took;
            timed.samples.push(took.as_nanos() as f64 / timed.calls as f64);
        }
    }
    timed.into_iter().map(|timed| quietest_tenth(timed.samples)).collect()
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}
