//! Many threads on one table.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::{Bounded, Change, Inserted, Key, KeyHasher};

const THREADS: u64 = 4;

fn key(number: u64) -> Key {
    KeyHasher::new(9).number(number).key()
}

fn add_one(table: &Bounded<u64>, key: Key) -> u64 {
    table.update(
        key,
        |_, v| *v,
        |old| {
            let next = old.map_or(1, |old| old + 1);
            (Change::Put(next), next)
        },
    )
}

/// Each thread works through keys of its own order; a table with room loses no count and gives none twice.
#[test]
fn no_count_is_lost_and_none_given_twice() {
    const KEYS: u64 = 300;
    const ROUNDS: u64 = 200;
    let table = Bounded::<u64>::with_capacity(1 << 14);
    let sums: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (table, sums) = (&table, &sums);
            scope.spawn(move || {
                for step in 0..KEYS * ROUNDS {
                    let number = (step * (2 * thread + 1)) % KEYS;
                    let seen = add_one(table, key(number));
                    sums[number as usize].fetch_add(seen, Ordering::Relaxed);
                    if step % 97 == 0 {
                        table.get(key(step % KEYS));
                    }
                }
            });
        }
    });
    let total: u64 = table.entries().iter().map(|(_, count)| count).sum();
    assert_eq!(total, THREADS * KEYS * ROUNDS);
    for (number, sum) in sums.iter().enumerate() {
        // 1 + 2 + .. + count, each seen by one thread only.
        let count = table.get(key(number as u64)).unwrap();
        assert_eq!(sum.load(Ordering::Relaxed), count * (count + 1) / 2);
    }
    assert_eq!(table.evicted(), 0);
}

/// Keys of one home fill all groups of their set: each is counted under the lock of the group that it is in.
#[test]
fn no_count_is_lost_away_from_home() {
    const ROUNDS: u64 = 3_000;
    let table = Bounded::<u64>::with_capacity(20);
    let keys: Vec<Key> = (1..=20).filter_map(Key::from_u128).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (table, keys) = (&table, &keys);
            scope.spawn(move || {
                for step in 0..ROUNDS * 20 {
                    add_one(table, keys[(step * (2 * thread + 1) % 20) as usize]);
                }
            });
        }
    });
    // 1, 3 and 7 have no factor in common with 20; 5 takes every fourth key, five times as often.
    let expected = |at: u64| ROUNDS * if at.is_multiple_of(5) { 3 + 5 } else { 3 };
    let counts: Vec<u64> = keys.iter().filter_map(|key| table.get(*key)).collect();
    assert_eq!(counts, (0..20).map(expected).collect::<Vec<_>>());
}

/// Far more keys than places, removals and clears between: never a key twice, never a wrong length.
#[test]
fn an_overflowing_table_stays_sound() {
    let table = Bounded::<u64>::with_capacity(1 << 10);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let table = &table;
            scope.spawn(move || {
                for step in 0..40_000_u64 {
                    let number = step.wrapping_mul(0x9e37_79b9_7f4a_7c15 + thread) % 5_000;
                    match step % 16 {
                        0 => table.update(key(number), |_, v| *v, |_| (Change::Remove, ())),
                        1 => drop(table.since(u32::try_from(step % 8).unwrap())),
                        2 if step % 4_096 == 2 => table.clear(),
                        3 => table.advance(u32::try_from(step % 8).unwrap()),
                        // The value is the key's own, so that a mixed-up slot is seen.
                        _ => table.update(
                            key(number),
                            |_, v| *v,
                            |old| {
                                assert!(old.is_none_or(|old| *old == number));
                                (Change::Put(number), ())
                            },
                        ),
                    }
                }
            });
        }
    });
    let entries = table.entries();
    assert_eq!(entries.len(), table.len());
    assert!(entries.windows(2).all(|two| two[0].0 < two[1].0));
    assert!(entries.iter().all(|(found, number)| *found == key(*number)));
}

/// Of all threads that use a proof up, one is told that it is new.
#[test]
fn one_thread_inserts() {
    let table = Bounded::<u64>::with_capacity(1 << 14);
    let new: Vec<AtomicU32> = (0..4_000).map(|_| AtomicU32::new(0)).collect();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for (number, new) in new.iter().enumerate() {
                    if matches!(table.insert(key(number as u64), 9, 1), Inserted::New(_)) {
                        new.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(new.iter().all(|new| new.load(Ordering::Relaxed) == 1));
}

/// While others write, one collects what changed since it looked last: nothing is missed.
#[test]
fn every_change_is_told_to_who_asks_again_and_again() {
    let table = Bounded::<u64>::with_capacity(1 << 13);
    let done = AtomicBool::new(false);
    let mut heard = BTreeMap::new();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let table = &table;
                scope.spawn(move || {
                    for step in 0..30_000_u64 {
                        add_one(table, key(step % 700 + thread));
                    }
                })
            })
            .collect();
        let collector = scope.spawn(|| {
            let mut heard = BTreeMap::new();
            let (mut asked, mut last) = (0, false);
            loop {
                table.advance(asked + 1);
                heard.extend(table.since(asked));
                asked += 1;
                if last {
                    return heard;
                }
                last = done.load(Ordering::SeqCst);
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::SeqCst);
        heard = collector.join().unwrap();
    });
    assert_eq!(heard.into_iter().collect::<Vec<_>>(), table.entries());
}
