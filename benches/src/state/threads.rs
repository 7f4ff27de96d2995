//! How often in a second something is done, on one thread or more.

use std::sync::Barrier;
use std::time::Instant;

use zt_benches::measure::median;

/// Rounds of each subject.
const ROUNDS: usize = 9;

/// All that a thread does: it is told its number, and says whether every step went as it has to.
pub(crate) type Run<'s> = &'s (dyn Fn(usize) -> bool + Sync);

/// Median steps a second of each subject on so many threads, which take so many steps each; by turns, so that all meet the
/// same noise.
pub(crate) fn throughputs<const N: usize>(steps: usize, subjects: [(usize, Run<'_>); N]) -> [f64; N] {
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(ROUNDS));
    for round in 0..=ROUNDS {
        for ((threads, run), samples) in subjects.iter().zip(&mut samples) {
            let sample = throughput(*threads, steps, *run);
            // The first warms up.
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    samples.map(median)
}

/// From when the first began to when the last was done, by the clocks of the threads themselves: who waits for them may be
/// woken late.
fn throughput(threads: usize, steps: usize, run: Run<'_>) -> f64 {
    let ready = Barrier::new(threads);
    let timed = |thread: usize| {
        ready.wait();
        let start = Instant::now();
        let well = run(thread);
        (start, Instant::now(), well)
    };
    let timed = &timed;
    let times: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || timed(thread))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    assert!(times.len() == threads && times.iter().all(|(.., well)| *well), "a step went wrong");
    let (first, last) = (times.iter().map(|(start, ..)| *start).min(), times.iter().map(|(_, end, _)| *end).max());
    let seconds = first.zip(last).map_or(f64::NAN, |(first, last)| last.duration_since(first).as_secs_f64());
    (threads * steps) as f64 / seconds
}
