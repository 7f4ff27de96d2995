//! A bundle as bytes: versioned, checksummed, little-endian.
//!
//! ```text
//! "ztb" | format u8 | flags u8, bit 0: signed | length of the sections u64
//! sections, in the order of their tags, each at most once: tag u8 | length u64 | content
//! where it is signed: SHA-256 thumbprint of the key (RFC 7638), 32 bytes | Ed25519 signature, 64 bytes
//! SHA-256 of all before, 32 bytes
//! ```
//! What is signed is `zt bundle`, a NUL, and the SHA-256 of all before the thumbprint.

use sha2::{Digest as _, Sha256};

use super::{BundleError, MAX_BYTES};
use crate::base::bytes::Reader;
use crate::verify::detached::{SIGNATURE, THUMBPRINT};

const MAGIC: &[u8; 3] = b"ztb";
/// One more whenever the bytes of any section mean something else.
pub(super) const VERSION: u8 = 1;
const SIGNED: u8 = 1;
/// Magic, format, flags, length.
const HEAD: usize = 13;
const CHECKSUM: usize = 32;
const CONTEXT: &[u8] = b"zt bundle\0";

const TAG_VERSION: u8 = 1;
const TAG_CONFIG: u8 = 2;
const TAG_ROUTES: u8 = 3;
const TAG_POLICIES: u8 = 4;

/// What a bundle consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sections<'b> {
    /// The engine's version.
    pub(super) version: &'b [u8],
    /// The configuration as JSON.
    pub(super) config: &'b [u8],
    /// What documents say of endpoints.
    pub(super) routes: &'b [u8],
    /// Compiled policies, where there are any.
    pub(super) policies: Option<&'b [u8]>,
}

/// What a signed bundle is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed<'b> {
    pub(super) thumbprint: &'b [u8],
    pub(super) signature: &'b [u8],
    pub(super) message: Vec<u8>,
}

impl Sections<'_> {
    /// An unsigned bundle of them.
    pub(super) fn write(&self) -> Vec<u8> {
        let sections = [
            (TAG_VERSION, Some(self.version)),
            (TAG_CONFIG, Some(self.config)),
            (TAG_ROUTES, Some(self.routes)),
            (TAG_POLICIES, self.policies),
        ];
        let mut body = Vec::new();
        for (tag, content) in sections.iter().filter_map(|(tag, content)| Some((tag, (*content)?))) {
            body.push(*tag);
            body.extend_from_slice(&(content.len() as u64).to_le_bytes());
            body.extend_from_slice(content);
        }
        let mut bytes = head(0, body.len());
        bytes.extend(body);
        seal(bytes)
    }
}

/// What the owner of a key has to sign so that [`sign`] can make this bundle a signed one: nothing for what is none.
pub(super) fn message(bundle: &[u8]) -> Option<Vec<u8>> {
    let (flags, body) = envelope(bundle).ok()?;
    (flags == 0).then(|| message_of(&[head(SIGNED, body.len()), body.to_vec()].concat()))
}

/// The bundle with a signature.
pub(super) fn sign(bundle: &[u8], thumbprint: &[u8; THUMBPRINT], signature: &[u8]) -> Option<Vec<u8>> {
    let (flags, body) = envelope(bundle).ok()?;
    let mut bytes = head(SIGNED, body.len());
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(thumbprint);
    bytes.extend_from_slice(signature);
    (flags == 0 && signature.len() == SIGNATURE).then(|| seal(bytes))
}

/// Opens a bundle whose checksum holds.
pub(super) fn read(bundle: &[u8]) -> Result<(Sections<'_>, Option<Signed<'_>>), BundleError> {
    let (flags, body) = envelope(bundle)?;
    let end = HEAD.saturating_add(body.len());
    let mut trailer = Reader::new(bundle.get(end..).unwrap_or_default());
    let signed = match flags {
        0 => None,
        _ => {
            let (thumbprint, signature) =
                trailer.bytes(THUMBPRINT).zip(trailer.bytes(SIGNATURE)).ok_or(BundleError::Corrupt)?;
            Some(Signed { thumbprint, signature, message: message_of(bundle.get(..end).unwrap_or_default()) })
        }
    };
    Ok((sections(body).ok_or(BundleError::Sections)?, signed))
}

fn sections(body: &[u8]) -> Option<Sections<'_>> {
    let mut reader = Reader::new(body);
    let mut next = |tag: u8| {
        let mut ahead = reader;
        let [found] = ahead.take::<1>()?;
        let content = ahead.counted().filter(|_| found == tag)?;
        reader = ahead;
        Some(content)
    };
    let sections = Sections {
        version: next(TAG_VERSION)?,
        config: next(TAG_CONFIG)?,
        routes: next(TAG_ROUTES)?,
        policies: next(TAG_POLICIES),
    };
    (reader.left() == 0).then_some(sections)
}

/// Flags and sections inside a sound envelope.
fn envelope(bundle: &[u8]) -> Result<(u8, &[u8]), BundleError> {
    let cut = |expected: usize| BundleError::Cut { expected: expected as u64, found: bundle.len() };
    let mut reader = Reader::new(bundle.strip_prefix(MAGIC).ok_or(BundleError::Foreign)?);
    let [version] = reader.take::<1>().ok_or(cut(HEAD.saturating_add(CHECKSUM)))?;
    if version != VERSION {
        return Err(BundleError::OtherFormat(version));
    }
    let ([flags], length) = reader.take::<1>().zip(reader.u64()).ok_or(cut(HEAD.saturating_add(CHECKSUM)))?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_BYTES).ok_or(BundleError::TooLarge)?;
    let trailer = match flags {
        0 => 0,
        SIGNED => THUMBPRINT.saturating_add(SIGNATURE),
        _ => return Err(BundleError::Sections),
    };
    let expected = HEAD.saturating_add(length).saturating_add(trailer).saturating_add(CHECKSUM);
    let (sealed, checksum) =
        bundle.split_last_chunk::<CHECKSUM>().filter(|_| bundle.len() == expected).ok_or(cut(expected))?;
    let body = reader.bytes(length).ok_or(cut(expected))?;
    if Sha256::digest(sealed) == *checksum { Ok((flags, body)) } else { Err(BundleError::Corrupt) }
}

fn head(flags: u8, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length.saturating_add(256));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[VERSION, flags]);
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
    bytes
}

fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

fn message_of(before: &[u8]) -> Vec<u8> {
    [CONTEXT, &Sha256::digest(before)].concat()
}

#[cfg(test)]
#[cfg(feature = "compile")]
pub(super) mod tests {
    use super::*;

    /// Any body under a right checksum.
    pub(in crate::engine::bundle) fn sealed(body: &[u8]) -> Vec<u8> {
        seal([head(0, body.len()), body.to_vec()].concat())
    }
}
