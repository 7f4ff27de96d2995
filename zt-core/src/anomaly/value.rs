//! The events of one value.

use super::item::{Event, Sight, Step};
use super::kind::Kind;
use super::symbol::{self, END, START};
use crate::base::keyed::join;

/// Classes of a shape: behind these a value's shape is not looked at.
const MOST_RUNS: u32 = 24;
/// Bytes of a value that are looked at; its length and the whole are always.
pub(super) const MOST_BYTES: usize = 16 << 10;

/// The events of a value in the context of its endpoint and name, and of a hash of the whole.
#[inline]
pub(super) fn scan(context: u64, value: &[u8], whole: u64, visit: &mut impl FnMut(Sight)) {
    let shape = steps(context, value, visit);
    let at = |kind: Kind| join(context, kind as u64);
    visit(event(Kind::Shape, at(Kind::Shape), shape));
    visit(event(Kind::Length, at(Kind::Length), bucket(value.len())));
    visit(event(Kind::Whole, at(Kind::Whole), whole));
}

/// The steps of a value alone, and its shape.
#[inline]
pub(super) fn steps(context: u64, value: &[u8], visit: &mut impl FnMut(Sight)) -> u64 {
    let steps = join(context, Kind::Steps as u64);
    let (mut before, mut last) = (START, START);
    let (mut shape, mut runs, mut class) = (0, 0_u32, None);
    for &byte in value.get(..MOST_BYTES).unwrap_or(value) {
        let (of_byte, symbol) = symbol::of(byte);
        if class == Some(of_byte) {
            continue;
        }
        class = Some(of_byte);
        visit(event(Kind::Steps, join(steps, last.into()), pair(before, symbol)));
        visit(Sight::Step(Step { last, symbol }));
        if runs < MOST_RUNS {
            runs = runs.saturating_add(1);
            shape = join(shape, symbol.into());
        }
        before = last;
        last = symbol;
    }
    visit(event(Kind::Steps, join(steps, last.into()), pair(before, END)));
    shape
}

const fn event(kind: Kind, context: u64, key: u64) -> Sight {
    Sight::Event(Event::new(kind, context, key))
}

fn pair(before: u8, symbol: u8) -> u64 {
    u64::from(before) << 8 | u64::from(symbol)
}

/// A length as it is up to 15; above, four buckets between powers of two.
fn bucket(length: usize) -> u64 {
    let length = length as u64;
    match length.checked_ilog2() {
        Some(power @ 4..) => {
            let power = u64::from(power);
            16_u64.saturating_add(power.saturating_sub(4) << 2) | (length >> power.saturating_sub(2) & 3)
        }
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_rise_with_the_length() {
        let firsts: Vec<u64> = [0, 1, 15, 16, 19, 20, 24, 28, 32, 40].into_iter().map(bucket).collect();
        assert_eq!(firsts, [0, 1, 15, 16, 16, 17, 18, 19, 20, 21]);
        assert!((0..5000).all(|length| bucket(length) <= bucket(length + 1)));
        assert_eq!(bucket(usize::MAX), 16 + 4 * 59 + 3);
    }
}
