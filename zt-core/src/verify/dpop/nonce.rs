//! Nonces of the server, which nothing has to remember (RFC 9449, sections 8 and 9).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::model::Millis;

/// Makes and knows its own nonces: base64url of a keyed hash of the time, in steps of the lifetime.
pub(super) struct Nonces {
    lifetime: Millis,
    key: [u8; 32],
}

/// How old a nonce is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Of this step.
    Current,
    /// Of the step before: accepted, but the client should take the next.
    Previous,
    /// Older, of the future, or not ours.
    Stale,
}

/// Bytes of a nonce before encoding.
const BYTES: usize = 16;

impl Nonces {
    /// Nonces that all who know the secret accept from each other.
    pub(super) fn new(lifetime: Millis, secret: &str) -> Self {
        Self { lifetime: lifetime.max(1), key: Sha256::digest(secret).into() }
    }

    /// The nonce to use from now on.
    pub(super) fn current(&self, now: Millis) -> String {
        self.of_step(self.step(now))
    }

    /// How old this nonce is.
    pub(super) fn age(&self, nonce: &str, now: Millis) -> Age {
        let step = self.step(now);
        let is = |step| bool::from(nonce.as_bytes().ct_eq(self.of_step(step).as_bytes()));
        match (is(step), is(step.saturating_sub(1))) {
            (true, _) => Age::Current,
            (_, true) => Age::Previous,
            _ => Age::Stale,
        }
    }

    fn step(&self, now: Millis) -> i64 {
        now.div_euclid(self.lifetime)
    }

    fn of_step(&self, step: i64) -> String {
        let mut message = *b"zt dpop nonce 1 ........";
        message.iter_mut().rev().zip(step.to_be_bytes()).for_each(|(byte, of_step)| *byte = of_step);
        URL_SAFE_NO_PAD.encode(hmac(&self.key, &message).get(..BYTES).unwrap_or_default())
    }
}

impl std::fmt::Debug for Nonces {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// HMAC-SHA-256 (RFC 2104) under a key of 32 bytes.
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let padded = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, of_key)| *byte ^= of_key);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_step_and_the_one_before() {
        let nonces = Nonces::new(1_000, "one secret");
        let nonce = nonces.current(5_300);
        assert_eq!(nonce.len(), 22);
        for (now, age) in [
            (5_000, Age::Current),
            (5_999, Age::Current),
            (6_000, Age::Previous),
            (6_999, Age::Previous),
            (7_000, Age::Stale),
            (4_999, Age::Stale),
        ] {
            assert_eq!(nonces.age(&nonce, now), age, "{now}");
        }
        for other in ["", "x", &nonce[..21], &format!("{nonce}A"), &nonce.to_ascii_lowercase()] {
            assert_eq!(nonces.age(other, 5_300), Age::Stale, "{other}");
        }
    }

    #[test]
    fn who_has_the_secret_accepts_them() {
        let [a, same, b] = ["one secret", "one secret", "another"].map(|secret| Nonces::new(1_000, secret));
        assert_eq!(same.age(&a.current(0), 0), Age::Current);
        assert_eq!(b.age(&a.current(0), 0), Age::Stale);
        assert!(!format!("{a:?}").contains("key"));
    }

    #[test]
    fn hmac_of_the_rfc() {
        // RFC 4231, test case 1: the key of 20 bytes is padded with zeros.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(hmac(&key, b"Hi There")[..8], [0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53]);
    }
}
