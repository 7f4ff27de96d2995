//! One DPoP proof, read strictly (RFC 9449, section 4.2).

use std::borrow::Cow;

use super::super::Refusal;
use super::super::jose::admission::{self, Key};
use super::super::jose::algorithm::Algorithm;
use super::super::jose::header::{self, Header};
use super::super::jose::jwk::{self, Members};
use super::super::jose::jws::{self, Compact};
use super::super::jose::{claims, thumbprint};
use crate::base::json::{Limits, Scanner, Token};
use crate::model::{Code, Millis};

/// The longest proof.
const MAX_BYTES: usize = 8 << 10;
/// The longest `jti` and `nonce`.
const MAX_ID_BYTES: usize = 256;

const HEADER_LIMITS: Limits =
    Limits { bytes: 2 << 10, depth: 4, values: 64, members: 32, elements: 32, number_digits: 32, key_bytes: 128 };
const CLAIM_LIMITS: Limits =
    Limits { bytes: MAX_BYTES, depth: 8, values: 256, members: 64, elements: 64, number_digits: 32, key_bytes: 128 };

/// A proof whose signature holds under the key that it brings along.
#[derive(Debug)]
pub(super) struct Proof {
    /// Thumbprint of its key.
    pub(super) jkt: [u8; 32],
    pub(super) claims: ProofClaims,
}

/// What a proof claims, types checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProofClaims {
    pub(super) jti: String,
    pub(super) htm: String,
    pub(super) htu: String,
    pub(super) iat: Millis,
    pub(super) nbf: Option<Millis>,
    pub(super) exp: Option<Millis>,
    /// SHA-256 of the access token; malformed is refused, missing is for the caller to judge.
    pub(super) ath: Option<[u8; 32]>,
    pub(super) nonce: Option<String>,
}

impl Proof {
    /// Reads a proof and checks its signature: steps 2 to 7 of RFC 9449, section 4.3.
    pub(super) fn read(proof: &[u8], algorithms: &[Algorithm]) -> Result<Self, Refusal> {
        if proof.len() > MAX_BYTES {
            return Err(bad("the proof is longer than 8 KiB"));
        }
        let compact = Compact::split(proof).map_err(as_proof)?;
        header::check_length(compact.header).map_err(as_proof)?;
        let header = jws::decode(compact.header).map_err(as_proof)?;
        let payload = jws::decode(compact.payload).map_err(as_proof)?;
        let signature = jws::decode(compact.signature).map_err(as_proof)?;
        let claims = ProofClaims::read(&payload).map_err(as_proof)?;
        let (algorithm, members) = read_header(&header, algorithms)?;
        let key: Key = admission::admit_shown(&members, algorithm).map_err(bad)?;
        if !key.verifying.verify(algorithm, compact.signed, &signature) {
            return Err(bad("the proof's signature does not verify"));
        }
        let jkt = thumbprint::sha256(&members).ok_or(bad("the proof's key has no thumbprint"))?;
        Ok(Self { jkt, claims })
    }
}

