//! What the host says later of what was flagged.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::super::evidence::Evidence;
use super::super::verdicts::MOST_ACCEPTED;
use super::super::{Baseline, Course, Detector, Judged, Target};
use crate::model::Verdict::{Confirmed, FalsePositive};
use crate::model::{Outcome, Peer, Request, Response, Verdict};

const START: i64 = 1_772_446_530_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const BUDGET: f64 = 0.01;
const NEW: &str = "page=3&sort=date&view=[compact]";

fn request(client: u32, query: &str) -> Request<'static> {
    let peer = Peer { ip: Some(IpAddr::V4(Ipv4Addr::from_bits(client))), ..Peer::default() };
    let headers = vec![("User-Agent".into(), "app/1.2".into())];
    let query = Some(query.to_owned().into());
    Request { method: "GET".into(), path: "/orders/17".into(), query, headers, peer, ..Request::default() }
}

fn judge(detector: &Detector, client: u32, query: &str, now: i64) -> Judged {
    detector.judge(&request(client, query), &Target::Path, None, now)
}

/// Decides as the engine does; whether it is flagged.
fn ask(detector: &Detector, id: &str, client: u32, query: &str, now: i64) -> bool {
    let judged = judge(detector, client, query, now);
    let flagged = !judged.unusual.is_empty();
    detector.concluded(id, &judged, if flagged { Outcome::Flag } else { Outcome::Allow }, true);
    flagged
}

fn shop(detector: &Detector, requests: i64, from: i64) {
    for n in 0..requests {
        let query = format!("page={}&sort=date", n % 12);
        ask(detector, &format!("shop-{n}"), (n % 300) as u32, &query, from + n * 10_000);
    }
}

fn served() -> Detector {
    let detector = Detector::new(Baseline::new(1), BUDGET);
    shop(&detector, 2_000, START);
    detector
}

/// After [`served`].
const NOW: i64 = START + 2_000 * 10_000;

#[test]
fn a_false_positive_is_flagged_no_more() {
    let detector = served();
    assert!(ask(&detector, "a", 1_000, NEW, NOW));
    assert!(ask(&detector, "b", 1_001, NEW, NOW + 1), "without a verdict it stays unusual");
    assert!(detector.feedback("a", FalsePositive, NOW + 2));
    for client in [1_000, 1_001, 77] {
        assert!(judge(&detector, client, NEW, NOW + 3).unusual.is_empty(), "{client}");
    }
    // What is unusual in another way is as unusual as before.
    assert!(ask(&detector, "c", 1_000, "page=3&sort=date'--", NOW + 4));
    assert!(ask(&detector, "d", 1_000, "page=3&sort=date&admin=[compact]", NOW + 5));
}

#[test]
fn a_verdict_counts_hours_later_and_after_the_response() {
    let detector = served();
    assert!(ask(&detector, "a", 1_000, NEW, NOW));
    assert!(!detector.has_answered("a"));
    let response = Response { status: 200, body_len: Some(300), ..Response::default() };
    detector.answered("a", &response, NOW);
    assert!(detector.has_answered("a"));
    shop(&detector, 3_000, NOW);
    assert!(!judge(&detector, 1_001, NEW, NOW + 9 * HOUR).unusual.is_empty());
    assert!(detector.feedback("a", FalsePositive, NOW + 9 * HOUR));
    assert!(judge(&detector, 1_001, NEW, NOW + 9 * HOUR).unusual.is_empty());
    assert!(detector.has_answered("a"), "also after the verdict");
}

