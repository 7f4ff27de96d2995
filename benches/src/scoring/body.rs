//! Bodies of many sizes: a byte of a large one takes no longer than one of a small one, whatever it is made of.

use std::hint::black_box;

use zt_benches::figure::Figure;
use zt_core::anomaly::{Baseline, State, Target};
use zt_core::model::{Body, Request};

use super::random::Random;
use super::{SEED, by_turns, each};

const KIB: usize = 1 << 10;
const SIZES: [usize; 4] = [KIB, 16 * KIB, 64 * KIB, 1_024 * KIB];
/// Bytes of all the requests of a round.
const ROUND: usize = 2_048 * KIB;

/// What a body of so many bytes is made of.
type Made = fn(usize, &mut Random) -> Vec<u8>;

const KINDS: [(&str, &str, Made); 4] = [
    ("JSON", "application/json", json),
    ("short parameters", "application/x-www-form-urlencoded", parameters),
    ("one value that changes its class with each byte", "application/x-www-form-urlencoded", steps),
    ("one value of letters", "application/x-www-form-urlencoded", letters),
];

/// Nanoseconds of a byte.
pub(super) fn figures(baseline: &Baseline) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (what, kind, made) in KINDS {
        let mut least = f64::MAX;
        for size in SIZES {
            let mut random = Random(SEED);
            let request = |_| Request {
                method: "POST".into(),
                path: "/upload".into(),
                headers: vec![("Content-Type".into(), kind.into())],
                body: Some(Body::from(made(size, &mut random))),
                ..Request::default()
            };
            let requests: Vec<Request<'_>> = (0..ROUND / size).map(request).collect();
            let state = State::new(baseline.clone());
            let [us] = by_turns([&mut || each(&requests, |one| state.score(black_box(one), &Target::Path).0.score)]);
            let ns = us * 1e3 / size as f64;
            let figure = Figure::new(format!("{what}, {} KiB, a byte", size / KIB), ns, "ns");
            // As quick as the smallest, within what noise adds.
            figures.push(if size == KIB { figure } else { figure.at_most(least * 1.1) });
            least = least.min(ns);
        }
    }
    figures
}

fn filled(size: usize, mut part: impl FnMut() -> String) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size + KIB);
    while bytes.len() < size {
        bytes.extend_from_slice(part().as_bytes());
    }
    bytes.truncate(size);
    bytes
}

fn json(size: usize, random: &mut Random) -> Vec<u8> {
    let one =
        || format!(r#"{{"name":"item {:x}","count":{},"tags":["a","b-c"]}},"#, random.next(), random.below(1_000));
    let mut bytes = filled(size.saturating_sub(1), one);
    bytes.insert(0, b'[');
    bytes
}

fn parameters(size: usize, random: &mut Random) -> Vec<u8> {
    filled(size, || format!("{:x}={:x}&", random.below(1 << 20), random.below(256)))
}

fn steps(size: usize, random: &mut Random) -> Vec<u8> {
    let all = b"a1'a<b(c)d;e=f.g@h/i";
    filled(size, || all.get(random.below(all.len())).map_or('x', |byte| char::from(*byte)).to_string())
}

fn letters(size: usize, random: &mut Random) -> Vec<u8> {
    filled(size, || char::from(b'a' + random.below(26) as u8).to_string())
}
