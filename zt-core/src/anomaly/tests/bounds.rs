//! What hostile requests cannot do: grow a state, or drive out what is well known.

use super::serving::serve;
use super::*;
use crate::model::{Body, Identity, Outcome, Response};

const MIB: usize = 1 << 20;

fn word(n: u64) -> String {
    format!("{:016x}", n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .bytes()
        .map(|digit| char::from(b'a' + digit % 26))
        .collect()
}

fn with_header(n: u64) -> Request<'static> {
    let mut request = get("/orders/4711", "page=3&sort=date");
    request.headers.push((word(n).into(), word(n + 1).into()));
    request
}

fn with_members(n: u64) -> Request<'static> {
    let members: Vec<String> = (0..600).map(|m| format!(r#""{}":"{}""#, word(n * 600 + m), word(m))).collect();
    Request {
        method: "POST".into(),
        path: "/orders".into(),
        body: Some(Body::from(format!("{{{}}}", members.join(",")).into_bytes())),
        ..Request::default()
    }
}

/// Learns all, whatever the fence says: each is of another client.
fn flood(state: &State, requests: impl Iterator<Item = Request<'static>>) -> Vec<usize> {
    let one = |(n, request): (u64, Request<'static>)| {
        let (_, trace) = state.score(&request, &Target::Path);
        state.learn(&trace, Some(n << 61));
        if n % 64 == 0 { state.memory() } else { 0 }
    };
    (0..).zip(requests).map(one).collect()
}

#[test]
fn names_paths_headers_and_members_that_never_come_again_do_not_grow_it() {
    type Made = fn(u64) -> Request<'static>;
    let floods: [(Made, u64); 4] = [
        (|n| get("/search", &format!("{}={}", word(n), word(n))), 6_000),
        (|n| get(&format!("/{}/{}", word(n), word(n + 7)), "a=1"), 6_000),
        (with_header, 6_000),
        (with_members, 100),
    ];
    for (made, count) in floods {
        let state = State::with_memory(Baseline::new(1), MIB);
        let sizes = flood(&state, (0..count).map(made));
        let most = sizes.into_iter().max().unwrap();
        assert!(most <= MIB, "{most}");
        let written = state.baseline().write();
        assert_eq!(Baseline::read(&written).unwrap().write(), written);
    }
}

#[test]
fn a_state_takes_no_more_than_8_mib_by_default() {
    let state = State::new(Baseline::new(1));
    let mixed = (0..6_000).map(|n| match n % 3 {
        0 => get(&format!("/{}/{}", word(n), word(n + 7)), &format!("{}={}", word(n), word(n))),
        1 => with_header(n),
        _ => with_members(n),
    });
    let most = flood(&state, mixed.take(1_500)).into_iter().max().unwrap();
    assert!(most <= 8 * MIB, "{most}");
}

#[test]
fn what_clients_do_takes_no_more_than_its_part() {
    for bytes in [0, Detector::MEMORY] {
        let detector = Detector::with_memory(Baseline::new(1), 0.001, bytes);
        let mut most = 0;
        for n in 0..30_000_u64 {
            // Many endpoints of each: nothing of an identity is as small as it could be.
            let path = format!("/things/{}/{}", (n * 7) % 26, n);
            let request = get(&path, "a=1");
            let who = Identity::asserted(&format!("user-{}", n % 5_000));
            let now = i64::try_from(n).unwrap() * 1_000;
            let judged = detector.judge(&request, &Target::Path, Some(&who), now);
            detector.concluded(&n.to_string(), &judged, Outcome::Allow, true);
            detector.answered(&n.to_string(), &Response { status: 200, ..Response::default() }, now);
            if n % 500 == 0 {
                most = most.max(detector.memory_of_behaviour().0);
            }
        }
        // A quarter is for requests, and 3 MiB for responses, verdicts and recommendations.
        let room = bytes.max(Detector::LEAST_MEMORY) / 4 * 3 - 3 * MIB;
        assert!(most <= room, "{most} of {room}");
        // A baseline of one with more room fits here too.
        let larger = Detector::with_memory(Baseline::new(1), 0.001, 64 * MIB);
        larger.restore(detector.baseline());
        detector.restore(Baseline::read(&larger.baseline().write()).unwrap());
        assert!(detector.memory_of_behaviour().0 <= room);
    }
}

#[test]
fn a_flood_does_not_drive_out_what_is_well_known() {
    let state = State::with_memory(Baseline::new(1), MIB);
    serve(&state, &shop(4_000));
    let known = || {
        let (baseline, mut known) = (state.baseline(), Vec::new());
        let reader = baseline.reader();
        reader.read(&get("/orders/4711", "page=3&sort=date"), &Target::Path, &mut |found| {
            reader
                .events(found, &mut |sight| known.push(baseline.model.counts.known(&sight.event(baseline.service)).1));
        });
        known
    };
    let before = known();
    assert!(before.iter().all(|among| *among >= 4_000), "{before:?}");
    let paths = |n| get(&format!("/orders/{}/{}", word(n), word(n + 7)), &format!("{}=1", word(n)));
    flood(&state, (0..12_000).map(|n| if n % 2 == 0 { paths(n) } else { get("/orders/1", &format!("{}=1", word(n))) }));
    let after = known();
    assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{before:?} {after:?}");
}

#[test]
fn one_endpoint_takes_its_room_and_no_more() {
    // Every one is learned: there are too few for a fence.
    let requests: Vec<_> =
        (0..900).map(|n| get("/search", &format!("{}={n}&{}=x", word(n), word(n + 9_000)))).collect();
    let others = shop(600);
    let alone = learn(&others).memory();
    let together = learn(&[others, requests].concat()).memory();
    assert!(together < alone + 2 * (64 << 10), "{alone} {together}");
}

#[test]
fn a_state_takes_of_a_baseline_what_it_has_room_for() {
    let requests: Vec<_> = (0..900).map(|n| get(&format!("/{}/x", word(n % 300)), &format!("{}=1", word(n)))).collect();
    let baseline = learn(&requests);
    let [first, again] = [0, 1].map(|_| State::with_memory(baseline.clone(), 0).baseline());
    assert!(first.memory() < baseline.memory(), "{} {}", first.memory(), baseline.memory());
    assert_eq!(first.write(), again.write());
    assert_eq!(first.write(), State::with_memory(first.clone(), 0).baseline().write(), "what is in bounds stays");
}
