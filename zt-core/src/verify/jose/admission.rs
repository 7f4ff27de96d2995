//! Which keys of a JWK set are admitted.
//!
//! Everything is decided here, before a backend sees a key, so that every target admits the same keys.

use jsonwebtoken::DecodingKey;

use super::algorithm::{Algorithm, KeyKind};
use super::curve::{self, BadPoint, Weierstrass};
use super::jwk::{BadSet, Member, Members, members_of_keys};
use super::signature::Verifying;
use super::{header, jws};

/// Longest RSA modulus, bits.
pub(super) const MAX_RSA_BITS: usize = 8_192;
/// Shortest and longest RSA modulus in bytes (RFC 7518, section 3.3, and what aws-lc takes).
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=MAX_RSA_BITS / 8;
/// Longest HMAC key; a longer one is hashed first and gains nothing.
const MAX_SECRET_BYTES: usize = 1 << 10;

/// An admitted key: it serves exactly one algorithm (RFC 8725, section 3.1).
#[derive(Clone, Debug)]
pub(in crate::verify) struct Key {
    pub(in crate::verify) kid: Option<Box<str>>,
    pub(in crate::verify) algorithm: Algorithm,
    pub(in crate::verify) verifying: Verifying,
}

/// Why a key is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rejected {
    /// It is sound, perhaps, but for another use; passed over.
    NotForUs(&'static str),
    /// It is broken or dangerous; an error.
    Refused(&'static str),
}
use Rejected::{NotForUs, Refused};

/// What the keys of a set are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Purpose {
    /// Tokens: `use` is `sig` or absent (RFC 7517, section 4.2).
    Tokens,
    /// JWT-SVIDs: `use` is `jwt-svid` and `kid` is there (SPIFFE Trust Domain and Bundle, section 4.2).
    Svids,
}

/// The admitted keys of a set, at least one.
#[derive(Clone, Debug)]
pub(in crate::verify) struct KeySet {
    pub(in crate::verify) keys: Vec<Key>,
    /// Each key that was left out because it breaks a rule, with the rule. A key for another use is not among them.
    pub(in crate::verify) left_out: Vec<String>,
}

/// Reads a set and admits its keys for these algorithms, at least one.
///
/// A key that breaks a rule is left out: one bad key must not take the others along. Of several keys for us with one
/// `kid` none is admitted, as which of them is meant would be a guess. Secret and public keys in one set are refused as
/// a whole: one of the two is published by mistake.
pub(in crate::verify) fn read_set(
    text: &str,
    algorithms: &[Algorithm],
    purpose: Purpose,
) -> Result<KeySet, Vec<BadSet>> {
    let whole = |message: String| vec![BadSet { message, offset: None }];
    let mut keys = members_of_keys(text).map_err(|bad| vec![bad])?;
    let of_kty = |wanted: &[&str]| {
        keys.iter().any(|members| matches!(members.get("kty"), Some(Member::Text(kty)) if wanted.contains(&&**kty)))
    };
    if of_kty(&["oct"]) && of_kty(&["RSA", "EC", "OKP"]) {
        return Err(whole("secret and public keys in one set".to_owned()));
    }
    let judged: Vec<_> = keys.iter_mut().map(|members| judge(members, algorithms, purpose)).collect();
    let kids: Vec<Option<&str>> = keys.iter().map(kid_of).collect();
    let for_us = |at: usize| !matches!(judged.get(at), Some(Err(NotForUs(_))));
    let (mut admitted, mut left_out, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (verdict, kid)) in judged.iter().zip(&kids).enumerate() {
        let name = match kid {
            Some(kid) => format!("`keys[{index}]` (kid `{kid}`)"),
            None => format!("`keys[{index}]`"),
        };
        let twin = |(at, other): (usize, &Option<&str>)| at != index && other == kid && for_us(at);
        match verdict {
            Err(Refused(why)) => left_out.push(format!("{name}: {why}")),
            Err(NotForUs(why)) => passed_over.push(format!("{name}: {why}")),
            Ok(_) if kid.is_some() && kids.iter().enumerate().any(twin) => {
                left_out.push(format!("{name}: another key has the same `kid`"));
            }
            Ok(key) => admitted.push(key.clone()),
        }
    }
    if !admitted.is_empty() {
        return Ok(KeySet { keys: admitted, left_out });
    }
    if left_out.is_empty() {
        passed_over.truncate(4);
        let why = if passed_over.is_empty() { "the set is empty".to_owned() } else { passed_over.join("; ") };
        left_out.push(format!("no key can be used: {why}"));
    }
    Err(left_out.into_iter().map(|message| BadSet { message, offset: None }).collect())
}

