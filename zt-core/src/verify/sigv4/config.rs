//! `[[verify.sigv4]]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::units::Duration;
use crate::verify::Secret;

/// `[[verify.sigv4]]`: one access key of requests that are signed with AWS Signature Version 4.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sigv4Config {
    /// Name of the caller: the principal of the identity.
    pub id: String,
    /// The access key id that the caller signs with.
    pub access_key_id: String,
    /// The secret access key, at least 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// File with it on one line; the host reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<String>,
    /// The region that requests must be signed for.
    pub region: String,
    /// The service that requests must be signed for.
    pub service: String,
    /// How long ago, or ahead, a request may have been signed, at most fifteen minutes. AWS itself takes five in most
    /// cases.
    #[serde(default = "tolerance")]
    pub tolerance: Duration,
    /// Accept a body that the signature does not cover (`UNSIGNED-PAYLOAD`). A presigned request without
    /// `X-Amz-Content-Sha256` then has an unsigned one, as it has in S3.
    #[serde(default)]
    pub unsigned_payload: bool,
    /// Callers drop `.`, `..` and empty segments of a path and encode it once more before they sign it, as for every
    /// service but S3. With `false` the path is signed as it is sent.
    #[serde(default = "yes")]
    pub normalize_path: bool,
    /// Accept a name twice in the query. The signature does not cover the order of its values.
    #[serde(default)]
    pub repeated_query_names: bool,
    /// Headers that must be signed, beside `host` and `x-amz-date`, which always must.
    #[serde(default = "required_headers")]
    pub required_headers: Vec<String>,
    /// The session token that belongs to temporary credentials: every request must have it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<Secret>,
    /// File with it on one line; the host reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token_file: Option<String>,
    /// Callers add the session token after signing, as some services ask.
    #[serde(default)]
    pub session_token_unsigned: bool,
    /// Roles of the caller.
    #[serde(default)]
    pub roles: Vec<String>,
}

const fn tolerance() -> Duration {
    Duration::from_millis(300_000)
}

const fn yes() -> bool {
    true
}

fn required_headers() -> Vec<String> {
    vec!["host".to_owned()]
}
