//! An access key, compiled.

use std::sync::Arc;

use super::Sigv4Config;
use crate::model::{Identity, IdentityKind, Millis, Problem};
use crate::verify::mac::{self, Digest, MacKey};
use crate::verify::secret::{LEAST_SECRET_BYTES, Secret};

/// What AWS's most patient services give.
const MAX_TOLERANCE: Millis = 900_000;

/// A compiled `[[verify.sigv4]]`.
#[derive(Debug)]
pub(super) struct AccessKey {
    pub(super) access_key_id: Box<str>,
    pub(super) region: Box<str>,
    pub(super) service: Box<str>,
    /// Under `AWS4` and the secret.
    pub(super) secret: Option<MacKey>,
    pub(super) tolerance: Millis,
    pub(super) unsigned_payload: bool,
    pub(super) normalize_path: bool,
    pub(super) repeated_query_names: bool,
    /// In lower case, `host` among them.
    pub(super) required_headers: Vec<Box<str>>,
    /// SHA-256 of the session token.
    pub(super) session_token: Option<Digest>,
    pub(super) session_token_unsigned: bool,
    pub(super) identity: Arc<Identity>,
}

impl AccessKey {
    /// Compiles the `at`th access key.
    pub(super) fn compile(at: usize, config: &Sigv4Config, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.sigv4[{at}].{key}"), message).mend(mend));
        };
        if config.id.is_empty() || config.id.chars().any(char::is_control) {
            problem("id", "empty, or with control characters", "name the caller that holds the access key");
        }
        let part = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"/,=".contains(&b));
        for (key, text) in
            [("access_key_id", &config.access_key_id), ("region", &config.region), ("service", &config.service)]
        {
            if !part(text) {
                problem(key, "empty, or with characters that a scope cannot have", "write it as the caller signs it");
            }
        }
        let secret = config.secret.as_ref().map(Secret::expose);
        match secret {
            None => problem("secret", "no secret", "write `secret_file`, or the secret itself as `secret`"),
            Some(secret) if secret.len() < LEAST_SECRET_BYTES => {
                let key = if config.secret_file.is_some() { "secret_file" } else { "secret" };
                problem(key, "shorter than 16 bytes", "make a longer one");
            }
            Some(_) => {}
        }
        if !(1..=MAX_TOLERANCE).contains(&config.tolerance.millis()) {
            problem("tolerance", "zero, or more than fifteen minutes", "write \"5m\"");
        }
        let mut required_headers: Vec<Box<str>> =
            config.required_headers.iter().map(|name| name.to_ascii_lowercase().into()).collect();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if required_headers.iter().any(|name| name.is_empty() || !name.bytes().all(token)) {
            problem("required_headers", "not all of them are names of headers", "write such as [\"host\"]");
        }
        required_headers.push("host".into());
        if config.session_token_unsigned && config.session_token.is_none() {
            let message = "without a session token to compare with";
            problem("session_token_unsigned", message, "write `session_token_file`, or leave it out");
        }
        if config.session_token.as_ref().is_some_and(|token| token.expose().is_empty()) {
            problem("session_token", "empty", "write the token, or leave it out");
        }
        let identity = Identity {
            credential_id: Some(config.access_key_id.as_str().into()),
            roles: config.roles.iter().map(|role| role.as_str().into()).collect(),
            ..Identity::new(IdentityKind::AwsSigv4, config.id.as_str())
        };
        Self {
            access_key_id: config.access_key_id.as_str().into(),
            region: config.region.as_str().into(),
            service: config.service.as_str().into(),
            secret: secret.and_then(|secret| MacKey::new(format!("AWS4{secret}").as_bytes())),
            tolerance: config.tolerance.millis(),
            unsigned_payload: config.unsigned_payload,
            normalize_path: config.normalize_path,
            repeated_query_names: config.repeated_query_names,
            required_headers,
            session_token: config.session_token.as_ref().map(|token| mac::sha256(token.expose().as_bytes())),
            session_token_unsigned: config.session_token_unsigned,
            identity: Arc::new(identity),
        }
    }
}
