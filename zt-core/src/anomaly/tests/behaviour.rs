//! What clients do over time: kept, joined, bounded.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::super::{Baseline, BaselineError, Detector, Target};
use crate::model::{Identity, Outcome, Peer, Request, Response};

const START: i64 = 1_772_446_530_000;
const MINUTE: i64 = 60_000;

fn request(client: u32, path: String) -> Request<'static> {
    let peer = Peer { ip: Some(IpAddr::V4(Ipv4Addr::from_bits(client))), ..Peer::default() };
    let headers = vec![("User-Agent".into(), "app/1.2".into())];
    Request { method: "GET".into(), path: path.into(), headers, peer, ..Request::default() }
}

/// One request, and what was said of it.
fn serve(detector: &Detector, number: i64, client: u32, path: String, status: u16) -> (f64, f64) {
    let (now, request) = (START + number * MINUTE, request(client, path));
    let identity = (!client.is_multiple_of(3)).then(|| Identity::asserted(&format!("user-{client}")));
    let judged = detector.judge(&request, &Target::Path, identity.as_ref(), now);
    let outcome = if judged.unusual.is_empty() { Outcome::Allow } else { Outcome::Flag };
    let id = format!("{number}");
    detector.concluded(&id, &judged, outcome, true);
    let response = Response { status, body_len: Some(300), ..Response::default() };
    detector.answered(&id, &response, now);
    (judged.score, judged.share)
}

/// Clients that look at orders, and pay.
fn shop(detector: &Detector, from: i64, to: i64) {
    for number in from..to {
        let (client, order) = ((number % 40) as u32, number / 2 % 90 + 10);
        let step = if number % 2 == 0 { "" } else { "/pay" };
        serve(detector, number, client, format!("/orders/{order}{step}"), if number % 31 == 0 { 404 } else { 200 });
    }
}

fn served(from: i64, to: i64) -> Detector {
    let detector = Detector::new(Baseline::new(1), 0.01);
    shop(&detector, from, to);
    detector
}

#[test]
fn what_was_learned_goes_on_from_its_bytes() {
    let detector = served(0, 900);
    let bytes = detector.baseline().write();
    let restored = Detector::new(Baseline::read(&bytes).unwrap(), 0.01);
    let other = served(0, 40);
    other.restore(Baseline::read(&bytes).unwrap());
    assert_eq!(restored.baseline().write(), bytes);
    for number in 900..1_300 {
        let path = format!("/orders/{}", number % 97);
        let one = serve(&detector, number, (number % 44) as u32, path.clone(), 200);
        assert_eq!(serve(&restored, number, (number % 44) as u32, path.clone(), 200), one, "{number}");
        assert_eq!(serve(&other, number, (number % 44) as u32, path, 200), one, "{number}");
    }
}

/// Sums that fade are added up to a 256th for each half-life; all else exactly.
#[test]
fn what_is_merged_adds_up_in_any_order_and_once() {
    let parts = [served(0, 500), served(500, 900), served(900, 1_500)];
    let learned: Vec<Baseline> = parts.iter().map(Detector::baseline).collect();
    let merged = |[first, second, third]: [usize; 3]| {
        let own = Detector::new(learned[first].clone(), 0.01);
        [second, third, second].into_iter().for_each(|other| own.merge(&learned[other]));
        let calibrated_on = own.calibrated_on();
        let scores: Vec<f64> = (1_500..1_600)
            .map(|number| serve(&own, number, (number % 44) as u32, format!("/orders/{}", number % 97), 200).0)
            .collect();
        (calibrated_on, scores)
    };
    let (calibrated_on, expected) = merged([0, 1, 2]);
    assert!(calibrated_on > 1_400, "{calibrated_on}");
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let (number, scores) = merged(order);
        assert_eq!(number, calibrated_on, "{order:?}");
        let far = scores.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 0.1, "{order:?}: {far}");
    }
    // It goes on learning.
    let own = Detector::new(learned[0].clone(), 0.01);
    own.merge(&learned[1]);
    let before = own.calibrated_on();
    shop(&own, 1_500, 2_500);
    assert!(own.calibrated_on() > before);
}

#[test]
fn clients_that_never_come_again_do_not_grow_it() {
    let detector = served(0, 200);
    let flood = |from: i64| {
        for number in from..from + 120_000 {
            serve(&detector, number, number as u32 * 3, format!("/orders/{number}"), 404);
        }
        detector.memory()
    };
    let (first, second) = (flood(1_000), flood(200_000));
    assert!(second <= first + first / 8, "{first} {second}");
    assert!(second < 32 << 20, "{second}");
}

#[test]
fn time_that_goes_back_is_survived() {
    let detector = served(0, 300);
    for number in [-29_540_775_i64, 100, i64::MIN / MINUTE / 2, 153_000_000_000_000, 5] {
        let (score, share) = serve(&detector, number, 7, "/orders/12".to_owned(), 200);
        assert!(score.is_finite() && (0.0..=1.0).contains(&share), "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn changed_bytes_are_refused_or_survived(at in any::<prop::sample::Index>(), by in 1..=255_u8) {
        let whole = served(0, 60).baseline().write();
        let mut changed = whole.clone();
        let at = at.index(whole.len());
        changed[at] ^= by;
        prop_assert!(Baseline::read(&changed).is_err());
        let cut: Result<_, BaselineError> = Baseline::read(&whole[..at]);
        prop_assert!(cut.is_err());
    }
}
