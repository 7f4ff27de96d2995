//! JWT-SVIDs of SPIFFE trust domains (SPIFFE JWT-SVID, SPIFFE ID): tokens of workloads.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::issuer::{check_audience, check_window};
use super::jose::admission::Purpose;
use super::jose::algorithm::KeyKind;
use super::jose::claims::{Claimed, Times};
use super::jose::header::{self, Header};
use super::jose::jws::{self, Compact};
use super::keys::{Keys, Rules};
use super::{Refusal, SpiffeConfig, State};
use crate::model::{Assurance, Code, Identity, IdentityKind, Millis, Problem, Request};

/// The longest SPIFFE ID and the longest trust domain (SPIFFE ID, section 2.3).
const MAX_ID_BYTES: usize = 2_048;
const MAX_DOMAIN_BYTES: usize = 255;

/// Every compiled `[[verify.spiffe]]`.
#[derive(Clone, Debug, Default)]
pub(super) struct TrustDomains {
    domains: Vec<TrustDomain>,
    /// Headers of their own that carry a workload's token, each once.
    headers: Vec<String>,
    max_token_bytes: usize,
    refresh_interval: Millis,
    /// Place of the first among the cells of [`super::refresh`].
    first_cell: usize,
}

#[derive(Clone, Debug)]
struct TrustDomain {
    /// With `spiffe://`.
    id: Arc<str>,
    /// `None` is `Authorization: Bearer`.
    header: Option<String>,
    audiences: Vec<String>,
    keys: Keys,
    /// Path, or for all below it a path that ends with a slash; and the roles.
    workloads: Vec<(String, Vec<Box<str>>)>,
    skew: Millis,
}

