//! Numbers from a seed, and changes made with them.

use serde_json::{Value, json};

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers for the same seed, on every machine.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which is not zero.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn one<'o, T: ?Sized>(&mut self, of: &[&'o T]) -> &'o T {
        of[self.below(of.len())]
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Another text: no token stays sound.
pub(crate) fn token(sound: &str, numbers: &mut Numbers) -> String {
    loop {
        let mut bytes = sound.as_bytes().to_vec();
        let at = numbers.below(bytes.len());
        let letter = ALPHABET[numbers.below(ALPHABET.len())];
        let parts: Vec<&str> = sound.split('.').collect();
        let zero = "A".repeat(parts[2].len());
        match numbers.below(10) {
            0..=3 => bytes[at] = letter,
            4 => bytes.insert(at, letter),
            5 => drop(bytes.remove(at)),
            6 => bytes.truncate(at),
            7 => bytes.insert(at, *numbers.one(&[&b'=', &b' ', &b'\n', &b'.', &b'+', &0])),
            8 => bytes = format!("{}.{}.{zero}", parts[0], parts[1]).into_bytes(),
            _ => bytes = format!("{}.{}.{}", parts[1], parts[0], parts[2]).into_bytes(),
        }
        if bytes != sound.as_bytes() {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}

/// A key with something about it changed; it may still be sound.
pub(crate) fn key(sound: &Value, numbers: &mut Numbers) -> Value {
    let mut key = sound.clone();
    let names: Vec<String> = key.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let name = names[numbers.below(names.len())].as_str();
    let letter = char::from(ALPHABET[numbers.below(ALPHABET.len())]);
    let text = key[name].as_str().unwrap_or_default().to_owned();
    let at = numbers.below(text.len().max(1));
    match numbers.below(12) {
        0 => drop(key.as_object_mut().and_then(|members| members.remove(name))),
        1..=4 => {
            key[name] = text.char_indices().map(|(i, c)| if i == at { letter } else { c }).collect::<String>().into()
        }
        5 => key[name] = format!("{text}=").into(),
        6 => key[name] = format!("AA{text}").into(),
        7 => key[name] = text.chars().take(at).collect::<String>().into(),
        8 => key["crv"] = numbers.one(&["P-256", "P-384", "P-521", "secp256k1", "Ed25519", "X25519"]).into(),
        9 => key["alg"] = numbers.one(&["RS256", "PS256", "ES256", "HS256", "EdDSA", "none", "RSA-OAEP"]).into(),
        10 => key["use"] = numbers.one(&["sig", "enc", "SIG", "jwt-svid"]).into(),
        _ => {
            key[numbers.one(&["d", "key_ops", "kid", "x5c", "e"])] =
                numbers.one(&[&json!("AQ"), &json!(["verify"]), &json!(["sign"]), &json!(5), &Value::Null]).clone()
        }
    }
    key
}

/// Claims with something about them changed; they may still be sound.
pub(crate) fn claims(sound: &Value, numbers: &mut Numbers) -> Value {
    let mut claims = sound.clone();
    let names = [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "auth_time",
        "acr",
        "scope",
        "roles",
        "nonce",
        "azp",
        "at_hash",
        "client_id",
    ];
    let name = *numbers.one(&names.each_ref());
    let values = [
        json!(null),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1_800_000_000),
        json!(1_800_000_031),
        json!(1_799_999_970.5),
        json!(1e300),
        json!("1800000000"),
        json!(""),
        json!("a"),
        json!("a b"),
        json!(true),
        json!([]),
        json!(["a"]),
        json!(["https://api.example.com"]),
        json!("https://api.example.com"),
        json!("https://api.example.com/"),
        json!([["a"]]),
        json!([5]),
        json!({"a": 1}),
        json!("\u{0}"),
        json!("\u{e9}\u{1f600}"),
    ];
    match numbers.below(6) {
        0 => drop(claims.as_object_mut().and_then(|members| members.remove(name))),
        _ => claims[name] = numbers.one(&values.each_ref()).clone(),
    }
    claims
}
