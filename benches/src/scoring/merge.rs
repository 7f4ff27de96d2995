//! Joining what two have learned, and what floods a state.

use std::time::Instant;

use zt_benches::figure::Figure;
use zt_benches::measure::quietest_tenth;
use zt_core::anomaly::{Baseline, Pass, State, Target, Trainer};
use zt_core::model::Request;

use super::random::Random;
use super::{MIB, ROUNDS, SEED, serve_in};

/// Bytes of each part.
const PART: usize = 5 << 19;
/// Requests of a flood.
const FLOOD: usize = 30_000;

pub(super) fn figures() -> Vec<Figure> {
    let before = Baseline::new(SEED);
    let [own, other] = [1, 2].map(|number| part(&before, number));
    let samples = (0..ROUNDS).map(|_| {
        let mut own = own.clone();
        let start = Instant::now();
        own.join(&other);
        start.elapsed().as_secs_f64() * 1e3
    });
    let joined = quietest_tenth(samples.collect());
    let sizes = [&own, &other].map(|part| format!("{:.1} MiB", part.memory() as f64 / MIB)).join(" and ");

    let state = State::new(before.clone());
    let mut random = Random(SEED);
    let flood: Vec<Request<'_>> = (0..FLOOD).map(|_| hostile(&mut random)).collect();
    let us = serve_in(&state, &flood);
    vec![
        Figure::new("join two parts of what was learned", joined, "ms").at_most(2.0).beside(sizes),
        Figure::new("memory when every name is new", state.memory() as f64 / MIB, "MiB").at_most(8.0),
        Figure::new("score and learn when every name is new", us, "us"),
    ]
}

/// Learned from requests of which half are those of the other part too.
fn part(before: &Baseline, number: u64) -> Trainer<'_> {
    let mut trainer = Trainer::new(before, Pass::Counts);
    let (mut own, mut shared) = (Random(number), Random(7));
    while trainer.memory() < PART {
        for random in [&mut own, &mut shared] {
            trainer.add(&hostile(random), &Target::Path, Some(number));
        }
    }
    trainer
}

/// Path, names and values that were never there.
fn hostile(random: &mut Random) -> Request<'static> {
    let mut word = || {
        let letter = |bits: u64| char::from(b'a' + (bits % 26) as u8);
        let bits = random.next();
        (0..8).map(|at| letter(bits >> (8 * at))).collect::<String>()
    };
    let (path, query) = (format!("/{}/{}", word(), word()), format!("{}={}&{}={}", word(), word(), word(), word()));
    Request {
        method: "GET".into(),
        path: path.into(),
        query: Some(query.into()),
        headers: vec![(word().into(), word().into())],
        ..Request::default()
    }
}
