//! A table beside a plain list for each set: the same entries, the same losses, and no change that is not told.

use proptest::prelude::*;

use super::*;

/// Two sets, by the highest bit of a key.
const SETS: usize = 2;

/// Keys that share their set, their home, half of themselves, or have a half of zeros, as an empty place has.
fn key() -> impl Strategy<Value = Key> {
    let half = || prop::sample::select(vec![0, 1, 2, 3, 4, 5, 8, u64::MAX]);
    (half(), any::<bool>(), half()).prop_filter_map("zero is no key", |(high, second, low)| {
        Key::from_u128(u128::from(high >> 1 | u64::from(second) << 63) << 64 | u128::from(low))
    })
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Update(Key, Change<u8>),
    Advance(u32),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let change = prop_oneof![
        1 => Just(Change::Keep),
        9 => (1_u8..9).prop_map(Change::Put),
        3 => (1_u8..9).prop_map(Change::Offer),
        2 => Just(Change::Remove),
    ];
    prop_oneof![
        60 => (key(), change).prop_map(|(key, change)| Step::Update(key, change)),
        6 => (0_u32..6).prop_map(Step::Advance),
        1 => Just(Step::Clear),
    ]
}

/// What is kept of a key: its value, and the epoch of its last change.
type Row = (Key, u8, u32);

#[derive(Default)]
struct Plain {
    sets: [Vec<Row>; SETS],
    epoch: u32,
    gone: u64,
    pressed: u8,
    /// How many changes there were in each epoch.
    changes: [usize; 6],
}

impl Plain {
    fn update(&mut self, key: Key, change: Change<u8>, ways: usize) -> Option<u8> {
        let rows = &mut self.sets[usize::from(key.halves().0 >> 63 == 1)];
        let at = rows.iter().position(|row| row.0 == key);
        let here = at.map(|at| rows[at].1);
        let (Change::Put(value) | Change::Offer(value)) = change else {
            if let (Change::Remove, Some(at)) = (change, at) {
                rows.remove(at);
            }
            return here;
        };
        if here == Some(value) {
            return here;
        }
        if at.is_none() && rows.len() == ways {
            self.gone += 1;
            let rank = |row: &Row| (row.1, row.0);
            let lowest = (0..ways).min_by_key(|at| rank(&rows[*at])).unwrap();
            if matches!(change, Change::Offer(_)) && (value, key) <= rank(&rows[lowest]) {
                self.pressed = self.pressed.max(value);
                return here;
            }
            self.pressed = self.pressed.max(rows.remove(lowest).1);
        }
        rows.retain(|row| row.0 != key);
        rows.push((key, value, self.epoch));
        self.changes[self.epoch as usize] += 1;
        here
    }

    /// What has changed in this epoch or later, by key.
    fn since(&self, epoch: u32) -> Vec<(Key, u8)> {
        let rows = self.sets.iter().flatten().filter(|row| row.2 >= epoch);
        let mut rows: Vec<_> = rows.map(|(key, value, _)| (*key, *value)).collect();
        rows.sort_unstable();
        rows
    }
}

/// `of` makes a value of the table, and `back` reads it.
fn live<V: Value + fmt::Debug>(steps: &[Step], of: impl Fn(u8) -> V, back: impl Fn(&V) -> u8) {
    let ways = ways::<V>();
    let (table, mut plain) = (Bounded::<V>::with_capacity(SETS * ways), Plain::default());
    let rank = |key, value: &V| (back(value), key);
    for step in steps {
        match *step {
            Step::Update(key, change) => {
                let told = table.update(key, rank, |here| {
                    let change = match change {
                        Change::Keep => Change::Keep,
                        Change::Put(value) => Change::Put(of(value)),
                        Change::Offer(value) => Change::Offer(of(value)),
                        Change::Remove => Change::Remove,
                    };
                    (change, here.map(&back))
                });
                assert_eq!(told, plain.update(key, change, ways));
                let here = plain.since(0).into_iter().find(|row| row.0 == key).map(|row| row.1);
                assert_eq!(table.get(key).as_ref().map(&back), here);
            }
            Step::Advance(epoch) => {
                table.advance(epoch);
                plain.epoch = plain.epoch.max(epoch);
            }
            Step::Clear => {
                table.clear();
                plain = Plain { epoch: plain.epoch, gone: plain.gone, changes: plain.changes, ..Plain::default() };
            }
        }
        let all = plain.since(0);
        assert_eq!((table.len(), table.evicted()), (all.len(), plain.gone));
        for epoch in 0..=6 {
            let told: Vec<_> = table.since(epoch).iter().map(|(key, value)| (*key, back(value))).collect();
            assert!(told.is_sorted_by(|a, b| a.0 < b.0) && told.iter().all(|row| all.contains(row)));
            assert!(plain.since(epoch).iter().all(|row| told.contains(row)), "{epoch}: a change is missing");
            // One, and four neighbours.
            let changes: usize = plain.changes.iter().skip(epoch as usize).sum();
            assert!(told.len() <= changes * 5, "{epoch}: {} for {changes} changes", told.len());
        }
        assert_eq!(table.pressed_until(), of(plain.pressed).matters_until());
    }
}

proptest! {
    #[test]
    fn forty_of_a_word_are_a_list(steps in prop::collection::vec(step(), 0..250)) {
        live(&steps, u64::from, |value| *value as u8);
    }

    #[test]
    fn twenty_of_four_words_are_a_list(steps in prop::collection::vec(step(), 0..250)) {
        live(&steps, |value| [value.into(), 0, 7, u64::from(value) << 9], |value| (value[3] >> 9) as u8);
    }
}
