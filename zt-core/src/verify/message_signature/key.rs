//! One configured key, and what is asked of its signatures.

use std::sync::Arc;

use super::base::base;
use super::component::Component;
use super::config::{BodyCover, Nonce, SignatureConfig, SpeaksAs};
use super::parameters::{MAX_TEXT_BYTES, Parameters};
use super::structured::{Labelled, lists_of_strings};
use super::{MAX_COMPONENTS, Refusal, digest, malformed};
use crate::model::{Assurance, Code, Identity, IdentityKind, Millis, Problem, Request};
use crate::verify::jose::admission::{self, Key};

/// Longest `max_age`.
const MAX_AGE: Millis = 86_400_000;

/// A compiled [`SignatureConfig`].
#[derive(Debug)]
pub(super) struct SigningKey {
    pub(super) keyid: Box<str>,
    key: Key,
    algorithm: &'static str,
    covered: Vec<Component>,
    body: BodyCover,
    max_age: Millis,
    tag: Option<Box<str>>,
    nonce: Nonce,
    pub(super) speaks_as: SpeaksAs,
    identity: Identity,
}

/// What a signature that verifies says.
#[derive(Debug)]
pub(super) struct Proof<'s> {
    pub(super) identity: Arc<Identity>,
    /// Whether `Content-Digest` is signed, so that the body has to be what it says.
    pub(super) covers_digest: bool,
    pub(super) nonce: Option<&'s str>,
    /// Until when the same signature would be accepted.
    pub(super) until: Millis,
}