/// A `kid` that can be said again.
fn kid_of<'m>(members: &'m Members<'_>) -> Option<&'m str> {
    match members.get("kid") {
        Some(Member::Text(kid)) if header::is_kid(kid) => Some(kid),
        _ => None,
    }
}

/// Reads and admits one JWK, by the rules for keys of a set.
pub(in crate::verify) fn read_key(jwk: &str, algorithm: Algorithm) -> Result<Key, String> {
    let set = format!("{{\"keys\":[{jwk}]}}");
    let keys = members_of_keys(&set).map_err(|bad| bad.message)?;
    let [members] = keys.as_slice() else { return Err("not exactly one JWK".to_owned()) };
    admit_shown(members, algorithm).map_err(str::to_owned)
}

/// Admits the key that a proof of possession brings along, under the rules for keys of a set.
pub(in crate::verify) fn admit_shown(members: &Members<'_>, algorithm: Algorithm) -> Result<Key, &'static str> {
    admit(members, &[algorithm]).map_err(|(Refused(why) | NotForUs(why))| why)
}

fn judge(members: &mut Members<'_>, algorithms: &[Algorithm], purpose: Purpose) -> Result<Key, Rejected> {
    if purpose == Purpose::Svids {
        if text(members, "use", "`use` is not a string")? != Some("jwt-svid") {
            return Err(NotForUs("`use` is not `jwt-svid`"));
        }
        if !members.contains_key("kid") {
            return Err(Refused("`kid` is missing"));
        }
        members.remove("use");
    }
    admit(members, algorithms)
}

fn admit(members: &Members<'_>, algorithms: &[Algorithm]) -> Result<Key, Rejected> {
    let kty = text(members, "kty", "`kty` is not a string")?.ok_or(Refused("`kty` is missing"))?;
    let private: &[&str] = match kty {
        "RSA" => &["d", "p", "q", "dp", "dq", "qi", "oth"],
        "EC" | "OKP" => &["d"],
        "oct" => &[],
        _ => return Err(NotForUs("`kty` is not a supported one")),
    };
    if private.iter().any(|name| members.contains_key(*name)) {
        return Err(Refused("a private key has no place in a set that verifies"));
    }
    let kid = text(members, "kid", "`kid` is not a string")?;
    if kid.is_some_and(|kid| !header::is_kid(kid)) {
        return Err(Refused("`kid` is empty, too long or has control characters"));
    }
    if text(members, "use", "`use` is not a string")?.is_some_and(|usage| usage != "sig") {
        return Err(NotForUs("`use` is not `sig`"));
    }
    match members.get("key_ops") {
        None => {}
        Some(Member::Texts(ops)) if ops.iter().any(|op| op == "verify") => {}
        Some(Member::Texts(_)) => return Err(NotForUs("`key_ops` lacks `verify`")),
        Some(_) => return Err(Refused("`key_ops` is not an array of strings")),
    }
    let named = match text(members, "alg", "`alg` is not a string")? {
        None => None,
        Some(name) => Some(Algorithm::from_name(name).ok_or(NotForUs("`alg` is not a supported signature algorithm"))?),
    };
    let (kind, decoding) = match kty {
        "RSA" => (KeyKind::Rsa, rsa(members)?),
        "EC" => elliptic(members)?,
        "OKP" => (KeyKind::Ed25519, ed25519(members)?),
        _ => (KeyKind::Secret, secret(members)?),
    };
    let algorithm = algorithm_of(kind, named, algorithms)?;
    if decoding.try_get_as_bytes().is_ok_and(|bytes| bytes.len() < algorithm.hmac_bytes()) {
        return Err(Refused("the secret is shorter than the algorithm's hash (RFC 7518, section 3.2)"));
    }
    Ok(Key { kid: kid.map(Box::from), algorithm, verifying: Verifying::new(algorithm, decoding) })
}

/// The one algorithm that a key of this kind is for.
fn algorithm_of(kind: KeyKind, named: Option<Algorithm>, accepted: &[Algorithm]) -> Result<Algorithm, Rejected> {
    if let Some(named) = named {
        return match (named.key_kind() == kind, accepted.contains(&named)) {
            (true, true) => Ok(named),
            (true, false) => Err(NotForUs("its `alg` is not among the issuer's `algorithms`")),
            (false, _) => Err(Refused("its `alg` is not for a key of this kind")),
        };
    }
    let fits = |algorithm: &&Algorithm| algorithm.key_kind() == kind;
    let first = accepted.iter().find(fits).ok_or(NotForUs("none of the issuer's `algorithms` fits it"))?;
    if accepted.iter().filter(fits).any(|other| other != first) {
        return Err(Refused("it has no `alg`, and more than one of the issuer's `algorithms` fits it"));
    }
    Ok(*first)
}

fn rsa(members: &Members<'_>) -> Result<DecodingKey, Rejected> {
    let n = bytes(members, "n", "`n` is missing or not canonical base64url")?;
    let e = bytes(members, "e", "`e` is missing or not canonical base64url")?;
    if n.first() == Some(&0) || e.first() == Some(&0) {
        return Err(Refused("`n` or `e` starts with a zero byte"));
    }
    if !RSA_BYTES.contains(&n.len()) || n.first().is_none_or(|top| *top < 0x80) {
        return Err(Refused("the modulus is not of 2048 to 8192 bits, in whole bytes"));
    }
    if n.last().is_none_or(|low| low & 1 == 0) {
        return Err(Refused("the modulus is even"));
    }
    if is_roca(&n) {
        return Err(Refused("the modulus has the form of keys that can be factored (ROCA, CVE-2017-15361)"));
    }
    // Even or 1: a signature that anybody can make, or none at all. Both backends stop at 33 bits.
    if e.len() > 4 || e.last().is_none_or(|low| low & 1 == 0) || e == [1] {
        return Err(Refused("the exponent is not an odd number from 3 to 2^32"));
    }
    Ok(DecodingKey::from_rsa_raw_components(&n, &e))
}

/// Whether a modulus is, modulo each of these primes, a power of 65537: of sound keys about one in 2^27 is (Nemec et
/// al. 2017, "The Return of Coppersmith's Attack").
fn is_roca(n: &[u8]) -> bool {
    const PRIMES: [u32; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
        109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.iter().all(|prime| {
        let residue = n.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * 65_537 % prime;
            power == residue
        })
    })
}

