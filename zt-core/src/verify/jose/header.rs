//! The JOSE header (RFC 7515, section 4), read strictly.

use std::borrow::Cow;

use super::Refusal;
use super::algorithm::Algorithm;
use crate::base::base64url;
use crate::base::json::{Limits, Scanner, Token};
use crate::model::Code;

/// The longest encoded header.
const MAX_ENCODED_BYTES: usize = 2 << 10;
/// The longest header, decoded.
pub(in crate::verify) const MAX_BYTES: usize = base64url::decoded_len(MAX_ENCODED_BYTES);
/// The longest `kid`.
pub(in crate::verify) const MAX_KID_BYTES: usize = 256;

const LIMITS: Limits = Limits {
    bytes: MAX_ENCODED_BYTES,
    depth: 4,
    values: 64,
    members: 32,
    elements: 32,
    number_digits: 32,
    key_bytes: 128,
};

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Header<'a> {
    pub(in crate::verify) algorithm: Algorithm,
    pub(in crate::verify) kid: Option<Cow<'a, str>>,
    pub(in crate::verify) typ: Option<Cow<'a, str>>,
}

/// Refuses an encoded header that is too long to be looked at.
pub(in crate::verify) fn check_length(encoded: &[u8]) -> Result<(), Refusal> {
    if encoded.len() > MAX_ENCODED_BYTES { Err(bad("longer than the limit")) } else { Ok(()) }
}

impl<'a> Header<'a> {
    /// Reads a header.
    ///
    /// Refused by rule, whatever they hold: `crit` and `b64` (no extension is understood here; RFC 7797 is not for JWTs),
    /// `zip`, `enc` (a JWS has neither), and every key that a token brings along: `jwk`, `jku`, `x5u`, `x5c` (RFC 8725,
    /// section 3.10).
    pub(in crate::verify) fn read(json: &'a [u8]) -> Result<Self, Refusal> {
        let mut scanner = Scanner::new(json, &LIMITS);
        let mut token = || scanner.next().map_err(|_| bad("not strict JSON"));
        if token()? != Some(Token::BeginObject) {
            return Err(bad("not an object"));
        }
        let (mut alg, mut kid, mut typ) = (None, None, None);
        let mut depth = 0u32;
        while let Some(next) = token()? {
            match next {
                Token::BeginObject | Token::BeginArray => depth = depth.saturating_add(1),
                Token::EndObject | Token::EndArray => depth = depth.saturating_sub(1),
                Token::Key(name) if depth == 0 => {
                    let name = name.unescape();
                    let slot = match &*name {
                        "alg" => Some((&mut alg, "`alg` is not a string")),
                        "kid" => Some((&mut kid, "`kid` is not a string")),
                        "typ" => Some((&mut typ, "`typ` is not a string")),
                        "crit" => return Err(bad("`crit` is refused")),
                        "b64" => return Err(bad("`b64` is refused")),
                        "zip" => return Err(bad("`zip` is refused")),
                        "enc" => return Err(bad("`enc` is refused")),
                        "jwk" => return Err(bad("`jwk` is refused")),
                        "jku" => return Err(bad("`jku` is refused")),
                        "x5u" => return Err(bad("`x5u` is refused")),
                        "x5c" => return Err(bad("`x5c` is refused")),
                        _ => None,
                    };
                    if let Some((slot, wrong)) = slot {
                        let Some(Token::String(text)) = token()? else { return Err(bad(wrong)) };
                        *slot = Some(text.unescape());
                    }
                }
                _ => {}
            }
        }
        let alg = alg.ok_or(bad("`alg` is missing"))?;
        let algorithm =
            Algorithm::from_name(&alg).ok_or((Code::VerifyAlgorithmRefused, "`alg` is not an accepted algorithm"))?;
        if kid.as_deref().is_some_and(|kid| !is_kid(kid)) {
            return Err(bad("`kid` is empty, too long or has control characters"));
        }
        Ok(Self { algorithm, kid, typ })
    }

    /// Whether its `typ` is this media type (RFC 7515, section 4.1.9: `application/` may be left out, case is ignored).
    pub(in crate::verify) fn is_type(&self, accepted: &str) -> bool {
        self.typ.as_deref().is_some_and(|typ| subtype(typ).eq_ignore_ascii_case(subtype(accepted)))
    }
}

/// Whether a key may have this `kid`.
pub(in crate::verify) fn is_kid(kid: &str) -> bool {
    !kid.is_empty() && kid.len() <= MAX_KID_BYTES && !kid.chars().any(char::is_control)
}

/// A media type without its `application/`, which may only be left out when no other slash follows.
fn subtype(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}

const fn bad(detail: &'static str) -> Refusal {
    (Code::VerifyBadHeader, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_header() {
        let header =
            Header::read(br#"{"alg":"ES256","typ":"at+jwt","kid":"k\u0031","x":{"alg":"none","crit":[]}}"#).unwrap();
        assert_eq!((header.algorithm, header.kid.as_deref()), (Algorithm::Es256, Some("k1")));
        assert!(header.is_type("AT+JWT") && header.is_type("application/at+jwt") && !header.is_type("jwt"));
    }

    #[test]
    fn types_are_compared_as_media_types() {
        let header = |typ: &str| Header { algorithm: Algorithm::Rs256, kid: None, typ: Some(typ.to_owned().into()) };
        assert!(header("APPLICATION/At+Jwt").is_type("at+jwt"));
        for other in ["", "at+jwt ", "application/", "application/application/at+jwt", "text/at+jwt", "at+jwt; a=b"] {
            assert!(!header(other).is_type("at+jwt"), "{other}");
        }
        assert!(!Header { algorithm: Algorithm::Rs256, kid: None, typ: None }.is_type("at+jwt"));
    }

    #[test]
    fn refused_headers() {
        let long = format!(r#"{{"alg":"RS256","kid":"{}"}}"#, "k".repeat(257));
        for (json, code) in [
            (r#"{"typ":"at+jwt"}"#, Code::VerifyBadHeader),
            (r#"{"alg":5}"#, Code::VerifyBadHeader),
            (r#"{"alg":["RS256"]}"#, Code::VerifyBadHeader),
            (r#"{"alg":"none"}"#, Code::VerifyAlgorithmRefused),
            (r#"{"alg":"rs256"}"#, Code::VerifyAlgorithmRefused),
            (r#"{"alg":"RS256","alg":"none"}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","\u0061lg":"none"}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","x":{"a":1,"a":1}}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","crit":null}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","b64":true}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","\u006aku":"https://a"}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","kid":5}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","kid":null}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","kid":""}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","kid":"a\u0000"}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","typ":5}"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256"} "#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256"}x"#, Code::VerifyBadHeader),
            (r#"{"alg":"RS256","a":[[[[[]]]]]}"#, Code::VerifyBadHeader),
            ("[]", Code::VerifyBadHeader),
            ("", Code::VerifyBadHeader),
            ("\u{feff}{\"alg\":\"RS256\"}", Code::VerifyBadHeader),
            (&long, Code::VerifyBadHeader),
        ] {
            let refusal = Header::read(json.as_bytes());
            if json.ends_with(' ') {
                // White space around a JSON text is part of its grammar.
                assert!(refusal.is_ok());
                continue;
            }
            assert_eq!(refusal.unwrap_err().0, code, "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Header::read(&bytes);
        }
    }
}
