//! A few numbers that belong together: is each what it usually is?
//!
//! A histogram of each number, in cells one wide; a point's surprise is the sum of those of its numbers, as if they had
//! nothing to do with each other (M. Goldstein and A. Dengel, "Histogram-based outlier score", 2012). Hence it misses what is
//! only unusual together, and it never forgets.

use crate::base::bytes::Reader;
use crate::base::fixed;

/// Cells that are counted of each number.
const MOST_CELLS: usize = 64;
/// A cell has a tenth of a point before it has any.
const PARTS: u64 = 10;

/// Counts of points of `N` numbers.
///
/// A number counts in the cell of its whole part, rounded down: a status code is a cell of its own; a size or a duration is
/// handed over as a logarithm, whose base says how wide a cell is. Of each number the 64 cells nearest to 0 are counted
/// (at most 1 KiB, and the negative one first of two as near), all others together are one. That depends on the points and
/// not on their order: parts that were counted apart and [joined](Self::join) are, byte for byte, what counting all at once
/// gives.
///
/// ```
/// use zt_core::anomaly::Numbers;
///
/// let mut responses = Numbers::<2>::new();
/// for size in 1_000..1_200_u32 {
///     responses.learn(&[200.0, f64::from(size.ilog2())]);
/// }
/// assert!(responses.nats(&[500.0, 20.0]) > 5.0 + responses.nats(&[200.0, 10.0]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers<const N: usize> {
    points: u64,
    cells: [Cells; N],
}

impl<const N: usize> Default for Numbers<N> {
    fn default() -> Self {
        Self { points: 0, cells: std::array::from_fn(|_| Cells::default()) }
    }
}

impl<const N: usize> Numbers<N> {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Points that were learned.
    pub const fn points(&self) -> u64 {
        self.points
    }

    /// How surprising a point is, in nats: the sum, over its numbers, of `-ln` of the share of points in the same cell. A
    /// point of which one is infinite or no number is none: 0.
    pub fn nats(&self, point: &[f64; N]) -> f64 {
        f64::from(self.evidence(point)) / f64::from(fixed::ONE)
    }

    /// The same in fixed point, [`FRACTION`](fixed::FRACTION) bits behind the point, to be added to other evidence.
    pub fn evidence(&self, point: &[f64; N]) -> u32 {
        let whole = self.points.saturating_add(1).saturating_mul(PARTS);
        let each = point.iter().zip(&self.cells).map(|(number, cells)| {
            let count = cells.count(Cell::of(*number)?, self.points);
            Some(fixed::surprise(count.saturating_mul(PARTS).saturating_add(1), whole))
        });
        each.sum::<Option<u32>>().unwrap_or_default()
    }

    /// Counts a point, unless one of its numbers is infinite or none.
    pub fn learn(&mut self, point: &[f64; N]) {
        if !point.iter().all(|number| number.is_finite()) {
            return;
        }
        self.points = self.points.saturating_add(1);
        for (cell, cells) in point.iter().filter_map(|number| Cell::of(*number)).zip(&mut self.cells) {
            cells.add(cell, 1);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn join(&mut self, other: &Self) {
        self.points = self.points.saturating_add(other.points);
        for (own, other) in self.cells.iter_mut().zip(&other.cells) {
            other.0.iter().for_each(|(cell, count)| own.add(*cell, *count));
        }
    }

    /// Appends it as bytes, little-endian; the same counts give the same bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.points.to_le_bytes());
        for Cells(cells) in &self.cells {
            out.extend_from_slice(&(cells.len() as u64).to_le_bytes());
            for (Cell(cell), count) in cells {
                out.extend_from_slice(&cell.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
            }
        }
    }

    /// From bytes; `None` where they are too few or contradict each other.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut read = Self { points: reader.u64()?, ..Self::default() };
        for cells in &mut read.cells {
            *cells = Cells::read(reader, read.points)?;
        }
        Some(read)
    }
}

/// One number that is never negative, by its cell: the number rounded down.
impl Numbers<1> {
    /// Points in a cell.
    pub(super) fn count(&self, cell: u32) -> u64 {
        self.cells.iter().map(|cells| cells.count(Cell::above(cell), self.points)).sum()
    }

