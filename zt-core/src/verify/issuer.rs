//! A trusted issuer: its keys, and what it and this API ask of a token.

use std::borrow::Cow;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::id_token;
use super::jose::admission::{Key, Purpose};
use super::jose::algorithm::Algorithm;
use super::jose::claims::{self, Claimed, Names, Times};
use super::jose::header::Header;
use super::jose::members;
use super::keys::Keys;
use super::{IssuerConfig, Profile, Refusal, SenderConstrained};
use crate::model::{Assurance, Code, Finding, Identity, IdentityKind, Millis, Problem};

/// The `typ` of RFC 9068.
const ACCESS_TOKEN: &str = "at+jwt";
/// The longest `principal_prefix`.
const MAX_PREFIX_BYTES: usize = 64;

/// A compiled `[[verify.issuer]]`.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    pub(super) issuer: Arc<str>,
    audiences: Vec<String>,
    pub(super) keys: Keys,
    token_types: Vec<String>,
    profile: Option<Profile>,
    required_claims: Vec<String>,
    max_token_age: Option<Millis>,
    reauthenticate_after: Option<Millis>,
    /// Place of its role claim among those of all issuers.
    roles_at: usize,
    sender_constrained: SenderConstrained,
    allow_roles: Option<Vec<String>>,
    allow_scopes: Option<Vec<String>>,
    principal_prefix: String,
    skew: Millis,
}

/// Where a token's key stands, and what it was when the token was verified.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyPlace {
    pub(super) issuer: usize,
    pub(super) key: usize,
    pub(super) mark: u64,
    /// Whether the token names it.
    pub(super) named: bool,
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
        let mends = [
            "write the `aud` that tokens for this API have",
            "write those that the issuer signs with, such as \"RS256\"",
        ];
        config.signer().check(mends, &mut problem);
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
        if config.profile.is_some() && !config.token_types.iter().all(|typ| is_access_token(typ)) {
            problem(
                "token_types",
                "a type that the profile does not have",
                "leave it out: the profile's is \"at+jwt\"",
            );
        }
        if config.required_claims.iter().any(String::is_empty) {
            problem("required_claims", "an empty name", "name claims such as \"client_id\"");
        }
        let prefix = &config.principal_prefix;
        if prefix.len() > MAX_PREFIX_BYTES || prefix.chars().any(char::is_control) {
            problem("principal_prefix", "too long, or with control characters", "write one such as \"partner:\"");
        }
        let without_keys = IssuerConfig { jwks: None, jwks_file: None, ..config.clone() };
        let asked = common.clone().chain_update(serde_json::to_vec(&without_keys).unwrap_or_default());
        let keys = config.signer().keys.compile(format!("verify.issuer[{at}]"), Purpose::Tokens, asked, problems);
        let roles_at = role_claims.iter().position(|claim| **claim == *config.roles_claim).unwrap_or_else(|| {
            role_claims.push(config.roles_claim.as_str().into());
            role_claims.len().saturating_sub(1)
        });
        Self {
            issuer: config.issuer.as_str().into(),
            audiences: config.audiences.clone(),
            keys,
            token_types: config.token_types.clone(),
            profile: config.profile,
            required_claims: config.required_claims.clone(),
            max_token_age: config.max_token_age.map(|age| age.millis()),
            reauthenticate_after: config.reauthenticate_after.map(|age| age.millis()),
            roles_at,
            sender_constrained: config.sender_constrained,
            allow_roles: config.allow_roles.clone(),
            allow_scopes: config.allow_scopes.clone(),
            principal_prefix: config.principal_prefix.clone(),
            skew,
        }
    }

    /// The key that a token names, or the only one for its algorithm; the algorithm must be the key's. This is the `at`th
    /// issuer.
    pub(super) fn key(&self, at: usize, header: &Header<'_>) -> Result<(KeyPlace, &Key), Refusal> {
        self.keys.find(at, header)
    }

    /// Algorithm, `kid` and `typ` as its tokens are likely to name them.
    pub(super) fn headers(&self) -> impl Iterator<Item = (Algorithm, Option<&str>, &str)> {
        let types = |(algorithm, kid)| self.token_types.iter().map(move |typ| (algorithm, kid, typ.as_str()));
        self.keys.names().flat_map(types)
    }

    /// Whether the token is of an accepted type (RFC 8725, section 3.11).
    pub(super) fn check_type(&self, header: &Header<'_>) -> Result<(), Refusal> {
        match self.token_types.iter().any(|accepted| header.is_type(accepted)) {
            true => Ok(()),
            false => Err((Code::VerifyWrongType, "`typ` is missing or not among `token_types`")),
        }
    }

    /// Refuses an ID token where only its claims tell it apart, and a token without a claim that it must have.
    pub(super) fn check_kind(&self, header: &Header<'_>, claimed: &Claimed<'_>, json: &[u8]) -> Result<(), Refusal> {
        if !header.is_type(ACCESS_TOKEN) && claimed.marks.events {
            return Err((Code::VerifyWrongType, "a security event token: it has `events` (RFC 8417, section 2.2)"));
        }
        if !header.is_type(ACCESS_TOKEN)
            && let Some(mark) = id_token::mark(claimed, self.roles_at)
        {
            return Err((Code::VerifyIdToken, mark));
        }
        if self.profile == Some(Profile::Rfc9068)
            && (claimed.client_id.is_none() || claimed.iat.is_none() || claimed.jti.is_none())
        {
            return Err((Code::VerifyMissingClaim, "`client_id`, `iat` or `jti` is missing (RFC 9068)"));
        }
        match self.required_claims.is_empty() || members::has_all(json, &self.required_claims) {
            true => Ok(()),
            false => Err((Code::VerifyMissingClaim, "one of `required_claims` is missing")),
        }
    }

    /// Checks the claims of a token whose signature holds (RFC 9068, section 4), apart from its times; gives its `exp`.
    pub(super) fn check_claims(&self, claimed: &Claimed<'_>) -> Result<Millis, Refusal> {
        let missing = |detail| (Code::VerifyMissingClaim, detail);
        if claimed.sub.as_deref().ok_or(missing("`sub` is missing"))?.is_empty() {
            return Err((Code::VerifyBadClaims, "`sub` is empty"));
        }
        let exp = check_audience(claimed, &self.audiences)?;
        if self.max_token_age.is_some() && claimed.iat.is_none() {
            return Err(missing("`iat` is missing"));
        }
        if self.sender_constrained == SenderConstrained::Required && claimed.cnf.is_none() {
            return Err((Code::VerifyBindingMissing, "`cnf` is missing, and `sender_constrained` is \"required\""));
        }
        if claimed.roles.iter().any(|(at, roles)| *at == self.roles_at && roles.is_err()) {
            return Err((Code::VerifyBadClaims, "the roles claim is neither a string nor strings"));
        }
        Ok(exp)
    }

    /// Checks the times of a token.
    pub(super) fn check_times(&self, times: &Times, now: Millis) -> Result<(), Refusal> {
        check_window(times, self.skew, now)?;
        let earliest = now.saturating_sub(self.skew);
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
        let shared = |text: &Cow<'_, str>| Arc::<str>::from(&**text);
        Identity {
            kind: IdentityKind::Jwt,
            principal: self.principal(claimed.sub.as_deref().unwrap_or_default()),
            issuer: Some(self.issuer.clone()),
            credential_id: claimed.jti.as_ref().map(shared),
            session: claimed.sid.as_ref().map(shared),
            actors: claimed.actors.iter().map(|actor| Box::from(&**actor)).collect(),
            roles: listed(roles, self.allow_roles.as_deref()),
            scopes: listed(claimed.scope.as_ref().or(claimed.scp.as_ref()), self.allow_scopes.as_deref()),
            assurance: Assurance {
                acr: claimed.acr.as_ref().map(shared),
                auth_time_ms: claimed.auth_time,
                issued_at_ms: claimed.iat,
                bound: claimed.cnf.map(|cnf| cnf.bound().into()),
            },
        }
    }

    /// The `sub` behind a principal of this issuer.
    pub(super) fn sub<'p>(&self, principal: &'p str) -> &'p str {
        principal.strip_prefix(&self.principal_prefix).unwrap_or(principal)
    }

    fn principal(&self, sub: &str) -> Arc<str> {
        match self.principal_prefix.as_str() {
            "" => sub.into(),
            prefix => format!("{prefix}{sub}").into(),
        }
    }
}

