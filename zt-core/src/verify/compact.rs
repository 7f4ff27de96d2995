//! A compact JWS on its own.

use super::jose::admission::{self, Purpose};
use super::jose::header::{self, Header};
use super::jose::jws::{self, Compact};
use super::keys::Keys;
use super::{Algorithm, Refusal};
use crate::model::Code;

/// Longest JWS that is looked at.
const MAX_BYTES: usize = 64 << 10;

/// Verifies a compact JWS (RFC 7515) by a key of a JWK set; its payload, whatever that is.
///
/// Parsing, key admission and the signature are those of a token; type and claims are not looked at. To prove who a
/// request comes from, use [`Verifier::verify`](super::Verifier::verify).
///
/// # Errors
/// `verify.token_too_long`, `verify.malformed_token`, `verify.bad_header`, `verify.algorithm_refused`,
/// `verify.unknown_key` (also of a set without a key that can be used) and `verify.bad_signature`, each with a detail.
pub fn verify_jws(compact: &[u8], jwks: &str, algorithms: &[Algorithm]) -> Result<Vec<u8>, Refusal> {
    if compact.len() > MAX_BYTES {
        return Err((Code::VerifyTokenTooLong, "longer than 64 KiB"));
    }
    let compact = Compact::split(compact)?;
    header::check_length(compact.header)?;
    let header = jws::decode(compact.header)?;
    let header = Header::read(&header)?;
    let signature = jws::decode(compact.signature)?;
    let payload = jws::decode(compact.payload)?;
    let set = admission::read_set(jwks, algorithms, Purpose::Tokens)
        .map_err(|_| (Code::VerifyUnknownKey, "no key of the set can be used"))?;
    let keys = Keys::of(set.keys);
    let (_, key) = keys.find(0, &header)?;
    match key.verifying.verify(key.algorithm, compact.signed, &signature) {
        true => Ok(payload),
        false => Err((Code::VerifyBadSignature, "the signature does not verify")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 7515, appendix A.1.
    const KEY: &str = r#"{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]}"#;
    const JWS: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn the_example_of_the_rfc() {
        let payload = verify_jws(JWS.as_bytes(), KEY, &[Algorithm::Hs256]).unwrap();
        assert!(payload.starts_with(b"{\"iss\":\"joe\""));
        let code = |jws: &str, key: &str, algorithm| verify_jws(jws.as_bytes(), key, &[algorithm]).unwrap_err().0;
        assert_eq!(code(&JWS.replace("jXk", "jXg"), KEY, Algorithm::Hs256), Code::VerifyBadSignature);
        assert_eq!(code(JWS, KEY, Algorithm::Hs384), Code::VerifyAlgorithmRefused);
        assert_eq!(code(JWS, KEY, Algorithm::Rs256), Code::VerifyUnknownKey);
        assert_eq!(code(JWS, "{}", Algorithm::Hs256), Code::VerifyUnknownKey);
        assert_eq!(code(&"a".repeat(MAX_BYTES + 1), KEY, Algorithm::Hs256), Code::VerifyTokenTooLong);
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_refused(at in 0..JWS.len(), byte: u8) {
            let mut changed = JWS.as_bytes().to_vec();
            prop_assume!(changed[at] != byte);
            changed[at] = byte;
            prop_assert!(verify_jws(&changed, KEY, &[Algorithm::Hs256]).is_err());
        }
    }
}