    /// Points in a cell or in one of a larger number.
    pub(super) fn at_least(&self, cell: u32) -> u64 {
        let cell = Cell::above(cell);
        let of = |Cells(cells): &Cells| -> u64 {
            let below = cells.iter().take_while(|(own, _)| *own < cell);
            self.points.saturating_sub(below.fold(0, |sum: u64, (_, count)| sum.saturating_add(*count)))
        };
        self.cells.iter().map(of).sum()
    }

    /// The largest number's cell, of those that are counted by themselves.
    pub(super) fn largest(&self) -> Option<u32> {
        self.cells.iter().filter_map(|Cells(cells)| cells.last()).map(|(Cell(cell), _)| cell >> 1).max()
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        self.cells.iter().map(|Cells(cells)| cells.capacity().saturating_mul(size_of::<(Cell, u64)>())).sum()
    }
}

/// Whole numbers, those nearest to 0 first: 0, -1, 1, -2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell(u32);

impl Cell {
    /// Far numbers are in the first or the last of 2^32 cells; what is none is in no cell.
    fn of(number: f64) -> Option<Self> {
        let whole = number.floor() as i32;
        number.is_finite().then_some(Self(((whole << 1) ^ (whole >> 31)) as u32))
    }

    /// Of a whole number that is not negative.
    const fn above(number: u32) -> Self {
        Self(number << 1)
    }
}

/// Counts of cells, in their order. What points are more than them is in other cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cells(Vec<(Cell, u64)>);

impl Cells {
    /// Of one cell, or of all that are not counted by themselves if it is one of those.
    fn count(&self, cell: Cell, points: u64) -> u64 {
        let known = self.0.binary_search_by_key(&cell, |(cell, _)| *cell);
        match known.map(|at| self.0.get(at)) {
            Ok(known) => known.map_or(0, |(_, count)| *count),
            Err(MOST_CELLS) => points.saturating_sub(self.sum()),
            Err(_) => 0,
        }
    }

    fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
    }

    /// A cell that is too many is the last in order: whoever has it among the first of all points, has it among the first of
    /// some of them.
    fn add(&mut self, cell: Cell, times: u64) {
        match self.0.binary_search_by_key(&cell, |(cell, _)| *cell) {
            Ok(at) => {
                if let Some((_, count)) = self.0.get_mut(at) {
                    *count = count.saturating_add(times);
                }
            }
            Err(MOST_CELLS) => {}
            Err(at) => {
                self.0.truncate(MOST_CELLS - 1);
                self.0.insert(at, (cell, times));
            }
        }
    }

