//! A request by itself and among others, as a decision asks: how long it takes, and what is remembered of who made it.

use std::hint::black_box;

use zt_benches::figure::Figure;
use zt_core::anomaly::{Baseline, Detector, Target};
use zt_core::model::{Identity, Millis, Outcome, Request, Response};

use super::{MIB, SEED, by_turns, each};

const BUDGET: f64 = 0.001;
const START: Millis = 1_772_446_530_000;
/// Milliseconds between two requests.
const BETWEEN: Millis = 50;
/// Requests of one visit, and identities that come by turns.
const VISIT: usize = 20;
const REGULARS: usize = 500;
/// More identities than are remembered, and endpoints that each of them calls.
const IDENTITIES: usize = 10_000;
const ENDPOINTS: usize = 12;
const FILL: usize = 120_000;

fn identities(number: usize) -> Vec<Identity> {
    (0..number).map(|number| Identity::asserted(&format!("user-{number}"))).collect()
}

/// Microseconds to judge and to conclude a request, each of somebody who is known.
pub(super) fn judged_us(baseline: &Baseline, tested: &[Request<'_>]) -> f64 {
    let detector = Detector::new(baseline.clone(), BUDGET);
    let (people, mut now) = (identities(REGULARS), START);
    let requests: Vec<(String, &Identity, &Request<'_>)> = tested
        .iter()
        .enumerate()
        .filter_map(|(number, request)| {
            Some((format!("{number:032x}"), people.get(number / VISIT % REGULARS)?, request))
        })
        .collect();
    let [us] = by_turns([&mut || {
        each(&requests, |(id, who, request)| {
            now += BETWEEN;
            let judged = detector.judge(black_box(request), &Target::Path, Some(who), now);
            let outcome = if judged.unusual.is_empty() { Outcome::Allow } else { Outcome::Flag };
            detector.concluded(id, &judged, outcome, true);
            judged.score
        })
    }]);
    us
}

/// What all that is learned takes where more identities come than are remembered, each with objects and sessions of its own.
pub(super) fn memory() -> Vec<Figure> {
    let detector = Detector::new(Baseline::new(SEED), BUDGET);
    let (people, mut most, mut remembered) = (identities(IDENTITIES), 0, (0, 0));
    for number in 0..FILL {
        let visit = number / ENDPOINTS;
        let Some(who) = people.get(visit % IDENTITIES) else { continue };
        let request = Request {
            method: "GET".into(),
            path: format!("/things{}/{}", (b'a' + (number % ENDPOINTS) as u8) as char, visit).into(),
            headers: vec![("User-Agent".into(), format!("app {}", visit % 50).into())],
            ..Request::default()
        };
        let (id, now) = (number.to_string(), START + number as Millis * BETWEEN);
        let judged = detector.judge(&request, &Target::Path, Some(who), now);
        detector.concluded(&id, &judged, Outcome::Allow, true);
        detector.answered(&id, &Response { status: 200, body_len: Some(300), ..Response::default() }, now);
        if visit.is_multiple_of(16) {
            most = detector.memory().max(most);
            let (bytes, identities) = detector.memory_of_behaviour();
            // Where the most are, for those the tables are.
            remembered = remembered.max((identities, bytes));
        }
    }
    let (identities, bytes) = remembered;
    let each = bytes as f64 / identities.max(1) as f64;
    vec![
        Figure::new("memory of all, with clients", most as f64 / MIB, "MiB").at_most(8.0),
        Figure::new("an identity that is remembered", each / 1024.0, "KiB").at_most(1.0).beside(format!(
            "{identities} identities with {ENDPOINTS} endpoints each in {:.2} MiB",
            bytes as f64 / MIB
        )),
    ]
}