fn is_access_token(typ: &str) -> bool {
    typ.eq_ignore_ascii_case(ACCESS_TOKEN) || typ.eq_ignore_ascii_case("application/at+jwt")
}

fn listed(names: Option<&Names<'_>>, allowed: Option<&[String]>) -> Arc<[Box<str>]> {
    let names = names.map(|names| names.as_slice()).unwrap_or_default();
    let boxed = |name: &Cow<'_, str>| Box::from(&**name);
    match allowed {
        // Of a slice, whose length is known: the list is then made in one piece.
        None => names.iter().map(boxed).collect(),
        Some(allowed) => names.iter().filter(|name| allowed.iter().any(|own| own == *name)).map(boxed).collect(),
    }
}

/// Checks for whom a token is good, and gives its end (RFC 7519, sections 4.1.3 and 4.1.4).
pub(super) fn check_audience(claimed: &Claimed<'_>, audiences: &[String]) -> Result<Millis, Refusal> {
    let missing = |detail| (Code::VerifyMissingClaim, detail);
    let aud = claimed.aud.as_ref().ok_or(missing("`aud` is missing"))?;
    if !aud.iter().any(|aud| audiences.iter().any(|own| own == aud)) {
        return Err((Code::VerifyWrongAudience, "`aud` holds none of `audiences`"));
    }
    claimed.exp.ok_or(missing("`exp` is missing"))
}

/// Checks when a token is good (RFC 7519, sections 4.1.4 to 4.1.6).
pub(super) fn check_window(times: &Times, skew: Millis, now: Millis) -> Result<(), Refusal> {
    let (earliest, latest) = (now.saturating_sub(skew), now.saturating_add(skew));
    if times.exp <= earliest {
        return Err((Code::VerifyExpired, "`exp` has passed"));
    }
    if times.nbf.is_some_and(|nbf| nbf > latest) {
        return Err((Code::VerifyNotYetValid, "`nbf` has not come"));
    }
    if times.iat.is_some_and(|iat| iat > latest) {
        return Err((Code::VerifyNotYetValid, "`iat` has not come"));
    }
    match times.auth_time.is_some_and(|auth_time| auth_time > latest) {
        true => Err((Code::VerifyBadClaims, "`auth_time` has not come")),
        false => Ok(()),
    }
}