fn elliptic(members: &Members<'_>) -> Result<(KeyKind, DecodingKey), Rejected> {
    let (kind, curve, width): (_, &Weierstrass, _) =
        match text(members, "crv", "`crv` is not a string")?.ok_or(Refused("`crv` is missing"))? {
            "P-256" => (KeyKind::P256, &curve::P256, 32),
            "P-384" => (KeyKind::P384, &curve::P384, 48),
            "P-521" | "secp256k1" => return Err(NotForUs("its curve is not offered")),
            _ => return Err(Refused("`crv` is not P-256 or P-384")),
        };
    let x = bytes(members, "x", "`x` is missing or not canonical base64url")?;
    let y = bytes(members, "y", "`y` is missing or not canonical base64url")?;
    if x.len() != width || y.len() != width {
        return Err(Refused("a coordinate has not exactly the curve's width"));
    }
    if !curve.has_point(&x, &y) {
        return Err(Refused("the point is not on the curve"));
    }
    // Uncompressed point (SEC 1, section 2.3.3).
    Ok((kind, DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat())))
}

fn ed25519(members: &Members<'_>) -> Result<DecodingKey, Rejected> {
    match text(members, "crv", "`crv` is not a string")? {
        Some("Ed25519") => {}
        Some("Ed448" | "X25519" | "X448") => return Err(NotForUs("its curve is not offered")),
        _ => return Err(Refused("`crv` is not Ed25519")),
    }
    let x = bytes(members, "x", "`x` is missing or not canonical base64url")?;
    let point: &[u8; 32] = x.as_slice().try_into().map_err(|_| Refused("`x` is not of 32 bytes"))?;
    curve::check_ed25519_key(point).map_err(|bad| {
        Refused(match bad {
            BadPoint::NotCanonical => "the point is not in canonical form",
            BadPoint::SmallOrder => "the point is of small order",
            BadPoint::NotOnCurve => "the point is not on the curve",
        })
    })?;
    Ok(DecodingKey::from_ed_der(point))
}

fn secret(members: &Members<'_>) -> Result<DecodingKey, Rejected> {
    let k = bytes(members, "k", "`k` is missing or not canonical base64url")?;
    if k.len() > MAX_SECRET_BYTES {
        return Err(Refused("the secret is longer than 1 KiB"));
    }
    if k.iter().all(|byte| k.first() == Some(byte)) {
        return Err(Refused("the secret is empty or blank: one byte repeated"));
    }
    Ok(DecodingKey::from_secret(&k))
}

