use super::*;
use crate::anomaly::Target;
use crate::anomaly::answers::Teaches;
use crate::base::keyed::Keyed;
use crate::model::{Identity, Peer, Request};

const HOUR: Millis = 3_600_000;
const START: Millis = 492_618 * HOUR;

fn facts(path: &str, place: u8, who: Option<&Identity>, now: Millis) -> Facts {
    let request = Request {
        method: "POST".into(),
        path: path.to_owned().into(),
        peer: Peer { ip: Some([10, 0, 0, place].into()), tls_fingerprint: Some("f".into()), ..Peer::default() },
        ..Request::default()
    };
    Facts::of(&Keyed::new(1), &request, &Target::Path, who, now)
}

/// Failures at this place from one hour to the next, of requests after which somebody was let in there.
fn failures_after_own_login(number: u64) -> u32 {
    let mut behaviour = Behaviour::new();
    // What is usual: some fail here and there.
    for hour in 0..64 {
        for place in 0..4 {
            let failing = facts("/login", place, None, START + hour * 24 * HOUR);
            let looked = behaviour.look(&failing);
            behaviour.learn(&failing, &looked);
            let id = u64::from(place) << 32 | hour as u64;
            behaviour.asks(id, failing.asked(Teaches::Usual));
            behaviour.answered(id, 401, 0, failing.now);
        }
    }
    let now = START + 65 * 24 * HOUR;
    behaviour.look(&facts("/home", 9, Some(&Identity::asserted("own")), now));
    let seen = (0..number).map(|number| {
        let failing = facts("/login", 9, None, now + number as Millis * 1_000);
        let looked = behaviour.look(&failing);
        behaviour.asks(1 << 60 | number, failing.asked(Teaches::Nothing));
        behaviour.answered(1 << 60 | number, 401, 0, failing.now);
        looked.raw[Signal::Failures as usize]
    });
    seen.max().unwrap_or_default()
}

#[test]
fn an_own_login_excuses_who_mistypes_and_no_more() {
    assert_eq!(failures_after_own_login(20), 0);
    assert!(failures_after_own_login(200) > 0);
}

#[test]
fn another_day_is_not_the_other_side_of_midnight() {
    let who = Identity::asserted("user-1");
    let late = START - START % (24 * HOUR) + 23 * HOUR;
    let at = |now| facts("/home", 7, Some(&who), now);
    let mut person = person::Person::default();
    assert!(!person.returns(&at(late)) && !person.returns(&at(late + 2 * HOUR)), "midnight");
    assert!(person.returns(&at(late + 20 * HOUR)));
}

#[test]
fn it_says_why_without_a_value() {
    let (mut behaviour, who) = (Behaviour::new(), Identity::asserted("user-1"));
    let at = |place, now| facts("/orders/17", place, Some(&who), START + now);
    for day in 0..4 {
        let home = at(1, day * 24 * HOUR);
        let looked = behaviour.look(&home);
        behaviour.learn(&home, &looked);
    }
    let mut elsewhere = at(1, 100 * HOUR);
    assert_eq!(
        behaviour.why(&elsewhere, Signal::Session),
        "a session from elsewhere, or that does what its identity seldom does"
    );
    elsewhere.attributes[0] = Some(7);
    assert_eq!(behaviour.why(&elsewhere, Signal::Session), "a session whose identity is new to its TLS fingerprint");
    for _ in 0..50 {
        behaviour.look(&elsewhere);
    }
    let told = behaviour.why(&elsewhere, Signal::Volume);
    assert!(told.starts_with("about 50 requests of this client to the endpoint within an hour, 5"), "{told}");
    for signal in Signal::ALL {
        let told = behaviour.why(&elsewhere, signal);
        assert!(!told.is_empty() && !told.contains("user-1") && !told.contains("17"), "{told}");
    }
}
