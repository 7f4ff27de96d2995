//! A trusted issuer: its keys, and what it and this API ask of a token.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::jose::admission::{self, Key};
use super::jose::claims::{self, Claimed, Names, Times};
use super::jose::header::Header;
use super::{IssuerConfig, Refusal};
use crate::model::{Assurance, Code, Finding, Identity, IdentityKind, Millis, Problem};

/// A compiled `[[verify.issuer]]`.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) issuer: Arc<str>,
    audiences: Vec<String>,
    keys: Vec<Held>,
    token_types: Vec<String>,
    max_token_age: Option<Millis>,
    reauthenticate_after: Option<Millis>,
    /// Place of its role claim among those of all issuers.
    roles_at: usize,
    skew: Millis,
}

/// A key that an issuer has.
#[derive(Debug)]
struct Held {
    key: Key,
    /// Of this key and of everything that this API asks of a token that is signed with it: a prefix of their SHA-256.
    mark: u64,
    /// Whether no other key serves its algorithm, so that a token need not name it.
    alone: bool,
}

/// Where a token's key stands, and what it was when the token was verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyPlace {
    pub(super) issuer: usize,
    key: usize,
    mark: u64,
    /// Whether the token names it.
    named: bool,
}

impl Issuer {
    /// Compiles the `at`th issuer; its role claim joins `role_claims`. `common` has seen what holds for every issuer.
    pub(super) fn compile(
        at: usize,
        config: &IssuerConfig,
        role_claims: &mut Vec<Box<str>>,
        skew: Millis,
        common: &Sha256,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.issuer[{at}].{key}"), message).mend(mend));
        };
        if config.issuer.is_empty() {
            problem("issuer", "empty", "write the exact `iss` of the issuer's tokens");
        }
        if config.audiences.is_empty() || config.audiences.iter().any(String::is_empty) {
            problem("audiences", "no audience, or an empty one", "write the `aud` that tokens for this API have");
        }
        if config.algorithms.is_empty() {
            problem("algorithms", "no algorithm", "write those that the issuer signs with, such as \"RS256\"");
        }
        if config.token_types.is_empty() || config.token_types.iter().any(String::is_empty) {
            problem(
                "token_types",
                "no type, or an empty one",
                "write the `typ` of its access tokens, such as \"at+jwt\"",
            );
        }
        if config.max_token_age.is_some_and(|age| age.millis() == 0) {
            problem("max_token_age", "zero", "write a longer time or leave it out");
        }
        if config.reauthenticate_after.is_some_and(|age| age.millis() == 0) {
            problem("reauthenticate_after", "zero", "write a longer time or leave it out");
        }
        if config.roles_claim.is_empty() || claims::REGISTERED.contains(&config.roles_claim.as_str()) {
            problem(
                "roles_claim",
                "empty, or a claim with a meaning of its own",
                "name the claim that holds the roles",
            );
        }
        let keys = match &config.jwks {
            Some(text) => keys(at, config, text, problems),
            None => {
                problem("jwks", "no keys", "write `jwks_file`, or the JWK set itself as `jwks`");
                Vec::new()
            }
        };
        let roles_at = role_claims.iter().position(|claim| **claim == *config.roles_claim).unwrap_or_else(|| {
            role_claims.push(config.roles_claim.as_str().into());
            role_claims.len().saturating_sub(1)
        });
        Self {
            issuer: config.issuer.as_str().into(),
            audiences: config.audiences.clone(),
            keys: held(config, common, keys),
            token_types: config.token_types.clone(),
            max_token_age: config.max_token_age.map(|age| age.millis()),
            reauthenticate_after: config.reauthenticate_after.map(|age| age.millis()),
            roles_at,
            skew,
        }
    }

    /// The key that a token names, or the only one for its algorithm; the algorithm must be the key's. This is the `at`th
    /// issuer.
    pub(super) fn key(&self, at: usize, header: &Header<'_>) -> Result<(KeyPlace, &Key), Refusal> {
        let mut keys = self.keys.iter().enumerate();
        let (key, held) = match &header.kid {
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
        Ok((KeyPlace { issuer: at, key, mark: held.mark, named: header.kid.is_some() }, &held.key))
    }

    /// Whether a token of this issuer with this key would be verified as it was.
    pub(super) fn still_has(&self, place: &KeyPlace) -> bool {
        self.keys.get(place.key).is_some_and(|held| held.mark == place.mark && (place.named || held.alone))
    }

    /// The `kid` of that key.
    pub(super) fn kid(&self, place: &KeyPlace) -> Option<&str> {
        self.keys.get(place.key)?.key.kid.as_deref()
    }

    /// Whether the token is of an accepted type (RFC 8725, section 3.11).
    pub(super) fn check_type(&self, header: &Header<'_>) -> Result<(), Refusal> {
        match self.token_types.iter().any(|accepted| header.is_type(accepted)) {
            true => Ok(()),
            false => Err((Code::VerifyWrongType, "`typ` is missing or not among `token_types`")),
        }
    }

    /// Checks the claims of a token whose signature holds (RFC 9068, section 4), apart from its times; gives its `exp`.
    pub(super) fn check_claims(&self, claimed: &Claimed<'_>) -> Result<Millis, Refusal> {
        let missing = |detail| (Code::VerifyMissingClaim, detail);
        if claimed.sub.as_deref().ok_or(missing("`sub` is missing"))?.is_empty() {
            return Err((Code::VerifyBadClaims, "`sub` is empty"));
        }
        let aud = claimed.aud.as_ref().ok_or(missing("`aud` is missing"))?;
        if !aud.iter().any(|aud| self.audiences.iter().any(|own| own == aud)) {
            return Err((Code::VerifyWrongAudience, "`aud` holds none of `audiences`"));
        }
        let exp = claimed.exp.ok_or(missing("`exp` is missing"))?;
        if self.max_token_age.is_some() && claimed.iat.is_none() {
            return Err(missing("`iat` is missing"));
        }
        if claimed.roles.iter().any(|(at, roles)| *at == self.roles_at && roles.is_err()) {
            return Err((Code::VerifyBadClaims, "the roles claim is neither a string nor strings"));
        }
        Ok(exp)
    }

    /// Checks the times of a token.
    pub(super) fn check_times(&self, times: &Times, now: Millis) -> Result<(), Refusal> {
        let (earliest, latest) = (now.saturating_sub(self.skew), now.saturating_add(self.skew));
        if times.exp <= earliest {
            return Err((Code::VerifyExpired, "`exp` has passed"));
        }
        if times.nbf.is_some_and(|nbf| nbf > latest) {
            return Err((Code::VerifyNotYetValid, "`nbf` has not come"));
        }
        if times.iat.is_some_and(|iat| iat > latest) {
            return Err((Code::VerifyNotYetValid, "`iat` has not come"));
        }
        if times.auth_time.is_some_and(|auth_time| auth_time > latest) {
            return Err((Code::VerifyBadClaims, "`auth_time` has not come"));
        }
        let oldest = self.max_token_age.map(|age| earliest.saturating_sub(age));
        match oldest.is_some_and(|oldest| times.iat.is_none_or(|iat| iat < oldest)) {
            true => Err((Code::VerifyTooOld, "`iat` is longer ago than `max_token_age`")),
            false => Ok(()),
        }
    }

    /// What is asked of the end user, when the authentication behind the token is too long ago, and the longest
    /// time since, in seconds (RFC 9470).
    pub(super) fn reauthentication(&self, auth_time: Option<Millis>, now: Millis) -> Option<(Finding, u64)> {
        let longest = self.reauthenticate_after?;
        let detail = match auth_time {
            None => "`auth_time` is missing",
            Some(auth_time) if auth_time < now.saturating_sub(longest).saturating_sub(self.skew) => {
                "`auth_time` is longer ago than `reauthenticate_after`"
            }
            Some(_) => return None,
        };
        let seconds = u64::try_from(longest.div_euclid(1_000)).unwrap_or_default();
        Some((Finding::new(Code::VerifyReauthenticate, detail), seconds))
    }

    /// Who a checked token speaks for.
    pub(super) fn identity(&self, claimed: &Claimed<'_>) -> Identity {
        let roles =
            claimed.roles.iter().find(|(at, _)| *at == self.roles_at).and_then(|(_, roles)| roles.as_ref().ok());
        let shared = |text: &std::borrow::Cow<'_, str>| Arc::<str>::from(&**text);
        Identity {
            kind: IdentityKind::Jwt,
            principal: claimed.sub.as_deref().unwrap_or_default().into(),
            issuer: Some(self.issuer.clone()),
            credential_id: claimed.jti.as_ref().map(shared),
            session: claimed.sid.as_ref().map(shared),
            actors: Arc::new([]),
            roles: listed(roles),
            scopes: listed(claimed.scope.as_ref().or(claimed.scp.as_ref())),
            assurance: Assurance {
                acr: claimed.acr.as_ref().map(shared),
                auth_time_ms: claimed.auth_time,
                issued_at_ms: claimed.iat,
                bound: None,
            },
        }
    }
}

