//! Workloads that are known by their client certificate (mutual TLS).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jose::confirmation;
use super::{Refusal, Verified};
use crate::base::percent::hex;
use crate::model::{Code, Identity, IdentityKind, Peer, Problem};

/// `[[verify.workload]]`: a workload that proves itself by its client certificate. The host ends TLS and checks the chain;
/// it hands over the certificate's digest, or the URIs of its subject alternative names.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadConfig {
    /// Name of the workload: the principal of the identity.
    pub id: String,
    /// SHA-256 of its certificates' DER, in base64url or hexadecimal; two while one replaces the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cert_sha256: Vec<String>,
    /// Exact URIs of its certificate, such as a SPIFFE ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uris: Vec<String>,
    /// Roles of the workload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// Every known certificate.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    /// Ordered by digest.
    by_digest: Vec<([u8; 32], Arc<Identity>)>,
    /// Ordered by URI.
    by_uri: Vec<(Box<str>, Arc<Identity>)>,
}

impl Certificates {
    pub(super) fn compile(configs: &[WorkloadConfig], problems: &mut Vec<Problem>) -> Self {
        let mut known = Self::default();
        for (at, config) in configs.iter().enumerate() {
            let mut problem = |key: &str, message: &str, mend: &str| {
                problems.push(Problem::new(format!("verify.workload[{at}].{key}"), message).mend(mend));
            };
            if config.id.is_empty() || config.id.chars().any(char::is_control) {
                problem("id", "empty, or with control characters", "name the workload");
            }
            if configs.iter().take(at).any(|other| other.id == config.id) {
                problem("id", "the same workload twice", "put all of its certificates in one table");
            }
            if config.cert_sha256.is_empty() && config.uris.is_empty() {
                problem("cert_sha256", "no certificate and no URI", "write the SHA-256 of its certificate, or its URI");
            }
            let identity = |credential: &str| {
                Arc::new(Identity {
                    credential_id: Some(credential.into()),
                    roles: config.roles.iter().map(|role| role.as_str().into()).collect(),
                    ..Identity::new(IdentityKind::Certificate, config.id.as_str())
                })
            };
            for (nth, text) in config.cert_sha256.iter().enumerate() {
                let key = format!("cert_sha256[{nth}]");
                match digest(text) {
                    None => problem(&key, "not a SHA-256", "write 43 characters of base64url or 64 hexadecimal digits"),
                    Some(digest) if known.by_digest.iter().any(|(other, _)| *other == digest) => {
                        problem(&key, "the same certificate twice", "give each workload its own certificate");
                    }
                    Some(digest) => known.by_digest.push((digest, identity(&URL_SAFE_NO_PAD.encode(digest)))),
                }
            }
            for (nth, uri) in config.uris.iter().enumerate() {
                let key = format!("uris[{nth}]");
                if !is_uri(uri) {
                    problem(
                        &key,
                        "not a URI",
                        "write it as it stands in the certificate, as `spiffe://example.org/api`",
                    );
                } else if known.by_uri.iter().any(|(other, _)| **other == **uri) {
                    problem(&key, "the same URI twice", "give each workload its own URI");
                } else {
                    known.by_uri.push((uri.as_str().into(), identity(uri)));
                }
            }
        }
        known.by_digest.sort_by_key(|(digest, _)| *digest);
        known.by_uri.sort_by(|(a, _), (b, _)| a.cmp(b));
        known
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.by_digest.is_empty() && self.by_uri.is_empty()
    }

    /// Adds the workload of the client certificate: beside another credential as the workload, alone as the identity. A
    /// certificate that is not known is nobody's.
    pub(super) fn join(
        &self,
        peer: &Peer<'_>,
        verified: &mut Verified,
        unrevoked: impl Fn(&Identity) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let Some(workload) = self.identify(peer, unrevoked)? else { return Ok(()) };
        match &verified.workload {
            known
                if verified.identity.is_some() || known.as_ref().is_some_and(|k| k.principal != workload.principal) =>
            {
                verified.join_workload(Some(Arc::clone(workload)))
            }
            _ => {
                verified.identity = Some(Arc::clone(workload));
                Ok(())
            }
        }
    }

    /// The workload of the certificate; `unrevoked` is asked of every way that it is known by.
    fn identify(
        &self,
        peer: &Peer<'_>,
        unrevoked: impl Fn(&Identity) -> Result<(), Refusal>,
    ) -> Result<Option<&Arc<Identity>>, Refusal> {
        if self.is_empty() {
            return Ok(None);
        }
        // A digest is no secret: an early exit tells nothing.
        let digest = peer.client_cert_sha256.as_deref().and_then(|text| confirmation::sha256(text.as_bytes()));
        let by_digest = digest.and_then(|digest| find(&self.by_digest, |known| known.cmp(&digest)));
        let by_uri = peer.client_cert_uris.iter().filter_map(|uri| find(&self.by_uri, |known| (**known).cmp(&**uri)));
        let mut first: Option<&Arc<Identity>> = None;
        for known in by_digest.into_iter().chain(by_uri) {
            if first.is_some_and(|first| first.principal != known.principal) {
                return Err((Code::VerifyManyCredentials, "the client certificate is of two workloads"));
            }
            unrevoked(known)?;
            first = first.or(Some(known));
        }
        Ok(first)
    }
}

