//! The fast path beside the general one: the same is said, spent and remembered, whatever the table holds and the clock
//! shows.

use std::net::Ipv6Addr;

use proptest::prelude::*;

use super::one_step::{all, put_right};
use super::*;
use crate::base::bounded::Key;
use crate::limit::rate::{Bucket, LAST_NS, LATEST_TAT_NS};
use crate::limit::window::Kind;
use crate::model::{Identity, IdentityKind};

const NOW: Millis = 1_772_446_530_000;
const HOUR_NS: i128 = 3_600_000_000_000;
const RATES: [&str; 6] = [
    r#""rate":"1/1s""#,
    r#""rate":"3/1s""#,
    r#""rate":"7/1h","burst":4"#,
    r#""rate":"1000000000/1s","burst":2"#,
    r#""rate":"1/1d","burst":366"#,
    r#""rate":"4/1m","fallback":{"key":[],"rate":"5/1m"}"#,
];

/// A limit for each phase, each alone in it.
fn limits() -> impl Strategy<Value = String> {
    let peer =
        prop::sample::select(vec![r#"["peer"]"#, r#"["peer_prefix"]"#, r#"["segment","peer"]"#, r#"["segment"]"#]);
    // Of one text, a segment and a tenant have the same key.
    let identity = prop::sample::select(vec![r#"["identity"]"#, r#"["tenant"]"#, r#"["peer","identity"]"#]);
    let rate = || prop::sample::select(RATES.to_vec());
    (peer, rate(), identity, rate()).prop_map(|(peer, of_peer, identity, of_identity)| {
        format!(r#"[{{"name":"p","key":{peer},{of_peer}}},{{"name":"i","key":{identity},{of_identity}}}]"#)
    })
}

/// Some point that matters to a bucket, so many nanoseconds beside it.
#[derive(Clone, Copy, Debug)]
enum Point {
    Now,
    LastThatPasses,
    Full,
    Ahead,
    Latest,
    First,
}

impl Point {
    fn of(self, bucket: &Bucket, now: Millis, beside: i128) -> u64 {
        let now = (i128::from(now.max(0)) * 1_000_000).min(LAST_NS.into());
        let fill = i128::from(bucket.period_ns()) * i128::from(bucket.capacity());
        let point = match self {
            Self::Now => now,
            Self::LastThatPasses => now + fill - i128::from(bucket.period_ns()),
            Self::Full => now + fill,
            Self::Ahead => now + fill + HOUR_NS,
            Self::Latest => LATEST_TAT_NS.into(),
            Self::First => 0,
        };
        (point + beside).clamp(0, LATEST_TAT_NS.into()) as u64
    }
}

#[derive(Clone, Debug)]
enum Step {
    Ask(usize),
    Clock(Millis),
    Later(Millis),
    /// An entry of this one comes from elsewhere, or is lost.
    Entry(usize, Point, i128),
    Lost(Point, i128),
}

fn step() -> impl Strategy<Value = Step> {
    let point = || {
        use Point::*;
        (prop::sample::select(vec![Now, LastThatPasses, Full, Ahead, Latest, First]), -1_i128..=1)
    };
    let last = (LAST_NS / 1_000_000) as Millis;
    let clock = prop_oneof![
        1 => prop::sample::select(vec![Millis::MIN, -1, 0, 1, last - 1, last, last + 1, Millis::MAX]),
        1 => any::<Millis>(),
        4 => NOW - 9_000_000..NOW + 9_000_000,
    ];
    prop_oneof![
        12 => (0_usize..6).prop_map(Step::Ask),
        1 => clock.prop_map(Step::Clock),
        3 => prop_oneof![0_i64..3_000, -4_000_000_i64..4_000_000].prop_map(Step::Later),
        3 => (0_usize..6, point()).prop_map(|(who, (point, beside))| Step::Entry(who, point, beside)),
        1 => point().prop_map(|(point, beside)| Step::Lost(point, beside)),
    ]
}

fn bucket(rule: &Rule) -> &Bucket {
    match &rule.windows[0].kind {
        Kind::Rate(bucket) => bucket,
        other => panic!("{other:?} is no rate"),
    }
}

fn key(rule: &Rule, state: &State, subject: &Subject<'_>) -> Option<Key> {
    rule.key.key(rule.phase, state.hashers(), subject)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn is_as_the_general_path(json in limits(), crowd in 0_u32..2, steps in prop::collection::vec(step(), 1..60)) {
        let configs: Vec<Config> = serde_json::from_str(&json).unwrap();
        let limiter = Limiter::compile(&configs, Size::from_bytes(32 << 10)).unwrap();
        prop_assert!(limiter.fast.peer.is_some() && limiter.fast.identity.is_some());
        let (one, two) = (State::new(&limiter, 1), State::new(&limiter, 1));
        let people = [0, 1, 2].map(|number| Identity::new(IdentityKind::Jwt, format!("i{number}")));
        let addresses: [Option<IpAddr>; 6] = [
            Some(Ipv4Addr::new(10, 0, 0, 1).into()),
            Some(Ipv4Addr::new(10, 0, 1, 1).into()),
            Some(Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().into()),
            Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1).into()),
            Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1).into()),
            None,
        ];
        let tenant = || Some("s".to_owned());
        let subject = |who: usize| Subject {
            tenant: Some(&tenant),
            peer: addresses[who],
            segment: if who.is_multiple_of(2) { Some("s") } else { None },
            identity: people.get(who),
            ..Subject::default()
        };
        let mut now = NOW;
        let both = |subject: &Subject<'_>, now| {
            for phase in [Phase::Peer, Phase::Identity] {
                let check = limiter.check(&one, phase, subject, now);
                let other = limiter.check_but(&two, phase, subject, &|_| false, now);
                prop_assert_eq!((check.clone().refuses(), check.standing()), (other.refuses(), other.standing()), "{}", &json);
                prop_assert_eq!(check.details(), other, "{}", &json);
            }
            Ok(())
        };
        for number in 0..crowd * 900 {
            both(&peer(number << 8), now)?;
        }
        for step in steps {
            match step {
                Step::Ask(who) => both(&subject(who), now)?,
                Step::Clock(at) => now = at,
                Step::Later(by) => now = now.saturating_add(by),
                Step::Entry(who, point, beside) => for (state, rule) in [&one, &two].into_iter().flat_map(|state| limiter.rules.iter().map(move |rule| (state, rule))) {
                    let tables = state.tables(&limiter, rule).unwrap();
                    if let Some(key) = key(rule, state, &subject(who)) {
                        tables[0].join(key, point.of(bucket(rule), now, beside));
                    }
                },
                Step::Lost(point, beside) => for (state, rule) in [&one, &two].into_iter().flat_map(|state| limiter.rules.iter().map(move |rule| (state, rule))) {
                    state.tables(&limiter, rule).unwrap()[0].entries.press_until(point.of(bucket(rule), now, beside));
                },
            }
            [&one, &two].into_iter().for_each(|state| put_right(&limiter, state, now));
            prop_assert_eq!(all(&one), all(&two), "{}", &json);
        }
    }
}

