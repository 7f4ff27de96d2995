//! What the machine's memory takes, whoever asks.

use std::hint::black_box;
use std::time::Instant;

use zt_benches::measure::median;

const LINE: usize = 8;
const READS: usize = 400_000;

/// Nanoseconds of a read at random among so many bytes, where each has to wait for the one before: no keyed store is
/// quicker on so many keys, unless several checks are on their way at once.
pub(super) fn random_read(bytes: usize) -> f64 {
    let lines = bytes / size_of::<u64>() / LINE;
    // One cycle through all of them (Sattolo 1986).
    let mut next: Vec<usize> = (0..lines).collect();
    for at in (1..lines).rev() {
        next.swap(at, super::scattered(at) % at);
    }
    let mut memory = vec![0_usize; lines * LINE];
    memory.iter_mut().step_by(LINE).zip(next).for_each(|(line, next)| *line = next * LINE);
    let round = |_| {
        let start = Instant::now();
        black_box((0..READS).fold(0, |at, _| memory.get(at).copied().unwrap_or(0)));
        start.elapsed().as_secs_f64() * 1e9 / READS as f64
    };
    median((0..9).map(round).collect())
}
