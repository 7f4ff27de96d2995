//! Lines of files that may be compressed: recognized by content, never by name, and bounded.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

/// Longest line, bytes.
pub(crate) const LONGEST_LINE: u64 = 64 << 20;
const BUFFER: usize = 256 << 10;
/// Bytes that tell a format.
const HEAD: u64 = 512;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Lines of one input.
pub(crate) struct Lines {
    input: Box<dyn BufRead>,
    longest: u64,
    line: Vec<u8>,
    number: u64,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// The line.
    Whole(&'a [u8]),
    /// Longer than the bound, and skipped.
    TooLong,
}

impl Lines {
    /// Opens a file, or standard input for `-`. The bar follows the bytes read from it.
    pub(crate) fn open(path: &Path, bar: &ProgressBar) -> io::Result<Self> {
        let raw: Box<dyn Read> =
            if path.as_os_str() == "-" { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
        Self::new(bar.wrap_read(raw), LONGEST_LINE)
    }

    fn new(mut raw: impl Read + 'static, longest: u64) -> io::Result<Self> {
        let mut head = Vec::new();
        raw.by_ref().take(4).read_to_end(&mut head)?;
        let (gzip, zstandard) = (head.starts_with(GZIP), head.starts_with(ZSTANDARD));
        let whole = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(raw));
        let input: Box<dyn BufRead> = if gzip {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(whole)))
        } else if zstandard {
            Box::new(BufReader::with_capacity(BUFFER, zstd::Decoder::with_buffer(whole)?))
        } else {
            Box::new(whole)
        };
        Ok(Self { input, longest, line: Vec::new(), number: 0 })
    }

    /// How what is left begins; it is still to be read.
    pub(crate) fn head(&mut self) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.input.by_ref().take(HEAD).read_to_end(&mut head)?;
        let rest = std::mem::replace(&mut self.input, Box::new(io::empty()));
        self.input = Box::new(Cursor::new(head.clone()).chain(rest));
        Ok(head)
    }

    /// All that is left; none of more bytes than these.
    pub(crate) fn whole(self, most: u64) -> io::Result<Option<Vec<u8>>> {
        let mut whole = Vec::new();
        self.input.take(most.saturating_add(1)).read_to_end(&mut whole)?;
        Ok((whole.len() as u64 <= most).then_some(whole))
    }

    /// The next line that is not blank, with its number from 1.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        loop {
            self.line.clear();
            // One byte more than the bound tells a line that fits from one that does not.
            let bound = self.longest.saturating_add(1);
            if self.input.by_ref().take(bound).read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number = self.number.saturating_add(1);
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
            } else if self.line.len() as u64 == bound {
                self.input.skip_until(b'\n')?;
                self.line = Vec::new();
                return Ok(Some((self.number, Line::TooLong)));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, Line::Whole(&self.line))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn all(bytes: Vec<u8>, longest: u64) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Lines::new(Cursor::new(bytes), longest).unwrap();
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            let line = match line {
                Line::Whole(bytes) => Some(bytes.to_vec()),
                Line::TooLong => None,
            };
            all.push((number, line));
        }
        all
    }

    fn some(number: u64, text: &str) -> (u64, Option<Vec<u8>>) {
        (number, Some(text.into()))
    }

    #[test]
    fn blank_lines_are_counted_and_skipped() {
        assert_eq!(all(b"a\n\n  \r\nbc".to_vec(), 10), [some(1, "a"), some(4, "bc")]);
        assert_eq!(all(Vec::new(), 10), []);
    }

    #[test]
    fn a_line_over_the_bound_is_named_and_the_next_one_read() {
        assert_eq!(all(b"12345\n123456\n1\n".to_vec(), 5), [some(1, "12345"), (2, None), some(3, "1")]);
        assert_eq!(all(b"123456".to_vec(), 5), [(1, None)]);
        assert_eq!(all(b"12345".to_vec(), 5), [some(1, "12345")]);
    }

    #[test]
    fn compressed_input_is_known_by_its_content() {
        let gzip = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let expected = [some(1, "a"), some(2, "b")];
        assert_eq!(all([gzip("a\n"), gzip("b\n")].concat(), 10), expected);
        let zstandard = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(all([zstandard("a\n"), zstandard("b\n")].concat(), 10), expected);
    }

    #[test]
    fn input_that_ends_too_early_is_an_error() {
        let mut bytes = zstd::encode_all(&b"a\nb\n"[..], 1).unwrap();
        bytes.truncate(bytes.len() - 2);
        let mut lines = Lines::new(Cursor::new(bytes), 10).unwrap();
        assert!(std::iter::repeat_with(|| lines.next().map(|line| line.is_some())).take(9).any(|line| line.is_err()));
    }
}
