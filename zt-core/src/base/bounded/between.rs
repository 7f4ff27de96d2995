//! What comes between the look without the lock and the lock: one thread is held where the other must not be taken in.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::{Bounded, Change, Inserted, Key, Value, ways};

/// As long as a thread needs to come to a lock that another holds. One that is slower proves nothing, and fails nothing.
#[allow(clippy::disallowed_methods, reason = "tests have threads of their own")]
fn a_while() {
    thread::sleep(Duration::from_millis(50));
}

fn key(low: u128) -> Key {
    Key::from_u128(low).unwrap()
}

fn put(table: &Bounded<u64>, low: u128, value: u64) {
    table.update(key(low), |_, value| *value, |_| (Change::Put(value), ()));
}

/// One thread puts an entry, and holds the lock meanwhile; `second` comes to the lock, `third` is done, and then the first
/// goes on.
fn while_held<T: Send>(
    table: &Bounded<u64>,
    (low, value): (u128, u64),
    second: impl FnOnce() -> T + Send,
    third: impl FnOnce(),
) -> T {
    let held = Barrier::new(2);
    thread::scope(|scope| {
        let first = || {
            let f = |_: Option<&u64>| {
                held.wait();
                held.wait();
                (Change::Put(value), ())
            };
            table.update(key(low), |_, value| *value, f);
        };
        scope.spawn(first);
        held.wait();
        let second = scope.spawn(second);
        a_while();
        third();
        held.wait();
        second.join().unwrap()
    })
}

fn full() -> Bounded<u64> {
    let table = Bounded::with_capacity(ways::<u64>());
    (1..=ways::<u64>()).for_each(|low| put(&table, low as u128, 10 + low as u64));
    table
}

#[test]
fn a_key_that_was_displaced_meanwhile_is_not_taken_for_another() {
    // Of all the first ranks lowest, and goes for the 99th.
    let table = full();
    assert_eq!(while_held(&table, (99, 50), || table.get(key(1)), || ()), None);
    let table = full();
    let ask = || table.update(key(1), |_, value| *value, |here| (Change::Put(70), here.copied()));
    assert_eq!(while_held(&table, (99, 50), ask, || ()), None);
    assert_eq!((table.get(key(1)), table.get(key(99)), table.len()), (Some(70), Some(50), ways::<u64>()));
}

/// An entry away from home has the lock of its own group only: who found it there without the lock looks again.
#[test]
fn a_key_that_went_from_another_group_meanwhile_is_not_taken_for_what_was_there() {
    // Its home has five places, of the first five.
    let away = key(9);
    let while_removed = |second: &(dyn Fn(&Bounded<u64>) -> Option<u64> + Sync)| {
        let (table, held) = (full(), Barrier::new(2));
        let told = thread::scope(|scope| {
            scope.spawn(|| {
                let f = |_: Option<&u64>| {
                    held.wait();
                    held.wait();
                    (Change::Remove, ())
                };
                table.update(away, |_, value| *value, f);
            });
            held.wait();
            let second = scope.spawn(|| second(&table));
            a_while();
            held.wait();
            second.join().unwrap()
        });
        (told, table)
    };
    let (told, table) = while_removed(&|table| table.get(away));
    assert_eq!((told, table.get(away), table.len()), (None, None, ways::<u64>() - 1));
    let ask = |table: &Bounded<u64>| table.update(away, |_, value| *value, |here| (Change::Put(70), here.copied()));
    let (told, table) = while_removed(&ask);
    assert_eq!((told, table.get(away), table.len()), (None, Some(70), ways::<u64>()));
    assert_eq!((table.entries().len(), table.evicted()), (ways::<u64>(), 0));
}

/// Two threads find nothing of a key at its home, for nobody holds that; and both come to the locks of the whole set.
#[test]
fn a_key_that_came_between_the_look_and_the_locks_is_seen_and_not_put_twice() {
    let table = Bounded::<u64>::with_capacity(1);
    (1..10).for_each(|low| put(&table, low, 1));
    let (late, held) = (key(3 << 96 | 7), Barrier::new(2));
    let count = || {
        let next = |here: Option<&u64>| (Change::Put(1 + here.copied().unwrap_or_default()), ());
        table.update(late, |_, value| *value, next);
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            // The ninth is in the second group: who wants all of them waits here.
            let f = |_: Option<&u64>| {
                held.wait();
                held.wait();
                (Change::Keep, ())
            };
            table.update(key(9), |_, value| *value, f);
        });
        held.wait();
        scope.spawn(count);
        scope.spawn(count);
        a_while();
        held.wait();
    });
    assert_eq!((table.get(late), table.len(), table.entries().len()), (Some(2), 10, 10));
}

