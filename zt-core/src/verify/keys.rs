//! The key set of one issuer, and its replacement.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::issuer::KeyPlace;
use super::jose::admission::{self, Key, Purpose};
use super::jose::header::Header;
use super::{Algorithm, Refusal};
use crate::model::{Code, Problem};

/// An issuer's admitted keys, and what is asked of those that replace them.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    rules: Arc<Rules>,
    keys: Arc<[Held]>,
    left_out: Arc<[String]>,
    /// SHA-256 of the set's text: another set is another epoch.
    digest: [u8; 32],
}

/// An admitted key in its set.
#[derive(Clone, Debug)]
struct Held {
    key: Key,
    /// Of this key and of everything that this API asks of a token that is signed with it: a prefix of their SHA-256.
    mark: u64,
    /// Whether no other key serves its algorithm, so that a token need not name it.
    alone: bool,
}

/// What a set is read by.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// The table it belongs to, such as `verify.issuer[0]`.
    pub(super) table: String,
    /// The file it came from, where it did.
    pub(super) file: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) purpose: Purpose,
    /// Whether a key that breaks a rule is an error.
    pub(super) strict: bool,
    /// Has seen everything that is asked of a token beside its key.
    pub(super) asked: Sha256,
}

impl Keys {
    /// Reads the set that a configuration gives; all mistakes are told.
    pub(super) fn compile(rules: Rules, text: Option<&str>, problems: &mut Vec<Problem>) -> Self {
        let keys = match text {
            // Said already of a table without algorithms; every key would be a problem too.
            _ if rules.algorithms.is_empty() => None,
            Some(text) => read(&rules, text).map_err(|more| problems.extend(more)).ok(),
            None => {
                let problem = Problem::new(format!("{}.jwks", rules.table), "no keys");
                problems.push(problem.mend("write `jwks_file`, or the JWK set itself as `jwks`"));
                None
            }
        };
        let (keys, left_out) = keys.unwrap_or_default();
        let digest = Sha256::digest(text.unwrap_or_default()).into();
        let keys = held(&rules.asked, keys);
        Self { rules: Arc::new(rules), keys, left_out: left_out.into(), digest }
    }

    /// These keys alone.
    pub(super) fn of(keys: Vec<Key>) -> Self {
        let rules = Rules {
            table: String::new(),
            file: None,
            algorithms: Vec::new(),
            purpose: Purpose::Tokens,
            strict: false,
            asked: Sha256::new(),
        };
        let keys = held(&rules.asked, keys);
        Self { rules: Arc::new(rules), keys, left_out: Arc::default(), digest: [0; 32] }
    }

    /// Another set in place of this one, by the same rules.
    pub(super) fn replaced(&self, text: &str) -> Result<Self, Vec<Problem>> {
        // It comes from the host, not from the file that the configuration names.
        let rules = Rules { file: None, ..Rules::clone(&self.rules) };
        let (keys, left_out) = read(&rules, text)?;
        let digest = Sha256::digest(text).into();
        let keys = held(&rules.asked, keys);
        Ok(Self { rules: Arc::clone(&self.rules), keys, left_out: left_out.into(), digest })
    }

    /// The key that a token names, or the only one for its algorithm; the algorithm must be the key's. `issuer` is the
    /// place of the issuer whose keys they are.
    pub(super) fn find(&self, issuer: usize, header: &Header<'_>) -> Result<(KeyPlace, &Key), Refusal> {
        let mut keys = self.keys.iter().enumerate();
        let (at, held) = match &header.kid {
            Some(kid) => {
                let named = keys.find(|(_, held)| held.key.kid.as_deref() == Some(&**kid));
                let named = named.ok_or((Code::VerifyUnknownKey, "no key has this `kid`"))?;
                if named.1.key.algorithm != header.algorithm {
                    return Err((Code::VerifyAlgorithmRefused, "`alg` is not the key's"));
                }
                named
            }
            None => match keys.find(|(_, held)| held.key.algorithm == header.algorithm) {
                Some(only) if only.1.alone => only,
                Some(_) => return Err((Code::VerifyUnknownKey, "no `kid`, and more than one key fits")),
                None if self.keys.is_empty() => return Err((Code::VerifyUnknownKey, "no key")),
                None => return Err((Code::VerifyAlgorithmRefused, "no key is for this `alg`")),
            },
        };
        let place = KeyPlace { issuer, key: at, mark: held.mark, named: header.kid.is_some() };
        Ok((place, &held.key))
    }

    /// Algorithm and `kid` of each.
    pub(super) fn names(&self) -> impl Iterator<Item = (Algorithm, Option<&str>)> {
        self.keys.iter().map(|held| (held.key.algorithm, held.key.kid.as_deref()))
    }

    /// Whether a token with this key would be verified as it was.
    pub(super) fn still_has(&self, place: &KeyPlace) -> bool {
        self.keys.get(place.key).is_some_and(|held| held.mark == place.mark && (place.named || held.alone))
    }

    /// The `kid` of that key.
    pub(super) fn kid(&self, place: &KeyPlace) -> Option<&str> {
        self.keys.get(place.key)?.key.kid.as_deref()
    }

    /// Whether a newer set may hold the key that a token names.
    pub(super) fn may_be_stale(&self, header: &Header<'_>, refusal: Refusal) -> bool {
        refusal.0 == Code::VerifyUnknownKey && (header.kid.is_some() || self.keys.is_empty())
    }

    /// SHA-256 of the set's text.
    pub(super) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The keys that were left out, one sentence each.
    pub(super) fn notices(&self) -> impl Iterator<Item = String> {
        self.left_out.iter().map(|left_out| format!("{}: a key is left out: {left_out}", self.rules.table))
    }
}

/// The keys with their marks.
fn held(asked: &Sha256, keys: Vec<Key>) -> Arc<[Held]> {
    let mark = |key: &Key| {
        let mut hash = asked.clone();
        let (n, e) = key.verifying.material();
        let kid = key.kid.as_deref().map_or([].as_slice(), str::as_bytes);
        for part in [key.algorithm.as_str().as_bytes(), kid, n, e] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        digest.first_chunk().copied().map_or(0, u64::from_le_bytes)
    };
    let alone = |key: &Key| keys.iter().filter(|other| other.algorithm == key.algorithm).count() == 1;
    let marks: Vec<_> = keys.iter().map(|key| (mark(key), alone(key))).collect();
    keys.into_iter().zip(marks).map(|(key, (mark, alone))| Held { key, mark, alone }).collect()
}

type Read = (Vec<Key>, Vec<String>);

fn read(rules: &Rules, text: &str) -> Result<Read, Vec<Problem>> {
    let key = if rules.file.is_some() { "jwks_file" } else { "jwks" };
    let problem = |message: String, offset: Option<usize>| {
        let place = offset.filter(|_| rules.file.is_some()).map(|offset| place(text, offset));
        Problem::new(format!("{}.{key}", rules.table), message)
            .mend("correct the key set, or leave the key out of it")
            .at(rules.file.clone(), place.map(|(line, _)| line), place.map(|(_, column)| column))
    };
    match admission::read_set(text, &rules.algorithms, rules.purpose) {
        Ok(set) if rules.strict && !set.left_out.is_empty() => {
            Err(set.left_out.into_iter().map(|message| problem(message, None)).collect())
        }
        Ok(set) => Ok((set.keys, set.left_out)),
        Err(bad) => Err(bad.into_iter().map(|bad| problem(bad.message, bad.offset)).collect()),
    }
}

/// Line and column of a byte, from 1.
fn place(text: &str, offset: usize) -> (u32, u32) {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let from_one = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    (from_one(line), from_one(column))
}
