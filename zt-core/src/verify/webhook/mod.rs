//! Signed webhooks: Standard Webhooks 1.0, Stripe's and GitHub's scheme.
//!
//! The signature is over the body as it was received, byte for byte; one that was parsed and written again does not
//! verify. Of several signatures one that fits is enough, and their number is bounded. Hexadecimal digits are in lower
//! case, as both senders write them. Stripe's and the standard's signature holds for a tolerance, and once within it;
//! GitHub signs no time, so that a replay cannot be told: its receivers must be idempotent.

mod config;
mod message;

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub use self::config::{WebhookConfig, WebhookFormat};
use self::message::Message;
use super::mac::{self, MacKey};
use super::secret::{LEAST_SECRET_BYTES, Secret};
use super::{Refusal, body};
use crate::model::{Code, Identity, IdentityKind, Millis, Problem, Request};

/// The longest tolerance that a configuration may ask for.
const MAX_TOLERANCE: Millis = 3_600_000;
/// A secret is written with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Every sender, in the configuration's order.
#[derive(Debug, Default)]
pub(super) struct Webhooks(Vec<Webhook>);

#[derive(Debug)]
struct Webhook {
    format: WebhookFormat,
    /// In lower case.
    header: Box<str>,
    secrets: Vec<MacKey>,
    tolerance: Millis,
    identity: Arc<Identity>,
}

impl Webhooks {
    pub(super) fn compile(configs: &[WebhookConfig], problems: &mut Vec<Problem>) -> Self {
        let hooks: Vec<Webhook> =
            configs.iter().enumerate().map(|(at, config)| Webhook::compile(at, config, problems)).collect();
        for (at, hook) in hooks.iter().enumerate() {
            if hooks.iter().take(at).any(|other| *other.header == *hook.header && other.format != hook.format) {
                let problem = Problem::new(format!("verify.webhook[{at}].header"), "another format has this header");
                problems.push(problem.mend("give each format a header of its own"));
            }
        }
        Self(hooks)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who sent this webhook; nobody where no configured header is present. Of senders that share a header it is the
    /// first whose secret fits.
    ///
    /// `first_time` is asked last, whether this message is seen for the first time: it gets the parts that name it, all of
    /// them signed, and until when they must be remembered. The time of signing is among them, because a sender that was
    /// not answered sends the same id again, and signs it again.
    pub(super) fn sender(
        &self,
        request: &Request<'_>,
        now: Millis,
        first_time: impl FnOnce(&[&[u8]], Millis) -> Result<(), Refusal>,
    ) -> Result<Option<Arc<Identity>>, Refusal> {
        let mut present = self.0.iter().filter(|hook| request.header(&hook.header).next().is_some());
        let Some(first) = present.next() else { return Ok(None) };
        if present.any(|other| other.header != first.header) {
            return Err((Code::VerifyManyCredentials, "signatures of more than one kind of webhook"));
        }
        let message = Message::read(first.format, &first.header, request)?;
        let body = body::whole(request)?;
        let sharing = self.0.iter().filter(|hook| hook.header == first.header);
        let hook = sharing.into_iter().find(|hook| hook.signed(&message, body));
        let hook = hook.ok_or((Code::VerifyBadSignature, "no secret fits the webhook's signature"))?;
        if let Some(sent) = message.sent {
            if now.abs_diff(sent) > hook.tolerance.unsigned_abs() {
                return Err((Code::VerifySignatureStale, "the webhook was signed outside `tolerance`"));
            }
            let mut parts: Vec<&[u8]> = vec![b"webhook", hook.identity.principal.as_bytes()];
            parts.extend(message.before.iter().map(|part| &**part));
            // Only the standard gives messages a name.
            let digest = (hook.format == WebhookFormat::Stripe).then(|| mac::sha256(body));
            parts.extend(digest.iter().map(|digest| &digest[..]));
            first_time(&parts, sent.saturating_add(hook.tolerance))?;
        }
        Ok(Some(Arc::clone(&hook.identity)))
    }
}

impl Webhook {
    fn compile(at: usize, config: &WebhookConfig, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: &str, message: &str, mend: &str| {
            problems.push(Problem::new(format!("verify.webhook[{at}].{key}"), message).mend(mend));
        };
        if config.id.is_empty() || config.id.chars().any(char::is_control) {
            problem("id", "empty, or with control characters", "name the sender");
        }
        let header = config.header.as_deref().unwrap_or(config.format.header()).to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if header.is_empty() || !header.bytes().all(token) || header == "authorization" {
            problem("header", "not the name of a header of its own", "write one such as \"x-signature\"");
        } else if config.format == WebhookFormat::Standard && !header.ends_with("-signature") {
            problem("header", "does not end in `-signature`", "write one such as \"svix-signature\"");
        }
        if !(1..=MAX_TOLERANCE).contains(&config.tolerance.millis()) {
            problem("tolerance", "zero, or more than an hour", "write \"5m\"");
        }
        if config.secrets.is_empty() {
            problem("secrets", "no secret", "write `secret_files`, or the secrets themselves as `secrets`");
        }
        // The texts of files stand behind the inline ones.
        let inline = config.secrets.len().saturating_sub(config.secret_files.len());
        let mut secrets = Vec::with_capacity(config.secrets.len());
        for (n, secret) in config.secrets.iter().enumerate() {
            let key = match n.checked_sub(inline).filter(|_| !config.secret_files.is_empty()) {
                Some(n) => format!("secret_files[{n}]"),
                None => format!("secrets[{n}]"),
            };
            match bytes(config.format, secret) {
                None => problem(&key, "not base64 after `whsec_`", "write the secret as the sender shows it"),
                Some(bytes) if bytes.len() < LEAST_SECRET_BYTES => {
                    problem(&key, "shorter than 16 bytes", "let the sender make a longer one");
                }
                Some(bytes) => secrets.extend(MacKey::new(&bytes)),
            }
        }
        let identity = Identity {
            credential_id: Some(config.id.as_str().into()),
            roles: config.roles.iter().map(|role| role.as_str().into()).collect(),
            ..Identity::new(IdentityKind::Webhook, config.id.as_str())
        };
        Self {
            format: config.format,
            header: header.into(),
            secrets,
            tolerance: config.tolerance.millis(),
            identity: Arc::new(identity),
        }
    }

    /// Whether one of the secrets made one of the signatures.
    fn signed(&self, message: &Message<'_>, body: &[u8]) -> bool {
        let parts: Vec<&[u8]> = message.before.iter().copied().chain([body]).collect();
        self.secrets.iter().any(|secret| {
            let due = secret.mac(&parts);
            message.signatures.iter().any(|signature| mac::same(signature, &due))
        })
    }
}

/// The bytes of a secret as it is written.
fn bytes(format: WebhookFormat, secret: &Secret) -> Option<Cow<'_, [u8]>> {
    let text = secret.expose();
    match text.strip_prefix("whsec_").filter(|_| format == WebhookFormat::Standard) {
        Some(encoded) => BASE64.decode(encoded).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(text.as_bytes())),
    }
}

#[cfg(test)]
mod tests;
