//! The first verification of a token, beside the bare signature check and `jsonwebtoken`, in one process.

use std::hint::black_box;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use axum_shop::issuer::Issuer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde_json::Value;
use zt_benches::figure::Figure;
use zt_benches::fixture::SUBJECT;
use zt_benches::measure::medians;

use super::payload::{Case, Payload, UNCACHED};
use super::{Rows, verifier};

/// Median nanoseconds of each, by algorithm, and the figures of it.
pub(crate) fn figures(payload: &Payload, rows: &mut Rows) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    for case in &payload.cases {
        let [zt, remembering, raw, peer] = measure(payload, case)?;
        let alg = case.alg;
        rows.add("jsonwebtoken 11.1 aws_lc_rs", alg, "cold", peer);
        rows.add("zt", alg, "cold", zt);
        let beside = format!("zt {:.2} us, aws-lc-rs with a parsed key {:.2} us", zt / 1e3, raw / 1e3);
        let ratio = Figure::new(format!("{alg} cold, no cache / raw"), zt / raw, "ratio").beside(beside);
        figures.push(if alg == "HS256" { ratio } else { ratio.at_most(1.05) });
        let ratio = Figure::new(format!("{alg} jsonwebtoken aws_lc_rs / zt cold"), peer / zt, "ratio");
        let ratio = ratio.beside(format!("jsonwebtoken 11.1 {:.2} us", peer / 1e3));
        figures.push(if alg == "HS256" { ratio.at_least(2.5) } else { ratio });
        figures.push(Figure::new(format!("{alg} cold into a full cache"), remembering / 1e3, "us"));
    }
    Ok(figures)
}

fn measure(payload: &Payload, case: &Case) -> Result<[f64; 4], String> {
    // Sixty-four of a thousand tokens taken by turns: none is there when it comes again.
    let (cold, small) =
        (verifier(&payload.config(UNCACHED))?, verifier(&payload.config("memory = \"64KiB\"\nentries = 64"))?);
    let raw = raw_check(case).ok_or("a key that aws-lc-rs does not take")?;
    let parts = case.tokens.iter().map(|token| {
        let (message, signature) = token.rsplit_once('.').unwrap_or_default();
        (message, URL_SAFE_NO_PAD.decode(signature).unwrap_or_default())
    });
    let parts: Vec<(&str, Vec<u8>)> = parts.collect();
    let peer = by_jsonwebtoken(case)?;
    for (token, (message, signature)) in case.tokens.iter().zip(&parts) {
        let proven = |by: &super::Subject| by.proves(token, payload.now_ms);
        let all = proven(&cold) && proven(&small) && raw(message.as_bytes(), signature) && peer(token);
        assert!(all, "{} must pass everywhere", case.alg);
    }
    let count = parts.len();
    let (mut a, mut b, mut c, mut d) = (Turn(0), Turn(0), Turn(0), Turn(0));
    Ok(medians([
        &mut || {
            black_box(cold.verify(&case.tokens[a.next(count)], payload.now_ms));
        },
        &mut || {
            black_box(small.verify(&case.tokens[b.next(count)], payload.now_ms));
        },
        &mut || {
            let (message, signature) = &parts[c.next(count)];
            black_box(raw(black_box(message.as_bytes()), signature));
        },
        &mut || {
            black_box(peer(&case.tokens[d.next(count)]));
        },
    ]))
}

/// One after the other, again and again.
struct Turn(usize);

impl Turn {
    fn next(&mut self, of: usize) -> usize {
        self.0 = (self.0 + 1) % of;
        self.0
    }
}

/// Verifies message and signature with a key that was parsed before.
type Check = Box<dyn Fn(&[u8], &[u8]) -> bool>;

fn raw_check(case: &Case) -> Option<Check> {
    let member = |name: &str| URL_SAFE_NO_PAD.decode(case.jwk[name].as_str()?).ok();
    let rsa = || Some(RsaPublicKeyComponents { n: member("n")?, e: member("e")? });
    let key = match case.alg {
        "HS256" => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &member("k")?);
            return Some(Box::new(move |message, tag| hmac::verify(&key, message, tag).is_ok()));
        }
        "RS256" => rsa()?.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?,
        "PS256" => rsa()?.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256).ok()?,
        "ES256" => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [vec![4], member("x")?, member("y")?].concat()).ok()?
        }
        _ => ParsedPublicKey::new(&ED25519, member("x")?).ok()?,
    };
    Some(Box::new(move |message, signature| key.verify_sig(message, signature).is_ok()))
}

/// `decode` with what zt checks too, as far as it can: algorithm, `exp`, `iss`, `aud`, and that `sub` is there.
fn by_jsonwebtoken(case: &Case) -> Result<impl Fn(&str) -> bool, String> {
    let jwk = serde_json::from_value(case.jwk.clone()).map_err(|error| error.to_string())?;
    let key = DecodingKey::from_jwk(&jwk).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(case.alg.parse().map_err(|_| "an unknown algorithm")?);
    validation.set_audience(&[Issuer::AUDIENCE]);
    validation.set_issuer(&[&case.issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok(move |token: &str| decode::<Value>(token, &key, &validation).is_ok_and(|read| read.claims["sub"] == SUBJECT))
}
