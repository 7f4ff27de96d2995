//! Random keys and tokens: every runtime must answer what Rust answers.
//!
//! The seed decides what is made and how it is changed. RSA keys and the nonces of ECDSA and RSASSA-PSS are fresh in each
//! run; the file of cases holds what they were.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::case::{Case, Expect, bearer};
use crate::mutate::{self, Numbers};

const SUITE: &str = "random";
const NOW: i64 = 1_800_000_000_000;

const RSA: [(&str, &dyn RsaEncoding); 6] = [
    ("RS256", &RSA_PKCS1_SHA256),
    ("RS384", &RSA_PKCS1_SHA384),
    ("RS512", &RSA_PKCS1_SHA512),
    ("PS256", &RSA_PSS_SHA256),
    ("PS384", &RSA_PSS_SHA384),
    ("PS512", &RSA_PSS_SHA512),
];

/// A key that signs.
struct Signer {
    algorithm: &'static str,
    jwk: Value,
    sign: Sign,
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// Six cases a round: a sound token, it changed, its key changed, its claims changed, a made-up key, and a sound token
/// under the rules of a configuration.
pub(crate) fn cases(seed: u64, rounds: u64) -> Result<Vec<Case>, String> {
    let failed = |_| "cannot make a key".to_owned();
    let rsa = [KeySize::Rsa2048, KeySize::Rsa3072];
    let rsa: Vec<_> = rsa.into_iter().map(RsaKeyPair::generate).collect::<Result<_, _>>().map_err(failed)?;
    let mut numbers = Numbers(seed);
    let mut cases = Vec::new();
    for round in 0..rounds {
        let signer = signer(&mut numbers, &rsa)?;
        let sound = json!({
            "iss": "https://idp.example.com", "sub": format!("user-{round}"), "aud": "https://api.example.com",
            "exp": NOW / 1_000 + 300, "iat": NOW / 1_000 - 60, "jti": format!("{:x}", numbers.next()),
        });
        let typ = numbers.one(&["at+jwt", "at+jwt", "application/at+jwt", "JWT"]);
        let token = signer.token(&sound, typ);
        let changed_claims = mutate::claims(&sound, &mut numbers);
        let resigned = signer.token(&changed_claims, typ);
        let changed_token = mutate::token(&token, &mut numbers);
        let changed_key = mutate::key(&signer.jwk, &mut numbers);
        let (made_up, algorithm) = made_up(&mut numbers);
        let forged = forged(algorithm, &made_up, &mut numbers);

        let raw = |what: &str, key: &Value, jws: &str, algorithm: &str, expect| {
            let document = json!({"jwks": json!({"keys": [key]}).to_string(), "jws": jws, "algorithms": [algorithm]});
            Case::new(SUITE, format!("{round}, {what}"), "jws_verify", document, expect)
        };
        let shown = |what: &str, token: &str, expect| {
            let config = json!({"issuer": [{
                "issuer": "https://idp.example.com", "audiences": ["https://api.example.com"], "token_types": ["at+jwt", "JWT"],
                "algorithms": [signer.algorithm], "jwks": json!({"keys": [signer.jwk]}).to_string(),
            }]});
            Case::new(SUITE, format!("{round}, {what}"), "request_verify", bearer(token, &config, NOW), expect)
        };
        cases.push(raw("sound", &signer.jwk, &token, signer.algorithm, Expect::Accept));
        cases.push(raw("token changed", &signer.jwk, &changed_token, signer.algorithm, Expect::Reject));
        cases.push(raw("key changed", &changed_key, &token, signer.algorithm, Expect::AsRust));
        cases.push(raw("key made up", &made_up, &forged, algorithm, Expect::Reject));
        cases.push(shown("sound token", &token, Expect::Accept));
        cases.push(shown("claims changed", &resigned, Expect::AsRust));
    }
    Ok(cases)
}

impl Signer {
    fn token(&self, claims: &Value, typ: &str) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": self.algorithm, "typ": typ, "kid": "k"});
        let signed = format!("{}.{}", encode(&header), encode(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode((self.sign)(signed.as_bytes())))
    }
}

fn signer(numbers: &mut Numbers, rsa: &[RsaKeyPair]) -> Result<Signer, String> {
    let failed = |_| "cannot make a key".to_owned();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match numbers.below(12) {
        which @ 0..=2 => {
            let (algorithm, mac, least) =
                [("HS256", hmac::HMAC_SHA256, 32), ("HS384", hmac::HMAC_SHA384, 48), ("HS512", hmac::HMAC_SHA512, 64)]
                    [which];
            let length = least + numbers.below(40);
            let secret = numbers.bytes(length);
            let jwk = json!({"kty": "oct", "k": encode(&secret), "kid": "k", "alg": algorithm});
            let key = hmac::Key::new(mac, &secret);
            Ok(Signer { algorithm, jwk, sign: Box::new(move |m| hmac::sign(&key, m).as_ref().to_vec()) })
        }
        which @ 3..=4 => {
            let (algorithm, crv, signing) = [
                ("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
                ("ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
            ][which - 3];
            let pair = EcdsaKeyPair::generate(signing).map_err(failed)?;
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            let jwk = json!({"kty": "EC", "crv": crv, "x": encode(x), "y": encode(y), "kid": "k", "alg": algorithm});
            let sign = move |m: &[u8]| {
                pair.sign(&SystemRandom::new(), m).map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
            };
            Ok(Signer { algorithm, jwk, sign: Box::new(sign) })
        }
        5 => {
            let pair = Ed25519KeyPair::from_seed_unchecked(&numbers.bytes(32)).map_err(|e| e.to_string())?;
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()), "kid": "k"});
            Ok(Signer { algorithm: "EdDSA", jwk, sign: Box::new(move |m| pair.sign(m).as_ref().to_vec()) })
        }
        which => {
            let (algorithm, encoding) = RSA[which - 6];
            let pair = rsa[numbers.below(rsa.len())].clone();
            let public = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
            let jwk =
                json!({"kty": "RSA", "n": encode(&public.n), "e": encode(&public.e), "kid": "k", "alg": algorithm});
            let sign = move |m: &[u8]| {
                let mut signature = vec![0; public.n.len()];
                pair.sign(encoding, &SystemRandom::new(), m, &mut signature).map(|()| signature).unwrap_or_default()
            };
            Ok(Signer { algorithm, jwk, sign: Box::new(sign) })
        }
    }
}

