//! The state as bytes: versioned, checksummed, little-endian.
//!
//! ```text
//! "ZTST" | version u16 | length u64 | for limit, verify and respond each: length u64, section | SHA-256 of all before, first 16 bytes
//! ```

use sha2::{Digest as _, Sha256};

use super::State;
use crate::base::bytes::Reader;
use crate::limit;

const MAGIC: &[u8; 4] = b"ZTST";
const VERSION: u16 = 3;
const CHECKSUM: usize = 16;

/// Why bytes are not a state. The state they were to replace or join is untouched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not a snapshot of zt.
    #[error("not a zt snapshot")]
    Foreign,
    /// Written by a newer version.
    #[error("snapshot version {0} is newer than {VERSION}, the newest known here")]
    Newer(u16),
    /// Shorter or longer than it says.
    #[error("the snapshot is cut: {found} bytes of {expected}")]
    Cut {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: usize,
    },
    /// The checksum does not match.
    #[error("the snapshot is corrupt: its checksum does not match")]
    Corrupt,
    /// The content is not what the checksum promises.
    #[error("the snapshot's limits cannot be read: {0}")]
    Limits(#[from] limit::SnapshotError),
    /// The content is not what the checksum promises.
    #[error("the snapshot's revocations cannot be read: {0}")]
    Verify(&'static str),
    /// The content is not what the checksum promises.
    #[error("the snapshot's strikes and suspensions cannot be read: {0}")]
    Respond(&'static str),
}

impl State {
    /// The state as bytes; the same state gives the same bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let mut section = Vec::new();
        self.limit.write(&mut section);
        add(&section, &mut body);
        section.clear();
        self.verify.write(&mut section);
        add(&section, &mut body);
        section.clear();
        self.respond.write(&mut section);
        add(&section, &mut body);
        let mut bytes = Vec::with_capacity(body.len().saturating_add(64));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&body);
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum.iter().take(CHECKSUM));
        bytes
    }

    /// Replaces everything with what a snapshot holds.
    ///
    /// # Errors
    /// [`SnapshotError`]; the state is untouched then.
    pub fn restore(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let [limit, verify, respond] = sections(open(bytes)?)?;
        let verify = self.verify.read(verify).map_err(SnapshotError::Verify)?;
        let respond = self.respond.read(respond).map_err(SnapshotError::Respond)?;
        self.limit.restore(limit)?;
        self.verify.restore(verify);
        self.respond.restore(respond);
        Ok(())
    }

    /// Joins what a snapshot holds with what is here; the order of merges never matters.
    ///
    /// # Errors
    /// [`SnapshotError`]; the state is untouched then.
    pub fn merge(&self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let [limit, verify, respond] = sections(open(bytes)?)?;
        let verify = self.verify.read(verify).map_err(SnapshotError::Verify)?;
        let respond = self.respond.read(respond).map_err(SnapshotError::Respond)?;
        self.limit.merge(limit)?;
        self.verify.merge(verify);
        self.respond.merge(respond);
        Ok(())
    }
}

fn add(section: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(&(section.len() as u64).to_le_bytes());
    body.extend_from_slice(section);
}

/// The sections of a body.
fn sections(body: &[u8]) -> Result<[&[u8]; 3], SnapshotError> {
    let mut reader = Reader::new(body);
    let mut section = || reader.counted().ok_or(SnapshotError::Corrupt);
    let sections = [section()?, section()?, section()?];
    if reader.left() == 0 { Ok(sections) } else { Err(SnapshotError::Corrupt) }
}

/// The body inside a valid envelope.
fn open(bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(SnapshotError::Foreign)?;
    let cut = |expected: u64| SnapshotError::Cut { expected, found: bytes.len() };
    let header = MAGIC.len().saturating_add(10).saturating_add(CHECKSUM) as u64;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(cut(header))?;
    match u16::from_le_bytes(*version) {
        VERSION => {}
        newer if newer > VERSION => return Err(SnapshotError::Newer(newer)),
        _ => return Err(SnapshotError::Foreign),
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(cut(header))?;
    let length = u64::from_le_bytes(*length);
    let expected = length.saturating_add(header);
    if expected != bytes.len() as u64 {
        return Err(cut(expected));
    }
    let (body, checksum) = rest.split_last_chunk::<CHECKSUM>().ok_or(cut(expected))?;
    let signed = bytes.len().saturating_sub(CHECKSUM);
    let digest = Sha256::digest(bytes.get(..signed).unwrap_or_default());
    if digest.get(..CHECKSUM) == Some(&checksum[..]) { Ok(body) } else { Err(SnapshotError::Corrupt) }
}
