//! HTTP Message Signatures (RFC 9421), with `Content-Digest` (RFC 9530).
//!
//! A signature counts when its `keyid` is configured, and every one of those has to hold; others are passed over, since
//! intermediaries may sign too. Where none is ours, that is `verify.unknown_key`.
//!
//! Not offered: signatures of responses, of trailers (`tr`) and of the request behind a response (`req`), and fields of
//! which it is not known here that they are structured, with `sf`; a signature that covers such a component is refused.

mod base;
mod byte_sequences;
mod canonical;
mod component;
mod config;
mod derived;
mod digest;
mod field;
mod key;
mod parameters;
#[cfg(test)]
mod rfc;
mod structured;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use smallvec::SmallVec;

pub use config::{BodyCover, Nonce, SignatureAlgorithm, SignatureConfig, SpeaksAs};

use self::byte_sequences::byte_sequences;
use self::key::SigningKey;
use self::structured::lists_of_strings;
use super::{Refusal, State, Verified, Verifier};
use crate::model::{Code, Identity, Millis, Problem, Request};

/// Most signatures on one request.
const MAX_SIGNATURES: usize = 4;
/// Most components that one signature covers.
const MAX_COMPONENTS: usize = 32;
/// Longest `Signature-Input`, and longest `Signature`.
const MAX_FIELD_BYTES: usize = 8 << 10;

/// Every configured key.
#[derive(Debug)]
pub(super) struct Signatures {
    keys: Vec<SigningKey>,
    skew: Millis,
}

/// Whom the signatures of a request speak for.
#[derive(Debug, Default)]
struct Proven {
    identity: Option<Arc<Identity>>,
    workload: Option<Arc<Identity>>,
    /// Everyone who signed.
    signers: SmallVec<[Arc<Identity>; 1]>,
}

impl Signatures {
    pub(super) fn compile(configs: &[SignatureConfig], skew: Millis, problems: &mut Vec<Problem>) -> Self {
        let mut keys = Vec::with_capacity(configs.len());
        for (at, config) in configs.iter().enumerate() {
            if configs.iter().take(at).any(|other| other.keyid == config.keyid) {
                let problem =
                    Problem::new(format!("verify.signature[{at}].keyid"), "the same `keyid` as another entry");
                problems.push(problem.mend("give each key its own"));
            }
            keys.extend(SigningKey::compile(at, config, problems));
        }
        Self { keys, skew }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Checks every signature by a configured key. `first_time` is asked last, once for each nonce: whether these parts
    /// are used for the first time, and to remember them until then.
    fn verify(
        &self,
        request: &Request<'_>,
        mut first_time: impl FnMut(&[&[u8]], Millis) -> Result<(), Refusal>,
        now: Millis,
    ) -> Result<Proven, Refusal> {
        let input = field::combined(request, "signature-input")?;
        let signature = field::combined(request, "signature")?;
        let (input, signature) = match (input, signature) {
            (None, None) => return Ok(Proven::default()),
            (Some(input), Some(signature)) => (input, signature),
            _ => return Err(malformed("one of `signature-input` and `signature` is missing")),
        };
        if input.len().max(signature.len()) > MAX_FIELD_BYTES {
            return Err(malformed("`signature-input` or `signature` is longer than 8 KiB"));
        }
        let inputs = lists_of_strings(input.as_bytes(), MAX_SIGNATURES, MAX_COMPONENTS)
            .ok_or(malformed("`signature-input` is not at most 4 lists of at most 32 components"))?;
        let signatures = byte_sequences(signature.as_bytes(), MAX_SIGNATURES)
            .ok_or(malformed("`signature` is not at most 4 byte sequences"))?;
        let of = |label: &str| signatures.iter().find(|(other, _)| *other == label).map(|(_, signature)| signature);
        if inputs.len() != signatures.len() || inputs.iter().any(|input| of(input.label).is_none()) {
            return Err(malformed("a label is in only one of `signature-input` and `signature`"));
        }
        let mut proven = Proven::default();
        let mut proofs = Vec::with_capacity(inputs.len());
        for input in &inputs {
            let keyid = parameters::keyid(&input.parameters);
            let Some(key) = self.keys.iter().find(|key| keyid == Some(&*key.keyid)) else { continue };
            let signature = of(input.label).ok_or(malformed("a label is in only one of the two fields"))?;
            let proof = key.check(input, signature, request, self.skew, now)?;
            let slot = match key.speaks_as {
                SpeaksAs::Identity => &mut proven.identity,
                SpeaksAs::Workload => &mut proven.workload,
            };
            take_place(slot, proof.identity.clone())?;
            proven.signers.push(proof.identity.clone());
            proofs.push((key, proof));
        }
        if proofs.is_empty() {
            return Err((Code::VerifyUnknownKey, "no signature is by a configured `keyid`"));
        }
        if proofs.iter().any(|(_, proof)| proof.covers_digest) {
            digest::check(request)?;
        }
        for (key, proof) in &proofs {
            if let Some(nonce) = proof.nonce {
                first_time(&[b"signature", key.keyid.as_bytes(), nonce.as_bytes()], proof.until)?;
            }
        }
        Ok(proven)
    }
}

impl Verifier {
    /// Adds what the message signatures of a request prove to what its other credentials do.
    pub(super) fn add_signatures(
        &self,
        state: &State,
        request: &Request<'_>,
        verified: &mut Verified,
        now: Millis,
    ) -> Result<(), Refusal> {
        if self.signatures.is_empty() {
            return Ok(());
        }
        let first_time = |parts: &[&[u8]], until| state.replays.first_time(parts, until, now);
        let proven = self.signatures.verify(request, first_time, now)?;
        proven.signers.iter().try_for_each(|signer| state.unrevoked(signer, None, now))?;
        if let Some(identity) = proven.identity {
            if verified.identity.is_some() {
                return Err((
                    Code::VerifyManyCredentials,
                    "a signature that speaks for the caller beside a credential",
                ));
            }
            verified.identity = Some(identity);
        }
        verified.join_workload(proven.workload)
    }
}

/// Two signers of a kind contradict each other, unless they are the same.
fn take_place(place: &mut Option<Arc<Identity>>, identity: Arc<Identity>) -> Result<(), Refusal> {
    match place {
        Some(other) if other.principal != identity.principal || other.kind != identity.kind => {
            Err((Code::VerifyManyCredentials, "signatures of several callers or of several workloads"))
        }
        _ => {
            *place = Some(identity);
            Ok(())
        }
    }
}

const fn malformed(detail: &'static str) -> Refusal {
    (Code::VerifySignatureMalformed, detail)
}
