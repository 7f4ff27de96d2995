//! Made-up weeks: what is a surge, and how often it is told.

use super::*;

const DAY: Millis = 24 * HOUR;
/// A Monday.
const MONDAY: Millis = 4 * DAY + 2_877 * 7 * DAY;
const ENDPOINTS: [(u64, u32); 3] = [(1, 60), (2, 25), (3, 15)];

/// Requests that come to an endpoint in an hour, spread over it with some unrest.
fn hour(tides: &mut Tides, endpoint: u64, number: u32, start: Millis, learns: bool) -> usize {
    let mut told = 0;
    for one in 0..number {
        let now = start + Millis::from(one) * HOUR / Millis::from(number) + Millis::from(one * 7_919 % 60) * 1_000;
        told += usize::from(request(tides, endpoint, now, learns));
    }
    told
}

/// Whether a request is told of, which is taken for an alarm.
fn request(tides: &mut Tides, endpoint: u64, now: Millis, learns: bool) -> bool {
    let (swell, news) = tides.look(endpoint, now);
    if news > 0 {
        tides.alarm(endpoint, &swell, now);
    }
    if learns {
        tides.learn(endpoint, &swell);
    }
    news > 0
}

/// Requests of an hour of the day: few in the night, and a peak in the evening.
fn usual(at: Millis) -> u32 {
    match at / HOUR % 24 {
        0..6 => 4,
        20 => 400,
        _ => 100,
    }
}

/// So many hours from one on, with so many times what is usual, in hundredths; each up to a fifth more or less.
fn hours(tides: &mut Tides, from: Millis, number: i64, times: u32) -> usize {
    let mut told = 0;
    for at in (0..number).map(|hour| from + hour * HOUR) {
        let unrest = 80 + u32::try_from(at / HOUR * 31 % 41).unwrap();
        // What comes to several endpoints comes together.
        let mut all: Vec<(Millis, u64)> = Vec::new();
        for (endpoint, part) in ENDPOINTS {
            let count = usual(at) * part * unrest / 100 * times / 10_000;
            let within =
                |one: u32| at + (Millis::from(one) * HOUR + 977 * Millis::from(part)) / Millis::from(count.max(1));
            all.extend((0..count).map(|one| (within(one), endpoint)));
        }
        all.sort_unstable();
        told += all.into_iter().filter(|(now, endpoint)| request(tides, *endpoint, *now, true)).count();
    }
    told
}

/// Two weeks.
fn known() -> Tides {
    let mut tides = Tides::new();
    assert_eq!(hours(&mut tides, MONDAY, 14 * 24, 100), 0);
    tides
}

const LATER: Millis = MONDAY + 14 * DAY;

#[test]
fn as_much_as_at_noon_is_a_surge_at_four_in_the_morning() {
    let mut tides = known();
    assert_eq!(hours(&mut tides, LATER, 4, 100), 0);
    let mut night = tides.clone();
    let told = hour(&mut night, 1, 60, LATER + 4 * HOUR, true);
    assert_eq!(told, 1);
    let mut frozen = tides.clone();
    let told = hour(&mut frozen, 1, 60, LATER + 4 * HOUR, false);
    assert_eq!(told, 1);
    assert_eq!(hours(&mut tides, LATER + 4 * HOUR, 8, 100), 0);
    assert_eq!(hour(&mut tides, 1, 60, LATER + 12 * HOUR, true), 0);
}

#[test]
fn a_daily_peak_is_none() {
    let mut tides = known();
    assert_eq!(hours(&mut tides, LATER, 21 * 24, 100), 0);
    // Nor is what grows slowly.
    for day in 21..40 {
        let times = 100 + u32::try_from(day - 20).unwrap() * 5;
        assert_eq!(hours(&mut tides, LATER + day * DAY, 24, times), 0, "{day}");
    }
}

#[test]
fn a_promotion_is_told_once_and_the_next_is_not() {
    let mut tides = known();
    let mut told = 0;
    for day in 0..3 {
        let start = LATER + day * DAY;
        assert_eq!(hours(&mut tides, start, 12, 100), 0);
        told += hours(&mut tides, start + 12 * HOUR, 4, 350);
        told += hours(&mut tides, start + 16 * HOUR, 8, 100);
    }
    assert_eq!(told, 1);
}

