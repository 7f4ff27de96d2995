//! How often in a second something is done, on one thread or more.

use std::sync::Barrier;
use std::time::Instant;

use zt_benches::measure::median;

/// Rounds of each subject.
const ROUNDS: usize = 9;

/// What is done: it is told its thread and its step, and says whether it went as it has to.
pub(crate) type Step<'s> = &'s (dyn Fn(usize, usize) -> bool + Sync);

/// Median times a second of each subject on so many threads, which take so many steps each; by turns, so that all meet the
/// same noise.
pub(crate) fn throughputs<const N: usize>(steps: usize, subjects: [(usize, Step<'_>); N]) -> [f64; N] {
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(ROUNDS));
    for round in 0..=ROUNDS {
        for ((threads, step), samples) in subjects.iter().zip(&mut samples) {
            let sample = throughput(*threads, steps, *step);
            // The first warms up.
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    samples.map(median)
}

fn throughput(threads: usize, steps: usize, step: Step<'_>) -> f64 {
    let ready = Barrier::new(threads + 1);
    let run = |thread: usize| {
        ready.wait();
        let well = (0..steps).fold(true, |well, at| well & step(thread, at));
        ready.wait();
        well
    };
    let run = &run;
    let seconds = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        ready.wait();
        let start = Instant::now();
        ready.wait();
        let seconds = start.elapsed().as_secs_f64();
        // Not in the threads: the others would wait for one that panics.
        assert!(threads.into_iter().all(|thread| thread.join().is_ok_and(|well| well)), "a step went wrong");
        seconds
    });
    (threads * steps) as f64 / seconds
}
