//! How rare a deviation is, from those before.

use crate::base::bytes::Reader;
use crate::base::math::ln;

/// Cells: two between powers of two.
const CELLS: usize = 2 * OCTAVES;
const OCTAVES: usize = 64;
/// The first power of two; below its second cell nothing is a deviation.
const LOWEST: i32 = -24;
const FIRST: f64 = 1.5 / (1_u32 << 24) as f64;
/// Weight that a deviation keeps with each later one.
pub(super) const KEPT: f64 = 1.0 - 1.0 / 5_000.0;
/// Of each cell, the fifth power of its lower end.
const FIFTH_POWERS: [f64; CELLS] = fifth_powers();

/// Deviations by size, the latest counting most. In 32 bits: half the memory, and the same alarms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tail([f32; CELLS]);

impl Default for Tail {
    fn default() -> Self {
        Self([0.0; CELLS])
    }
}

impl Tail {
    /// Nats of a deviation of at least this size, which is then learned. One that is not above `least` is none. `weight` is
    /// that of all before, those that were none with them.
    ///
    /// Smaller deviations count, too, with the fifth power of how small they are: so rarity goes on rising where nothing was
    /// seen (a Pareto kernel).
    pub(super) fn push(&mut self, deviation: f64, least: f64, weight: f64) -> f64 {
        let cell = if deviation > least { cell(deviation) } else { None };
        let nats = cell.map_or(0.0, |cell| self.nats(deviation, cell, weight));
        self.0.iter_mut().for_each(|kept| *kept *= KEPT as f32);
        if let Some(kept) = cell.and_then(|cell| self.0.get_mut(cell)) {
            *kept += 1.0;
        }
        nats
    }

    fn nats(&self, deviation: f64, cell: usize, weight: f64) -> f64 {
        let (mut above, mut below) = (0.0, 0.0);
        for (number, (kept, fifth_power)) in self.0.iter().zip(FIFTH_POWERS).enumerate() {
            match number > cell {
                true => above += f64::from(*kept),
                false => below += f64::from(*kept) * fifth_power,
            }
        }
        let square = deviation * deviation;
        let as_rare = above + below / (square * square * deviation);
        -ln((as_rare + 1.0) / (weight + 1.0))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.0.iter().for_each(|kept| out.extend_from_slice(&kept.to_le_bytes()));
    }

    /// `None` where a cell has more than it could.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut cells = [0.0; CELLS];
        for kept in &mut cells {
            *kept = reader.f32().filter(|kept| (0.0..=5_001.0).contains(kept))?;
        }
        Some(Self(cells))
    }
}

/// By the exponent and the first bit behind it; the last has all above.
fn cell(deviation: f64) -> Option<usize> {
    if deviation < FIRST {
        return None;
    }
    let half_octaves = i32::try_from(deviation.to_bits() >> 51).ok()?.saturating_sub((1_023 + LOWEST) * 2);
    usize::try_from(half_octaves).ok().map(|cell| cell.min(CELLS - 1))
}

#[expect(clippy::indexing_slicing, reason = "made by the compiler")]
const fn fifth_powers() -> [f64; CELLS] {
    let mut powers = [0.0; CELLS];
    let mut cell = 0;
    while cell < CELLS {
        // 2^(LOWEST + cell/2) or half as much more, by its bits.
        let low = f64::from_bits((2 * (1_023 + LOWEST) as u64 + cell as u64) << 51);
        powers[cell] = low * low * low * low * low;
        cell += 1;
    }
    powers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_half_octaves() {
        assert_eq!((cell(0.0), cell(FIRST * 0.999), cell(FIRST)), (None, None, Some(1)));
        assert_eq!(
            (cell(1.0), cell(1.49), cell(1.5), cell(1.99), cell(2.0)),
            (Some(48), Some(48), Some(49), Some(49), Some(50))
        );
        assert_eq!((cell(1e12), cell(f64::MAX), cell(f64::INFINITY)), (Some(127), Some(127), Some(127)));
        for (number, power) in FIFTH_POWERS.into_iter().enumerate().skip(1) {
            let low = libm::exp(libm::log(power) / 5.0);
            assert_eq!(cell(low * 1.000_001), Some(number));
        }
    }

    #[test]
    fn rarity_goes_on_beyond_what_was_seen() {
        let mut tail = Tail::default();
        let mut weight = 0.0;
        for number in 0..1_000 {
            tail.push(1.0 + f64::from(number % 10) / 10.0, 0.0, weight);
            weight = weight * KEPT + 1.0;
        }
        let nats = |deviation: f64| tail.clone().push(deviation, 0.0, weight);
        assert!(nats(1.0) < 0.1, "{}", nats(1.0));
        let far = [2.0, 3.0, 4.0, 6.0, 8.0].map(nats);
        assert!(far.windows(2).all(|pair| pair[0] < pair[1]), "{far:?}");
        // What was never seen is about as rare as one of all.
        assert!((nats(1e9) - 6.8).abs() < 0.1, "{}", nats(1e9));
        assert_eq!(nats(0.5e-9), 0.0);
        assert_eq!(tail.clone().push(5.0, 5.0, weight), 0.0);
    }
}
