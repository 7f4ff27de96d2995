//! A token that was verified before: every check that may have changed since, and no signature.

use std::hint::black_box;
use std::time::Instant;

use zt_benches::figure::Figure;
use zt_benches::measure::median;

use super::payload::Payload;
use super::{Subject, verifier};

/// Verifications that are timed.
const CALLS: usize = 400_000;
/// More than 100,000 tokens with all that is kept of them.
const ROOM: &str = "memory = \"512MiB\"\nentries = 131072";

/// `by_peer` is what the quickest cache of others takes for one of 1,000, nanoseconds.
pub(crate) fn figures(payload: &Payload, by_peer: Option<f64>) -> Result<Vec<Figure>, String> {
    let case = payload.cases.iter().find(|case| case.alg == "ES256").ok_or("no ES256")?;
    let mut figures = Vec::new();
    for (live, target) in [(1_000, 250.0), (100_000, 900.0)] {
        let tokens = (0..live).map(|number| payload.token(case, number)).collect::<Result<Vec<_>, _>>()?;
        let zt = verifier(&payload.config(ROOM))?;
        for token in &tokens {
            assert!(zt.proves(token, payload.now_ms), "the measured token must pass");
        }
        let ns = measure(&zt, &tokens, payload.now_ms);
        let figure = Figure::new(format!("repeated token, {live} live"), ns, "ns").at_most(target);
        figures.push(figure.beside("random order, token at hand as just received"));
        if live == 1_000 {
            figures.push(match by_peer {
                Some(peer) => Figure::new("fast-jwt's cache / zt, 1000 live", peer / ns, "ratio")
                    .at_least(8.0)
                    .beside(format!("fast-jwt in Node {peer:.0} ns")),
                None => Figure::missing("fast-jwt's cache / zt, 1000 live", "ratio", "Node was not measured"),
            });
        }
    }
    Ok(figures)
}

/// Median nanoseconds of one verification. A request's token was read from its socket a moment ago, so each is copied
/// before the clock starts; what reading the clock takes is taken off.
fn measure(zt: &Subject, tokens: &[String], now: i64) -> f64 {
    let mut received = String::with_capacity(1 << 10);
    let mut at = 0_usize;
    let (mut whole, mut clock) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
    for call in 0..CALLS {
        // A linear congruential generator: random enough for caches of memory (Knuth, MMIX).
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        received.clear();
        received.push_str(&tokens[(at >> 33) % tokens.len()]);
        let start = Instant::now();
        let verified = zt.verify(black_box(&received), now);
        let took = start.elapsed();
        // What was measured must be what is meant.
        assert!(call % 1_024 != 0 || verified.identity.is_some());
        whole.push(took.as_nanos() as f64);
        let start = Instant::now();
        clock.push(black_box(start.elapsed()).as_nanos() as f64);
    }
    median(whole) - median(clock)
}
