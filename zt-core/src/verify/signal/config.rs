//! `[[verify.transmitter]]`: who may tell of security events.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::SECEVENT;
use super::event::{is_known, meant};
use crate::base::units::Duration;
use crate::model::{Millis, Problem};
use crate::verify::Config;
use crate::verify::jose::admission::Purpose;
use crate::verify::keys::Keys;
use crate::verify::signer::signer_table;

/// A year and a day.
const LONGEST: Millis = 366 * 86_400_000;

signer_table! {
    /// `[[verify.transmitter]]`: one transmitter of Security Event Tokens (RFC 8417; OpenID Shared Signals Framework 1.0).
    TransmitterConfig {
        /// The issuers whose subjects it may speak of: its own, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub subjects_of: Option<Vec<String>>,
        /// What names a subject as the `sub` of its tokens does, beside `iss_sub`.
        #[serde(default = "subject_formats")]
        pub subject_formats: Vec<SubjectFormat>,
        /// The only event types that are acted on; all that are known, when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub events: Option<Vec<String>>,
        /// How long what an event revokes stays revoked: not less than the longest life of a token. An event that is older
        /// is refused.
        #[serde(default = "expires")]
        pub expires: Duration,
    }
}

/// A format of subject identifiers (RFC 9493) without an issuer in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectFormat {
    /// `id` is the `sub`, or of an event about a session its `sid`.
    Opaque,
    /// `email` is the `sub`.
    Email,
    /// `uri` without its `acct:` is the `sub`.
    Account,
    /// `phone_number` is the `sub`.
    PhoneNumber,
    /// `uri` is the `sub`.
    Uri,
    /// `url` is the `sub`.
    Did,
}

impl fmt::Debug for TransmitterConfig {
    /// Without the key set: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransmitterConfig")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("subjects_of", &self.subjects_of)
            .finish_non_exhaustive()
    }
}

fn subject_formats() -> Vec<SubjectFormat> {
    vec![SubjectFormat::Opaque]
}

fn expires() -> Duration {
    Duration::from_millis(86_400_000)
}

/// A compiled `[[verify.transmitter]]`.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Transmitter {
    pub(super) issuer: Arc<str>,
    /// What names its key set where one is replaced.
    id: Arc<str>,
    pub(super) audiences: Vec<String>,
    pub(super) keys: Keys,
    pub(super) speaks_of: Vec<Spoken>,
    pub(super) formats: Vec<SubjectFormat>,
    pub(super) events: Option<Vec<String>>,
    pub(super) expires: Millis,
}

/// An issuer that a transmitter may speak of.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    pub(super) issuer: Arc<str>,
    /// Stands before `sub` in the principals of its tokens.
    pub(super) prefix: String,
    /// It is a trust domain.
    pub(super) workloads: bool,
}

/// The compiled transmitters, in order.
pub(in crate::verify) fn compile(config: &Config, problems: &mut Vec<Problem>) -> Vec<Transmitter> {
    let all = config.transmitter.iter().enumerate();
    for (at, issuer) in config.issuer.iter().enumerate() {
        if issuer.token_types.iter().any(|typ| is_secevent(typ)) {
            let key = format!("verify.issuer[{at}].token_types");
            let problem = Problem::new(key, "the type of security event tokens, which prove nobody's identity");
            problems.push(problem.mend("leave it out: they are received by `[[verify.transmitter]]`"));
        }
    }
    all.map(|(at, transmitter)| Transmitter::compile(at, transmitter, config, problems)).collect()
}

/// Whether a `typ` is that of Security Event Tokens.
fn is_secevent(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ) == SECEVENT
}

impl Transmitter {
    fn compile(at: usize, own: &TransmitterConfig, config: &Config, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.transmitter[{at}].{key}"), message).mend(mend));
        };
        if own.issuer.is_empty() {
            problem("issuer", "empty", "write the exact `iss` of the transmitter");
        }
        if config.transmitter.iter().take(at).any(|other| other.issuer == own.issuer) {
            problem("issuer", "the same transmitter twice", "put all of its keys and audiences in one table");
        }
        let mends = [
            "write the `aud` of the stream to this receiver",
            "write those that the transmitter signs with, such as \"RS256\"",
        ];
        own.signer().check(mends, &mut problem);
        if own.events.as_ref().is_some_and(|events| events.is_empty() || events.iter().any(String::is_empty)) {
            problem("events", "no event type, or an empty one", "write their URIs, or leave it out for all");
        }
        for event in own.events.iter().flatten().filter(|event| !event.is_empty() && !is_known(event)) {
            let mend = match meant(event) {
                Some(uri) => format!("write \"{uri}\""),
                None => {
                    "write the URI of an event type of CAEP or RISC (docs/signals.md), or leave `events` out for all"
                        .to_owned()
                }
            };
            problem("events", &format!("`{event}` is no event type that is known"), &mend);
        }
        let expires = own.expires.millis();
        if expires == 0 || expires > LONGEST {
            problem("expires", "zero, or more than a year", "write the longest life of a token, such as \"24h\"");
        }
        let mut speaks_of = Vec::new();
        let named = own.subjects_of.as_deref().unwrap_or(std::slice::from_ref(&own.issuer));
        if named.is_empty() {
            problem("subjects_of", "no issuer", "name those of `[[verify.issuer]]` that it may speak of");
        }
        for name in named {
            let issuer = config.issuer.iter().find(|issuer| issuer.issuer == *name);
            let domain =
                || config.spiffe.iter().any(|domain| name.strip_prefix("spiffe://") == Some(&domain.trust_domain));
            if issuer.is_none() && !domain() {
                let message = format!("no issuer `{name}` is configured, so that nothing said of it has an effect");
                problem("subjects_of", &message, "name those of `[[verify.issuer]]` that the transmitter may speak of");
            }
            if issuer.and_then(|issuer| issuer.max_token_age).is_some_and(|age| age.millis() > expires) {
                let message = format!("less than `max_token_age` of `{name}`: what is revoked would be good again");
                problem("expires", &message, "write at least the longest life of a token");
            }
            let prefix = issuer.map(|issuer| issuer.principal_prefix.clone()).unwrap_or_default();
            speaks_of.push(Spoken { issuer: name.as_str().into(), prefix, workloads: issuer.is_none() });
        }
        let table = format!("verify.transmitter[{at}]");
        Self {
            issuer: own.issuer.as_str().into(),
            id: format!("transmitter:{}", own.issuer).into(),
            audiences: own.audiences.clone(),
            keys: own.signer().keys.compile(table, Purpose::Tokens, Sha256::new(), problems),
            speaks_of,
            formats: own.subject_formats.clone(),
            events: own.events.clone(),
            expires,
        }
    }

    /// Whether this is the name of its key set: `transmitter:` and its `iss`.
    pub(in crate::verify) fn has_keys_named(&self, id: &str) -> bool {
        *self.id == *id
    }

    pub(in crate::verify) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// This with another key set.
    pub(in crate::verify) fn replaced(&self, jwks: &str) -> Result<Self, Vec<Problem>> {
        Ok(Self { keys: self.keys.replaced(jwks)?, ..self.clone() })
    }
}