impl SigningKey {
    pub(super) fn compile(at: usize, config: &SignatureConfig, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.signature[{at}].{key}"), message).mend(mend));
        };
        if config.id.is_empty() || config.id.chars().any(char::is_control) {
            problem("id", "empty, or with control characters", "name the caller that holds the key");
        }
        if !is_text(&config.keyid) {
            problem("keyid", "not 1 to 256 printable ASCII characters", "write the `keyid` of its signatures");
        }
        if config.tag.as_deref().is_some_and(|tag| !is_text(tag)) {
            problem("tag", "not 1 to 256 printable ASCII characters", "write the `tag` of its signatures");
        }
        if !(1..=MAX_AGE).contains(&config.max_age.millis()) {
            problem("max_age", "not from 1 ms to a day", "write \"5m\"");
        }
        let covered: Vec<Component> = config.covered.iter().filter_map(|text| component(text)).collect();
        if covered.is_empty() || covered.len() < config.covered.len() {
            let mend = "write components such as \"@method\", \"@target-uri\" or \"content-type\"";
            problem("covered", "empty, or with what is not a component of a request", mend);
        }
        let key = match (&config.jwk, &config.jwk_file) {
            (Some(jwk), _) => admission::read_key(jwk, config.algorithm.jose()).map_err(|message| {
                let name = if config.jwk_file.is_some() { "jwk_file" } else { "jwk" };
                problem(name, &message, "give one JWK that fits `algorithm`");
            }),
            (None, _) => {
                problem("jwk", "missing", "give the key in `jwk`, or its file in `jwk_file`");
                Err(())
            }
        };
        let identity = Identity {
            credential_id: Some(config.keyid.as_str().into()),
            roles: config.roles.iter().map(|role| role.as_str().into()).collect(),
            scopes: config.scopes.iter().map(|scope| scope.as_str().into()).collect(),
            ..Identity::new(IdentityKind::HttpSignature, config.id.as_str())
        };
        let key = key.ok().filter(|_| problems.len() == before)?;
        Some(Self {
            keyid: config.keyid.as_str().into(),
            key,
            algorithm: config.algorithm.as_str(),
            covered,
            body: config.body,
            max_age: config.max_age.millis(),
            tag: config.tag.as_deref().map(Box::from),
            nonce: config.nonce,
            speaks_as: config.speaks_as,
            identity,
        })
    }

    /// Checks a signature that names this key.
    pub(super) fn check<'s>(
        &self,
        input: &'s Labelled<'_>,
        signature: &[u8],
        request: &Request<'_>,
        skew: Millis,
        now: Millis,
    ) -> Result<Proof<'s>, Refusal> {
        let parameters = Parameters::read(&input.parameters)?;
        if parameters.algorithm.is_some_and(|algorithm| algorithm != self.algorithm) {
            return Err((Code::VerifyAlgorithmRefused, "`alg` is not the algorithm that the key is for"));
        }
        let components = components(input)?;
        self.check_coverage(&components, &parameters, request)?;
        let (created, until) = self.check_time(&parameters, skew, now)?;
        let base = base(input, &components, request)?;
        if !self.key.verifying.verify(self.key.algorithm, base.as_bytes(), signature) {
            return Err((Code::VerifyBadSignature, "the message signature does not verify"));
        }
        let assurance = Assurance { issued_at_ms: Some(created), ..Assurance::default() };
        Ok(Proof {
            identity: Arc::new(Identity { assurance, ..self.identity.clone() }),
            covers_digest: components.iter().any(|component| component.is_of_field("content-digest")),
            nonce: parameters.nonce,
            until,
        })
    }

    fn check_coverage(
        &self,
        components: &[Component],
        parameters: &Parameters<'_>,
        request: &Request<'_>,
    ) -> Result<(), Refusal> {
        let incomplete = |detail| Err((Code::VerifySignatureIncomplete, detail));
        let covers = |wanted: &Component| components.iter().any(|component| component.covers(wanted));
        if components.is_empty() {
            return incomplete("covers nothing");
        }
        if !self.covered.iter().all(covers) {
            return incomplete("does not cover every component of `covered`");
        }
        let digest = || covers(&Component::Field("content-digest".into(), super::component::Form::Combined));
        if self.body == BodyCover::Covered && digest::has_body(request) && !digest() {
            return incomplete("the request has a body, and `content-digest` is not covered");
        }
        if self.nonce == Nonce::Required && parameters.nonce.is_none() {
            return incomplete("`nonce` is missing");
        }
        match (&self.tag, parameters.tag) {
            (Some(_), None) => incomplete("`tag` is missing"),
            (Some(wanted), Some(tag)) if **wanted != *tag => Err(malformed("`tag` is another than the configured one")),
            _ => Ok(()),
        }
    }

    /// When it was made, and until when it is accepted.
    fn check_time(&self, parameters: &Parameters<'_>, skew: Millis, now: Millis) -> Result<(Millis, Millis), Refusal> {
        let stale = |detail| Err((Code::VerifySignatureStale, detail));
        let created = parameters.created.ok_or((Code::VerifySignatureIncomplete, "`created` is missing"))?;
        if created > now.saturating_add(skew) {
            return stale("`created` has not come");
        }
        let aged = created.saturating_add(self.max_age);
        let until = parameters.expires.map_or(aged, |expires| aged.min(expires)).saturating_add(skew);
        match now > until {
            true if parameters.expires.is_some_and(|expires| expires < aged) => stale("`expires` is past"),
            true => stale("`created` is longer ago than `max_age`"),
            false => Ok((created, until)),
        }
    }
}

/// Every component, each once.
fn components(input: &Labelled<'_>) -> Result<Vec<Component>, Refusal> {
    let mut components: Vec<Component> = Vec::with_capacity(input.items.len());
    for named in &input.items {
        let component = Component::read(named)?;
        if components.contains(&component) {
            return Err(malformed("covers the same component twice"));
        }
        components.push(component);
    }
    Ok(components)
}

/// A component as it is written in a configuration: a bare name, or an identifier with its parameters.
fn component(text: &str) -> Option<Component> {
    let identifier = if text.starts_with('"') { text.to_owned() } else { format!("\"{text}\"") };
    let list = format!("a=({identifier})");
    let lists = lists_of_strings(list.as_bytes(), 1, MAX_COMPONENTS)?;
    let [Labelled { items, parameters, .. }] = lists.as_slice() else { return None };
    match (items.as_slice(), parameters.iter().next()) {
        ([named], None) => Component::read(named).ok(),
        _ => None,
    }
}

fn is_text(text: &str) -> bool {
    (1..=MAX_TEXT_BYTES).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
