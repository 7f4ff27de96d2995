//! Many threads at one set: what is read there is whole, what stays is found, and nobody waits for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Bounded, Change, Inserted, Key, ways};

const WRITERS: u64 = 3;

/// Keys of one set.
fn key(low: u64) -> Key {
    Key::from_u128(low.into()).unwrap()
}

/// Runs `write` in several threads for so many steps each, and `read` in two until those are done.
fn beside(steps: u64, write: impl Fn(u64, u64) + Sync, read: impl Fn() + Sync) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    read();
                }
            });
        }
        let write = &write;
        let writers: Vec<_> =
            (0..WRITERS).map(|thread| scope.spawn(move || (0..steps).for_each(|step| write(thread, step)))).collect();
        let results: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::SeqCst);
        assert!(results.iter().all(Result::is_ok));
    });
}

#[test]
fn a_value_of_several_words_is_read_whole_and_is_the_keys_own() {
    let table = Bounded::<[u64; 4]>::with_capacity(1);
    let own = |low: u64, value: &[u64; 4]| value[0] >> 48 == low && value.iter().all(|word| *word == value[0]);
    let write = |thread: u64, step: u64| {
        // One key again and again; and more others than there are places, so that slots change hands.
        let low = if step.is_multiple_of(2) { 1 } else { 2 + step % 28 };
        table.update(
            key(low),
            |key, _| key != self::key(1),
            |here| {
                assert!(here.is_none_or(|here| own(low, here)));
                (
                    if step.is_multiple_of(11) {
                        Change::Remove
                    } else {
                        Change::Put([low << 48 | thread << 32 | step; 4])
                    },
                    (),
                )
            },
        );
    };
    let read = || {
        for low in [1, 1, 1, 2, 1, 3, 1, 1, 4, 1] {
            assert!(table.get(key(low)).is_none_or(|value| own(low, &value)));
        }
        assert!(table.since(0).iter().all(|(key, value)| own(key.to_u128() as u64, value)));
    };
    beside(100_000, write, read);
    assert_eq!(table.len(), table.entries().len());
}

/// The look without the lock misses nothing that was there before it began and stays, whatever happens around it.
#[test]
fn what_is_never_displaced_is_always_found() {
    let table = Bounded::<u64>::with_capacity(ways::<u64>());
    let rank = |_, value: &u64| *value;
    for low in 1..=5 {
        table.update(key(low), rank, |_| (Change::Put(1), ()));
    }
    // In the middle: others come and go before it and after it.
    table.update(key(99), rank, |_| (Change::Put(u64::MAX), ()));
    let write = |thread: u64, step: u64| {
        let change = if step.is_multiple_of(3) { Change::Remove } else { Change::Put(step) };
        table.update(key(1 + (step + 5 * thread) % 60), rank, |_| (change, ()));
    };
    beside(60_000, write, || assert_eq!(table.get(key(99)), Some(u64::MAX)));
    assert!(table.evicted() > 0);
}

/// Two locks at once, in few sets, so that often both are the same and often two threads want each other's.
#[test]
fn inserts_into_two_sets_end_and_never_put_a_key_twice() {
    let table = Bounded::<u64>::with_capacity(3 * ways::<u64>());
    let key = |number: u64| {
        Key::from_u128(
            u128::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64
                | u128::from(number.wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1),
        )
        .unwrap()
    };
    let write = |thread: u64, step: u64| {
        let number = (step * (2 * thread + 1)) % 160;
        let now = step / 50;
        table.insert(key(number), now + number % 7, now);
    };
    let read = || {
        let entries = table.entries();
        assert!(entries.len() <= table.capacity());
    };
    beside(30_000, write, read);
    let entries = table.entries();
    assert!(entries.windows(2).all(|two| two[0].0 < two[1].0));
    assert_eq!(entries.len(), table.len());
}

#[test]
fn a_panic_among_many_leaves_the_set_to_the_others() {
    let table = Bounded::<u64>::with_capacity(10);
    let write = |_, step: u64| {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            table.update(
                key(1),
                |_, value| *value,
                |here| {
                    if step.is_multiple_of(64) {
                        std::panic::resume_unwind(Box::new(()));
                    }
                    (Change::Put(here.map_or(1, |here| here + 1)), ())
                },
            );
        }));
        assert_eq!(ended.is_err(), step.is_multiple_of(64));
    };
    beside(6_400, write, || assert!(table.get(key(1)).is_none_or(|count| count <= WRITERS * 6_300)));
    assert_eq!(table.get(key(1)), Some(WRITERS * 6_300));
}

/// A ranking that panics leaves the set as it was too, but for the count of what had to go.
#[test]
fn a_panic_while_ranking_displaces_nobody() {
    let ways = ways::<u64>() as u64;
    let table = Bounded::<u64>::with_capacity(ways as usize);
    (1..=ways).for_each(|low| table.update(key(low), |_, value| *value, |_| (Change::Put(low), ())));
    let before = table.entries();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        table.update(
            key(ways + 1),
            |_, value| if *value == 5 { std::panic::resume_unwind(Box::new(())) } else { *value },
            |_| (Change::Put(11), ()),
        );
    }));
    assert!(ended.is_err());
    assert_eq!((table.entries(), table.len() as u64, table.pressed_until()), (before, ways, 0));
}

#[test]
fn the_last_epoch_and_the_edges_of_the_hash_are_like_others() {
    let last = Key::from_u128(u128::MAX).unwrap();
    let ways = ways::<u64>();
    for capacity in [0, 1, ways - 1, ways, ways + 1, 2 * ways + 5, 1_000] {
        let table = Bounded::<u64>::with_capacity(capacity);
        assert_eq!(table.capacity(), (capacity / ways * ways).max(ways));
        let put = |key: Key, value: u64| table.update(key, |_, value| *value, |_| (Change::Put(value), ()));
        put(key(1), 1);
        table.advance(u32::MAX);
        put(last, 2);
        table.advance(3);
        put(key(2), 3);
        let told = table.since(u32::MAX);
        assert!(told.contains(&(last, 2)) && told.contains(&(key(2), 3)));
        assert_eq!((table.len(), table.get(last), table.entries().len()), (3, Some(2), 3));
        assert_eq!(table.insert(last, 9, 0), Inserted::Present);
        table.update(last, |_, value| *value, |_| (Change::Remove, ()));
        assert_eq!((table.len(), table.get(last)), (2, None));
    }
}
