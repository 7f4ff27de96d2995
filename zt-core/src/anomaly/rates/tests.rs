//! Rates learned of made-up clients: what follows, in parts, and from whom it cannot be learned.

use proptest::prelude::*;

use super::super::{Baseline, Detector, Follower, Target};
use super::*;
use crate::model::{Identity, LearnedLimit, Outcome, Request};

const DAY: i64 = 86_400_000;
const START: i64 = 20_500 * DAY;

fn asking(row: u64, client: u64, now: i64) -> Asking {
    let (kind, name) = (ClientKind::Identity, Some(format!("row {row}").into()));
    Asking { row, all: 1, client: Some(join(client, client)), kind, now, name }
}

/// `times` requests of a client on a day, one every two seconds from nine o'clock on.
fn visit(rates: &mut Rates, row: u64, client: u64, day: i64, times: i64) {
    for time in 0..times {
        rates.learn(&asking(row, client, START + day * DAY + 9 * 3_600_000 + time * 2_000));
    }
}

fn written(rates: &Rates) -> Vec<u8> {
    let mut bytes = Vec::new();
    rates.write(&mut bytes);
    bytes
}

/// Of ten minutes.
fn of<'l>(limits: &'l [LearnedLimit], name: Option<&str>) -> &'l LearnedLimit {
    limits.iter().find(|limit| limit.endpoint.as_deref() == name && limit.period_s == 600).unwrap()
}

#[test]
fn a_busy_client_does_not_rule_and_a_busy_day_changes_nothing() {
    let mut rates = Rates::new();
    for day in 0..3 {
        // Ten times as many come on the second day, for a promotion.
        for client in 0..if day == 1 { 2_000 } else { 200 } {
            visit(&mut rates, 7, client, day, 1 + (client as i64 % 10));
        }
        visit(&mut rates, 7, 1_000_000, day, 900);
    }
    rates.close();
    let limits = rates.limits(0.01);
    let limit = of(&limits, Some("row 7"));
    assert_eq!((limit.p50, limit.p90, limit.p99, limit.client_days), (6, 10, 10, 2_403));
    assert!(limit.clients.abs_diff(2_001) < 200 && limit.variance > 8.0, "{limit:?}");
    let recommended = limit.recommended.as_ref().unwrap();
    assert_eq!((&*recommended.rate, recommended.burst), ("10/10m", 10));
    assert!(recommended.confidence >= 0.95 && recommended.confidence <= 1.0, "{recommended:?}");
    assert!((recommended.effect - 3.0 / 2_403.0).abs() < 1e-9);
    // Who is asked for less may do more at once, and never less than a person who tries again.
    assert!(limits.iter().all(|limit| limit.recommended.as_ref().is_some_and(|told| told.limit >= 5)));
}

#[test]
fn too_few_clients_say_what_is_missing_and_not_a_limit() {
    let mut rates = Rates::new();
    // Few clients on many days are few clients.
    for day in 0..400 {
        (0..10).for_each(|client| visit(&mut rates, 7, client, day, 3));
    }
    rates.close();
    let limits = rates.limits(0.01);
    let limit = of(&limits, Some("row 7"));
    assert_eq!((limit.recommended.as_ref(), limit.client_days, limit.clients), (None, 4_000, 10));
    assert!((280..=320).contains(&limit.missing), "{limit:?}");
    assert!(rates.limits(0.0).iter().chain(&rates.limits(f64::NAN)).all(|limit| limit.recommended.is_none()));
    // As many more as were said to be missing are enough, but for the error of their number.
    (0..limit.missing * 8 / 7).for_each(|client| visit(&mut rates, 7, client + 100, 500, 3));
    rates.close();
    assert!(of(&rates.limits(0.01), Some("row 7")).recommended.is_some());
}

#[test]
fn todays_requests_are_no_sample_before_the_day_is_over() {
    let mut rates = Rates::new();
    visit(&mut rates, 7, 1, 0, 5);
    assert!(rates.limits(0.01).is_empty());
    // A request that was under way at midnight does not end the day before or the day that began.
    rates.learn(&asking(7, 2, START + DAY));
    rates.learn(&asking(7, 1, START + DAY - 30_000));
    assert_eq!(of(&rates.limits(0.01), Some("row 7")).client_days, 1);
    // A clock that jumps starts another day, and nothing stands still.
    for now in [i64::MAX, i64::MIN, 0, START] {
        rates.learn(&asking(7, 3, now));
    }
    assert!(of(&rates.limits(0.01), Some("row 7")).client_days > 3);
}

#[test]
fn an_identity_has_its_own() {
    let before = Baseline::new(1);
    let mut learner = Follower::new(&before);
    for turn in 0..420 {
        let now = START + turn / 6 * DAY + turn % 6 * 700_000;
        let request = Request { method: "GET".into(), path: "/orders/17".into(), ..Request::default() };
        learner.add(&request, &Target::Path, Some(&Identity::asserted("anna")), true, now);
    }
    let learned = learner.end();
    let all = learned.rates(0.01);
    assert_eq!(all.limits.iter().filter(|limit| limit.endpoint.as_deref() == Some("GET /orders/{}")).count(), 3);
    let own = learned.rates_of(&Identity::asserted("anna"), 0.05).limits;
    let hour = own.iter().find(|limit| limit.period_s == 3_600).unwrap();
    assert!(hour.client_days >= 60 && hour.max <= 6 && hour.recommended.is_some(), "{hour:?}");
    assert!(learned.rates_of(&Identity::asserted("bert"), 0.05).limits.is_empty());
    // They are kept, and are the same.
    let read = Baseline::read(&learned.write()).unwrap();
    assert_eq!(read.rates(0.01), all);
    assert_eq!(Baseline::new(1).rates(0.01).limits, []);
}

