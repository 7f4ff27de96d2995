//! A rate beside governor's own store, and under hostile clocks.

use governor::RateLimiter;
use governor::clock::{Clock as _, FakeRelativeClock};
use governor::middleware::StateInformationMiddleware;
use proptest::prelude::*;

use super::*;
use crate::base::bounded::KeyHasher;
use crate::limit::window::Commit;

fn quota(period_ns: u64, burst: u32) -> Quota {
    Quota::with_period(Duration::from_nanos(period_ns)).unwrap().allow_burst(NonZeroU32::new(burst).unwrap())
}

fn key() -> Key {
    KeyHasher::new(1).part(b"k").key()
}

fn bucket(quota: Quota, debts: bool) -> Bucket {
    Bucket::new(quota, "1/1s".parse().unwrap(), debts)
}

fn ask(quota: Quota, amount: u32, reserve: u32, commit: Commit, table: &Bounded<u64>, now: Millis) -> Measure {
    bucket(quota, false).measure(table, key(), Ask { amount, reserve, commit }, now).0
}

fn spend(quota: Quota, table: &Bounded<u64>, _: Key, now: Millis) -> Measure {
    ask(quota, 1, 0, Commit::Spend, table, now)
}

fn peek(quota: Quota, table: &Bounded<u64>, _: Key, now: Millis) -> Measure {
    ask(quota, 1, 0, Commit::Look, table, now)
}

proptest! {
    #[test]
    fn equals_governor_with_its_own_store_and_clock(
        period_us in 1_u64..3_000_000, burst in 1_u32..50, steps in prop::collection::vec((0_u64..5_000, 1_u32..60), 1..200)
    ) {
        let quota = quota(period_us * 1_000, burst);
        let clock = FakeRelativeClock::default();
        let theirs = RateLimiter::direct_with_clock(quota, clock.clone()).with_middleware::<StateInformationMiddleware>();
        let table = Bounded::with_capacity(8);
        let mut now = 0;
        for (step, cost) in steps {
            now += step;
            clock.advance(Duration::from_millis(step));
            let cost = cost.min(burst);
            let ours = ask(quota, cost, 0, Commit::Spend, &table, i64::try_from(now).unwrap());
            match (ours, theirs.check_n(NonZeroU32::new(cost).unwrap()).unwrap()) {
                (Measure::Passed { remaining, .. }, Ok(state)) => {
                    prop_assert_eq!(remaining, state.remaining_burst_capacity());
                }
                (Measure::Refused { wait_ns }, Err(refusal)) => {
                    prop_assert_eq!(u128::from(wait_ns), refusal.wait_time_from(clock.now()).as_nanos());
                }
                (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours, theirs.is_ok()),
            }
        }
    }

    #[test]
    fn any_clock_and_any_entry_are_survived(
        period_ns in 1_u64..31_000_000_000_000_000, burst in 1_u32..=u32::MAX, entry in 0..=LATEST_TAT_NS,
        times in prop::collection::vec(any::<i64>(), 1..20)
    ) {
        let burst = burst.min((LONGEST_FILL.as_nanos() as u64 / period_ns).clamp(1, u64::from(u32::MAX)) as u32);
        let table = Bounded::with_capacity(8);
        table.update(key(), rank, |_| (Change::Put(entry), ()));
        for now in times {
            spend(quota(period_ns, burst), &table, key(), now);
            prop_assert!(table.get(key()).unwrap() <= LATEST_TAT_NS);
        }
    }

    /// However the clock jumps, no more passes than the burst and what the time between its extremes restores.
    #[test]
    fn a_clock_that_jumps_admits_no_more(times in prop::collection::vec(0_i64..100_000, 1..300), burst in 1_u32..10) {
        let table = Bounded::with_capacity(8);
        let quota = quota(1_000_000_000, burst);
        let passed = times.iter().filter(|now| matches!(spend(quota, &table, key(), **now), Measure::Passed { .. })).count();
        let span = times.iter().max().unwrap() - times.iter().min().unwrap();
        prop_assert!(passed as i64 <= i64::from(burst) + span / 1_000, "{} in {} ms", passed, span);
    }
}

#[test]
fn peeking_spends_nothing() {
    let table = Bounded::with_capacity(8);
    let quota = quota(1_000_000_000, 1);
    let passed = peek(quota, &table, key(), 5);
    assert!(table.is_empty());
    assert_eq!(spend(quota, &table, key(), 5), passed);
    let refused = peek(quota, &table, key(), 5);
    assert_eq!(refused, Measure::Refused { wait_ns: 1_000_000_000 });
    assert_eq!(spend(quota, &table, key(), 5), refused);
}

