//! Trust domains of SPIFFE, whose workloads identify themselves by JWT-SVIDs.

mod id;
mod svid;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use self::id::{SCHEME, SpiffeId, is_trust_domain};
use super::SpiffeConfig;
use super::jose::admission::Purpose;
use super::jose::algorithm::KeyKind;
use super::jose::claims::Claimed;
use super::keys::Keys;
use super::signer::KeySet;
use crate::model::{Assurance, Identity, IdentityKind, Millis, Problem};

/// Every compiled `[[verify.spiffe]]`.
#[derive(Clone, Debug, Default)]
pub(super) struct TrustDomains {
    domains: Vec<TrustDomain>,
    /// Headers of their own that carry a workload's token, each once.
    headers: Vec<String>,
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
        Self { domains, headers }
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

    /// Whether `spiffe://` and a trust domain of these.
    pub(super) fn has(&self, id: &str) -> bool {
        self.domains.iter().any(|domain| *domain.id == *id)
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
        let keys = KeySet {
            algorithms: &config.algorithms,
            file: config.jwks_file.as_deref(),
            text: config.jwks.as_deref(),
            strict: config.strict_keys,
        };
        Self {
            id: root.into(),
            header: (!authorization).then(|| config.header.clone()),
            audiences: config.audiences.clone(),
            keys: keys.compile(format!("verify.spiffe[{at}]"), Purpose::Svids, Sha256::new(), problems),
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