#[test]
fn a_service_learns_of_what_it_allows_until_it_is_frozen() {
    let detector = Detector::new(Baseline::new(1), 0.01);
    let serve = |client: u32, outcome, day: i64| {
        let request = Request { method: "GET".into(), path: "/orders/17".into(), ..Request::default() };
        let (who, now) = (Identity::asserted(&format!("user-{client}")), START + day * DAY);
        let judged = detector.judge(&request, &Target::Path, Some(&who), now);
        detector.concluded("x", &judged, outcome, outcome == Outcome::Allow);
    };
    (0..30).for_each(|number| serve(number % 3, Outcome::Allow, 0));
    serve(7, Outcome::Throttle, 0);
    serve(8, Outcome::Deny, 0);
    assert!(detector.rates(0.01).limits.is_empty(), "the day is not over");
    serve(0, Outcome::Allow, 1);
    let limits = detector.rates(0.01).limits;
    let limit = of(&limits, Some("GET /orders/{}"));
    assert_eq!((limit.client_days, limit.max, limit.client), (3, 10, ClientKind::Identity));
    detector.freeze();
    serve(0, Outcome::Allow, 2);
    assert_eq!(detector.rates(0.01).limits, limits);
    assert_eq!(Baseline::read(&detector.baseline().write()).unwrap().rates(0.01).limits, limits);
}

#[test]
fn a_flood_of_clients_and_endpoints_is_bounded_and_displaces_nothing() {
    let mut rates = Rates::new();
    for day in 0..2 {
        (0..400).for_each(|client| visit(&mut rates, 7, client, day, 4));
    }
    rates.close();
    for number in 0..400_000_u64 {
        rates.learn(&asking(1_000 + number % 70_000, 10_000 + number, START + 5 * DAY));
    }
    let open = rates.memory();
    rates.close();
    assert!(open < 2 << 20 && rates.memory() < 2 << 20, "{open} {}", rates.memory());
    assert!(rates.rows.len() <= MOST_ROWS && rates.identities.len() <= MOST_IDENTITIES);
    assert_eq!(of(&rates.limits(0.01), Some("row 7")).client_days, 800);
}

#[test]
fn of_too_many_clients_those_that_are_looked_at_stand_for_all() {
    let mut rates = Rates::new();
    for client in 0..100_000 {
        visit(&mut rates, 7, client, 0, if client % 10 == 0 { 20 } else { 2 });
    }
    rates.close();
    let limits = rates.limits(0.01);
    let limit = of(&limits, Some("row 7"));
    assert!((1_250..=7_168).contains(&limit.client_days), "{limit:?}");
    assert!((limit.mean - 3.8).abs() < 0.2, "{limit:?}");
}

/// Requests of clients by number: (client, endpoint, day, times).
type Visits = Vec<(u64, u64, i64, i64)>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn parts_in_any_order_are_the_whole(
        visits in prop::collection::vec((0..30_u64, 100..104_u64, 0..4_i64, 1..9_i64), 1..60),
        order in Just([0_usize, 1, 2, 3]).prop_shuffle()
    ) {
        let learn = |visits: &Visits| {
            let (mut rates, mut visits) = (Rates::new(), visits.clone());
            visits.sort_by_key(|(_, _, day, _)| *day);
            visits.into_iter().for_each(|(client, row, day, times)| visit(&mut rates, row, client, day, times));
            rates.close();
            rates
        };
        let whole = written(&learn(&visits));
        for by in [|visit: &(u64, u64, i64, i64)| visit.0, |visit: &(u64, u64, i64, i64)| visit.2 as u64] {
            let parts: Vec<Rates> = (0..4)
                .map(|part| learn(&visits.iter().filter(|visit| by(visit) % 4 == part).copied().collect()))
                .collect();
            let mut joined = Rates::new();
            order.iter().for_each(|part| joined.join(&parts[*part]));
            prop_assert_eq!(&written(&joined), &whole);
            let mut read = Rates::read(&mut Reader::new(&whole)).unwrap();
            prop_assert_eq!(&written(&read), &whole);
            read.join(&Rates::new());
            prop_assert_eq!(&written(&read), &whole);
        }
    }

    #[test]
    fn other_bytes_are_refused_or_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
        let _ = Rates::read(&mut Reader::new(&bytes));
        let mut rates = Rates::new();
        visit(&mut rates, 7, 1, 0, 3);
        rates.close();
        let mut whole = written(&rates);
        prop_assert!(Rates::read(&mut Reader::new(&whole[..cut.index(whole.len())])).is_none());
        let at = cut.index(whole.len());
        whole[at] ^= bytes.first().copied().unwrap_or(1).max(1);
        if let Some(read) = Rates::read(&mut Reader::new(&whole)) {
            let _ = read.limits(0.01);
        }
    }
}

#[test]
fn names_are_bounded_and_hold_no_ids() {
    let name = |path: &str| {
        endpoint_name(
            &Request { method: "GET".into(), path: path.to_owned().into(), ..Request::default() },
            &Target::Path,
        )
    };
    assert_eq!(&*name("/v2/orders/4711/lines"), "GET /v2/orders/{}/lines");
    assert_eq!(&*name("/a%0Ab"), "GET /{}");
    assert!(name(&"/äö".repeat(200)).len() <= 128);
    let named = endpoint_name(&Request::default(), &Target::Endpoint { id: &"x".repeat(300), variables: &[] });
    assert_eq!(named.len(), 128);
}