#[test]
fn as_much_as_was_accepted_of_a_client_is_told_no_more_and_clearly_more_is() {
    let detector = served();
    let burst = |from: i64, number: i64, what: &str| {
        let ids = (0..number).map(|n| format!("{what}-{n}"));
        let asked = ids.enumerate().filter(|(n, id)| ask(&detector, id, 5, "page=3&sort=date", from + *n as i64));
        asked.map(|(_, id)| id).collect::<Vec<_>>()
    };
    let flagged = burst(NOW, 300, "first");
    assert!(!flagged.is_empty());
    assert!(flagged.iter().all(|id| detector.feedback(id, FalsePositive, NOW + HOUR)));
    assert_eq!(burst(NOW + 40 * DAY, 300, "second"), [] as [&str; 0], "so much is normal, also long after");
    assert!(!burst(NOW + 80 * DAY, 30_000, "third").is_empty(), "so much is not");
}

#[test]
fn what_was_confirmed_says_nothing_of_what_scores_mean() {
    let (detector, without) = (served(), served());
    assert!(ask(&detector, "a", 1_000, NEW, NOW));
    assert!(detector.feedback("a", Confirmed, NOW + 1));
    let calibration = |detector: &Detector| {
        let (baseline, mut bytes) = (detector.baseline(), Vec::new());
        let of_watch = detector.calibrated_on();
        baseline.evidence.write(&mut bytes);
        baseline.histograms.each().for_each(|histogram| histogram.write(&mut bytes));
        (of_watch, baseline.calibrated_on(), bytes)
    };
    let (own, other) = (calibration(&detector), calibration(&without));
    assert_eq!((own.0, own.1), (2_000, 2_000));
    assert!(own == other, "as if it had never been");
    let score = |detector: &Detector| judge(detector, 1_001, NEW, NOW).score;
    assert_eq!(score(&detector), score(&without), "what stands out in it is not known either");
}

/// Nats of a request by itself.
fn alone(judged: &Judged) -> f64 {
    let alone = judged.scores.iter().filter(|(of, _)| matches!(of, Evidence::Request(_)));
    alone.map(|(_, nats)| *nats).fold(0.0, f64::max)
}

/// Where there is one client only, what it does is known as all there are have done it: a verdict is of nobody new.
#[test]
fn what_is_usual_is_as_usual_after_a_verdict() {
    let detector = Detector::new(Baseline::new(1), BUDGET);
    for n in 0..2_000 {
        ask(&detector, "usual", 1, &format!("page={}&sort=date", n % 12), START + n * 600_000);
    }
    let now = START + 2_000 * 600_000;
    detector.baseline();
    let usual = |client: u32| alone(&judge(&detector, client, "page=3&sort=date", now));
    let other = || alone(&judge(&detector, 1, "page=3&sort=date&other=1", now));
    let before = (usual(1), other());
    assert!(ask(&detector, "a", 1, NEW, now));
    assert!(detector.feedback("a", FalsePositive, now));
    assert!((usual(1) - before.0).abs() < 0.1, "{} {before:?}", usual(1));
    // As strange; but that one of the requests scored as high is known now, too: ln 2.
    assert!((other() - before.1 + 0.7).abs() < 0.1, "{} {before:?}", other());
    let restored = Detector::new(Baseline::new(1), BUDGET);
    restored.merge(&Baseline::read(&detector.baseline().write()).unwrap());
    let merged = alone(&judge(&restored, 1, "page=3&sort=date", now));
    assert!((merged - before.0).abs() < 0.2, "{merged} {before:?}");
}

#[test]
fn one_verdict_makes_no_place_where_anything_may_come() {
    let detector = served();
    let many: Vec<String> = (0..100).map(|n| format!("&n{n}=1")).collect();
    assert!(ask(&detector, "a", 1_000, &format!("page=3&sort=date{}", many.concat()), NOW));
    assert!(detector.feedback("a", FalsePositive, NOW));
    let other = judge(&detector, 1_001, "page=3&sort=date&other=1", NOW);
    assert!(!other.unusual.is_empty(), "{other:?}");
}

