//! Who has signed a bundle, and whether that is enough.

use super::format::{self, Sections, Signed};
use super::{Bundle, BundleError};
use crate::verify::SigningKeys;

/// What is asked of a bundle beside its checksum.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'k> {
    /// Nothing: whoever can write the file is trusted. A signature that is there is not looked at.
    Unsigned,
    /// A signature by this key: the text of a public Ed25519 JWK, or of a JWK set while keys are being replaced.
    Key(&'k str),
}

impl<'k> From<Option<&'k str>> for Trust<'k> {
    fn from(key: Option<&'k str>) -> Self {
        key.map_or(Self::Unsigned, Self::Key)
    }
}

impl Bundle {
    /// This bundle signed with Ed25519 (RFC 8032). `sign` signs a message with the private key that belongs to `key`, the
    /// text of its public JWK.
    ///
    /// # Errors
    /// When the key is none, or what `sign` gave is not its signature.
    pub fn signed<S: AsRef<[u8]>>(&self, key: &str, sign: impl FnOnce(&[u8]) -> S) -> Result<Self, BundleError> {
        let keys = SigningKeys::read(key).map_err(BundleError::Key)?;
        let thumbprint = keys.thumbprints().next().ok_or(BundleError::UnknownKey)?;
        let message = format::message(&self.0).ok_or(BundleError::Corrupt)?;
        let signature = sign(&message);
        let bytes = format::sign(&self.0, thumbprint, signature.as_ref()).ok_or(BundleError::BadSignature)?;
        open(&bytes, Trust::Key(key))?;
        Ok(Self(bytes))
    }
}

/// Opens a bundle that is trusted.
pub(super) fn open<'b>(bytes: &'b [u8], trust: Trust<'_>) -> Result<Sections<'b>, BundleError> {
    let (sections, signed) = format::read(bytes)?;
    let Trust::Key(key) = trust else { return Ok(sections) };
    let keys = SigningKeys::read(key).map_err(BundleError::Key)?;
    let Signed { thumbprint, signature, message } = signed.ok_or(BundleError::Unsigned)?;
    match keys.verify(thumbprint, &message, signature) {
        None => Err(BundleError::UnknownKey),
        Some(false) => Err(BundleError::BadSignature),
        Some(true) => Ok(sections),
    }
}
