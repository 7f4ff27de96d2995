//! Digests of the log: SHA-256, or HMAC-SHA-256 under a key.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The shortest key that is accepted, bytes: 128 bits, if they are random.
const LEAST_KEY_BYTES: usize = 16;

/// A key of the log. Not shown by `Debug`.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

/// A key that can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is shorter than {LEAST_KEY_BYTES} bytes")]
pub struct KeyTooShort;

impl Key {
    /// A key of these bytes.
    ///
    /// # Errors
    /// When they are fewer than 16.
    pub fn new(secret: &[u8]) -> Result<Self, KeyTooShort> {
        let mac = Hmac::new_from_slice(secret).ok().filter(|_| secret.len() >= LEAST_KEY_BYTES);
        mac.map(Self).ok_or(KeyTooShort)
    }

    /// The key in the text of a file that holds it on one line.
    ///
    /// # Errors
    /// When it is shorter than 16 bytes.
    pub fn from_file(text: &str) -> Result<Self, KeyTooShort> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        Self::new(line.strip_suffix('\r').unwrap_or(line).as_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What makes digests.
#[derive(Clone, Debug, Default)]
pub(super) struct Seal(pub(super) Option<Key>);

/// A digest being made.
pub(super) enum Hasher {
    Plain(Sha256),
    Keyed(Box<Hmac<Sha256>>),
}

impl Seal {
    /// What stands before a digest's digits, colon included.
    pub(super) fn prefix(&self) -> &'static str {
        if self.0.is_some() { "hmac-sha256:" } else { "sha256:" }
    }

    pub(super) fn hasher(&self) -> Hasher {
        match &self.0 {
            Some(key) => Hasher::Keyed(Box::new(key.0.clone())),
            None => Hasher::Plain(Sha256::new()),
        }
    }

    /// `sha256:` or `hmac-sha256:` and 64 digits.
    pub(super) fn of(&self, bytes: &[u8]) -> String {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        self.text(hasher)
    }

    pub(super) fn text(&self, hasher: Hasher) -> String {
        let digest: [u8; 32] = match hasher {
            Hasher::Plain(hash) => hash.finalize().into(),
            Hasher::Keyed(mac) => mac.finalize().into_bytes().into(),
        };
        let mut text = String::with_capacity(80);
        text.push_str(self.prefix());
        let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
        text.extend(digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
        text
    }
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(hash) => hash.update(bytes),
            Self::Keyed(mac) => mac.update(bytes),
        }
    }
}

/// Whether two texts are the same, in a time that does not depend on them.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
