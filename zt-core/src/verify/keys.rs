//! The key set of one issuer, and its replacement.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::jose::admission::{self, Key, Purpose};
use super::jose::header::Header;
use super::{Algorithm, Refusal};
use crate::model::{Code, Problem};

/// An issuer's admitted keys, and what is asked of those that replace them.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    rules: Arc<Rules>,
    keys: Arc<[Key]>,
    left_out: Arc<[String]>,
    /// SHA-256 of the set's text: another set is another epoch.
    digest: [u8; 32],
}

/// What a set is read by.
#[derive(Debug)]
pub(super) struct Rules {
    /// The table it belongs to, such as `verify.issuer[0]`.
    pub(super) table: String,
    /// The file it came from, where it did.
    pub(super) file: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) purpose: Purpose,
    /// Whether a key that breaks a rule is an error.
    pub(super) strict: bool,
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
        Self { rules: Arc::new(rules), keys: keys.into(), left_out: left_out.into(), digest }
    }

    /// Another set in place of this one, by the same rules.
    pub(super) fn replaced(&self, text: &str) -> Result<Self, Vec<Problem>> {
        // It comes from the host, not from the file that the configuration names.
        let rules = Rules {
            table: self.rules.table.clone(),
            file: None,
            algorithms: self.rules.algorithms.clone(),
            purpose: self.rules.purpose,
            strict: self.rules.strict,
        };
        let (keys, left_out) = read(&rules, text)?;
        let digest = Sha256::digest(text).into();
        Ok(Self { rules: Arc::clone(&self.rules), keys: keys.into(), left_out: left_out.into(), digest })
    }

    /// The key that a token names, or the only one for its algorithm; the algorithm must be the key's.
    pub(super) fn find(&self, header: &Header<'_>) -> Result<&Key, Refusal> {
        find(&self.keys, header)
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

/// The key that a token names, or the only one for its algorithm; the algorithm must be the key's.
pub(super) fn find<'k>(keys: &'k [Key], header: &Header<'_>) -> Result<&'k Key, Refusal> {
    match &header.kid {
        Some(kid) => {
            let named = keys.iter().find(|key| key.kid.as_deref() == Some(&**kid));
            let key = named.ok_or((Code::VerifyUnknownKey, "no key has this `kid`"))?;
            if key.algorithm == header.algorithm {
                Ok(key)
            } else {
                Err((Code::VerifyAlgorithmRefused, "`alg` is not the key's"))
            }
        }
        None => {
            let mut fitting = keys.iter().filter(|key| key.algorithm == header.algorithm);
            match (fitting.next(), fitting.next()) {
                (Some(key), None) => Ok(key),
                (Some(_), Some(_)) => Err((Code::VerifyUnknownKey, "no `kid`, and more than one key fits")),
                (None, _) if keys.is_empty() => Err((Code::VerifyUnknownKey, "no key")),
                (None, _) => Err((Code::VerifyAlgorithmRefused, "no key is for this `alg`")),
            }
        }
    }
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
