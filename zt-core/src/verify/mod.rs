//! Who is this, and how was it proven?
//!
//! [`Verifier::verify`] takes what a request shows to prove who it comes from and answers with an [`Identity`] or with
//! what is wrong. Everything is checked against the `now` that is passed in.
//!
//! | credential | file |
//! |---|---|
//! | JSON Web Token (RFC 7519, RFC 9068, hardened after RFC 8725), as a bearer token (RFC 6750) | `token.rs`, `jose/` |
//! | the same, bound to a DPoP key (RFC 9449) or a client certificate (RFC 8705) | `binding.rs`, `dpop/` |
//! | API key | `api_key/` |
//! | AWS Signature Version 4 | `sigv4/` |
//! | signed webhook | `webhook/` |
//! | HTTP message signature (RFC 9421), the caller's own or a workload's beside it | `message_signature/` |
//! | SPIFFE JWT-SVID of a workload, as a bearer token or beside a caller's credential | `spiffe/` |
//! | client certificate of a workload, beside a caller's credential or alone | `certificate.rs` |
//!
//! What others tell of accounts and sessions (CAEP, RISC) is received by `signal/`.
//!
//! Tokens are parsed strictly here; their signatures are checked by `jsonwebtoken` through an explicitly named provider. A
//! verified token is remembered (`cache/`), so that a repeated one costs a look-up; what may have changed since — time,
//! revocation (`revocation/`), key, binding — is checked each time.

pub mod api_key;
mod authority;
mod binding;
mod body;
mod cache;
mod certificate;
mod challenge;
mod claims;
mod compact;
mod compile;
mod config;
mod credential;
pub(crate) mod detached;
mod dpop;
mod files;
mod freshness;
mod id_token;
mod in_query;
mod instant;
mod issuer;
mod jose;
mod keys;
mod mac;
mod memory;
mod message_signature;
mod refresh;
mod replay;
mod request;
mod revocation;
mod rotation;
mod secret;
mod signal;
mod signer;
mod sigv4;
mod spiffe;
mod state;
mod token;
mod webhook;

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

pub use cache::{CacheConfig, TokenAtRest};
pub use certificate::WorkloadConfig;
pub use challenge::{Challenges, Scheme, StepUp};
pub use claims::{Claims, Scalar};
pub use compact::verify_jws;
pub use compile::Verifier;
pub use config::{ApiKeyConfig, Config, IssuerConfig, Profile, SenderConstrained, SpiffeConfig, SpiffeWorkload};
pub use detached::SigningKeys;
pub use dpop::{DpopConfig, NonceUse};
pub use freshness::{Demand, ReauthenticateConfig};
pub use jose::algorithm::Algorithm;
pub use memory::Memory;
pub use message_signature::{BodyCover, Nonce, SignatureAlgorithm, SignatureConfig, SpeaksAs};
pub use revocation::{Revocation, Revoked};
pub use secret::Secret;
pub use signal::{Applied, Received, ReceivedEvent, SubjectFormat, TransmitterConfig};
pub use sigv4::Sigv4Config;
pub use state::{Snapshot, State};
pub use webhook::{WebhookConfig, WebhookFormat};

use self::jose::confirmation::Confirmation;
use crate::model::{Code, Finding, Identity};

/// Why a credential is refused.
type Refusal = (Code, &'static str);

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    /// Who it is; nobody where there is no credential or a refused one.
    pub identity: Option<Arc<Identity>>,
    /// The workload that speaks for it: from a certificate, a JWT-SVID or a message signature beside its own credential.
    pub workload: Option<Arc<Identity>>,
    /// What is wrong with the credential, or asked beyond it. Nothing where there is none: whether one is needed is the
    /// endpoint's matter.
    pub findings: SmallVec<[Finding; 2]>,
    /// How the request authenticated itself: whose challenge says what was wrong.
    pub scheme: Scheme,
    /// The key that a verified token is bound to.
    confirmation: Option<Confirmation>,
    /// The claims of a verified token.
    pub claims: Claims,
    /// The longest time since the end user's authentication, seconds, when a fresher one is asked for.
    pub max_age_s: Option<u64>,
    /// The issuer whose key set the host should fetch again: a token names a key that it does not have.
    pub refresh_wanted: Option<Arc<str>>,
    /// Headers for the response, whatever the outcome.
    pub response_headers: SmallVec<[(Cow<'static, str>, String); 1]>,
}

impl Verified {
    /// Nobody; how it was shown, and whether a newer key set is wanted, stays.
    fn refuse(&mut self, (code, detail): Refusal) {
        let (scheme, refresh_wanted) = (self.scheme, self.refresh_wanted.take());
        let findings = smallvec![Finding::new(code, detail)];
        *self = Self { scheme, refresh_wanted, findings, ..Self::default() };
    }

    /// Adds the workload that sent the request: beside another identity, or as the only one.
    fn add_sender(&mut self, workload: Option<Arc<Identity>>) {
        let slot = if self.identity.is_some() { &mut self.workload } else { &mut self.identity };
        if workload.is_some() {
            *slot = workload;
        }
    }

    /// Adds a workload; two of them contradict each other, unless they are the same.
    fn join_workload(&mut self, workload: Option<Arc<Identity>>) -> Result<(), Refusal> {
        match (&self.workload, workload) {
            (_, None) => Ok(()),
            (Some(known), Some(other)) if known.principal != other.principal => {
                Err((Code::VerifyManyCredentials, "credentials of different workloads"))
            }
            (_, other) => {
                self.workload = other;
                Ok(())
            }
        }
    }
}
