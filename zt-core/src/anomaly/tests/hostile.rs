//! Whatever comes, in whatever order.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::super::file;
use super::super::state::Counted;
use super::super::verdicts::Flagged;
use super::super::{Baseline, Detector, Target};
use crate::model::{Body, Identity, Outcome, Peer, Request, Response, Verdict};

const START: i64 = 1_772_446_530_000;

#[derive(Clone, Debug)]
struct Act {
    client: u8,
    path: u8,
    place: u8,
    after: i64,
    status: u16,
    verdict: Option<Verdict>,
    outcome: u8,
    agent: u8,
}

fn act() -> impl Strategy<Value = Act> {
    let after = prop_oneof![
        30 => 0..120_000_i64,
        6 => -3_600_000..3_600_000_i64,
        3 => 0..3 * 86_400_000_i64,
    ];
    let status = prop_oneof![8 => Just(200_u16), 1 => Just(401), 1 => Just(403), 1 => Just(404), 1 => Just(0)];
    let verdict = prop_oneof![
        12 => Just(None), 1 => Just(Some(Verdict::Confirmed)), 1 => Just(Some(Verdict::FalsePositive))];
    (0..12_u8, any::<u8>(), 0..9_u8, after, status, verdict, 0..10_u8, 0..4_u8).prop_map(
        |(client, path, place, after, status, verdict, outcome, agent)| Act {
            client,
            path,
            place,
            after,
            status,
            verdict,
            outcome,
            agent,
        },
    )
}

fn request(act: &Act) -> Request<'static> {
    let peer = Peer {
        ip: Some(IpAddr::V4(Ipv4Addr::from_bits(u32::from(act.client / 2)))),
        asn: Some(u32::from(act.place)),
        lat: Some([52.0, -90.0, 90.0, f64::NAN, f64::INFINITY, 0.0, -33.0, 91.0, 10.0][usize::from(act.place % 9)]),
        lon: Some([13.0, 180.0, -180.0, 0.0, 0.0, f64::NAN, 151.0, 4.0, 1e300][usize::from(act.place % 9)]),
        tls_fingerprint: (act.place.is_multiple_of(2)).then(|| format!("t{}", act.place).into()),
        ..Peer::default()
    };
    let headers = vec![("User-Agent".into(), format!("app/{}.2 x{}", act.agent, act.agent).into())];
    let path = match act.path {
        0..100 => format!("/orders/{}", act.path % 7 + 10),
        100..180 => format!("/orders/{}/pay", act.path % 7 + 10),
        180..220 => format!("/{}", act.path % 5),
        220..250 => format!("/word{}", ["a", "b", "c"][usize::from(act.path % 3)]),
        _ => String::new(),
    };
    let query = Some(format!("page={}&q={}", act.path % 3, ["x", "'--", ""][usize::from(act.agent % 3)]).into());
    Request { method: "GET".into(), path: path.into(), query, headers, peer, ..Request::default() }
}

/// What was said, as bits.
fn serve(detector: &Detector, acts: &[Act], first: usize, now: &mut i64) -> Vec<(u64, u64, usize)> {
    let mut told = Vec::new();
    for (number, act) in acts.iter().enumerate() {
        *now = now.saturating_add(act.after);
        let who = (act.client % 3 > 0).then(|| Identity::asserted(&format!("user-{}", act.client)));
        let request = request(act);
        let judged = detector.judge(&request, &Target::Path, who.as_ref(), *now);
        assert!(judged.score.is_finite() && (0.0..=1.0).contains(&judged.share));
        let outcome = match act.outcome {
            0 => Outcome::Deny,
            _ if judged.unusual.is_empty() => Outcome::Allow,
            _ => Outcome::Flag,
        };
        let id = format!("{}", first + number);
        detector.concluded(&id, &judged, outcome, act.outcome > 0);
        detector.answered(&id, &Response { status: act.status, body_len: Some(300), ..Response::default() }, *now);
        if let Some(verdict) = act.verdict {
            detector.feedback(&id, verdict, *now);
        }
        told.push((judged.score.to_bits(), judged.share.to_bits(), judged.unusual.len()));
    }
    told
}

