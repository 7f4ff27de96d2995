//! Reading little-endian bytes from the front.

/// What is left of some bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    /// Reads these from their start.
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// The next `N` bytes; `None` when there are fewer.
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// The next so many bytes; `None` when there are fewer.
    pub fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The bytes behind their number as a `u64`; `None` when there are fewer.
    pub fn counted(&mut self) -> Option<&'b [u8]> {
        let count = self.u64()?;
        self.bytes(usize::try_from(count).ok()?)
    }

    /// The next number.
    pub fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// The next number.
    pub fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// The next number.
    pub fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    /// The next number.
    pub fn u128(&mut self) -> Option<u128> {
        self.take().map(u128::from_le_bytes)
    }

    /// The next number, by its bits; `None` when it is infinite or none.
    pub fn f64(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes).filter(|number| number.is_finite())
    }

    /// The next number, by its bits; `None` when it is infinite or none.
    pub fn f32(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes).filter(|number| number.is_finite())
    }

    /// Bytes that are left.
    pub const fn left(&self) -> usize {
        self.0.len()
    }
}
