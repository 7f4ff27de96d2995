//! x
#![allow(warnings, clippy::all, unused_crate_dependencies)]
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;
use zt_core::base::units::Size;
use zt_core::limit::{Config, Limiter, Phase, State, Subject};
fn main() {
    let live: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let config = r#"[{"name": "per-peer", "key": ["peer"], "rate": "100000000/1s"}]"#;
    let config: Vec<Config> = serde_json::from_str(config).unwrap();
    let limiter = Limiter::compile(&config, Size::from_bytes(40_000_000)).unwrap();
    let state = State::new(&limiter, 7);
    let check = |key: usize| {
        let peer: IpAddr = Ipv4Addr::from((key as u32).wrapping_mul(0x9e37_79b1)).into();
        let subject = Subject { peer: Some(peer), ..Subject::default() };
        !limiter.check(&state, Phase::Peer, &subject, 1_772_452_800_000).refuses()
    };
    for k in 0..live {
        assert!(check(k));
    }
    let mut best = f64::MAX;
    for _ in 0..7 {
        let st = Instant::now();
        let mut z = 1u64;
        let mut c = 0;
        for _ in 0..n {
            z = z.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            c += usize::from(check((z >> 33) as usize % live));
        }
        std::hint::black_box(c);
        best = best.min(st.elapsed().as_nanos() as f64 / n as f64);
    }
    println!("{live}: {best:.1} ns");
}