fn served(acts: &[Act], budget: f64, start: i64) -> Detector {
    let detector = Detector::new(Baseline::new(1), budget);
    serve(&detector, acts, 0, &mut start.clone());
    detector
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_snapshot_changes_nothing(
        acts in prop::collection::vec(act(), 2..400), at in any::<prop::sample::Index>(),
        budget in prop_oneof![Just(0.5), Just(0.1), Just(0.999), Just(0.01)],
    ) {
        let at = at.index(acts.len());
        let (before, after) = acts.split_at(at);
        let mut now = START;
        let straight = Detector::new(Baseline::new(1), budget);
        serve(&straight, before, 0, &mut now);
        let written = straight.baseline().write();
        let read = Baseline::read(&written).unwrap();
        prop_assert!(read.write() == written, "read back differently");
        let restored = Detector::new(read, budget);
        prop_assert!(restored.baseline().write() == written, "restored differently");
        let mut later = now;
        // What is under way, ids of flagged decisions among it, is forgotten: others follow.
        let told = serve(&straight, after, at, &mut now);
        let again = serve(&restored, after, at, &mut later);
        let differs = told.iter().zip(&again).position(|(a, b)| a != b);
        prop_assert_eq!(differs, None);
    }

    #[test]
    fn joins_in_any_order(
        one in prop::collection::vec(act(), 0..200), two in prop::collection::vec(act(), 0..200),
        budgets in (prop_oneof![Just(0.5), Just(0.1)], prop_oneof![Just(0.5), Just(0.1)]),
        apart in 0..40 * 86_400_000_i64,
    ) {
        let (one, two) = (served(&one, budgets.0, START).baseline(), served(&two, budgets.1, START + apart).baseline());
        let [mut here, mut there] = [one.clone(), two.clone()];
        here.join(&two).unwrap();
        there.join(&one).unwrap();
        let (here, there) = (here.write(), there.write());
        prop_assert!(here == there);
        let read = Baseline::read(&here);
        prop_assert!(read.is_ok(), "{:?}", read.err());
        prop_assert!(read.unwrap().write() == here);
    }

    #[test]
    fn sound_envelopes_around_changed_bytes(
        acts in prop::collection::vec(act(), 1..120),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..8),
        more in prop::collection::vec(act(), 1..20),
    ) {
        let baseline = served(&acts, 0.5, START).baseline();
        let whole = baseline.write();
        let (_, body) = file::ENVELOPE.open(&whole).unwrap();
        // What clients do begins behind what requests are like.
        let mut alone = baseline.clone();
        alone.watch = None;
        let alone = alone.write();
        let behind = file::ENVELOPE.open(&alone).unwrap().1.len();
        let mut body = body.to_vec();
        for (at, by, what) in &changes {
            let at = if what % 2 == 0 { at.index(body.len()) } else { behind + at.index(body.len() - behind) };
            match what {
                0 | 1 => body[at] = *by,
                2 => body[at] = 0xff,
                _ => for byte in body.iter_mut().skip(at).take(8) { *byte = *by | 0x7f },
            }
        }
        if let Ok(read) = Baseline::read(&file::ENVELOPE.seal(0, &body)) {
            let written = read.write();
            prop_assert!(written == file::ENVELOPE.seal(0, &body), "written otherwise than read");
            let detector = Detector::new(read, 0.5);
            serve(&detector, &more, 1_000, &mut START.clone());
            detector.drift();
            detector.rates(0.01);
            detector.merge(&baseline);
            serve(&detector, &more, 2_000, &mut START.clone());
            prop_assert!(Baseline::read(&detector.baseline().write()).is_ok());
        }
    }

    #[test]
    fn any_times(acts in prop::collection::vec((act(), prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1), START..START+9_000_000_000]), 1..60),
        budget in prop_oneof![Just(0.5), Just(1e-9), Just(0.999), Just(0.999_999_999_999_999_9), Just(1e-300)]) {
        let detector = Detector::new(Baseline::new(1), budget);
        for (number, (act, at)) in acts.iter().enumerate() {
            let act = Act { after: 0, ..act.clone() };
            serve(&detector, &[act], number, &mut at.clone());
        }
        detector.drift();
        detector.rates(0.01);
        let written = detector.baseline().write();
        prop_assert!(Baseline::read(&written).unwrap().write() == written);
    }
}