fn listed(names: Option<&Names<'_>>) -> Arc<[Box<str>]> {
    names.into_iter().flatten().map(|name| Box::from(&**name)).collect()
}

/// The keys with their marks.
fn held(config: &IssuerConfig, common: &Sha256, keys: Vec<Key>) -> Vec<Held> {
    let asked = IssuerConfig { jwks: None, jwks_file: None, ..config.clone() };
    let asked = serde_json::to_vec(&asked).unwrap_or_default();
    let mark = |key: &Key| {
        let mut hash = common.clone();
        let (n, e) = key.verifying.material();
        let kid = key.kid.as_deref().map_or([].as_slice(), str::as_bytes);
        for part in [&asked, key.algorithm.as_str().as_bytes(), kid, n, e] {
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

fn keys(at: usize, config: &IssuerConfig, text: &str, problems: &mut Vec<Problem>) -> Vec<Key> {
    if config.algorithms.is_empty() {
        // Said already; without them every key would be a problem too.
        return Vec::new();
    }
    let key = if config.jwks_file.is_some() { "jwks_file" } else { "jwks" };
    admission::read_set(text, &config.algorithms).unwrap_or_else(|bad| {
        problems.extend(bad.into_iter().map(|bad| {
            let place = bad.offset.filter(|_| config.jwks_file.is_some()).map(|offset| place(text, offset));
            Problem::new(format!("verify.issuer[{at}].{key}"), bad.message)
                .mend("correct the key set, or leave the key out of it")
                .at(config.jwks_file.clone(), place.map(|(line, _)| line), place.map(|(_, column)| column))
        }));
        Vec::new()
    })
}

/// Line and column of a byte, from 1.
fn place(text: &str, offset: usize) -> (u32, u32) {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let from_one = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    (from_one(line), from_one(column))
}