fn find<K>(sorted: &[(K, Arc<Identity>)], order: impl Fn(&K) -> std::cmp::Ordering) -> Option<&Arc<Identity>> {
    let at = sorted.binary_search_by(|(key, _)| order(key)).ok()?;
    sorted.get(at).map(|(_, identity)| identity)
}

/// A SHA-256 in hexadecimal, colons between the bytes or not, or in base64url.
fn digest(text: &str) -> Option<[u8; 32]> {
    if text.len() == 43 {
        return confirmation::sha256(text.as_bytes());
    }
    let mut digits = text.bytes().filter(|byte| *byte != b':');
    let mut digest = [0; 32];
    for byte in &mut digest {
        *byte = hex(digits.next()?)? << 4 | hex(digits.next()?)?;
    }
    (digits.next().is_none() && matches!(text.len(), 64 | 95)).then_some(digest)
}

fn is_uri(text: &str) -> bool {
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    !scheme.is_empty()
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "6f070ad1eb1cdc0082dc3076639fe5112b1713ca3d96d73";
    const URI: &str = "spiffe://example.org/billing";

    fn workload(id: &str, digests: &[&str], uris: &[&str]) -> WorkloadConfig {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        WorkloadConfig { id: id.into(), cert_sha256: texts(digests), uris: texts(uris), roles: vec!["service".into()] }
    }

    fn compile(configs: &[WorkloadConfig]) -> (Certificates, Vec<String>) {
        let mut problems = Vec::new();
        let known = Certificates::compile(configs, &mut problems);
        (known, problems.into_iter().map(|problem| problem.key).collect())
    }

    fn base64url(byte: u8) -> String {
        URL_SAFE_NO_PAD.encode([byte; 32])
    }

    fn who(known: &Certificates, digest: Option<&str>, uris: &[&str]) -> Result<Option<String>, Code> {
        let uris = uris.iter().map(|uri| (*uri).to_owned().into()).collect();
        let digest = digest.map(|digest| digest.to_owned().into());
        let peer = Peer { client_cert_sha256: digest, client_cert_uris: uris, ..Peer::default() };
        let found = known.identify(&peer, |_| Ok(())).map_err(|(code, _)| code)?;
        Ok(found.map(|identity| identity.principal.to_string()))
    }

    #[test]
    fn by_digest_or_by_uri() {
        let hex = "ab".repeat(32);
        let (known, problems) =
            compile(&[workload("a", &[&base64url(1), &hex], &[]), workload("b", &[&base64url(2)], &[URI])]);
        assert!(problems.is_empty(), "{problems:?}");
        let digest = |byte| Some(base64url(byte));
        assert_eq!(who(&known, digest(1).as_deref(), &[]), Ok(Some("a".into())));
        assert_eq!(who(&known, digest(0xab).as_deref(), &[]), Ok(Some("a".into())));
        assert_eq!(who(&known, None, &["spiffe://example.org/x", URI]), Ok(Some("b".into())));
        assert_eq!(who(&known, digest(2).as_deref(), &[URI]), Ok(Some("b".into())));
        assert_eq!(who(&known, digest(1).as_deref(), &[URI]), Err(Code::VerifyManyCredentials));
        for (digest, uri) in [
            (digest(3), "spiffe://example.org/billing/x"),
            (digest(1).map(|text| text + "="), "spiffe://example.org/Billing"),
            (Some(hex), "spiffe://example.org"),
        ] {
            assert_eq!(who(&known, digest.as_deref(), &[uri]), Ok(None));
        }
    }

    #[test]
    fn mistakes_are_told_at_once() {
        let (_, problems) = compile(&[
            workload("", &[], &[]),
            workload("a", &["ab", HEX, &base64url(1)], &["no", ":x", "a b:c", URI]),
            workload("a", &[&base64url(1)], &[URI]),
        ]);
        let expected = [
            "[0].id",
            "[0].cert_sha256",
            "[1].cert_sha256[0]",
            "[1].cert_sha256[1]",
            "[1].uris[0]",
            "[1].uris[1]",
            "[1].uris[2]",
            "[2].id",
            "[2].cert_sha256[0]",
            "[2].uris[0]",
        ];
        assert_eq!(problems, expected.map(|key| format!("verify.workload{key}")));
    }

    #[test]
    fn digests_in_three_notations() {
        let plain = "0A".repeat(32);
        let colons = vec!["0a"; 32].join(":");
        assert_eq!(digest(&plain), Some([10; 32]));
        assert_eq!(digest(&colons), Some([10; 32]));
        assert_eq!(digest(&base64url(10)), Some([10; 32]));
        for bad in ["", &plain[1..], &colons[1..], &format!("{plain}0a"), &plain.replace('A', "g")] {
            assert_eq!(digest(bad), None, "{bad}");
        }
    }
}
