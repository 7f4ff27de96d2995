//! A rate beside the same rule in numbers that cannot overflow: any clock, any entry, any amount.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use proptest::prelude::*;

use super::alone::key;
use crate::base::bounded::{Bounded, Change};
use crate::limit::rate::{Bucket, LAST_NS, LATEST_TAT_NS, LONGEST_FILL};
use crate::limit::window::{Ask, Commit, Measure, rank};

const HOUR: u128 = 3_600_000_000_000;

/// What the rule says: the answer, what is stored, and whether the entry was too far ahead.
struct Plain {
    period: u128,
    burst: u128,
    debt: u128,
}

#[derive(Debug, PartialEq)]
enum Said {
    Passed { remaining: u128, reset: u128 },
    Refused { wait: u128 },
}

impl Plain {
    fn ask(&self, entry: Option<u64>, ask: Ask, now: u128) -> (Said, Option<u128>, bool) {
        let fill = self.period * self.burst;
        let jumped = entry.is_some_and(|entry| u128::from(entry) > now + fill + self.debt + HOUR);
        let here = entry.map(|entry| if jumped { now + fill } else { entry.into() });
        let (amount, reserve) = (u128::from(ask.amount), u128::from(ask.reserve));
        let before = here.unwrap_or(0).max(now);
        let after = before + self.period * amount;
        // In the bucket there is what fits between now and its end.
        let room = now + fill;
        if here.unwrap_or(now) + self.period * (amount + reserve) <= room {
            let remaining = (room - after - self.period * reserve) / self.period;
            let kept = if ask.commit == Commit::Spend { Some(after) } else { here };
            return (Said::Passed { remaining, reset: after - now }, kept, jumped);
        }
        let wait = here.unwrap_or(now) + self.period * (amount + reserve) - room;
        (Said::Refused { wait }, here, jumped)
    }
}

fn clock() -> impl Strategy<Value = i64> {
    const LAST_MS: i64 = (LAST_NS / 1_000_000) as i64;
    prop_oneof![
        any::<i64>(),
        0_i64..100_000,
        (LAST_MS - 5_000)..(LAST_MS + 5_000),
        (1_772_446_530_000 - 10_000_000_i64)..1_772_446_540_000,
        Just(i64::MAX),
        Just(i64::MIN),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn is_the_rule_at_any_clock(
        period_ns in prop_oneof![1_u64..2_000_000_000, 1_u64..31_000_000_000_000_000], burst in prop_oneof![1_u32..9, any::<u32>()],
        debts: bool, entry in prop::option::of(prop_oneof![0..=LATEST_TAT_NS, LAST_NS - 1_000_000..=LATEST_TAT_NS]),
        steps in prop::collection::vec((clock(), any::<u32>(), any::<u32>(), 0_u8..5), 1..30)
    ) {
        let longest = LONGEST_FILL.as_nanos() as u64;
        let burst = u64::from(burst).clamp(1, longest / period_ns) as u32;
        let quota = Quota::with_period(Duration::from_nanos(period_ns)).unwrap().allow_burst(NonZeroU32::new(burst).unwrap());
        let bucket = Bucket::new(quota, "1/1s".parse().unwrap(), debts);
        let plain = Plain { period: period_ns.into(), burst: burst.into(), debt: if debts { 24 * HOUR } else { 0 } };
        let table = Bounded::with_capacity(8);
        if let Some(entry) = entry {
            table.update(key(), rank, |_| (Change::Put(entry), ()));
        }
        for (now, amount, reserve, commit) in steps {
            let reserve = if amount % 3 == 0 { reserve % burst } else { 0 };
            let ask = Ask {
                amount: 1 + amount % (burst - reserve),
                reserve,
                commit: [Commit::Look, Commit::Spend][usize::from(commit > 0)],
            };
            let now_ns = u128::from(now.max(0).unsigned_abs()).saturating_mul(1_000_000).min(LAST_NS.into());
            let (said, kept, jumped) = plain.ask(table.get(key()), ask, now_ns);
            let (measure, found) = bucket.measure(&table, key(), ask, now);
            let ours = match measure {
                Measure::Passed { remaining, reset_ns, .. } => Said::Passed { remaining: remaining.into(), reset: reset_ns.into() },
                Measure::Refused { wait_ns } => Said::Refused { wait: wait_ns.into() },
            };
            prop_assert_eq!((ours, found), (said, jumped));
            prop_assert_eq!(table.get(key()).map(u128::from), kept);
            prop_assert!(kept.is_none_or(|kept| kept <= LATEST_TAT_NS.into()));
        }
    }
}
