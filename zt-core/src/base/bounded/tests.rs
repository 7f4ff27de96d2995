//! What a table keeps, and whom it lets go.

use std::collections::BTreeMap;

use super::set::{group_of, groups, home};
use super::*;
use proptest::prelude::*;

const WAYS: usize = ways::<u64>();

fn key(number: u64) -> Key {
    KeyHasher::new(9).number(number).key()
}

/// Keys of one set.
fn crowd(count: usize) -> Vec<Key> {
    (1..=count).map(|low| Key::from_u128(low as u128).unwrap()).collect()
}

fn put(table: &Bounded<u64>, key: Key, value: u64) {
    table.update(key, |_, v| *v, |_| (Change::Put(value), ()));
}

#[test]
fn a_full_set_forgets_the_lowest() {
    let table = Bounded::with_capacity(WAYS);
    let keys = crowd(WAYS + 3);
    for (at, key) in keys[..WAYS].iter().enumerate() {
        put(&table, *key, if at == 5 { 1 } else { 2 + at as u64 });
    }
    assert_eq!((table.len(), table.evicted()), (WAYS, 0));
    put(&table, keys[WAYS], 90);
    assert_eq!(table.get(keys[5]), None, "the lowest goes first");
    assert_eq!(table.get(keys[0]), Some(2));
    put(&table, keys[WAYS + 1], 90);
    assert_eq!(table.get(keys[0]), None, "then the next, used or not");
    assert_eq!((table.len(), table.evicted()), (WAYS, 2));

    let last = keys[WAYS + 2];
    table.update(last, |_, v| *v, |_| (Change::Offer(3), ()));
    assert_eq!(table.get(last), None, "an offer displaces nothing that ranks as high");
    table.update(last, |_, v| *v, |_| (Change::Offer(4), ()));
    assert_eq!((table.get(last), table.get(keys[1])), (Some(4), None));
}

#[test]
fn it_knows_until_when_what_it_displaced_mattered() {
    let table = Bounded::with_capacity(WAYS);
    let keys = crowd(WAYS + 4);
    for (at, key) in keys[..WAYS].iter().enumerate() {
        put(&table, *key, 10 + at as u64);
    }
    assert_eq!(table.pressed_until(), 0, "nothing had to go");
    put(&table, keys[WAYS], 30);
    assert_eq!(table.pressed_until(), 10);
    put(&table, keys[WAYS + 1], 40);
    assert_eq!(table.pressed_until(), 11);
    table.update(keys[WAYS + 2], |_, v| *v, |_| (Change::Offer(5), ()));
    assert_eq!(table.pressed_until(), 11, "what matters less takes nothing from the mark");
    table.update(keys[WAYS + 2], |_, v| *v, |_| (Change::Offer(12), ()));
    assert_eq!(table.pressed_until(), 12, "an offer without a place is forgotten too");
    table.update(keys[WAYS + 1], |_, v| *v, |_| (Change::Remove, ()));
    put(&table, keys[WAYS + 3], 50);
    assert_eq!(table.pressed_until(), 12, "a free place presses on nobody");
    table.clear();
    assert_eq!(table.pressed_until(), 0);
}

#[test]
fn a_change_is_told_from_its_epoch_on() {
    let table = Bounded::with_capacity(1 << 12);
    put(&table, key(1), 1);
    table.advance(5);
    assert_eq!(table.since(5), []);
    put(&table, key(2), 2);
    put(&table, key(1), 1);
    table.get(key(1));
    assert_eq!(table.since(5), [(key(2), 2)], "the same value is no change");
    table.advance(3);
    table.advance(6);
    assert_eq!(table.since(6), []);
    put(&table, key(1), 9);
    assert_eq!(table.since(6), [(key(1), 9)]);
    assert_eq!(table.since(0), table.entries());
    table.insert(key(3), 7, 0);
    assert!(table.since(6).contains(&(key(3), 7)));
    table.advance(7);
    assert_eq!(table.insert(key(3), 6, 0), Inserted::Present);
    assert_eq!(table.since(7), [], "it had a later value already");
    assert_eq!(table.insert(key(3), 8, 0), Inserted::Present);
    assert_eq!(table.since(7), [(key(3), 8)]);
}

#[test]
fn hostile_keys_cannot_grow_it() {
    let table = Bounded::<u64>::with_memory(1 << 20);
    let before = table.memory();
    assert!(before <= 1 << 20, "{before}");
    for number in 0..200_000 {
        put(&table, key(number), 1);
    }
    assert_eq!(table.memory(), before);
    assert!(table.len() <= table.capacity());
    assert_eq!(table.len() as u64 + table.evicted(), 200_000);
    assert!(before <= 40 * table.capacity());
}