impl TrustDomains {
    pub(super) fn compile(config: &super::Config, problems: &mut Vec<Problem>) -> Self {
        let skew = config.clock_skew.millis();
        let mut domains: Vec<TrustDomain> = Vec::with_capacity(config.spiffe.len());
        let mut headers: Vec<String> = Vec::new();
        for (at, spiffe) in config.spiffe.iter().enumerate() {
            if config.spiffe.iter().take(at).any(|other| other.trust_domain == spiffe.trust_domain) {
                let problem = Problem::new(format!("verify.spiffe[{at}].trust_domain"), "the same trust domain twice");
                problems.push(problem.mend("put all of its keys and audiences in one table"));
            }
            if spiffe.header.eq_ignore_ascii_case(&config.api_key_header) && !config.api_key.is_empty() {
                let problem = Problem::new(format!("verify.spiffe[{at}].header"), "the header of API keys");
                problems.push(problem.mend("name a header of its own"));
            }
            let domain = TrustDomain::compile(at, spiffe, skew, problems);
            if let Some(header) = &domain.header
                && !headers.iter().any(|known| known.eq_ignore_ascii_case(header))
            {
                headers.push(header.clone());
            }
            domains.push(domain);
        }
        Self {
            domains,
            headers,
            max_token_bytes: config.max_token.bytes_usize(),
            refresh_interval: config.refresh_interval.millis(),
            first_cell: config.issuer.len(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Whether a bearer token may be a JWT-SVID.
    pub(super) fn takes_bearer(&self) -> bool {
        self.domains.iter().any(|domain| domain.header.is_none())
    }

    /// What is worth knowing of their keys.
    pub(super) fn notices(&self) -> impl Iterator<Item = String> {
        self.domains.iter().flat_map(|domain| domain.keys.notices())
    }

    /// These with another bundle for one trust domain, `spiffe://` and its name; `None` when it is not one of them.
    pub(super) fn with_jwks(&self, id: &str, jwks: &str) -> Option<Result<Self, Vec<Problem>>> {
        let at = self.domains.iter().position(|domain| *domain.id == *id)?;
        Some(self.domains.get(at)?.keys.replaced(jwks).map(|keys| {
            let mut replaced = self.clone();
            replaced.domains.iter_mut().skip(at).take(1).for_each(|domain| domain.keys = keys.clone());
            replaced
        }))
    }

    /// SHA-256 of each bundle's text, in order.
    pub(super) fn digests(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.domains.iter().map(|domain| domain.keys.digest())
    }

    /// Whether a bearer token is a workload's: its `sub` is in a trust domain that sends its tokens so.
    ///
    /// `sub` chooses the keys, not `iss`, which a JWT-SVID need not have: so no other issuer can speak for a workload.
    pub(super) fn is_bearer(&self, claimed: &Claimed<'_>) -> bool {
        if self.domains.is_empty() {
            return false;
        }
        let id = claimed.sub.as_deref().and_then(|sub| SpiffeId::parse(sub).ok());
        id.is_some_and(|id| self.domains.iter().any(|domain| domain.header.is_none() && domain.is_of(&id)))
    }

    /// The workload whose token stands in a header of its own, beside the caller's credential. `wanted` is told of an
    /// outdated key set.
    pub(super) fn beside(
        &self,
        state: &State,
        request: &Request<'_>,
        wanted: &mut Option<Arc<str>>,
        now: Millis,
    ) -> Result<Option<Arc<Identity>>, Refusal> {
        let mut found = None;
        for name in &self.headers {
            let mut values = request.header(name);
            let Some(token) = values.next() else { continue };
            if values.next().is_some() || found.is_some() {
                return Err((Code::VerifyManyCredentials, "more than one workload token"));
            }
            if token.len() > self.max_token_bytes {
                return Err((Code::VerifyTokenTooLong, "longer than `max_token`"));
            }
            let compact = Compact::split(token)?;
            header::check_length(compact.header)?;
            let header = jws::decode(compact.header)?;
            let header = Header::read(&header)?;
            let payload = jws::decode(compact.payload)?;
            let mut claimed = Claimed::default();
            claimed.read(&payload, &[])?;
            found = Some(self.svid(state, Some(name), (&compact, &header, &claimed), wanted, now)?);
        }
        Ok(found)
    }

    /// The workload of a token from this place: a header of its own, or `Authorization`.
    pub(super) fn svid(
        &self,
        state: &State,
        place: Option<&str>,
        (compact, header, claimed): (&Compact<'_>, &Header<'_>, &Claimed<'_>),
        wanted: &mut Option<Arc<str>>,
        now: Millis,
    ) -> Result<Arc<Identity>, Refusal> {
        let sub = claimed.sub.as_deref().ok_or((Code::VerifyMissingClaim, "`sub` is missing"))?;
        let id = SpiffeId::parse(sub).map_err(|why| (Code::VerifyBadClaims, why))?;
        let known = |domain: &TrustDomain| domain.is_at(place) && domain.is_of(&id);
        let found = self.domains.iter().enumerate().find(|(_, domain)| known(domain));
        let (at, domain) = found.ok_or((Code::VerifyWrongIssuer, "`sub` is not of a configured trust domain"))?;
        if header.typ.as_deref().is_some_and(|typ| typ != "JWT" && typ != "JOSE") {
            return Err((Code::VerifyWrongType, "`typ` of a JWT-SVID is neither `JWT` nor `JOSE`"));
        }
        let (key_place, key) = match domain.keys.find(at, header) {
            Err(refusal) if domain.keys.may_be_stale(header, refusal) => {
                let cell = self.first_cell.saturating_add(at);
                *wanted = state.refresh(cell, &domain.id, self.refresh_interval, now);
                return Err(refusal);
            }
            key => key?,
        };
        let signature = jws::decode(compact.signature)?;
        if !key.verifying.verify(key.algorithm, compact.signed, &signature) {
            return Err((Code::VerifyBadSignature, "the signature does not verify"));
        }
        // Proof of possession is not for JWT-SVIDs; without it a bound token proves nothing (RFC 7800).
        if claimed.cnf.is_some() {
            return Err((Code::VerifyBadClaims, "a bound token (`cnf`) without proof of possession"));
        }
        let exp = check_audience(claimed, &domain.audiences)?;
        let times = Times { exp, nbf: claimed.nbf, iat: claimed.iat, auth_time: None };
        check_window(&times, domain.skew, now)?;
        let identity = domain.identity(sub, &id, claimed);
        state.unrevoked(&identity, domain.keys.kid(&key_place), now)?;
        Ok(Arc::new(identity))
    }
}

impl TrustDomain {
    fn compile(at: usize, config: &SpiffeConfig, skew: Millis, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: String, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.spiffe[{at}].{key}"), message).mend(mend));
        };
        if !is_trust_domain(&config.trust_domain) {
            let mend = "write its name alone, in lower case, such as \"example.org\"";
            problem("trust_domain".to_owned(), "not a trust domain", mend);
        }
        if config.audiences.is_empty() || config.audiences.iter().any(String::is_empty) {
            let mend = "write the `aud` that tokens for this API have";
            problem("audiences".to_owned(), "no audience, or an empty one", mend);
        }
        let asymmetric =
            |algorithm: &super::Algorithm| matches!(algorithm.key_kind(), KeyKind::Rsa | KeyKind::P256 | KeyKind::P384);
        if config.algorithms.is_empty() || !config.algorithms.iter().all(asymmetric) {
            let mend = "write those of the trust domain, such as \"ES256\"";
            problem("algorithms".to_owned(), "no algorithm, or one that JWT-SVIDs do not have", mend);
        }
        let authorization = config.header.eq_ignore_ascii_case("authorization");
        if config.header.is_empty() || !config.header.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            problem("header".to_owned(), "not the name of a header", "write one such as \"x-workload-token\"");
        }
        let root = format!("spiffe://{}", config.trust_domain);
        let mut workloads = Vec::with_capacity(config.workload.len());
        for (entry, workload) in config.workload.iter().enumerate() {
            let below = workload.id.strip_suffix("/*");
            // All of the trust domain is `spiffe://example.org/*`.
            let sound = below == Some(&root)
                || SpiffeId::parse(below.unwrap_or(&workload.id)).is_ok_and(|id| id.domain == config.trust_domain);
            let path = workload.id.strip_prefix(&root).map(|path| path.trim_end_matches('*').to_owned());
            match path.filter(|_| sound) {
                Some(path) => {
                    workloads.push((path, workload.roles.iter().map(|role| role.as_str().into()).collect()));
                }
                None => problem(
                    format!("workload[{entry}].id"),
                    "neither a SPIFFE ID of this trust domain nor such a path and `/*`",
                    "write one such as \"spiffe://example.org/ns/prod/*\"",
                ),
            }
        }
        let rules = Rules {
            table: format!("verify.spiffe[{at}]"),
            file: config.jwks_file.clone(),
            algorithms: config.algorithms.clone(),
            purpose: Purpose::Svids,
            strict: config.strict_keys,
            asked: Sha256::new(),
        };
        Self {
            id: root.into(),
            header: (!authorization).then(|| config.header.clone()),
            audiences: config.audiences.clone(),
            keys: Keys::compile(rules, config.jwks.as_deref(), problems),
            workloads,
            skew,
        }
    }

    /// Whether its tokens stand in this header; `None` is `Authorization: Bearer`.
    fn is_at(&self, place: Option<&str>) -> bool {
        match (&self.header, place) {
            (Some(own), Some(header)) => own.eq_ignore_ascii_case(header),
            (own, header) => own.is_none() && header.is_none(),
        }
    }

    fn is_of(&self, id: &SpiffeId<'_>) -> bool {
        self.id.strip_prefix(SCHEME) == Some(id.domain)
    }

    fn identity(&self, sub: &str, id: &SpiffeId<'_>, claimed: &Claimed<'_>) -> Identity {
        let fits = |pattern: &str| match pattern.ends_with('/') {
            true => id.path.starts_with(pattern),
            false => id.path == pattern,
        };
        let mut roles: Vec<Box<str>> = Vec::new();
        for role in self.workloads.iter().filter(|(pattern, _)| fits(pattern)).flat_map(|(_, roles)| roles) {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        Identity {
            issuer: Some(Arc::clone(&self.id)),
            credential_id: claimed.jti.as_deref().map(Arc::from),
            roles: roles.into(),
            assurance: Assurance { issued_at_ms: claimed.iat, ..Assurance::default() },
            ..Identity::new(IdentityKind::JwtSvid, sub)
        }
    }
}

const SCHEME: &str = "spiffe://";

/// A workload's SPIFFE ID (SPIFFE ID, section 2): no port, no user, no query, no percent-encoding; one spelling each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SpiffeId<'a> {
    domain: &'a str,
    /// With its first slash.
    path: &'a str,
}

impl<'a> SpiffeId<'a> {
    fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.len() > MAX_ID_BYTES {
            return Err("`sub` is longer than a SPIFFE ID may be");
        }
        let rest = text.strip_prefix(SCHEME).ok_or("`sub` is not a SPIFFE ID")?;
        let at = rest.find('/').ok_or("`sub` is a trust domain, not a workload")?;
        let (domain, path) = rest.split_at_checked(at).ok_or("`sub` is not a SPIFFE ID")?;
        let segment = |segment: &str| {
            let plain = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
            plain && !matches!(segment, "" | "." | "..")
        };
        match is_trust_domain(domain) && path.split('/').skip(1).all(segment) {
            true => Ok(Self { domain, path }),
            false => Err("`sub` is not a SPIFFE ID"),
        }
    }
}

fn is_trust_domain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    (1..=MAX_DOMAIN_BYTES).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_have_one_spelling() {
        let id = SpiffeId::parse("spiffe://example.org/ns/prod/sa/Web_1.2-x").unwrap();
        assert_eq!(id, SpiffeId { domain: "example.org", path: "/ns/prod/sa/Web_1.2-x" });
        assert!(SpiffeId::parse("spiffe://a/b..c/...").is_ok());
        for bad in [
            "",
            "spiffe://",
            "spiffe:///a",
            "spiffe://example.org",
            "spiffe://example.org/",
            "spiffe://example.org/a/",
            "spiffe://example.org//a",
            "spiffe://example.org/./a",
            "spiffe://example.org/a/..",
            "SPIFFE://example.org/a",
            "spiffe://Example.org/a",
            "spiffe://user@example.org/a",
            "spiffe://example.org:80/a",
            "spiffe://example.org/a?b",
            "spiffe://example.org/a#b",
            "spiffe://example.org/a%41",
            "spiffe://example.org/\u{e9}",
            "https://example.org/a",
            " spiffe://example.org/a",
        ] {
            assert!(SpiffeId::parse(bad).is_err(), "{bad}");
        }
        let long = |n: usize| format!("spiffe://e/{}", "a".repeat(n));
        assert!(SpiffeId::parse(&long(2_037)).is_ok() && SpiffeId::parse(&long(2_038)).is_err());
        let domain = |n: usize| format!("spiffe://{}/a", "e".repeat(n));
        assert!(SpiffeId::parse(&domain(255)).is_ok() && SpiffeId::parse(&domain(256)).is_err());
    }

    proptest! {
        #[test]
        fn what_parses_is_put_together_again(text in "(spiffe://)?[a-zA-Z0-9._:@%-]{0,9}(/[a-zA-Z0-9._%?#-]{0,4}){0,4}") {
            if let Ok(id) = SpiffeId::parse(&text) {
                prop_assert_eq!(format!("spiffe://{}{}", id.domain, id.path), text.as_str());
                prop_assert!(!id.path.contains("//") && !id.path.contains("/../") && !id.path.ends_with('/'));
            }
        }

        #[test]
        fn any_text_never_panics(text: String) {
            let _ = SpiffeId::parse(&text);
            let _ = SpiffeId::parse(&format!("spiffe://{text}"));
        }
    }
}
