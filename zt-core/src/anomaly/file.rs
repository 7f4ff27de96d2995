//! A baseline as bytes.
//!
//! ```text
//! an envelope, and in it, little-endian, all lists in rising order:
//! seed u64
//! contexts: number u64, of each: id u64 | owner u32 | events u32 | keys u16, 65535 where it is open | support u8
//! keys: number u64, of each: id u64 | context u64 | count u32 | support u8
//! norms: number u64, of each: id u64 | owner u32 | number u64 | sum u64 | sum of squares u64
//! keys that somebody has accepted, in two generations, of each: number u64, ids u64
//! for each channel, then for the highest of them, then for the evidence: 512 counts u32
//! 1 u8 and what clients do over time, or 0 u8 where that was not learned
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::baseline::Baseline;
use super::calibration::Histogram;
use super::model::{Accepted, Counts, Norms};
use super::watch::Watch;
use crate::base::bytes::Reader;
use crate::base::envelope::{Broken, Envelope};

const VERSION: u16 = 6;
/// How the text of any version begins.
const TEXT_MAGIC: &[u8] = b"WlRCT";
/// Characters of a line.
const LINE: usize = 120;
pub(super) const ENVELOPE: Envelope = Envelope { magic: b"ZTBL", version: VERSION };

/// Why bytes are not a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// Not a baseline of zt.
    #[error("not a zt baseline")]
    Foreign,
    /// Written by another version.
    #[error("baseline version {0}, and {VERSION} is known here: learn it again with this version")]
    Version(u16),
    /// Shorter or longer than it says.
    #[error("the baseline is cut: {found} bytes of {expected}")]
    Cut {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: usize,
    },
    /// The checksum does not match.
    #[error("the baseline is corrupt: its checksum does not match")]
    Corrupt,
    /// The content contradicts itself.
    #[error("the baseline cannot be read: {0}")]
    Content(&'static str),
}

impl From<Broken> for BaselineError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Foreign => Self::Foreign,
            Broken::Version(version) => Self::Version(version),
            Broken::Cut { expected, found } => Self::Cut { expected, found },
            Broken::Corrupt => Self::Corrupt,
        }
    }
}

impl Baseline {
    /// As bytes; the same baseline gives the same bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut body = self.seed.to_le_bytes().to_vec();
        self.model.counts.write(&mut body);
        self.model.norms.write(&mut body);
        self.model.accepted.write(&mut body);
        for histogram in self.histograms.each().chain([&self.evidence]) {
            histogram.write(&mut body);
        }
        body.push(self.watch.is_some().into());
        self.watch.iter().for_each(|watch| watch.write(&mut body));
        ENVELOPE.seal(0, &body)
    }

    /// As text, for files: lines of base64.
    pub fn to_text(&self) -> String {
        let encoded = STANDARD.encode(self.write());
        let lines = encoded.as_bytes().chunks(LINE).filter_map(|line| std::str::from_utf8(line).ok());
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// From text.
    ///
    /// # Errors
    /// [`BaselineError`].
    pub fn from_text(text: &str) -> Result<Self, BaselineError> {
        let encoded: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        // What was cut off in the middle of a group says so below.
        let groups = encoded.get(..encoded.len() / 4 * 4).unwrap_or_default();
        let own = encoded.starts_with(TEXT_MAGIC);
        let broken = if own { BaselineError::Corrupt } else { BaselineError::Foreign };
        Self::read(&STANDARD.decode(groups).map_err(|_| broken)?)
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`BaselineError`].
    pub fn read(bytes: &[u8]) -> Result<Self, BaselineError> {
        let (kind, body) = ENVELOPE.open(bytes)?;
        let mut reader = Reader::new(body);
        let seed = reader.u64().filter(|_| kind == 0).ok_or(BaselineError::Content("no seed"))?;
        let mut baseline = Self::new(seed);
        baseline.model.counts = Counts::read(&mut reader).ok_or(BaselineError::Content("counts"))?;
        baseline.model.norms = Norms::read(&mut reader).ok_or(BaselineError::Content("norms"))?;
        baseline.model.accepted = Accepted::read(&mut reader).ok_or(BaselineError::Content("accepted keys"))?;
        for own in baseline.histograms.each_mut().chain([&mut baseline.evidence]) {
            *own = Histogram::read(&mut reader).ok_or(BaselineError::Content("histograms"))?;
        }
        baseline.watch = match reader.take() {
            Some([0]) => None,
            Some([1]) => Some(Watch::read(&mut reader).ok_or(BaselineError::Content("behaviour"))?.into()),
            _ => return Err(BaselineError::Content("behaviour")),
        };
        if reader.left() > 0 {
            return Err(BaselineError::Content("more than a baseline has"));
        }
        baseline.derive();
        Ok(baseline)
    }
}
