use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::Request;

fn get(path: &str, query: &str) -> Request<'static> {
    Request {
        method: "GET".into(),
        path: path.to_owned().into(),
        query: Some(query.to_owned().into()),
        headers: vec![("Accept".into(), "application/json".into()), ("X-Client".into(), "app/1.2".into())],
        ..Request::default()
    }
}

/// Orders looked at, one page after the other.
fn shop(count: u32) -> Vec<Request<'static>> {
    let one = |n: u32| get(&format!("/orders/{}", 1000 + n * 7 % 9000), &format!("page={}&sort=date", n % 12));
    (0..count).map(one).collect()
}

fn learn(requests: &[Request<'_>]) -> Baseline {
    Pass::ALL.into_iter().fold(Baseline::new(1), |before, pass| {
        let mut trainer = Trainer::new(&before, pass);
        requests.iter().for_each(|request| trainer.add(request, &Target::Path, None));
        trainer.end()
    })
}

#[test]
fn what_was_never_there_is_stranger_than_what_was() {
    let baseline = learn(&shop(4_000));
    let score = |request: &Request<'_>| baseline.score(request, &Target::Path);
    let normal = score(&get("/orders/4711", "page=3&sort=date"));
    for (strange, channel) in [
        (get("/orders/4711", "page=3'--&sort=date"), Channel::Value),
        (get("/orders/4711;ls", "page=3&sort=date"), Channel::Value),
        (get("/orders/4711", "page=3&sort=date&admin=1"), Channel::Parameter),
        (get("/orders/4711", "sort=date"), Channel::Structure),
        (get("/backup", ""), Channel::Endpoint),
    ] {
        let scored = score(&strange);
        assert!(scored.score > normal.score + 2.0, "{:?} {scored:?} {normal:?}", strange.query);
        assert!(scored.share <= 0.001 && normal.share > 0.01, "{scored:?} {normal:?}");
        let of = |scored: &Scored| scored.channels.into_iter().find(|(other, _)| *other == channel).unwrap().1;
        assert!(of(&scored) > of(&normal) + 2.0, "{channel:?} {scored:?}");
    }
}

#[test]
fn explanations_name_the_place_and_never_the_value() {
    let baseline = learn(&shop(4_000));
    let request = get("/orders/4711", "page=3&sort=date'secret");
    let scored = baseline.score(&request, &Target::Path);
    let told = baseline.explain(&request, &Target::Path, &scored);
    assert_eq!(told.len(), 3);
    assert!(
        told.iter().all(|told| told.place == "query parameter `sort`" && told.channel == Channel::Value),
        "{told:?}"
    );
    assert!(told.iter().any(|told| told.what == "a quote behind a letter"), "{told:?}");
    assert!(told.iter().all(|told| !told.to_string().contains("secret")));
    let unknown = get("/orders/4711", &format!("page=3&sort=date&x%00{}=1", "y".repeat(100)));
    let told = baseline.explain(&unknown, &Target::Path, &baseline.score(&unknown, &Target::Path));
    assert!(told.iter().all(|told| told.place.len() < 100 && !told.place.contains('\0')), "{told:?}");
}

#[test]
fn nothing_is_called_strange_before_enough_was_seen() {
    for requests in [&[][..], &shop(100), &shop(2_900)] {
        let baseline = learn(requests);
        let scored = baseline.score(&get("/etc/passwd", "x=';--"), &Target::Path);
        assert_eq!(baseline.calibrated_on(), requests.len() as u64);
        assert!(scored.share > 0.001, "{scored:?}");
        assert!(scored.score.is_finite());
    }
}

#[test]
fn names_and_ids_that_are_always_new_are_no_surprise() {
    let one = |n: u32| get("/search", &format!("q=word{}x{}&page=1", n * 7919 % 100_003, n * 104_729 % 1_000_003));
    let requests: Vec<_> = (0..4_000).map(one).collect();
    let baseline = learn(&requests);
    let scored = baseline.score(&get("/search", "q=word99991x770077&page=1"), &Target::Path);
    assert!(scored.share > 0.05, "{scored:?}");
}

/// Content types and bodies, some of them not what they are said to be.
const BODIES: [(&str, &[u8]); 10] = [
    ("text/plain", b""),
    ("image/png", b"\xff\xd8"),
    ("application/json", b"7"),
    ("application/json", b"[]"),
    ("application/x-ndjson", b"[1]\n{}"),
    ("application/json", br#"{"a": {"b": [1]}}"#),
    ("application/json", b"{'a\": b"),
    ("application/x-www-form-urlencoded", b"a=1"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"),
    ("text/plain", b"hello"),
];

fn with_body(method: &'static str, (kind, body): (&'static str, &'static [u8])) -> Request<'static> {
    let mut request = get("/orders/4711", "page=3&sort=date");
    request.method = method.into();
    request.headers.push(("Content-Type".into(), kind.into()));
    request.body = Some(crate::model::Body::new(body));
    request
}

fn request() -> impl Strategy<Value = Request<'static>> {
    let query = proptest::collection::vec(("[ab]", "[a0'<. ]{0,5}"), 0..4);
    let with = proptest::option::of((prop::sample::select(vec!["GET", "POST", "LINK"]), prop::sample::select(&BODIES)));
    ("/[ab](/[0-9]{1,3})?", query, with).prop_map(|(path, query, with)| {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let plain = get(&path, &query.join("&"));
        match with {
            Some((method, body)) => Request { path: plain.path, query: plain.query, ..with_body(method, body) },
            None => plain,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Parts learned apart and joined in any order are what one learns from all.
    #[test]
    fn parts_are_the_whole(
        requests in proptest::collection::vec((request(), 0_usize..16), 1..400),
        order in Just((0..16_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let alone = learn(&requests.iter().map(|(request, _)| request.clone()).collect::<Vec<_>>());
        let together = Pass::ALL.into_iter().fold(Baseline::new(1), |before, pass| {
            let part = |number: usize| {
                let mut trainer = Trainer::new(&before, pass);
                let own = requests.iter().filter(|(_, part)| *part == number);
                own.for_each(|(request, _)| trainer.add(request, &Target::Path, None));
                trainer
            };
            let mut parts: Vec<Trainer<'_>> = order.iter().map(|number| part(*number)).collect();
            // Two by two, as a tree.
            while parts.len() > 1 {
                let joined = parts.chunks(2).map(|pair| {
                    let mut first = pair[0].clone();
                    pair.iter().skip(1).for_each(|other| first.join(other));
                    first
                });
                parts = joined.collect();
            }
            parts.remove(0).end()
        });
        prop_assert_eq!(alone.write(), together.write());
    }

    /// What a request would score had it not been learned is what it scores where it was not.
    #[test]
    fn thinking_a_request_away_is_not_having_learned_it(requests in proptest::collection::vec(request(), 1..60)) {
        let counts = |requests: &[Request<'_>]| {
            let before = Baseline::new(1);
            let mut trainer = Trainer::new(&before, Pass::Counts);
            requests.iter().for_each(|request| trainer.add(request, &Target::Path, None));
            trainer.end()
        };
        let (with, without) = (counts(&requests), counts(&requests[1..]));
        let own = &requests[0];
        // Each item is thought away alone: of a request whose items share no context that is all of it.
        let mut items = Vec::new();
        let reader = with.reader();
        reader.read(own, &Target::Path, &mut |found| {
            let mut events = Vec::new();
            reader.events(found, &mut |sight| events.push(sight.event(with.service)));
            items.push(events);
        });
        let mut uses = std::collections::BTreeMap::<u64, u32>::new();
        for events in &items {
            let contexts: BTreeSet<u64> = events.iter().map(|event| event.context).collect();
            contexts.into_iter().for_each(|context| *uses.entry(context).or_default() += 1);
        }
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        for events in &items {
            let own = model::Own::of(events);
            for event in events.iter().filter(|event| uses[&event.context] == 1) {
                expected.push(without.model.counts.surprise(event));
                found.push(with.model.counts.surprise_without(event, &own));
            }
        }
        prop_assert!(!found.is_empty());
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn bytes_are_read_back_and_broken_ones_are_errors(
        requests in proptest::collection::vec(request(), 0..40),
        at: prop::sample::Index,
        flip in 1_u8..,
    ) {
        let baseline = learn(&requests);
        let bytes = baseline.write();
        let read = Baseline::read(&bytes).unwrap();
        prop_assert_eq!(read.write(), bytes.clone());
        let probe = get("/a/7", "a=<'&zz=1");
        let (here, there) = (baseline.score(&probe, &Target::Path), read.score(&probe, &Target::Path));
        prop_assert_eq!((here.score.to_bits(), here.share.to_bits()), (there.score.to_bits(), there.share.to_bits()));
        let mut broken = bytes.clone();
        broken[at.index(bytes.len())] ^= flip;
        prop_assert!(Baseline::read(&broken).is_err());
        prop_assert!(Baseline::read(&bytes[..at.index(bytes.len())]).is_err());
    }
}

mod behaviour;
mod bounds;
mod hostile;
mod serving;
mod verdicts;

#[test]
fn baselines_are_joined_in_any_order_and_then_not_calibrated() {
    let all = shop(6_000);
    let parts: Vec<Baseline> = all.chunks(2_000).map(learn).collect();
    let joined = |order: [usize; 3]| {
        let mut joined = parts[order[0]].clone();
        joined.join(&parts[order[1]]).unwrap();
        joined.join(&parts[order[2]]).unwrap();
        joined
    };
    let one = joined([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert!(joined(order).write() == one.write(), "{order:?}");
    }
    assert_eq!((one.calibrated_on(), parts[0].calibrated_on()), (0, 2_000));
    assert!(Baseline::read(&one.write()).is_ok());
    // What is counted is what one would have counted of all, and strange requests still score higher.
    assert!(one.uncalibrated().write() == learn(&all).uncalibrated().write());
    let score = |request: &Request<'_>| one.score(request, &Target::Path);
    let strange = score(&get("/orders/4711", "page=3'--&sort=date"));
    assert!(strange.score > score(&get("/orders/4711", "page=3&sort=date")).score && strange.share == 1.0);
}

#[test]
fn nothing_is_joined_with_something_as_it_is_and_seeds_are_not_mixed() {
    let learned = learn(&shop(2_000));
    let (mut from_nothing, mut to_nothing) = (Baseline::new(1), learned.clone());
    from_nothing.join(&learned).unwrap();
    to_nothing.join(&Baseline::new(1)).unwrap();
    assert!(from_nothing.write() == learned.write() && to_nothing.write() == learned.write());
    assert_eq!(to_nothing.join(&Baseline::new(2)), Err(OtherSeed));
    assert!(to_nothing.write() == learned.write());
    assert_eq!((learned.seed(), learned.uncalibrated().calibrated_on()), (1, 0));
}

#[test]
fn a_body_where_no_such_request_has_one_is_unusual_wherever_it_goes() {
    let learned = learn(&shop(6_000));
    let with_body = |body: Option<&'static [u8]>| {
        let mut request = get("/never/seen", "");
        request.body = body.map(crate::model::Body::new);
        let scored = learned.score(&request, &Target::Path);
        let structure = scored.channels.iter().find(|(channel, _)| *channel == Channel::Structure);
        (structure.unwrap().1, learned.explain(&request, &Target::Path, &scored))
    };
    let [none, empty, some] = [None, Some(&b""[..]), Some(&b"null"[..])].map(with_body);
    assert!(none.0 < 1.0 && empty.0 == none.0 && some.0 > 5.0, "{} {} {}", none.0, empty.0, some.0);
    assert!(some.1.iter().any(|told| told.place == "request" && told.what == "such a body with this method"));
}

#[test]
fn however_many_methods_there_are_what_a_body_is_counts() {
    let state = State::new(Baseline::new(1));
    for method in ["A", "B", "C", "D", "E", "F", "G", "get", "Post", "OPTIONS", "GET", "POST", "PUT", "DELETE"] {
        let flood: Vec<_> = BODIES.iter().chain(&BODIES).map(|body| with_body(method, *body)).collect();
        serving::serve(&state, &flood);
    }
    let baseline = state.baseline();
    let context = crate::base::keyed::join(baseline.service, kind::Kind::Body as u64);
    let (mut found, reader) = (BTreeSet::new(), baseline.reader());
    let mut see = |sight: item::Sight| found.extend(Some(sight.event(0)).filter(|event| event.context == context));
    for of in BODIES {
        reader.read(&with_body("A", of), &Target::Path, &mut |item| reader.events(item, &mut see));
    }
    let counted: Vec<u32> = found.iter().map(|event| baseline.model.counts.known(event).0).collect();
    assert!(counted.len() == 9 && counted.iter().sum::<u32>() == 200, "{counted:?}");
    assert!(baseline.model.counts.surprise(&item::Event::new(kind::Kind::Body, context, 1)) > 0, "not open");
}