/// Two who waited for the same lock have it one after the other.
#[test]
fn who_has_waited_holds_it_alone() {
    let (table, inside, alone) = (full(), AtomicU64::new(0), AtomicU64::new(0));
    let count = |low| {
        let f = |here: Option<&u64>| {
            alone.fetch_add(u64::from(inside.fetch_add(1, Ordering::SeqCst) == 0), Ordering::SeqCst);
            a_while();
            inside.fetch_sub(1, Ordering::SeqCst);
            (Change::Put(1 + here.copied().unwrap_or_default()), ())
        };
        table.update(key(low), |_, value| *value, f);
    };
    // Both wait for one lock of one set; they may be of its whole.
    for (low, other) in [(3, 3), (9, 9), (3, 98)] {
        let both = || {
            thread::scope(|scope| {
                scope.spawn(|| count(low));
                scope.spawn(|| count(other));
            });
        };
        while_held(&table, (99 + low, 50), both, || ());
    }
    assert_eq!(alone.load(Ordering::SeqCst), 6);
}

/// Of a set that is held, what is not there is known at once, and so is what is in a group that is not held.
#[test]
fn nobody_is_waited_for_where_there_is_nothing() {
    let table = full();
    let told = AtomicU64::new(0);
    let look = || told.store(1 + table.get(key(98)).unwrap_or_default(), Ordering::SeqCst);
    let mut before = 0;
    let wait = || {
        // Ends long before, unless it waits for who holds the set.
        (0..200).take_while(|_| told.load(Ordering::SeqCst) == 0).for_each(|_| a_while());
        before = told.load(Ordering::SeqCst);
    };
    while_held(&table, (99, 50), look, wait);
    assert_eq!(before, 1);
}

#[test]
fn a_key_that_came_meanwhile_is_seen_and_not_put_twice() {
    let table = Bounded::<u64>::with_capacity(1);
    let ask = || table.update(key(3), |_, value| *value, |here| (Change::Put(7), here.copied()));
    assert_eq!(while_held(&table, (3, 5), ask, || ()), Some(5));
    assert_eq!(table.entries(), [(key(3), 7)]);
    let table = Bounded::<u64>::with_capacity(1);
    assert_eq!(while_held(&table, (3, 5), || table.insert(key(3), 9, 5), || ()), Inserted::Present);
    assert_eq!(table.entries(), [(key(3), 9)]);
}

#[test]
fn who_waits_for_the_lock_changes_in_the_epoch_that_has_begun_meanwhile() {
    for low in [3, 4] {
        let table = Bounded::<u64>::with_capacity(1);
        put(&table, 3, 1);
        while_held(&table, (9, 5), || put(&table, low, 8), || table.advance(5));
        assert!(table.since(5).contains(&(key(low), 8)), "who asked before the lock was free was told nothing of it");
    }
}

static WRITING: AtomicU64 = AtomicU64::new(0);

/// Takes its time to be written.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
struct Slow(u64);

impl Value for Slow {
    const WORDS: usize = 1;

    fn read(words: &[AtomicU64]) -> Self {
        Self(u64::read(words))
    }

    fn write(self, words: &[AtomicU64]) {
        WRITING.store(1, Ordering::SeqCst);
        a_while();
        self.0.write(words);
    }
}

#[test]
fn a_change_that_is_being_written_when_its_epoch_ends_is_waited_for() {
    let table = Bounded::<Slow>::with_capacity(1);
    table.advance(4);
    for value in 1..4 {
        WRITING.store(0, Ordering::SeqCst);
        thread::scope(|scope| {
            scope.spawn(|| table.update(key(2), |_, value| value.0, |_| (Change::Put(Slow(value)), ())));
            while WRITING.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            let epoch = 3 + value as u32;
            table.advance(epoch + 1);
            assert_eq!(table.since(epoch), [(key(2), Slow(value))]);
        });
    }
}

/// In either of its two sets a key is found, whichever is the emptier by then.
#[test]
fn what_is_in_the_second_set_is_not_inserted_again_into_the_first() {
    let table = Bounded::<u64>::with_capacity(2 * ways::<u64>());
    let both = Key::from_u128((7 << 64) | (1 << 63)).unwrap();
    // One half of this key falls on each set; of the other both on the first.
    assert_eq!(table.insert(key(1), 10, 0), Inserted::New(None));
    assert_eq!(table.insert(both, 90, 0), Inserted::New(None));
    // Now the first is the emptier: what is there has lapsed.
    assert_eq!(table.insert(both, 91, 20), Inserted::Present);
    assert_eq!(table.entries(), [(key(1), 10), (both, 91)]);
    assert_eq!((table.get(both), table.get(key(1))), (None, Some(10)), "it is in the set that `get` does not know");
}
