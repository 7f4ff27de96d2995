//! x
#![allow(warnings, clippy::all, unused_crate_dependencies)]
use axum_shop::issuer::Algorithm;
use std::time::Instant;
use zt_benches::fixture::{Fixture, NOW};
fn main() {
    let what = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let threads: usize = std::env::args().nth(3).map_or(1, |t| t.parse().unwrap());
    let f = Fixture::new();
    let a = format!("Bearer {}", f.token(Algorithm::Es256));
    let r = if what == "key" {
        Fixture::request(("X-API-Key", &f.api_key))
    } else {
        Fixture::request(("Authorization", &a))
    };
    let mut best = f64::MAX;
    for round in 0..9 {
        let st = Instant::now();
        std::thread::scope(|s| {
            for _ in 0..threads {
                s.spawn(|| {
                    for _ in 0..n {
                        std::hint::black_box(f.engine.decide(&f.state, std::hint::black_box(&r), NOW + round * 10_000));
                    }
                });
            }
        });
        best = best.min(st.elapsed().as_nanos() as f64 / n as f64);
    }
    println!("{what} on {threads}: {best:.1} ns");
}
