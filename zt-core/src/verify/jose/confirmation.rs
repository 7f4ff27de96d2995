//! `cnf`: the key that a token is bound to (RFC 7800).

use super::claims::{bad, not_json};
use super::{Refusal, jws};
use crate::base::json::{Scanner, Token};

/// The one key whose possession must be proven to use a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Confirmation {
    /// `jkt`: JWK thumbprint of a DPoP key (RFC 9449, section 6.1).
    Jkt([u8; 32]),
    /// `x5t#S256`: SHA-256 of a client certificate (RFC 8705, section 3.1).
    X5tS256([u8; 32]),
}

impl Confirmation {
    /// What it is called in an identity's assurance.
    pub(in crate::verify) const fn bound(self) -> &'static str {
        match self {
            Self::Jkt(_) => "dpop",
            Self::X5tS256(_) => "mtls",
        }
    }

    /// Reads the value of `cnf`: exactly one member. What a second one, or one that is not known here, asks for would go
    /// unproven.
    pub(in crate::verify) fn read(scanner: &mut Scanner<'_>) -> Result<Self, Refusal> {
        if scanner.next().map_err(not_json)? != Some(Token::BeginObject) {
            return Err(bad("`cnf` is not an object"));
        }
        let Some(Token::Key(name)) = scanner.next().map_err(not_json)? else {
            return Err(bad("`cnf` is empty"));
        };
        let of = match &*name.unescape() {
            "jkt" => Self::Jkt,
            "x5t#S256" => Self::X5tS256,
            _ => return Err(bad("`cnf` asks for a proof that is not known here")),
        };
        let Some(Token::String(text)) = scanner.next().map_err(not_json)? else {
            return Err(bad("`cnf` holds something that is not a string"));
        };
        let digest = sha256(text.unescape().as_bytes()).ok_or(bad("`cnf` is not a SHA-256 in canonical base64url"))?;
        match scanner.next().map_err(not_json)? {
            Some(Token::EndObject) => Ok(of(digest)),
            _ => Err(bad("`cnf` asks for more than one proof")),
        }
    }
}

/// A SHA-256 in canonical base64url.
pub(in crate::verify) fn sha256(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != 43 {
        return None;
    }
    jws::decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::json::Limits;
    use crate::model::Code;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<Confirmation, Refusal> {
        Confirmation::read(&mut Scanner::new(json.as_bytes(), &Limits::default()))
    }

    #[test]
    fn one_of_two_kinds() {
        // RFC 9449, section 6.1; RFC 8705, section 3.1.
        let jkt = read(r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#).unwrap();
        assert!(matches!(jkt, Confirmation::Jkt([0xd1, 0x97, 0x0e, ..])) && jkt.bound() == "dpop");
        let x5t = read(r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#);
        assert_eq!(x5t.unwrap_err().0, Code::VerifyBadClaims, "the RFC's own example is not canonical");
        let x5t = read(r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0"}"#).unwrap();
        assert!(matches!(x5t, Confirmation::X5tS256([0x6f, 0x07, ..])) && x5t.bound() == "mtls");
    }

    #[test]
    fn anything_else_is_refused() {
        let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        for json in [
            "null".to_owned(),
            "{}".to_owned(),
            "[]".to_owned(),
            format!("\"{jkt}\""),
            format!(r#"{{"jkt":"{jkt}","x5t#S256":"{jkt}"}}"#),
            format!(r#"{{"jkt":"{jkt}","jkt":"{jkt}"}}"#),
            format!(r#"{{"jkt":"{jkt}","kid":"a"}}"#),
            format!(r#"{{"JKT":"{jkt}"}}"#),
            format!(r#"{{"jkt":"{jkt}="}}"#),
            format!(r#"{{"jkt":["{jkt}"]}}"#),
            format!(r#"{{"jkt":"{}"}}"#, jkt.replace('-', "+")),
            format!(r#"{{"jkt":"{}"}}"#, &jkt[..42]),
            r#"{"jwk":{"kty":"EC"}}"#.to_owned(),
            r#"{"jkt":5}"#.to_owned(),
            r#"{"jkt":""}"#.to_owned(),
        ] {
            assert_eq!(read(&json).unwrap_err().0, Code::VerifyBadClaims, "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in ".{0,80}") {
            let _ = read(&text);
        }
    }
}
