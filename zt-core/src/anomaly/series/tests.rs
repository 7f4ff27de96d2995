use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const MINUTE: Millis = 60_000;
const DAY: Millis = 1_440 * MINUTE;
/// A Monday.
const START: Millis = 4 * DAY;

/// Even numbers from -1 to 1, the same on every target.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 30) - 1.0
    }
}

/// So many steps of some minutes each, from `START`.
fn times(minutes: i64, count: usize) -> impl Iterator<Item = Millis> {
    (0..count).map(move |number| START + number as i64 * minutes * MINUTE)
}

fn hour_of(time: Millis) -> i64 {
    time % DAY / (60 * MINUTE)
}

/// Requests in five minutes, with a peak in the evening.
fn shop(time: Millis, noise: &mut Noise) -> f64 {
    let usual = if (18..21).contains(&hour_of(time)) { 3_000.0 } else { 1_000.0 };
    usual * (1.0 + 0.05 * noise.next())
}

/// What two weeks of it taught.
fn two_weeks(noise: &mut Noise) -> Series {
    let mut series = Series::new();
    for time in times(5, 14 * 288) {
        series.push(time, shop(time, noise));
    }
    series
}

fn is_alarm(surprise: &Surprise) -> bool {
    surprise.score >= Series::ALARM
}

#[test]
fn a_peak_at_its_hour_is_usual_and_at_another_is_not() {
    let mut noise = Noise(1);
    let series = two_weeks(&mut noise);
    let day = START + 14 * DAY;
    let mut usual = series.clone();
    for time in (0..288).map(|number| day + number * 5 * MINUTE) {
        let surprise = usual.push(time, shop(time, &mut noise));
        assert!(!is_alarm(&surprise), "{}: {surprise:?}", hour_of(time));
    }
    let mut off_peak = series;
    for time in (0..48).map(|number| day + number * 5 * MINUTE) {
        off_peak.push(time, shop(time, &mut noise));
    }
    let surprise = off_peak.push(day + 4 * 60 * MINUTE, 3_000.0);
    assert!(is_alarm(&surprise), "{surprise:?}");
}

#[test]
fn a_promotion_is_one_alarm_and_not_one_for_each_point() {
    let mut noise = Noise(2);
    let mut series = two_weeks(&mut noise);
    let day = START + 14 * DAY + 9 * 60 * MINUTE;
    let promotion = (0..60).map(|number| day + number * 5 * MINUTE);
    let surprises: Vec<Surprise> = promotion.map(|time| series.push(time, 5.0 * shop(time, &mut noise))).collect();
    assert!(is_alarm(&surprises[0]), "{:?}", surprises[0]);
    let alarms = surprises.iter().filter(|surprise| is_alarm(surprise)).count();
    assert!(alarms <= 3, "{alarms} alarms");
    // It is not that it went on unnoticed.
    let surprising = surprises.iter().filter(|surprise| surprise.nats > 5.0).count();
    assert!(surprising >= 8, "{surprising}");
}

#[test]
fn a_nightly_batch_is_learned_in_three_nights() {
    let mut noise = Noise(3);
    let mut series = Series::new();
    let mut alarms = Vec::new();
    // The first is in the fourth night.
    for time in times(5, 21 * 288) {
        let night = (time - START) / DAY;
        let is_batch = night >= 3 && hour_of(time) == 3;
        let value = 100.0 * (1.0 + 0.1 * noise.next()) + if is_batch { 2_000.0 } else { 0.0 };
        if is_alarm(&series.push(time, value)) {
            alarms.push(night);
        }
    }
    assert_eq!(alarms, [3, 4, 5]);
}

#[test]
fn a_jump_of_what_never_changed() {
    let mut series = Series::new();
    for time in times(1, 1_000) {
        assert_eq!(series.push(time, 7.0), Surprise { nats: 0.0, score: 0.0 });
    }
    let surprise = series.push(START + 1_000 * MINUTE, 8.0);
    assert!(is_alarm(&surprise) && surprise.nats > 6.0, "{surprise:?}");
}