/// A key that nobody has the other half of: admitted or not, it verifies nothing.
fn made_up(numbers: &mut Numbers) -> (Value, &'static str) {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match numbers.below(4) {
        0 | 1 => {
            let bytes = [128, 255, 256, 257, 300, 384, 512, 513, 768, 1024, 1025][numbers.below(11)];
            let mut n = numbers.bytes(bytes);
            if numbers.below(4) > 0 {
                n[0] |= 0x80;
                n[bytes - 1] |= 1;
            }
            let exponents: [&[u8]; 9] =
                [&[1], &[2], &[3], &[1, 0, 1], &[1, 0, 0], &[0, 1, 0, 1], &[0xff; 4], &[1, 0, 0, 0, 1], &[]];
            let e = exponents[numbers.below(9)];
            (json!({"kty": "RSA", "n": encode(&n), "e": encode(e)}), RSA[numbers.below(6)].0)
        }
        2 => {
            let mut x = numbers.bytes(32);
            match numbers.below(4) {
                0 => x = vec![numbers.below(3) as u8; 32],
                1 => x[31] |= 0x7f,
                _ => {}
            }
            (json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&x)}), "EdDSA")
        }
        _ => {
            let (x, y) = (numbers.bytes(32), numbers.bytes(32));
            (json!({"kty": "EC", "crv": "P-256", "x": encode(&x), "y": encode(&y)}), "ES256")
        }
    }
}

/// A token with a signature of the right length by chance.
fn forged(algorithm: &str, key: &Value, numbers: &mut Numbers) -> String {
    let length = match key["n"].as_str() {
        Some(n) => URL_SAFE_NO_PAD.decode(n).map_or(0, |n| n.len()),
        None => 64,
    };
    let mut signature = numbers.bytes(length.max(1));
    match numbers.below(3) {
        0 => signature.fill(numbers.below(2) as u8),
        1 => signature[0] = 0,
        _ => {}
    }
    let header = json!({"alg": algorithm, "typ": "at+jwt"}).to_string();
    format!("{}.e30.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(signature))
}
