//! The form of an API key, `<prefix>_<environment>_<random>_<checksum>`: one that a scanner of leaked secrets recognises,
//! and whose typos need no lookup.

/// Digits of base 62 in the random part that [`generate`] writes: 130 bits.
const RANDOM_DIGITS: usize = 22;
/// Digits of base 62 that hold any CRC-32.
const CHECKSUM_DIGITS: usize = 6;
const MAX_PREFIX_BYTES: usize = 32;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Why a text is not an API key, or not one of this prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not `<prefix>_<environment>_<random>_<checksum>`.
    #[error("not `<prefix>_<environment>_<random>_<checksum>`")]
    Form,
    /// The random part is too short to be one, or has characters that it cannot have.
    #[error("the random part is not 22 letters and digits or more")]
    Random,
    /// Mistyped or cut.
    #[error("the checksum does not fit: the key was mistyped, cut or made up")]
    Checksum,
    /// Of another prefix, or of another environment.
    #[error("another prefix or environment than this one's")]
    Prefix,
}

/// A new key: `prefix` with its environment (`zt_live`), 130 random bits and a checksum.
///
/// The random part is the given number modulo 62 to the 22nd: from 256 uniform bits it is uniform but for 2^-125.
///
/// ```
/// use zt_core::verify::api_key;
///
/// let random = [7; 32]; // from the operating system, in earnest
/// let key = api_key::generate("zt_live", &random)?;
/// assert_eq!(api_key::check(&key), Ok("zt_live"));
/// assert_eq!(api_key::check(&key.replace("live", "test")), Err(api_key::Malformed::Checksum));
/// # Ok::<(), api_key::Malformed>(())
/// ```
///
/// # Errors
/// [`Malformed::Prefix`] when the prefix is not lower-case words of letters and digits joined by `_`.
pub fn generate(prefix: &str, random: &[u8; 32]) -> Result<String, Malformed> {
    if !is_prefix(prefix) {
        return Err(Malformed::Prefix);
    }
    let mut number = *random;
    let mut key = format!("{prefix}_");
    key.extend((0..RANDOM_DIGITS).map(|_| digit(divide(&mut number))));
    let checksum = checksum(key.as_bytes());
    key.push('_');
    key.push_str(&checksum);
    Ok(key)
}

/// Whether a text has the form of a key and its checksum fits; answers its prefix with the environment. Whose key it is,
/// or whether it is anybody's, takes a lookup.
///
/// # Errors
/// [`Malformed`], by the first rule that it breaks.
pub fn check(key: &str) -> Result<&str, Malformed> {
    let (signed, sum) = key.rsplit_once('_').ok_or(Malformed::Form)?;
    let (prefix, random) = signed.rsplit_once('_').ok_or(Malformed::Form)?;
    if !is_prefix(prefix) || !prefix.contains('_') || sum.len() != CHECKSUM_DIGITS {
        return Err(Malformed::Form);
    }
    if random.len() < RANDOM_DIGITS || !random.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Malformed::Random);
    }
    match checksum(signed.as_bytes()) == sum {
        true => Ok(prefix),
        false => Err(Malformed::Checksum),
    }
}

/// Words of lower-case letters and digits, joined by `_`.
pub(in crate::verify) fn is_prefix(prefix: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    prefix.len() <= MAX_PREFIX_BYTES && prefix.split('_').all(word)
}

/// CRC-32 of everything before the last `_`, prefix included, in six digits.
fn checksum(signed: &[u8]) -> String {
    let mut rest = crc32(signed);
    let mut digits = [b'0'; CHECKSUM_DIGITS];
    for place in digits.iter_mut().rev() {
        *place = DIGITS.get((rest % 62) as usize).copied().unwrap_or_default();
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// CRC-32 of ISO 3309, bit by bit: a key is short.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// Divides a big-endian number by 62; answers the remainder.
fn divide(number: &mut [u8; 32]) -> u16 {
    number.iter_mut().fold(0, |rest, byte| {
        let value = rest << 8 | u16::from(*byte);
        *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
        value % 62
    })
}

fn digit(value: u16) -> char {
    DIGITS.get(usize::from(value)).map_or('0', |digit| char::from(*digit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_checksum() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), "000000");
    }

    /// Computed with Python's big integers and `zlib.crc32`.
    #[test]
    fn a_key_of_known_bytes() {
        let mut random = [0; 32];
        (1..=32).zip(&mut random).for_each(|(n, byte)| *byte = n);
        assert_eq!(generate("zt_live", &random).unwrap(), "zt_live_onqEdg8bm4QqWagKlFSNsr_2M7V2q");
    }

    #[test]
    fn what_is_no_key() {
        let key = generate("zt_live", &[9; 32]).unwrap();
        assert_eq!(check(&key), Ok("zt_live"));
        for (bad, why) in [
            ("", Malformed::Form),
            ("zt_live", Malformed::Form),
            (&*key.replace("zt_live", "zt"), Malformed::Form),
            (&*key.replace("zt_live", "ZT_live"), Malformed::Form),
            (&*key.replace("zt_live", "zt__live"), Malformed::Form),
            (&key[..key.len() - 1], Malformed::Form),
            (&*format!("{key} "), Malformed::Form),
            (&*key.replace("zt_live", "zt_test"), Malformed::Checksum),
            (&*format!("zt_live_{}", &key[10..]), Malformed::Random),
            (&*format!("zt_live_{}", &key[8..].replacen(|_| true, "é", 2)), Malformed::Random),
        ] {
            assert_eq!(check(bad), Err(why), "{bad}");
        }
        for prefix in ["", "_zt", "zt_", "zt-live", "ZT", "zt live", &"z".repeat(33)] {
            assert_eq!(generate(prefix, &[0; 32]), Err(Malformed::Prefix), "{prefix}");
        }
    }

    proptest! {
        #[test]
        fn every_key_checks_and_no_typo_does(random: [u8; 32], at in 0_usize..37, to in 0_usize..62) {
            let key = generate("zt_live", &random).unwrap();
            prop_assert_eq!(key.len(), 37);
            prop_assert_eq!(check(&key), Ok("zt_live"));
            let mut mistyped = key.clone().into_bytes();
            mistyped[at] = DIGITS[to];
            let mistyped = String::from_utf8(mistyped).unwrap();
            // A CRC of 32 bits finds every error in one character.
            prop_assert_eq!(check(&mistyped).is_ok(), mistyped == key);
        }

        #[test]
        fn any_text_is_answered(text in ".{0,60}") {
            prop_assert!(check(&text).is_err());
        }
    }
}