#[test]
fn who_was_confirmed_to_attack_teaches_nothing_for_a_day() {
    let detector = served();
    let known = |at: i64| {
        let before = detector.baseline().calibrated_on();
        ask(&detector, "later", 1_000, "page=3&sort=date", at);
        detector.baseline().calibrated_on() - before
    };
    assert_eq!(known(NOW - HOUR), 1);
    assert!(ask(&detector, "a", 1_000, NEW, NOW));
    assert!(detector.feedback("a", Confirmed, NOW + 60_000));
    assert_eq!((known(NOW + 60_000), known(NOW + DAY + 59_999), known(NOW + DAY + 60_000)), (0, 0, 1));
    ask(&detector, "other", 1_001, NEW, NOW);
    let others = detector.baseline().calibrated_on();
    ask(&detector, "other", 1_001, "page=3&sort=date", NOW);
    assert_eq!(detector.baseline().calibrated_on(), others + 1);
    // It is told to whoever goes on from here.
    let other = served();
    other.merge(&Baseline::read(&detector.baseline().write()).unwrap());
    assert_eq!(detector.verdicts().distrusted, 1);
    assert_eq!((other.verdicts().distrusted, other.verdicts().awaited), (1, 0));
}

/// Whether the last of so many clients that do the same is still flagged.
fn campaign(verdict: Option<Verdict>) -> bool {
    let detector = served();
    let mut flagged = true;
    for n in 0..400_u32 {
        let (id, now) = (format!("c-{n}"), NOW + i64::from(n) * 1_000);
        flagged = ask(&detector, &id, 5_000 + n / 4, NEW, now);
        verdict.into_iter().for_each(|verdict| _ = detector.feedback(&id, verdict, now));
    }
    flagged
}

#[test]
fn a_confirmed_campaign_does_not_become_normal() {
    assert!(!campaign(None), "without verdicts many clients make it so");
    assert!(campaign(Some(Confirmed)));
    assert!(!campaign(Some(FalsePositive)));
}

#[test]
fn the_first_verdict_counts_and_one_about_nothing_does_nothing() {
    let detector = served();
    assert!(ask(&detector, "a", 1_000, NEW, NOW));
    assert!(!ask(&detector, "usual", 1_000, "page=3&sort=date", NOW));
    let before = detector.baseline().write();
    for (id, verdict) in [("never", Confirmed), ("never", FalsePositive), ("usual", Confirmed), ("shop-7", Confirmed)] {
        assert!(!detector.feedback(id, verdict, NOW), "{id}");
    }
    assert!(detector.baseline().write() == before);
    assert!(detector.feedback("a", Confirmed, NOW));
    let before = detector.baseline().write();
    assert!(!detector.feedback("a", FalsePositive, NOW + 1) && !detector.feedback("a", Confirmed, NOW + DAY));
    assert!(detector.baseline().write() == before);
    assert!(!judge(&detector, 1_001, NEW, NOW).unusual.is_empty());
}

#[test]
fn frozen_nothing_is_learned_from_verdicts() {
    let detector = served();
    assert!(ask(&detector, "a", 1_000, NEW, NOW));
    detector.freeze();
    let before = detector.baseline().write();
    assert!(!detector.feedback("a", FalsePositive, NOW) && !detector.feedback("a", Confirmed, NOW));
    assert!(ask(&detector, "b", 1_000, NEW, NOW) && !detector.feedback("b", FalsePositive, NOW));
    assert!(!judge(&detector, 1_001, NEW, NOW).unusual.is_empty());
    let (mut one, mut other) = (detector.baseline(), Baseline::read(&before).unwrap());
    (one.watch, other.watch) = (None, None);
    assert!(one.write() == other.write());
}