#[test]
fn a_u64_takes_less_than_26_bytes() {
    let table = Bounded::<u64>::with_memory(1 << 26);
    assert!(table.memory() <= 1 << 26 && table.memory() > (1 << 26) / 100 * 95);
    assert!(table.memory() < 26 * table.capacity(), "{} for {}", table.memory(), table.capacity());
}

/// Two in a million keys have no place when half of the table is taken; at three quarters it is one in three hundred.
#[test]
fn it_is_nearly_full_before_many_have_to_go() {
    let table = Bounded::<u64>::with_capacity(1 << 16);
    (0..1 << 15).for_each(|number| put(&table, key(number), 1));
    assert!(table.evicted() <= 1, "{}", table.evicted());
    (1 << 15..3 << 14).for_each(|number| put(&table, key(number), 1));
    assert!(table.evicted() < (3 << 14) / 200, "{}", table.evicted());
}

/// Each that is not costs a look at other groups.
#[test]
fn most_are_at_home_at_three_quarters() {
    let table = Bounded::<u64>::with_capacity(1 << 14);
    (0..3 << 12).for_each(|number| put(&table, key(number), 1));
    let at_home = |key: &Key| group_of::<u64>(table.set_of(*key).unwrap().find(*key).unwrap()) == home::<u64>(*key);
    let entries = table.entries();
    let number = entries.iter().filter(|(key, _)| at_home(key)).count();
    assert!(number * 100 > entries.len() * 88, "{number} of {}", entries.len());
}

/// What is at home is found there at once, in each of the five places; what is not there, is not.
#[test]
fn a_look_at_home_finds_what_is_there() {
    let table = Bounded::with_capacity(WAYS);
    let keys = crowd(WAYS);
    keys.iter().for_each(|key| put(&table, *key, 1));
    let set = table.set_of(keys[0]).unwrap();
    for key in keys {
        let at = set.find(key).unwrap();
        for group in groups::<u64>() {
            assert_eq!(set.find_in(group, key.halves()), Some(at).filter(|_| group == group_of::<u64>(at)));
        }
    }
}

/// Of keys that share their home or half of their hash none is taken for another, and all are found.
#[test]
fn neighbours_are_told_apart() {
    let table = Bounded::with_capacity(WAYS);
    let keys: Vec<Key> = (1..=WAYS as u128).map(|high| Key::from_u128(high << 64 | 4).unwrap()).collect();
    for (at, key) in keys.iter().enumerate() {
        assert_eq!(table.get(*key), None);
        put(&table, *key, at as u64);
    }
    let found: Vec<_> = keys.iter().map(|key| table.get(*key)).collect();
    assert_eq!(found, (0..WAYS as u64).map(Some).collect::<Vec<_>>());
    table.update(keys[7], |_, v| *v, |_| (Change::Remove, ()));
    assert_eq!((table.get(keys[7]), table.get(keys[8]), table.len()), (None, Some(8), WAYS - 1));
}

#[test]
fn a_panic_under_the_lock_spoils_nothing() {
    let table = Bounded::with_capacity(8);
    put(&table, key(1), 5);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        table.update(key(1), |_, v: &u64| *v, |_| -> (Change<u64>, ()) { panic!("on purpose") });
    }));
    assert!(result.is_err());
    assert_eq!(table.get(key(1)), Some(5));
}

proptest! {
    #[test]
    fn is_a_map_until_it_is_full(calls in prop::collection::vec((0_u64..60, 0_u8..4, 1_u64..9), 0..200)) {
        let table = Bounded::with_capacity(4096);
        let mut map = BTreeMap::new();
        for (number, what, value) in calls {
            let change = match what { 0 => Change::Keep, 1 => Change::Put(value), 2 => Change::Offer(value), _ => Change::Remove };
            let seen = table.update(key(number), |_, v| *v, |old| (change, old.copied()));
            prop_assert_eq!(seen, map.get(&key(number)).copied());
            match change {
                Change::Keep => {}
                Change::Put(v) | Change::Offer(v) => { map.insert(key(number), v); }
                Change::Remove => { map.remove(&key(number)); }
            }
            prop_assert_eq!(table.len(), map.len());
        }
        prop_assert_eq!(table.entries(), map.into_iter().collect::<Vec<_>>());
        table.clear();
        prop_assert!(table.is_empty());
    }

    #[test]
    fn one_small_set_never_mixes_up_values(calls in prop::collection::vec((0..WAYS + 4, prop::bool::weighted(0.2)), 0..200)) {
        let table = Bounded::with_capacity(WAYS);
        let keys = crowd(WAYS + 4);
        for (at, remove) in calls {
            let seen = table.update(keys[at], |_, v| *v, |old| {
                (if remove { Change::Remove } else { Change::Put(at as u64) }, old.copied())
            });
            prop_assert!(seen.is_none_or(|seen| seen == at as u64));
            prop_assert!(table.len() <= WAYS);
            prop_assert_eq!(table.len(), table.entries().len());
        }
    }
}
