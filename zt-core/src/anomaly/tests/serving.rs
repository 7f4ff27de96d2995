//! Learning while serving.

use std::collections::BTreeSet;

use super::*;
use crate::model::Outcome;

pub(super) fn serve(state: &State, requests: &[Request<'_>]) -> Vec<u64> {
    let one = |request: &Request<'_>| {
        let (scored, trace) = state.score(request, &Target::Path);
        state.learn(&trace, None);
        scored.score.to_bits()
    };
    requests.iter().map(one).collect()
}

/// The counts alone: what is normal and what scores mean depends on the order.
fn counts(baseline: &Baseline) -> Vec<u8> {
    let mut bytes = Vec::new();
    baseline.model.counts.write(&mut bytes);
    bytes
}

fn counted(requests: &[Request<'_>]) -> Vec<u8> {
    let before = Baseline::new(1);
    let mut trainer = Trainer::new(&before, Pass::Counts);
    requests.iter().for_each(|request| trainer.add(request, &Target::Path, None));
    counts(&trainer.end())
}

#[test]
fn what_is_strange_at_first_is_known_later() {
    let state = State::new(Baseline::new(1));
    let scores = serve(&state, &shop(6_000));
    assert_eq!(scores, serve(&State::new(Baseline::new(1)), &shop(6_000)), "the same in the same order");
    let folded = state.baseline();
    let asked = |request: &Request<'_>| state.score(request, &Target::Path).0;
    let (normal, strange) = (asked(&get("/orders/4711", "page=3&sort=date")), asked(&get("/orders/1'--", "page=<x>")));
    assert!(
        strange.score > normal.score + 4.0 && strange.share <= 0.001 && normal.share > 0.01,
        "{normal:?} {strange:?}"
    );
    assert_eq!(asked(&get("/orders/1'--", "page=<x>")).score, strange.score, "asking teaches nothing");
    assert_eq!(folded.score(&get("/orders/1'--", "page=<x>"), &Target::Path).score, strange.score);
}

#[test]
fn serving_counts_what_training_counts() {
    let requests = shop(3_000);
    let state = State::new(Baseline::new(1));
    serve(&state, &requests);
    assert_eq!(counts(&state.baseline()), counted(&requests));
    assert_eq!(state.baseline().calibrated_on(), 3_000);
}

#[test]
fn threads_lose_no_count_but_of_what_a_fold_overtook() {
    let requests = shop(4_000);
    let state = State::new(Baseline::new(1));
    std::thread::scope(|scope| {
        for part in requests.chunks(1_000) {
            let state = &state;
            scope.spawn(move || serve(state, part));
        }
    });
    let learned = state.baseline().calibrated_on();
    // Of each fold, at most one request of each other thread.
    assert!((4_000 - 3 * 200..=4_000).contains(&learned), "{learned}");
}

#[test]
fn values_that_never_come_again_do_not_grow_it() {
    let state = State::new(Baseline::new(1));
    let one = |n: u64| get("/search", &format!("q={:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let mut sizes = BTreeSet::new();
    for round in 0..4 {
        serve(&state, &(0..5_000).map(|n| one(round * 5_000 + n)).collect::<Vec<_>>());
        sizes.insert(state.baseline().model.memory());
    }
    assert!(sizes.len() == 1 && sizes.last().is_some_and(|size| *size < 64 << 10), "{sizes:?}");
}

/// A new thing that some clients do: `clients` of them, turn by turn.
fn novelty(state: &State, clients: u64, times: u64) -> f64 {
    let new = get("/orders/4711", "page=3&sort=date&view=[compact]");
    for n in 0..times {
        let (_, trace) = state.score(&new, &Target::Path);
        state.learn(&trace, Some((n % clients) << 61));
    }
    state.baseline();
    state.score(&new, &Target::Path).0.score
}

fn served() -> State {
    let state = State::new(Baseline::new(1));
    for (number, request) in (0_u64..).zip(&shop(6_000)) {
        let (_, trace) = state.score(request, &Target::Path);
        state.learn(&trace, Some(number << 61));
    }
    state
}

#[test]
fn one_client_alone_makes_nothing_normal() {
    let state = served();
    let strange = novelty(&state, 1, 0);
    assert!(strange > 7.0, "{strange}");
    let after: Vec<f64> = (0..3).map(|_| novelty(&state, 1, 300)).collect();
    assert!(after[2] > strange - 1.0, "as strange as before: {strange} {after:?}");
}

#[test]
fn what_several_clients_do_becomes_normal() {
    let state = served();
    let strange = novelty(&state, 3, 0);
    // First what they bring is taken up, then that it is common.
    let after: Vec<f64> = (0..3).map(|_| novelty(&state, 3, 300)).collect();
    assert!(after[2] < strange - 3.0, "{strange} {after:?}");
}

#[test]
fn an_outlier_of_one_among_many_is_not_counted() {
    let attacks: Vec<_> = (0..60).map(|n| get("/orders/4711", &format!("page=3&sort=date'--{n}"))).collect();
    let mut requests = shop(6_000);
    for (n, attack) in attacks.iter().enumerate() {
        requests.insert(n * 100, attack.clone());
    }
    let first = learn(&requests);
    let second = Pass::ALL.into_iter().fold(Baseline::new(1), |before, pass| {
        let mut trainer = Trainer::new(&before, pass).without_outliers_to(&first);
        requests.iter().for_each(|request| trainer.add(request, &Target::Path, None));
        trainer.end()
    });
    assert_eq!(counts(&second), counted(&shop(6_000)), "as if they had never been");
    assert_eq!(second.calibrated_on(), 6_060, "but the budget is that of all");
}

/// Requests to endpoints by a rule, each of one of forty clients, and how many of them are unusual.
fn unusual(detector: &Detector, seed: u64, count: u64, endpoint: impl Fn(u64) -> u64) -> usize {
    let mut random = seed;
    let mut one = |number: &u64| {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let path = format!("/pages/{}", (b'a' + endpoint(random >> 33) as u8) as char);
        let mut request = get(&path, "n=1");
        request.peer.ip = Some([10, 0, 0, (random >> 40 & 31) as u8].into());
        let (id, now) = (format!("{seed}-{number}"), 1_772_446_530_000 + (seed * 6_000 + number) as i64 * 2_000);
        let judged = detector.judge(&request, &Target::Path, None, now);
        let endpoint = Evidence::Request(Channel::Endpoint);
        let found = judged.unusual.contains(&endpoint);
        let outcome = if judged.unusual.is_empty() { Outcome::Allow } else { Outcome::Flag };
        detector.concluded(&id, &judged, outcome, true);
        found
    };
    (0..count).filter(|number| one(number)).count()
}

#[test]
fn an_endpoint_that_is_known_is_not_new_whatever_its_part_becomes() {
    let detector = || Detector::new(Baseline::new(1), 0.01);
    // Zipf's law, as it goes on.
    let zipf = |random: u64| (0..11).find(|rank| random % (24 << rank) < 12).unwrap_or(11);
    let (one, two) = (detector(), detector());
    unusual(&one, 1, 6_000, zipf);
    assert_eq!(unusual(&one, 2, 6_000, zipf), 0);
    // Merged with another that had others to do.
    unusual(&two, 3, 6_000, |random| 12 + random % 4);
    two.merge(&one.baseline());
    assert_eq!(unusual(&two, 4, 3_000, |random| if random % 8 == 0 { zipf(random >> 8) } else { 12 + random % 4 }), 0);
    assert!(unusual(&two, 5, 40, |_| 20) > 0, "nobody was there before");
}