#[test]
fn the_first_points_raise_no_alarm() {
    let mut series = Series::new();
    for (number, time) in times(1, 100).enumerate() {
        let value = if number % 30 == 29 { 1e6 } else { 1.0 };
        assert_eq!(series.push(time, value).score, 0.0);
    }
}

#[test]
fn what_is_no_point_changes_nothing() {
    let mut series = two_weeks(&mut Noise(4));
    let before = series.clone();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1e17] {
        assert_eq!(series.push(START, value), Surprise { nats: 0.0, score: 0.0 });
    }
    assert_eq!(series, before);
}

/// Only the hour and the kind of day matter.
#[test]
fn a_clock_that_is_set_back_is_no_error() {
    let mut noise = Noise(5);
    let series = two_weeks(&mut noise);
    let (mut on, mut back) = (series.clone(), series);
    for number in 0..288 {
        let value = 1_000.0 + 50.0 * noise.next();
        let time = START + number * 5 * MINUTE;
        assert_eq!(on.push(time + 14 * DAY, value), back.push(time - 70 * DAY, value));
    }
    assert_eq!(on, back);
}

/// The same on every target: sums of bits after each of 3,000 points.
#[test]
fn golden_bits() {
    let (mut series, mut noise) = (Series::new(), Noise(6));
    let (mut nats, mut scores) = (0_u64, 0_u64);
    for time in times(7, 3_000) {
        let value = 50.0 + noise.next() * 20.0 + if noise.next() > 0.99 { 400.0 } else { 0.0 };
        let surprise = series.push(time, value);
        nats = nats.rotate_left(1) ^ surprise.nats.to_bits();
        scores = scores.rotate_left(1) ^ surprise.score.to_bits();
    }
    assert_eq!((nats, scores), (16_300_110_708_496_025_776, 10_156_408_701_024_460_344));
}

fn bytes(series: &Series) -> Vec<u8> {
    let mut bytes = Vec::new();
    series.write(&mut bytes);
    bytes
}

fn points(most: usize) -> impl Strategy<Value = Vec<(Millis, f64)>> {
    let value = prop_oneof![0.0..1e4, -10.0..10.0, any::<f64>(), Just(MOST), Just(-MOST), Just(f64::MIN_POSITIVE)];
    let time = prop_oneof![0..28 * DAY, any::<Millis>()];
    prop::collection::vec((time, value), 0..most)
}

#[test]
fn as_long_as_it_says() {
    assert_eq!(size_of::<Series>(), 7_920);
    assert_eq!(bytes(&Series::new()).len(), 7_920);
    assert_eq!(bytes(&two_weeks(&mut Noise(7))).len(), 7_920);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn goes_on_from_its_bytes_as_if_nothing_was(before in points(300), after in points(100)) {
        let mut series = Series::new();
        for (time, value) in before {
            series.push(time, value);
        }
        let written = bytes(&series);
        let mut reader = Reader::new(&written);
        let mut read = Series::read(&mut reader).expect("a series");
        prop_assert_eq!(reader.left(), 0);
        for (time, value) in after {
            let (on, again) = (series.push(time, value), read.push(time, value));
            prop_assert!(on.nats.is_finite() && (0.0..1.0).contains(&on.score), "{:?}", on);
            prop_assert_eq!((on.nats.to_bits(), on.score.to_bits()), (again.nats.to_bits(), again.score.to_bits()));
        }
        prop_assert_eq!(bytes(&series), bytes(&read));
    }

    #[test]
    fn changed_bytes_are_no_series_or_another(at in any::<prop::sample::Index>(), byte: u8, after in points(50)) {
        static LEARNED: LazyLock<Vec<u8>> = LazyLock::new(|| bytes(&two_weeks(&mut Noise(8))));
        let mut changed = LEARNED.clone();
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Some(mut series) = Series::read(&mut Reader::new(&changed)) {
            prop_assert_eq!(bytes(&series), changed);
            for (time, value) in after {
                let surprise = series.push(time, value);
                prop_assert!(surprise.nats.is_finite() && surprise.score.is_finite());
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..9_000)) {
        if let Some(mut series) = Series::read(&mut Reader::new(&bytes)) {
            series.push(0, 1.0);
        }
    }
}