#[test]
fn a_nightly_batch_is_told_once() {
    let mut tides = known();
    let told: Vec<usize> = (0..20)
        .map(|day| {
            let start = LATER + day * DAY;
            assert_eq!(hours(&mut tides, start, 3, 100), 0);
            let told = hour(&mut tides, 2, 300, start + 3 * HOUR, true);
            told + hours(&mut tides, start + 4 * HOUR, 20, 100)
        })
        .collect();
    assert_eq!(told[0], 1);
    assert!(told.iter().skip(1).all(|told| *told == 0), "{told:?}");
}

#[test]
fn a_flood_of_all_endpoints_is_told_and_one_of_many_new_ones() {
    let mut tides = known();
    assert!((1..=3).contains(&hours(&mut tides, LATER + HOUR, 1, 10_000)));
    let mut tides = known();
    let told = (0..2_000).filter(|n| request(&mut tides, 100 + *n as u64, LATER + 12 * HOUR + n * 100, true)).count();
    assert!((1..=3).contains(&told), "{told}");
    assert!(tides.endpoints.len() <= super::ENDPOINTS);
    assert!(tides.memory() < 1 << 20, "{}", tides.memory());
}

#[test]
fn nothing_is_said_before_two_days() {
    let mut tides = Tides::new();
    assert_eq!(hours(&mut tides, MONDAY, 24, 100), 0);
    assert_eq!(hour(&mut tides, 1, 3_000, MONDAY + DAY + 3 * HOUR, true), 0);
    // A pause of a week is no week without requests.
    let mut tides = known();
    let seen = tides.all.week.seen();
    hours(&mut tides, LATER + 7 * DAY, 2, 100);
    assert_eq!(tides.all.week.seen(), seen + 2);
}

#[test]
fn what_an_hour_teaches_is_bounded() {
    let mut tides = known();
    let before = tides.all.week.rates();
    hour(&mut tides, 1, 50_000, LATER + 12 * HOUR, true);
    hours(&mut tides, LATER + 13 * HOUR, 2, 100);
    let after = tides.all.week.rates();
    assert!(before.iter().zip(after).all(|(before, after)| after < before * 2), "{before:?} {after:?}");
}

#[test]
fn restored_at_any_time_it_expects_the_same() {
    let mut straight = known();
    hours(&mut straight, LATER, 5, 400);
    // The hour has begun, one endpoint was asked for in it, and late requests follow.
    let now = LATER + 5 * HOUR;
    request(&mut straight, 1, now, true);
    let mut bytes = Vec::new();
    straight.write(&mut bytes);
    let mut restored = Tides::read(&mut Reader::new(&bytes)).unwrap();
    for n in 0..600_i64 {
        let at = now + n * 1_000 - if n % 7 == 0 { HOUR } else { 0 };
        let endpoint = 1 + n.unsigned_abs() % 3;
        let [(one, news), (other, again)] = [&mut straight, &mut restored].map(|tides| tides.look(endpoint, at));
        assert_eq!((one.heights, one.samples, news), (other.heights, other.samples, again), "{n}");
    }
}

#[test]
fn it_goes_on_from_its_bytes_and_joins_in_any_order() {
    let (mut one, mut other) = (known(), Tides::new());
    hours(&mut other, LATER - 4 * DAY, 5 * 24, 30);
    let bytes = |tides: &Tides| {
        let mut bytes = Vec::new();
        tides.write(&mut bytes);
        bytes
    };
    let mut again = Tides::read(&mut Reader::new(&bytes(&one))).unwrap();
    assert_eq!(bytes(&again), bytes(&one));
    for number in 0..400 {
        let (endpoint, now) = (1 + number % 3, LATER + 30 * 60_000 + Millis::try_from(number).unwrap() * 20_000);
        assert_eq!(again.look(endpoint, now).1, one.look(endpoint, now).1, "{number}");
    }
    assert_eq!(bytes(&again), bytes(&one));
    let [mut left, mut right] = [one.clone(), other.clone()];
    left.join(&other);
    right.join(&one);
    let fields =
        |tides: &Tides| (bytes(&Tides { endpoints: Generations::new(1), ..tides.clone() }), tides.endpoints.len());
    assert_eq!(fields(&left), fields(&right));
    for (endpoint, _) in ENDPOINTS {
        let [left, right] = [&left, &right].map(|tides| {
            let mut bytes = Vec::new();
            tides.endpoints.get(endpoint).unwrap().write(&mut bytes);
            bytes
        });
        assert_eq!(left, right);
    }
    // Two places that are joined expect what one of them has.
    let mut joined = known();
    joined.join(&known());
    assert_eq!(hours(&mut joined, LATER, 24, 100), 0);
}
