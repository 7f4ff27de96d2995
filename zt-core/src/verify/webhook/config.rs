//! `[[verify.webhook]]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::units::Duration;
use crate::verify::Secret;

/// `[[verify.webhook]]`: one sender of signed webhooks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Name of the sender: the principal of the identity.
    pub id: String,
    /// How it signs.
    pub format: WebhookFormat,
    /// The header with the signature, where it is not the format's own. For `standard` it ends in `-signature`, and those
    /// with the id and the time end in `-id` and `-timestamp`, such as `svix-signature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Secrets, any of which is accepted: two while one replaces the other. Each at least 16 bytes; for `standard`,
    /// `whsec_` and base64, or else the bytes as they stand.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Files with a secret each, on one line; the host reads them.
    #[serde(default)]
    pub secret_files: Vec<String>,
    /// How long ago, or ahead, it may have been signed, at most one hour. `github` signs no time.
    #[serde(default = "tolerance")]
    pub tolerance: Duration,
    /// Roles of the sender.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// How a webhook is signed, always with HMAC-SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>`, over
    /// `<id>.<timestamp>.<body>`.
    Standard,
    /// Stripe: `Stripe-Signature: t=<timestamp>,v1=<hex>`, over `<timestamp>.<body>`.
    Stripe,
    /// GitHub: `X-Hub-Signature-256: sha256=<hex>`, over the body.
    Github,
}

impl WebhookFormat {
    /// The header with the signature.
    pub const fn header(self) -> &'static str {
        match self {
            Self::Standard => "webhook-signature",
            Self::Stripe => "stripe-signature",
            Self::Github => "x-hub-signature-256",
        }
    }
}

const fn tolerance() -> Duration {
    Duration::from_millis(300_000)
}
