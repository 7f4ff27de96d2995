//! JWK thumbprints (RFC 7638).

use sha2::{Digest as _, Sha256};

use super::jwk::{Member, Members};

/// The SHA-256 thumbprint of a key: of its required members only, in the order of their names (RFC 7638, section 3.2; for
/// `OKP` RFC 8037, section 2). None where one is missing.
///
/// Values are hashed as they are: for an admitted key they need no escapes.
pub(in crate::verify) fn sha256(members: &Members<'_>) -> Option<[u8; 32]> {
    let text = |name: &str| match members.get(name) {
        Some(Member::Text(text)) => Some(&**text),
        _ => None,
    };
    let required: &[&str] = match text("kty")? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "oct" => &["k", "kty"],
        _ => return None,
    };
    let mut hash = Sha256::new();
    for (at, name) in required.iter().enumerate() {
        hash.update(if at == 0 { "{\"" } else { ",\"" });
        hash.update(name);
        hash.update("\":\"");
        hash.update(text(name)?);
        hash.update("\"");
    }
    hash.update("}");
    Some(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn thumbprint(members: &[(&'static str, &'static str)]) -> Option<String> {
        let members = members.iter().map(|(name, value)| ((*name).into(), Member::Text((*value).into()))).collect();
        sha256(&members).map(|digest| URL_SAFE_NO_PAD.encode(digest))
    }

    #[test]
    fn examples_of_the_rfcs() {
        // RFC 7638, section 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = [("kty", "RSA"), ("n", n), ("e", "AQAB"), ("alg", "RS256"), ("kid", "2011-04-29")];
        assert_eq!(thumbprint(&rsa).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        // RFC 8037, appendix A.3.
        let okp = [("kty", "OKP"), ("crv", "Ed25519"), ("x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")];
        assert_eq!(thumbprint(&okp).unwrap(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // RFC 9449, section 4.1 and 6.1.
        let ec = [
            ("kty", "EC"),
            ("x", "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"),
            ("y", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"),
            ("crv", "P-256"),
        ];
        assert_eq!(thumbprint(&ec).unwrap(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    #[test]
    fn nothing_without_the_required_members() {
        assert_eq!(thumbprint(&[("kty", "EC"), ("crv", "P-256"), ("x", "a")]), None);
        assert_eq!(thumbprint(&[("kty", "AKP")]), None);
        assert_eq!(thumbprint(&[]), None);
    }
}
