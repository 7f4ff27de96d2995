//! `zt-allocations`: allocations of one authorization, the most of 1,024, by number of policies, as JSON. A program of its
//! own because its allocator counts; `zt-bench policy` calls it.
#![allow(clippy::print_stdout, reason = "a command line tool")]

use std::hint::black_box;

use allocation_counter::measure;
use serde_json::{Map, Value, json};
use zt_benches::authorize::Authorization;
use zt_benches::workload::{REQUESTS, Workload};

fn main() -> Result<(), String> {
    let mut counted = Map::new();
    for policies in [10, 100, 1_000, 10_000] {
        let subject = Authorization::new(&Workload::new(policies))?;
        let count = |at: usize| {
            measure(|| {
                black_box(subject.answer(at));
            })
            .count_total
        };
        counted.insert(policies.to_string(), json!((0..REQUESTS).map(count).max()));
    }
    // The counter counts.
    let known = measure(|| drop(black_box(Box::new(7_u64)))).count_total;
    if known != 1 {
        return Err(format!("one allocation was counted as {known}"));
    }
    println!("{}", Value::Object(counted));
    Ok(())
}
