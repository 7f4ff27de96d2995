//! `[[verify.spiffe]]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verify::Algorithm;

/// `[[verify.spiffe]]`: one SPIFFE trust domain whose JWT-SVIDs are accepted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpiffeConfig {
    /// The trust domain, without `spiffe://`.
    pub trust_domain: String,
    /// A token is for this API when its `aud` holds one of these exactly.
    pub audiences: Vec<String>,
    /// File with the trust domain's bundle, a JWK set; the host reads it. Keys whose `use` is not `jwt-svid` are passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_file: Option<String>,
    /// The bundle itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// Accepted algorithms, of RSA and ECDSA only (JWT-SVID, section 2.1). A key serves exactly one: that of its `alg`, or
    /// else the only one here that fits it.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// The header that carries the token. `authorization` is `Bearer` and makes the workload the request's identity;
    /// any other holds the token alone, without `Bearer`, and makes it the workload beside the caller's own credential, which
    /// is still asked for.
    #[serde(default = "header")]
    pub header: String,
    /// A key of the bundle that breaks a rule is an error.
    #[serde(default)]
    pub strict_keys: bool,
    /// Roles of workloads.
    #[serde(default)]
    pub workload: Vec<SpiffeWorkload>,
}

/// `[[verify.spiffe.workload]]`: what some workloads of a trust domain may act as.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpiffeWorkload {
    /// A SPIFFE ID, or all below a path: `spiffe://example.org/ns/prod/*`.
    pub id: String,
    /// Their roles; those of all entries that fit are joined.
    pub roles: Vec<String>,
}

fn algorithms() -> Vec<Algorithm> {
    vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384]
}

fn header() -> String {
    "authorization".to_owned()
}
