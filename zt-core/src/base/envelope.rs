//! Bytes that say what they are, how long, and whether they are whole.
//!
//! ```text
//! magic, 4 bytes | version u16 | kind u8 | length u64 | body
//! SHA-256 of all before, first 16 bytes
//! ```

use sha2::{Digest as _, Sha256};

use super::bytes::Reader;

/// Magic, version, kind, length.
const HEAD: usize = 15;
const CHECKSUM: usize = 16;

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// Its first bytes.
    pub magic: &'static [u8; 4],
    /// The version that is written, and the only one that is read.
    pub version: u16,
}

/// Why bytes are not such a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Another magic.
    Foreign,
    /// Another version.
    Version(u16),
    /// Shorter or longer than it says.
    Cut {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: usize,
    },
    /// The checksum does not match.
    Corrupt,
}

impl Envelope {
    /// A body in its envelope.
    pub fn seal(&self, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(body.len().saturating_add(HEAD).saturating_add(CHECKSUM));
        bytes.extend_from_slice(self.magic);
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.push(kind);
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(body);
        let checksum = Sha256::digest(&bytes);
        bytes.extend(checksum.iter().take(CHECKSUM));
        bytes
    }

    /// Kind and body.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn open<'b>(&self, bytes: &'b [u8]) -> Result<(u8, &'b [u8]), Broken> {
        let rest = bytes.strip_prefix(self.magic).ok_or(Broken::Foreign)?;
        let cut = |expected: u64| Broken::Cut { expected, found: bytes.len() };
        let around = HEAD.saturating_add(CHECKSUM) as u64;
        let mut reader = Reader::new(rest);
        let version = reader.take().map(u16::from_le_bytes).ok_or(cut(around))?;
        if version != self.version {
            return Err(Broken::Version(version));
        }
        let [kind] = reader.take().ok_or(cut(around))?;
        let length = reader.u64().ok_or(cut(around))?;
        let expected = length.saturating_add(around);
        if expected != bytes.len() as u64 {
            return Err(cut(expected));
        }
        let sealed = bytes.len().saturating_sub(CHECKSUM);
        let (sealed, checksum) = bytes.split_at_checked(sealed).ok_or(cut(expected))?;
        let body = sealed.get(HEAD..).ok_or(cut(expected))?;
        let same = Sha256::digest(sealed).get(..CHECKSUM) == Some(checksum);
        if same { Ok((kind, body)) } else { Err(Broken::Corrupt) }
    }
}
