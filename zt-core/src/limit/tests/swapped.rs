//! A configuration that is swapped under a living state: each limit finds its own counts, wherever they are.

use proptest::prelude::*;

use super::*;

const LIMITS: [&str; 5] = [
    r#"{"name":"one","key":["peer"],"rate":"4/1m"}"#,
    r#"{"name":"two","key":["peer","endpoint"],"rate":["5/1m","9/1h"]}"#,
    r#"{"name":"all","key":[],"quota":"12/1m"}"#,
    r#"{"name":"way","key":["peer"],"concurrent":6,"hold":"1h"}"#,
    r#"{"name":"own","key":["peer"],"quota":"7/1h","fallback":{"key":[],"rate":"3/1m"}}"#,
];

fn of(limits: &[usize]) -> Limiter {
    limiter(&format!("[{}]", limits.iter().map(|at| LIMITS[*at]).collect::<Vec<_>>().join(",")))
}

/// Some of the limits, in some order.
fn some() -> impl Strategy<Value = Vec<usize>> {
    (Just(vec![0, 1, 2, 3, 4]).prop_shuffle(), 1_usize..=5).prop_map(|(limits, count)| limits[..count].to_vec())
}

proptest! {
    /// What a state that was made for other limits says is what one made for these says, where it knows them all; else
    /// it refuses, and spends nothing.
    #[test]
    fn a_state_of_other_limits_counts_the_same(made in some(), asked in some(), steps in prop::collection::vec((0_i64..20_000, 0_u32..3, any::<bool>()), 1..40)) {
        let limiter = of(&asked);
        let (other, own) = (State::new(&of(&made), 1), State::new(&limiter, 1));
        let known = asked.iter().all(|limit| made.contains(limit));
        prop_assert_eq!(limiter.knows(&other), known);
        let mut now = 1_772_446_530_000;
        for (step, number, endpoint) in steps {
            now += step;
            let subject = at_endpoint(number, if endpoint { "a" } else { "b" });
            let check = limiter.check(&other, Phase::Peer, &subject, now).details();
            if known {
                prop_assert_eq!(check, limiter.check(&own, Phase::Peer, &subject, now).details());
            } else {
                prop_assert!(check.refuses() && check.tickets.is_empty() && other.is_empty());
            }
        }
    }
}