#[test]
fn undo_restores_only_its_own_write() {
    let table = Bounded::with_capacity(8);
    let quota = quota(1_000_000_000, 3);
    let spent = |measure| match measure {
        Measure::Passed { spent, .. } => spent,
        Measure::Refused { .. } => panic!("refused"),
    };
    let first = spent(spend(quota, &table, key(), 5));
    undo(&table, key(), first);
    assert!(table.is_empty());

    let first = spent(spend(quota, &table, key(), 5));
    let before = table.get(key());
    let second = spent(spend(quota, &table, key(), 5));
    undo(&table, key(), first);
    assert_ne!(table.get(key()), before, "another has written since");
    undo(&table, key(), second);
    assert_eq!(table.get(key()), before);
}

proptest! {
    /// What must remain is never taken by those for whom it is not, and is there for the others.
    #[test]
    fn a_reserve_is_kept(burst in 2_u32..40, share in 1_u32..40, steps in prop::collection::vec((0_i64..3_000, 1_u32..5), 1..100)) {
        let reserve = share.min(burst - 1);
        let (quota, table) = (quota(1_000_000_000, burst), Bounded::with_capacity(8));
        let mut now = 0;
        for (step, cost) in steps {
            now += step;
            ask(quota, cost.min(burst - reserve), reserve, Commit::Spend, &table, now);
            let left = (1..=burst).rev().find(|n| matches!(ask(quota, *n, 0, Commit::Look, &table, now), Measure::Passed { .. }));
            prop_assert!(left >= Some(reserve), "{:?} of {}", left, reserve);
        }
    }

    /// A debt makes later requests wait as long as they would have, had it been paid up front.
    #[test]
    fn a_debt_is_paid_off_at_the_rate(debt in 1_u32..1_000, burst in 1_u32..20) {
        let (quota, table) = (quota(1_000_000_000, burst), Bounded::with_capacity(8));
        let bucket = bucket(quota, true);
        table.update(key(), rank, |tat| (Change::Put(bucket.charged(tat.copied(), burst + debt, 0)), ()));
        let at = |now| bucket.measure(&table, key(), Ask { amount: 1, reserve: 0, commit: Commit::Look }, now).0;
        let due = i64::from(debt + 1) * 1_000;
        let passes = |now| matches!(at(now), Measure::Passed { .. });
        prop_assert_eq!((passes(due - 1), passes(due)), (false, true));
    }
}

#[test]
fn a_clock_that_goes_back_a_little_is_waited_for() {
    let (quota, table) = (quota(1_000_000_000, 2), Bounded::with_capacity(8));
    let passes = |now| (0..9).filter(|_| matches!(spend(quota, &table, key(), now), Measure::Passed { .. })).count();
    let noon = 1_772_452_800_000;
    assert_eq!(passes(noon), 2);
    assert_eq!(spend(quota, &table, key(), noon - 3_600_000), Measure::Refused { wait_ns: 3_601_000_000_000 });
    assert_eq!(passes(noon), 0);
}

#[test]
fn a_clock_that_was_far_ahead_locks_nobody_out_for_long() {
    let (quota, table) = (quota(1_000_000_000, 2), Bounded::with_capacity(8));
    let bucket = bucket(quota, false);
    let (noon, year) = (1_772_452_800_000, 31_536_000_000);
    spend(quota, &table, key(), noon + year);
    let one = Ask { amount: 1, reserve: 0, commit: Commit::Spend };
    assert_eq!(bucket.measure(&table, key(), one, noon), (Measure::Refused { wait_ns: 1_000_000_000 }, true));
    assert!(!bucket.measure(&table, key(), one, noon).1, "told once");
    assert!(matches!(spend(quota, &table, key(), noon + 1_000), Measure::Passed { .. }));
}

#[test]
fn no_debt_is_longer_than_a_day() {
    let bucket = bucket(quota(1_000_000_000, 2), true);
    assert_eq!(bucket.charged(None, u32::MAX, 0), 2_000_000_000 + DEBT_NS);
    assert_eq!(bucket.charged(Some(2_000_000_000 + DEBT_NS), 1, 0), 2_000_000_000 + DEBT_NS);
}
