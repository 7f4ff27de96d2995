//! Samples of a whole number as counts of cells, an eighth of a power of two wide: added up in any order to the same.

use crate::base::bytes::Reader;
use crate::base::generations::Kept;

/// Numbers up to this have a cell each.
const EXACT: u32 = 16;
/// Cells between two powers of two, and its logarithm.
const STEPS: u32 = 1 << LOG_STEPS;
const LOG_STEPS: u32 = 3;
/// Numbers from here on count as this one.
const MOST: u32 = (1 << 20) - 1;

/// How often which numbers were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    /// By rising cell; no count is 0.
    cells: Vec<(u8, u32)>,
    sum: u64,
    squares: u64,
    max: u32,
}

/// The cell of a number.
fn cell(number: u32) -> u8 {
    let number = number.min(MOST);
    let cell = match number.checked_ilog2() {
        Some(power) if number > EXACT => {
            let step = (number >> power.saturating_sub(LOG_STEPS)) & (STEPS - 1);
            power.saturating_sub(4).saturating_mul(STEPS).saturating_add(step).saturating_add(EXACT + 1)
        }
        _ => number,
    };
    u8::try_from(cell).unwrap_or(u8::MAX)
}

/// The largest number of a cell.
fn highest(cell: u8) -> u32 {
    match u32::from(cell).checked_sub(EXACT + 1) {
        Some(cell) => {
            let next = (cell % STEPS).saturating_add(STEPS + 1);
            next.checked_shl((cell / STEPS).saturating_add(1)).unwrap_or(u32::MAX).saturating_sub(1).min(MOST)
        }
        None => cell.into(),
    }
}

impl Spread {
    pub(super) fn add(&mut self, number: u32) {
        let number = number.min(MOST);
        let wide = u64::from(number);
        self.join(&Self { cells: vec![(cell(number), 1)], sum: wide, squares: wide.saturating_mul(wide), max: number });
    }

    /// How many were added.
    pub(super) fn samples(&self) -> u64 {
        self.cells.iter().map(|(_, count)| u64::from(*count)).fold(0, u64::saturating_add)
    }

    /// How many are above a number, as far as cells tell; none of its own cell is.
    pub(super) fn above(&self, number: u32) -> u64 {
        let at = cell(number);
        let above = self.cells.iter().filter(|(cell, _)| *cell > at);
        above.map(|(_, count)| u64::from(*count)).fold(0, u64::saturating_add)
    }

    /// The ends of the cells there are, each with how many samples are above it, rising.
    pub(super) fn ends(&self) -> impl Iterator<Item = (u32, u64)> {
        let mut left = self.samples();
        self.cells.iter().map(move |(cell, count)| {
            left = left.saturating_sub(u64::from(*count));
            (highest(*cell), left)
        })
    }

    /// The end of the cell of the quantile of so many in 100, but no more than the largest sample; 0 of none.
    pub(super) fn percentile(&self, of_100: u64) -> u32 {
        let above = self.samples().saturating_mul(100_u64.saturating_sub(of_100)) / 100;
        self.ends().find(|(_, left)| *left <= above).map_or(0, |(end, _)| end.min(self.max))
    }

    pub(super) const fn max(&self) -> u32 {
        self.max
    }

    /// Mean and variance.
    pub(super) fn moments(&self) -> (f64, f64) {
        let (samples, sum) = (self.samples() as f64, self.sum as f64);
        if samples < 1.0 {
            return (0.0, 0.0);
        }
        let mean = sum / samples;
        let variance = if samples < 2.0 { 0.0 } else { (self.squares as f64 - sum * mean) / (samples - 1.0) };
        (mean, variance.max(0.0))
    }

    pub(super) fn memory(&self) -> usize {
        self.cells.capacity().saturating_mul(size_of::<(u8, u32)>())
    }
}

impl Kept for Spread {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.cells.len()).unwrap_or(u8::MAX));
        for (cell, count) in &self.cells {
            out.push(*cell);
            out.extend_from_slice(&count.to_le_bytes());
        }
        out.extend_from_slice(&self.sum.to_le_bytes());
        out.extend_from_slice(&self.squares.to_le_bytes());
        out.extend_from_slice(&self.max.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [number] = reader.take()?;
        let (mut cells, mut last) = (Vec::with_capacity(number.into()), None);
        for _ in 0..number {
            let [cell] = reader.take::<1>()?;
            let count = reader.u32().filter(|count| *count > 0)?;
            if last >= Some(cell) || cell > self::cell(MOST) {
                return None;
            }
            last = Some(cell);
            cells.push((cell, count));
        }
        let (sum, squares) = (reader.u64()?, reader.u64()?);
        let max = reader.u32().filter(|max| *max <= MOST)?;
        Some(Self { cells, sum, squares, max })
    }

    fn join(&mut self, other: &Self) {
        for (cell, count) in &other.cells {
            match self.cells.binary_search_by_key(cell, |(cell, _)| *cell) {
                Ok(at) => {
                    if let Some((_, own)) = self.cells.get_mut(at) {
                        *own = own.saturating_add(*count);
                    }
                }
                Err(at) => self.cells.insert(at, (*cell, *count)),
            }
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
        self.max = self.max.max(other.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_follow_one_another_and_are_an_eighth_wide() {
        let mut last = 0;
        for number in 0..=MOST {
            let at = cell(number);
            assert!(at == last || at == last + 1, "{number}");
            last = at;
            let end = highest(at);
            assert!(end >= number && end - number <= number / 8, "{number} {end}");
            assert!(number > EXACT || end == number);
        }
        assert_eq!(cell(u32::MAX), cell(MOST));
        assert_eq!(highest(cell(MOST)), MOST);
    }

    #[test]
    fn quantiles_and_moments() {
        let mut spread = Spread::default();
        assert_eq!((spread.percentile(99), spread.moments()), (0, (0.0, 0.0)));
        (1..=10).for_each(|number| spread.add(number));
        assert_eq!([50, 90, 100].map(|of_100| spread.percentile(of_100)), [5, 9, 10]);
        let (mean, variance) = spread.moments();
        assert!((mean - 5.5).abs() < 1e-12 && (variance - 55.0 / 6.0).abs() < 1e-9, "{mean} {variance}");
        assert_eq!((spread.above(7), spread.above(10), spread.above(0)), (3, 0, 10));
        spread.add(1_000);
        assert_eq!((spread.percentile(100), spread.max()), (1_000, 1_000));
    }
}
