//! Timing on a noisy machine: many short blocks, the subjects by turns, medians.

use std::hint::black_box;
use std::time::Instant;

/// Blocks of each subject.
const BLOCKS: usize = 300;
/// How long a block should take, nanoseconds.
const BLOCK_NS: f64 = 400_000.0;

/// Median nanoseconds per call of each subject, measured by turns so that all meet the same noise.
pub fn medians<const N: usize>(mut subjects: [&mut dyn FnMut(); N]) -> [f64; N] {
    let calls: Vec<u32> = subjects.iter_mut().map(|subject| calls_per_block(*subject)).collect();
    let mut samples: [Vec<f64>; N] = std::array::from_fn(|_| Vec::with_capacity(BLOCKS));
    for _ in 0..BLOCKS {
        for ((subject, calls), samples) in subjects.iter_mut().zip(&calls).zip(&mut samples) {
            samples.push(block(*subject, *calls));
        }
    }
    samples.map(median)
}

/// The middle of the samples.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The bound of the lowest tenth of the samples: what noise, which only ever adds, has touched least.
pub fn quietest_tenth(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 10).copied().unwrap_or(f64::NAN)
}

fn block(subject: &mut dyn FnMut(), calls: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        subject();
    }
    black_box(start.elapsed()).as_nanos() as f64 / f64::from(calls)
}

/// Warms up on the way.
fn calls_per_block(subject: &mut dyn FnMut()) -> u32 {
    let mut calls = 1;
    loop {
        let each = block(subject, calls).max(1.0);
        if each * f64::from(calls) > BLOCK_NS / 4.0 || calls > 1 << 20 {
            return ((BLOCK_NS / each) as u32).max(1);
        }
        calls *= 2;
    }
}