/// What a clock that was ahead displaced is put right by the first stranger, who is counted with the others, as is everybody
/// until then; from a full bucket's time after him, strangers are counted alone again. Who is known always is.
#[test]
fn a_stranger_puts_right_what_is_missing() {
    let limiter = limiter(r#"[{"name":"p","key":["peer"],"rate":"6/1m"}]"#);
    let state = State::new(&limiter, 1);
    let standings = |number: u32, now| limiter.check(&state, Phase::Peer, &peer(number << 8), now).details().standings;
    assert_eq!(standings(1, NOW).len(), 1);
    state.tables[0].entries.press_until(NOW.unsigned_abs() * 2_000_000);
    assert_eq!((standings(1, NOW + 1).len(), state.clock_jumps()), (1, 0));
    assert_eq!((standings(2, NOW + 1_000).len() > 1, state.clock_jumps()), (true, 1));
    assert!(standings(3, NOW + 60_999).len() > 1);
    assert_eq!((standings(4, NOW + 61_002).len(), standings(1, NOW + 61_002).len()), (1, 1));
}

#[test]
fn only_what_is_the_same_for_all_is_fast() {
    let of = |limit: &str| {
        let limiter = limiter(&format!("[{limit}]"));
        limiter.fast.peer.is_some() || limiter.fast.identity.is_some()
    };
    assert!(of(r#"{"name":"a","key":["peer"],"rate":"9/1m"}"#));
    assert!(of(r#"{"name":"a","key":["peer"],"rate":"9/1m","cost":1}"#));
    assert!(of(r#"{"name":"a","key":["tenant","header:x"],"rate":"9/1m","burst":3}"#));
    for more in [
        r#""rate":["9/1m","90/1h"]"#,
        r#""rate":"9/1m","quota":"90/1d""#,
        r#""rate":"9/1m","concurrent":3"#,
        r#""quota":"9/1m""#,
        r#""concurrent":3"#,
        r#""rate":"9/1m","cost":2"#,
        r#""rate":"9/1m","cost":"response""#,
        r#""rate":"9/1m","cost":"body/1KiB""#,
        r#""rate":"9/1m","learned":true"#,
        r#""rate":"9/1m","mode":"monitor""#,
        r#""rate":"9/1m","endpoints":["e"]"#,
        r#""rate":"9/1m","segments":["s"]"#,
        r#""rate":"9/1m","except":{"identities":["root"]}"#,
        r#""rate":"9/1m","reserve":40,"reserved_for":{"endpoints":["e"]}"#,
    ] {
        assert!(!of(&format!(r#"{{"name":"a","key":["identity"],{more}}}"#)), "{more}");
    }
    assert!(!of(r#"{"name":"a","key":["peer"],"rate":"9/1m"},{"name":"b","key":["endpoint"],"rate":"9/1m"}"#));
}