#[test]
fn of_one_day_so_many_false_positives_are_taken() {
    let detector = served();
    let day = (NOW / DAY + 1) * DAY;
    let strange = |n: u32| format!("page=3&sort=date&x{n}=[<;{n}");
    for n in 0..110 {
        assert!(ask(&detector, &format!("n-{n}"), 9_000 + n, &strange(n), day), "{n}");
    }
    let take = |from: u32, number: u32, now: i64| {
        (from..from + number).filter(|n| detector.feedback(&format!("n-{n}"), FalsePositive, now)).count()
    };
    assert_eq!(take(0, 80, day), MOST_ACCEPTED as usize);
    assert_eq!(take(100, 10, day + DAY - 1), 0);
    assert_eq!(take(100, 10, day - DAY), 0, "nor of a day that is past");
    assert_eq!(take(100, 10, day + DAY), 10);
    assert_eq!(detector.verdicts().false_positives, 10);
    // The same after a restart.
    let restored = Detector::new(Baseline::read(&detector.baseline().write()).unwrap(), BUDGET);
    assert_eq!((restored.verdicts().false_positives, restored.verdicts().awaited), (10, 0));
}

#[test]
fn what_was_accepted_goes_on_from_its_bytes() {
    let detector = served();
    assert!(ask(&detector, "a", 1_000, NEW, NOW));
    assert!(detector.feedback("a", FalsePositive, NOW));
    let bytes = detector.baseline().write();
    let restored = Detector::new(Baseline::read(&bytes).unwrap(), BUDGET);
    assert!(restored.baseline().write() == bytes);
    assert!(judge(&restored, 1_001, NEW, NOW).unusual.is_empty());
    let merged = served();
    assert!(ask(&merged, "b", 1_000, NEW, NOW));
    merged.merge(&Baseline::read(&bytes).unwrap());
    assert!(judge(&merged, 1_001, NEW, NOW).unusual.is_empty());
}

#[test]
fn drift_is_seen_when_what_clients_send_has_changed() {
    let new = Detector::new(Baseline::new(1), BUDGET);
    assert_eq!((new.drift().course, new.drift().needs), (Course::NotCalibrated, 299));
    let detector = served();
    let calm = detector.drift();
    assert!(calm.course == Course::Calm && calm.judged > 1_500 && calm.rate_at_most > calm.rate, "{calm:?}");
    detector.freeze();
    for n in 0..500_u32 {
        ask(&detector, "one", 7, NEW, NOW + i64::from(n));
    }
    let attacked = detector.drift();
    assert!(attacked.course == Course::Calm && attacked.alarms >= 500, "one client is no drift: {attacked:?}");
    for n in 0..500_u32 {
        ask(&detector, "new release", 10_000 + n, NEW, NOW + i64::from(n));
    }
    let drifting = detector.drift();
    assert!(drifting.course == Course::Drifting && drifting.confidence < 0.001, "{drifting:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn verdicts_in_any_order_and_number_are_survived_and_bounded(
        seed in any::<u64>(),
        steps in prop::collection::vec((0..900_u32, any::<bool>(), any::<bool>(), -3 * DAY..3 * DAY), 200..1_500),
    ) {
        let detector = Detector::new(served_bytes(), BUDGET);
        let start = detector.memory();
        for (n, asks, confirmed, later) in steps {
            let (id, now) = (format!("{n}"), NOW + later);
            if asks {
                let body = format!("page={}&q{}={}", n % 12, n % 97, "<'\"[x9".repeat((n as u64 ^ seed) as usize % 40));
                ask(&detector, &id, n % 50, &body, now);
            }
            detector.feedback(&id, if confirmed { Confirmed } else { FalsePositive }, now);
            let verdicts = detector.verdicts();
            prop_assert!(verdicts.awaited <= 512 && verdicts.false_positives <= MOST_ACCEPTED);
        }
        // Of flagged decisions no more than 512 of 8 KiB at most; beside them what the profile and its tables may take.
        prop_assert!(detector.memory() < start + (8 << 20), "{} {start}", detector.memory());
        let bytes = detector.baseline().write();
        let read = Baseline::read(&bytes);
        prop_assert!(read.is_ok_and(|read| read.write() == bytes));
    }
}

fn served_bytes() -> Baseline {
    static SERVED: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    Baseline::read(SERVED.get_or_init(|| served().baseline().write())).expect("a baseline")
}