    /// `None` unless they are in order, each has points, and all points are in one where there is room for more.
    fn read(reader: &mut Reader<'_>, points: u64) -> Option<Self> {
        let number = usize::try_from(reader.u64()?).ok().filter(|number| *number <= MOST_CELLS)?;
        let mut cells = Vec::with_capacity(number);
        for _ in 0..number {
            cells.push((Cell(reader.u32()?), reader.u64().filter(|count| *count > 0)?));
        }
        let read = Self(cells);
        let rising = read.0.is_sorted_by(|(cell, _), (next, _)| cell < next);
        let sum = read.sum();
        let all = if number < MOST_CELLS { sum == points } else { sum <= points };
        (rising && all).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(points: &[[f64; 2]]) -> Numbers<2> {
        let mut numbers = Numbers::new();
        points.iter().for_each(|point| numbers.learn(point));
        numbers
    }

    fn bytes<const N: usize>(numbers: &Numbers<N>) -> Vec<u8> {
        let mut bytes = Vec::new();
        numbers.write(&mut bytes);
        bytes
    }

    #[test]
    fn surprise_is_the_share_of_each_number() {
        let mut numbers = of(&[[200.0, 3.2]; 90]);
        (0..9).for_each(|_| numbers.learn(&[404.0, 3.9]));
        let expect = |point: [f64; 2], share: f64| {
            let (found, expected) = (numbers.nats(&point), -libm::log(share));
            assert!((found - expected).abs() < 0.02, "{point:?}: {found} is not {expected}");
        };
        expect([200.5, 3.0], 0.901 * 0.991);
        expect([404.0, 3.0], 0.091 * 0.991);
        expect([500.0, -3.5], 0.001 * 0.001);
        // The cell below 0 is not that above.
        assert!(of(&[[0.5, 0.0]; 50]).nats(&[-0.5, 0.0]) > 5.0);
        assert_eq!(Numbers::<2>::new().nats(&[1.0, 2.0]), 2.0 * 589.0 / 256.0);
    }

    #[test]
    fn hostile_numbers_are_no_points_and_far_ones_are_bounded() {
        let usual = of(&[[1.0, 1.0]; 10]);
        let mut numbers = usual.clone();
        for hostile in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            numbers.learn(&[1.0, hostile]);
            assert_eq!(numbers.evidence(&[hostile, 1.0]), 0);
        }
        assert_eq!(numbers, usual);
        for far in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, -0.0] {
            numbers.learn(&[far, far]);
            assert!(numbers.evidence(&[far, far]) < usual.evidence(&[far, far]));
        }
        for number in 0..10_000 {
            numbers.learn(&[f64::from(number), -f64::from(number)]);
        }
        assert!(numbers.cells.iter().all(|cells| cells.0.len() == MOST_CELLS && cells.0.capacity() <= MOST_CELLS));
        // What is beyond the bound is usual by now, what is within is not.
        assert!(numbers.nats(&[50_000.0, -1.5]) < numbers.nats(&[5.0, -1.5]) - 5.0);
    }

    /// Numbers in more cells than are counted.
    fn points() -> impl Strategy<Value = Vec<[f64; 2]>> {
        let number = prop_oneof![-90.0..90.0, -3.0..3.0, any::<f64>()];
        prop::collection::vec([number.clone(), number], 0..400)
    }

    proptest! {
        #[test]
        fn cells_of_one_number_are_counted_from_either_end(cells in prop::collection::vec(0..64_u32, 0..300), cell in 0..80_u32) {
            let mut numbers = Numbers::<1>::new();
            cells.iter().for_each(|cell| numbers.learn(&[f64::from(*cell)]));
            let number = |like: &dyn Fn(&u32) -> bool| cells.iter().filter(|cell| like(cell)).count() as u64;
            prop_assert_eq!(numbers.count(cell), number(&|own| *own == cell));
            prop_assert_eq!(numbers.at_least(cell), number(&|own| *own >= cell));
            prop_assert_eq!(numbers.largest(), cells.iter().max().copied());
        }

        #[test]
        fn joined_is_what_counting_at_once_gives(points in points(), cut in 0.0..1.0) {
            let (left, right) = points.split_at((points.len() as f64 * cut) as usize);
            let whole = bytes(&of(&points));
            for (mut one, other) in [(of(left), of(right)), (of(right), of(left))] {
                one.join(&other);
                prop_assert_eq!(&bytes(&one), &whole);
            }
            let backwards: Vec<_> = points.iter().rev().copied().collect();
            prop_assert_eq!(bytes(&of(&backwards)), whole);
        }

        #[test]
        fn reads_what_it_wrote_and_nothing_else(points in points(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
            let numbers = of(&points);
            let mut bytes = bytes(&numbers);
            prop_assert_eq!(Numbers::read(&mut Reader::new(&bytes)), Some(numbers.clone()));
            prop_assert_eq!(Numbers::<2>::read(&mut Reader::new(&bytes[..bytes.len() - 1])), None);
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            if let Some(other) = Numbers::<2>::read(&mut Reader::new(&bytes)) {
                prop_assert_ne!(&other, &numbers);
                let mut again = Vec::new();
                other.write(&mut again);
                prop_assert_eq!(again, bytes);
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), point: [f64; 3]) {
            if let Some(mut numbers) = Numbers::<3>::read(&mut Reader::new(&bytes)) {
                numbers.learn(&point);
                let own = numbers.clone();
                numbers.join(&own);
                numbers.evidence(&point);
            }
        }
    }
}