/// Endless merging: what is joined is written so that it can be read, and a detector keeps within its memory.
#[test]
fn what_many_have_learned_reads_back_and_has_bounds() {
    let parts: Vec<Baseline> = (0..14)
        .map(|part| {
            let detector = Detector::with_memory(Baseline::new(1), 0.5, Detector::LEAST_MEMORY);
            for n in 0..700_u32 {
                let peer = Peer { ip: Some(IpAddr::V4(Ipv4Addr::from_bits(part * 700 + n))), ..Peer::default() };
                let method = format!("M{part}X{n}");
                let request = Request { method: method.into(), path: "/a".into(), peer, ..Request::default() };
                let now = START + i64::from(n) * 1_000;
                let judged = detector.judge(&request, &Target::Path, None, now);
                detector.concluded(&n.to_string(), &judged, Outcome::Allow, true);
                let response = Response { status: 200, body_len: Some(300), ..Response::default() };
                detector.answered(&n.to_string(), &response, now);
            }
            detector.baseline()
        })
        .collect();
    let mut joined = parts[0].clone();
    parts[1..].iter().for_each(|part| joined.join(part).unwrap());
    let read = Baseline::read(&joined.write());
    assert!(read.as_ref().is_ok_and(|read| read.write() == joined.write()), "{:?}", read.err());
    let served = Detector::with_memory(parts[0].clone(), 0.5, Detector::LEAST_MEMORY);
    parts[1..].iter().for_each(|part| served.merge(part));
    assert!(served.memory() <= Detector::LEAST_MEMORY, "{}", served.memory());
    assert!(Baseline::read(&served.baseline().write()).is_ok());
}

#[test]
fn what_is_kept_of_a_flagged_request_does_not_grow_with_it() {
    let detector = Detector::new(Baseline::new(1), 0.5);
    let act = |path| Act { client: 1, path, place: 0, after: 0, status: 200, verdict: None, outcome: 1, agent: 0 };
    let list = vec!["1"; 9_000].join(",");
    let body = format!("[{list}]");
    let mut request: Request<'_> = request(&act(7));
    request.headers.push(("content-type".into(), "application/json".into()));
    request.body = Some(Body::new(body.as_bytes()));
    let judged = detector.judge(&request, &Target::Path, None, START);
    assert!(judged.trace.items.len() > 100);
    assert!(!Flagged::new(&judged, true, Counted::default()).trace.items.spilled());
}

/// Nobody waits for ever, and what comes of it is a baseline.
#[test]
fn threads_do_everything_at_once() {
    let detector = Detector::new(Baseline::new(1), 0.3);
    let acts: Vec<Act> = (0..400_u32)
        .map(|n| Act {
            client: (n % 12) as u8,
            path: (n * 37 % 256) as u8,
            place: (n % 9) as u8,
            after: 1_000,
            status: if n % 7 == 0 { 404 } else { 200 },
            verdict: [None, None, Some(Verdict::Confirmed), Some(Verdict::FalsePositive)][(n % 4) as usize],
            outcome: (n % 10) as u8,
            agent: (n % 4) as u8,
        })
        .collect();
    let other = served(&acts[..100], 0.3, START).baseline();
    std::thread::scope(|scope| {
        for thread in 0..8_usize {
            let (detector, acts, other) = (&detector, &acts, &other);
            scope.spawn(move || {
                for (number, part) in acts.chunks(50).enumerate() {
                    serve(detector, part, number * 50, &mut (START + thread as i64));
                    match (thread + number) % 6 {
                        0 => detector.merge(other),
                        1 => assert!(Baseline::read(&detector.baseline().write()).is_ok()),
                        2 => detector.restore(other.clone()),
                        3 => _ = (detector.drift(), detector.rates(0.01), detector.memory(), detector.verdicts()),
                        4 if thread == 7 => detector.freeze(),
                        _ => {}
                    }
                }
            });
        }
    });
    let written = detector.baseline().write();
    assert_eq!(Baseline::read(&written).unwrap().write(), written);
}