fn text<'m>(members: &'m Members<'_>, name: &str, wrong: &'static str) -> Result<Option<&'m str>, Rejected> {
    match members.get(name) {
        None => Ok(None),
        Some(Member::Text(text)) => Ok(Some(text)),
        Some(_) => Err(Refused(wrong)),
    }
}

fn bytes(members: &Members<'_>, name: &str, wrong: &'static str) -> Result<Vec<u8>, Rejected> {
    let encoded = text(members, name, wrong)?.ok_or(Refused(wrong))?;
    jws::decode(encoded.as_bytes()).map_err(|_| Refused(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    const ALL: &[Algorithm] =
        &[Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Hs256];
    const EC_X: &str = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
    const EC_Y: &str = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";

    fn read(set: &str, algorithms: &[Algorithm]) -> Result<KeySet, String> {
        read_set(set, algorithms, Purpose::Tokens)
            .map_err(|bad| bad.into_iter().map(|bad| bad.message).collect::<Vec<_>>().join(", "))
    }

    fn one(key: &str) -> Result<Key, String> {
        read(&format!(r#"{{"keys":[{key}]}}"#), ALL).map(|mut set| set.keys.remove(0))
    }

    fn rsa_key(n: &[u8], e: &[u8], more: &str) -> String {
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"{more}}}"#)
    }

    fn refusal(key: &str) -> String {
        one(key).expect_err(key)
    }

    #[test]
    fn one_of_each_kind() {
        assert_eq!(one(&rsa_key(&[0xff; 256], &[1, 0, 1], "")).unwrap().algorithm, Algorithm::Rs256);
        let ec = format!(r#"{{"kty":"EC","crv":"P-256","x":"{EC_X}","y":"{EC_Y}","kid":"a","use":"sig","x5c":["M"]}}"#);
        assert_eq!(one(&ec).unwrap().algorithm, Algorithm::Es256);
        let ed =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","key_ops":["verify"]}"#;
        assert_eq!(one(ed).unwrap().algorithm, Algorithm::EdDsa);
        let secret = URL_SAFE_NO_PAD.encode(b"a test secret of more than 32 bytes");
        assert_eq!(one(&format!(r#"{{"kty":"oct","k":"{secret}"}}"#)).unwrap().algorithm, Algorithm::Hs256);
    }

    #[test]
    fn rsa_rules() {
        let odd = |n: usize| vec![0xff; n];
        for (n, e, why) in [
            (odd(128), vec![1, 0, 1], "2048 to 8192"),
            (odd(255), vec![1, 0, 1], "2048 to 8192"),
            (odd(1025), vec![1, 0, 1], "2048 to 8192"),
            ([vec![0x7f], odd(255)].concat(), vec![1, 0, 1], "2048 to 8192"),
            ([vec![0], odd(256)].concat(), vec![1, 0, 1], "zero byte"),
            ([odd(255), vec![0xfe]].concat(), vec![1, 0, 1], "even"),
            (odd(256), vec![1], "exponent"),
            (odd(256), vec![], "exponent"),
            (odd(256), vec![1, 0, 0], "exponent"),
            (odd(256), vec![1, 0, 0, 0, 1], "exponent"),
            (odd(256), vec![0, 1, 0, 1], "zero byte"),
        ] {
            assert!(refusal(&rsa_key(&n, &e, "")).contains(why), "{why}");
        }
        for size in [256, 257, 512, 513, 1024] {
            assert!(one(&rsa_key(&odd(size), &[3], "")).is_ok(), "{size}");
        }
        assert!(one(&rsa_key(&odd(256), &[0xff; 4], "")).is_ok());
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
            let key = rsa_key(&odd(256), &[1, 0, 1], &format!(r#","use":"enc","{private}":"AQ""#));
            assert!(refusal(&key).contains("private"), "{private}");
        }
    }

    #[test]
    fn roca_moduli_are_found() {
        // 65537 is a power of itself modulo every prime; 65539 is not modulo all of them.
        assert!(is_roca(&[1, 0, 1]) && is_roca(&[1, 0, 2, 0, 1]));
        assert!(!is_roca(&[1, 0, 3]) && !is_roca(&[0xff; 256]));
    }

    #[test]
    fn what_a_key_is_for() {
        let with = |more: &str| rsa_key(&[0xff; 256], &[1, 0, 1], more);
        for (more, why) in [
            (r#","use":"enc""#, "no key can be used"),
            (r#","use":5"#, "`use`"),
            (r#","key_ops":["encrypt"]"#, "no key can be used"),
            (r#","key_ops":"verify""#, "`key_ops`"),
            (r#","key_ops":["verify",[5]]"#, "`key_ops`"),
            (r#","alg":"PS256""#, "no key can be used"),
            (r#","alg":"RSA-OAEP""#, "no key can be used"),
            (r#","alg":"ES256""#, "not for a key of this kind"),
            (r#","alg":"HS256""#, "not for a key of this kind"),
            (r#","kid":5"#, "`kid`"),
            (r#","kid":"a\u0000""#, "`kid`"),
            (r#","e":"AQAB""#, "duplicate"),
        ] {
            assert!(refusal(&with(more)).contains(why), "{more}: {}", refusal(&with(more)));
        }
        assert!(refusal(r#"{"kty":"AKP"}"#).contains("no key can be used"));
        assert!(refusal("{}").contains("`kty`"));
        // Each key serves one algorithm.
        let set = format!(r#"{{"keys":[{}]}}"#, with(""));
        assert!(read(&set, &[Algorithm::Rs256, Algorithm::Ps256]).unwrap_err().contains("more than one"));
        let set = format!(r#"{{"keys":[{}]}}"#, with(r#","alg":"PS256""#));
        assert_eq!(read(&set, &[Algorithm::Rs256, Algorithm::Ps256]).unwrap().keys[0].algorithm, Algorithm::Ps256);
    }

    #[test]
    fn curve_rules() {
        let ec = |crv: &str, x: &str, y: &str| format!(r#"{{"kty":"EC","crv":"{crv}","x":"{x}","y":"{y}"}}"#);
        assert!(refusal(&ec("P-256", EC_X, EC_X)).contains("not on the curve"));
        assert!(refusal(&ec("P-384", EC_X, EC_Y)).contains("width"));
        assert!(refusal(&ec("secp256k1", EC_X, EC_Y)).contains("curve is not offered"));
        assert!(refusal(&ec("P-521", EC_X, EC_Y)).contains("curve is not offered"));
        assert!(refusal(&ec("p-256", EC_X, EC_Y)).contains("`crv`"));
        assert!(refusal(&ec("P-256", &EC_X[..42], EC_Y)).contains("`x`"));
        assert!(refusal(&ec("P-256", &format!("{EC_X}="), EC_Y)).contains("`x`"));
        let ed = |crv: &str, x: &[u8]| format!(r#"{{"kty":"OKP","crv":"{crv}","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(x));
        assert!(refusal(&ed("X25519", &[9; 32])).contains("curve is not offered"));
        assert!(refusal(&ed("P-256", &[9; 32])).contains("`crv`"));
        assert!(refusal(&ed("Ed25519", &[0; 31])).contains("32 bytes"));
        assert!(refusal(&ed("Ed25519", &[1; 33])).contains("32 bytes"));
        assert!(refusal(&ed("Ed25519", &[0; 32])).contains("small order"));
        assert!(refusal(&ed("Ed25519", &[0xff; 32])).contains("canonical"));
        let mut off = [0; 32];
        off[0] = 2;
        assert!(refusal(&ed("Ed25519", &off)).contains("not on the curve"));
    }

    #[test]
    fn secrets_are_long_enough() {
        let oct = |k: &[u8]| format!(r#"{{"kty":"oct","k":"{}"}}"#, URL_SAFE_NO_PAD.encode(k));
        assert!(refusal(&oct(b"")).contains("empty"));
        assert!(refusal(&oct(&[b' '; 64])).contains("blank"));
        assert!(refusal(&oct(b"31 bytes are one byte too short")).contains("shorter"));
        assert!(refusal(&oct(&[0, 1].repeat(1000))).contains("longer"));
    }

    #[test]
    fn sets_as_a_whole() {
        let messages = |set: &str| read(set, ALL).err().unwrap_or_default();
        let rsa = rsa_key(&[0xff; 256], &[1, 0, 1], r#","kid":"a""#);
        let oct = format!(r#"{{"kty":"oct","k":"{}"}}"#, URL_SAFE_NO_PAD.encode((0..32).collect::<Vec<u8>>()));
        assert!(messages(&format!(r#"{{"keys":[{rsa},{rsa}]}}"#)).contains("same `kid`"));
        assert!(messages(&format!(r#"{{"keys":[{rsa},{oct}]}}"#)).contains("one set"));
        assert!(messages(&format!(r#"{{"keys":[{}]}}"#, vec![oct.as_str(); 129].join(","))).contains("128"));
        assert!(messages(r#"{"keys":[]}"#).contains("empty"));
        assert!(messages("{}").contains("`keys` is missing"));
        assert!(messages("[]").contains("not an object"));
        assert!(messages(r#"{"keys":{}}"#).contains("not an array"));
        assert!(messages(r#"{"keys":[5]}"#).contains("not an object"));
        assert!(messages(r#"{"keys":[{}]} x"#).contains("strict JSON"));
        assert!(
            messages(r#"{"a":[{"b":[[]]}],"keys":[{"c":{"d":[1]},"kty":"x"}],"e":null}"#)
                .contains("no key can be used")
        );
        let enc = rsa_key(&[0xff; 256], &[1, 0, 1], r#","kid":"a","use":"enc""#);
        let set = read(&format!(r#"{{"keys":[{enc},{rsa}]}}"#), ALL).unwrap();
        assert_eq!((set.keys.len(), set.left_out.len()), (1, 0));
    }

    #[test]
    fn a_bad_key_leaves_the_others() {
        let good = rsa_key(&[0xff; 256], &[1, 0, 1], r#","kid":"a""#);
        let weak = rsa_key(&[0xff; 256], &[1], r#","kid":"b""#);
        let set = read(&format!(r#"{{"keys":[{weak},{good},{{}}]}}"#), ALL).unwrap();
        assert_eq!(set.keys.iter().map(|key| key.kid.as_deref()).collect::<Vec<_>>(), [Some("a")]);
        assert_eq!(set.left_out.len(), 2);
        assert!(set.left_out[0].starts_with("`keys[0]` (kid `b`): the exponent"), "{:?}", set.left_out);
        assert!(set.left_out[1].starts_with("`keys[2]`: `kty` is missing"), "{:?}", set.left_out);
        // A kid that two keys for us have is nobody's, also when one of the two is bad.
        let other = rsa_key(&[0xfd; 256], &[1, 0, 1], r#","kid":"c""#);
        let bad = rsa_key(&[0xff; 256], &[1], r#","kid":"a""#);
        for twin in [&good, &bad] {
            let set = read(&format!(r#"{{"keys":[{good},{other},{twin}]}}"#), ALL).unwrap();
            assert_eq!(set.keys.iter().map(|key| key.kid.as_deref()).collect::<Vec<_>>(), [Some("c")]);
            assert_eq!(set.left_out.len(), 2);
        }
    }

    #[test]
    fn keys_of_a_trust_domain_are_named_and_for_svids() {
        let key = |more: &str| rsa_key(&[0xff; 256], &[1, 0, 1], more);
        let read = |keys: &[String]| read_set(&format!(r#"{{"keys":[{}]}}"#, keys.join(",")), ALL, Purpose::Svids);
        let svid = key(r#","kid":"a","use":"jwt-svid""#);
        let set = read(&[key(r#","use":"x509-svid","x5c":["M"]"#), svid, key(r#","use":"jwt-svid""#)]).unwrap();
        assert_eq!((set.keys.len(), &*set.left_out), (1, &["`keys[2]`: `kid` is missing".to_owned()][..]));
        assert!(read(&[key(r#","kid":"a","use":"sig""#)]).is_err());
        assert!(read(&[key(r#","kid":"a""#)]).is_err());
        assert!(
            read_set(&format!(r#"{{"keys":[{}]}}"#, key(r#","kid":"a","use":"jwt-svid""#)), ALL, Purpose::Tokens)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text in ".{0,200}") {
            let _ = read_set(&text, ALL, Purpose::Tokens);
            let _ = read_set(&text, ALL, Purpose::Svids);
        }

        #[test]
        fn any_members_never_panic(kty in "RSA|EC|OKP|oct|x", name in "n|e|x|y|k|crv|use|alg|kid|key_ops", value in r#""[A-Za-z0-9_-]{0,60}"|\[("a",?)*\]|\{\}|5|"P-256"|"Ed25519""#) {
            let _ = read_set(&format!(r#"{{"keys":[{{"kty":"{kty}","{name}":{value}}}]}}"#), ALL, Purpose::Tokens);
        }
    }
}