/// The algorithm and the key of a proof's header.
fn read_header<'a>(json: &'a [u8], algorithms: &[Algorithm]) -> Result<(Algorithm, Members<'a>), Refusal> {
    let strict = bad("the proof's header is not strict JSON");
    let mut scanner = Scanner::new(json, &HEADER_LIMITS);
    if scanner.next().map_err(|_| strict)? != Some(Token::BeginObject) {
        return Err(bad("the proof's header is not an object"));
    }
    let (mut alg, mut typ, mut key) = (None, None, None);
    while let Some(token) = scanner.next().map_err(|_| strict)? {
        let Token::Key(name) = token else { continue };
        match &*name.unescape() {
            "alg" => claims::string(&mut scanner, &mut alg, "`alg` of the proof is not a string").map_err(as_proof)?,
            "typ" => claims::string(&mut scanner, &mut typ, "`typ` of the proof is not a string").map_err(as_proof)?,
            "jwk" => match scanner.next().map_err(|_| strict)? {
                Some(Token::BeginObject) => key = Some(jwk::members_of_key(&mut scanner).map_err(|_| strict)?),
                _ => return Err(bad("`jwk` of the proof is not an object")),
            },
            "crit" | "b64" | "zip" | "enc" => return Err(bad("the proof asks for an extension that is refused")),
            "jku" | "x5u" | "x5c" => return Err(bad("the proof names a key elsewhere")),
            _ => claims::skip_value(&mut scanner).map_err(as_proof)?,
        }
    }
    let typed =
        |typ: Cow<'a, str>| Header { algorithm: Algorithm::Es256, kid: None, typ: Some(typ) }.is_type("dpop+jwt");
    if !typ.is_some_and(typed) {
        return Err(bad("`typ` of the proof is not `dpop+jwt`"));
    }
    let algorithm = alg.as_deref().and_then(Algorithm::from_name).filter(|algorithm| algorithms.contains(algorithm));
    let algorithm = algorithm.ok_or(bad("`alg` of the proof is not among `algorithms`"))?;
    Ok((algorithm, key.ok_or(bad("the proof has no `jwk`"))?))
}

impl ProofClaims {
    fn read(json: &[u8]) -> Result<Self, Refusal> {
        let mut scanner = Scanner::new(json, &CLAIM_LIMITS);
        if scanner.next().map_err(claims::not_json)? != Some(Token::BeginObject) {
            return Err(bad("the proof's claims are not an object"));
        }
        let (mut jti, mut htm, mut htu, mut iat) = (None, None, None, None);
        let (mut nbf, mut exp, mut ath, mut nonce) = (None, None, None, None);
        while let Some(token) = scanner.next().map_err(claims::not_json)? {
            let Token::Key(name) = token else { continue };
            let s = &mut scanner;
            match &*name.unescape() {
                "jti" => claims::string(s, &mut jti, "`jti` of the proof is not a string")?,
                "htm" => claims::string(s, &mut htm, "`htm` is not a string")?,
                "htu" => claims::string(s, &mut htu, "`htu` is not a string")?,
                "iat" => iat = Some(claims::time(s, "`iat` of the proof is not a time")?),
                "nbf" => nbf = Some(claims::time(s, "`nbf` of the proof is not a time")?),
                "exp" => exp = Some(claims::time(s, "`exp` of the proof is not a time")?),
                "ath" => claims::string(s, &mut ath, "`ath` is not a string")?,
                "nonce" => claims::string(s, &mut nonce, "`nonce` is not a string")?,
                _ => claims::skip_value(s)?,
            }
        }
        let jti = jti.ok_or(bad("`jti` of the proof is missing"))?;
        let is_id = |id: &str| !id.is_empty() && id.len() <= MAX_ID_BYTES;
        if !is_id(&jti) || nonce.as_deref().is_some_and(|nonce| !is_id(nonce)) {
            return Err(bad("`jti` or `nonce` of the proof is empty or longer than 256 bytes"));
        }
        let digest = |ath: Cow<'_, str>| super::super::jose::confirmation::sha256(ath.as_bytes());
        let ath = ath.map(|ath| digest(ath).ok_or(bad("`ath` is not a SHA-256 in canonical base64url"))).transpose()?;
        Ok(Self {
            jti: jti.into_owned(),
            htm: htm.ok_or(bad("`htm` is missing"))?.into_owned(),
            htu: htu.ok_or(bad("`htu` is missing"))?.into_owned(),
            iat: iat.ok_or(bad("`iat` of the proof is missing"))?,
            nbf,
            exp,
            ath,
            nonce: nonce.map(Cow::into_owned),
        })
    }
}

pub(super) const fn bad(detail: &'static str) -> Refusal {
    (Code::VerifyBadProof, detail)
}

/// A rule that proofs share with tokens.
const fn as_proof((_, detail): Refusal) -> Refusal {
    bad(detail)
}
